"""A slow, obviously correct twin of SAINT's forward pass in evaluation mode, in Python numbers and loops.

Obviously correct: it follows the description in docs/tabular-models.md one row, column, token and head at a time, and
takes from the model its parameters alone. No batching, no attention kernel, no broadcasting.
"""

import math

from torch import Tensor

Vector = list[float]
Matrix = list[Vector]


class Parameters:
    """Parameters by name, as nested lists."""

    def __init__(self, values: dict[str, Tensor], prefix: str = "") -> None:
        self.values, self.prefix = values, prefix

    def __getitem__(self, name: str) -> list:
        return self.values[self.prefix + name].tolist()

    def has(self, name: str) -> bool:
        return self.prefix + name in self.values

    def at(self, name: str) -> "Parameters":
        return Parameters(self.values, f"{self.prefix}{name}.")


def reference_saint(
    state: dict[str, Tensor],
    rows: Matrix,
    *,
    levels: tuple[int, ...],
    depth: int,
    heads: int,
    row_attention: bool,
) -> Matrix:
    """Logits of rows (B, F); NaN is a missing value."""
    parameters = Parameters(state)
    batch = [_tokens(parameters.at("tokens"), row, levels) for row in rows]
    index = 0
    for _ in range(depth):
        block = parameters.at(f"blocks.{index}")
        batch = [_block(block, tokens, heads) for tokens in batch]
        index += 1
        if row_attention:
            joined = [[value for token in tokens for value in token] for tokens in batch]
            joined = _block(parameters.at(f"blocks.{index}.block"), joined, heads)
            width = len(batch[0][0])
            batch = [[row[i : i + width] for i in range(0, len(row), width)] for row in joined]
            index += 1
    return [_classify(parameters, tokens[0]) for tokens in batch]


def _tokens(parameters: Parameters, row: Vector, levels: tuple[int, ...]) -> Matrix:
    continuous = len(row) - len(levels)
    tokens = [parameters["class_token"]]
    for column in range(continuous):
        if math.isnan(row[column]):
            tokens.append(parameters["numbers.missing"][column])
            continue
        weights, biases = parameters["numbers.weight_in"][column], parameters["numbers.bias_in"][column]
        hidden = [max(0.0, row[column] * weight + bias) for weight, bias in zip(weights, biases, strict=True)]
        token = parameters["numbers.bias_out"][column]
        for unit, outgoing in zip(hidden, parameters["numbers.weight_out"][column], strict=True):
            token = [value + unit * weight for value, weight in zip(token, outgoing, strict=True)]
        tokens.append(token)
    for position in range(len(levels)):
        earlier = sum(levels[:position])
        tokens.append(parameters["categories.weight"][earlier + int(row[continuous + position])])
    return tokens


def _block(parameters: Parameters, tokens: Matrix, heads: int) -> Matrix:
    normed = [_norm(parameters.at("attention_norm"), token) for token in tokens]
    tokens = _sum(tokens, _attention(parameters.at("attention"), normed, heads))
    normed = [_norm(parameters.at("feedforward_norm"), token) for token in tokens]
    return _sum(tokens, [_feed_forward(parameters.at("feedforward"), token) for token in normed])


def _attention(parameters: Parameters, tokens: Matrix, heads: int) -> Matrix:
    projected = [_linear(parameters.at("queries_keys_values"), token) for token in tokens]
    inner = len(projected[0]) // 3
    width = inner // heads
    results: Matrix = [[] for _ in tokens]
    for head in range(heads):
        start = head * width
        queries = [p[start : start + width] for p in projected]
        keys = [p[inner + start : inner + start + width] for p in projected]
        values = [p[2 * inner + start : 2 * inner + start + width] for p in projected]
        for i, query in enumerate(queries):
            scores = [sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(width) for key in keys]
            powers = [math.exp(score - max(scores)) for score in scores]
            gathered = [
                sum(powers[j] / sum(powers) * values[j][channel] for j in range(len(tokens)))
                for channel in range(width)
            ]
            results[i] += gathered
    return [_linear(parameters.at("out"), result) for result in results]


def _feed_forward(parameters: Parameters, token: Vector) -> Vector:
    both = _linear(parameters.at("up"), token)
    half = len(both) // 2
    gated = [value * _gelu(gate) for value, gate in zip(both[:half], both[half:], strict=True)]
    return _linear(parameters.at("down"), gated)


def _classify(parameters: Parameters, token: Vector) -> Vector:
    hidden = _linear(parameters.at("hidden.0"), _norm(parameters.at("norm"), token))
    return _linear(parameters.at("head"), [max(0.0, value) for value in hidden])


def _linear(parameters: Parameters, vector: Vector) -> Vector:
    weights = parameters["weight"]
    biases = parameters["bias"] if parameters.has("bias") else [0.0] * len(weights)
    return [
        bias + sum(w * v for w, v in zip(row, vector, strict=True)) for row, bias in zip(weights, biases, strict=True)
    ]


def _norm(parameters: Parameters, vector: Vector) -> Vector:
    mean = sum(vector) / len(vector)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in vector) / len(vector) + 1e-5)
    return [
        (value - mean) / deviation * weight + bias
        for value, weight, bias in zip(vector, parameters["weight"], parameters["bias"], strict=True)
    ]


def _gelu(value: float) -> float:
    return value * (1 + math.erf(value / math.sqrt(2))) / 2


def _sum(left: Matrix, right: Matrix) -> Matrix:
    return [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(left, right, strict=True)]
