"""From Π to labels and weights: the linear program, its proximal repair, the noise, and every reading of the paper."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from torch import Tensor
from torch.testing import assert_close

from saflex_cli.core import PRESETS, Settings, solve_labels, solve_weights
from saflex_cli.core.solution import gumbel_noise
from tests.reference import reference_labels, reference_weights

LP, PROXIMAL = PRESETS["lp"], PRESETS["proximal"]


@st.composite
def matrices(draw) -> Tensor:
    """Π of any small shape, with ties (integers), one sample, two classes, or nothing but negative entries."""
    batch, classes = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    entry = draw(st.sampled_from([st.floats(-3, 3), st.integers(-1, 1), st.floats(-3, -1e-3)]))
    rows = draw(st.lists(st.lists(entry, min_size=classes, max_size=classes), min_size=batch, max_size=batch))
    return torch.tensor(rows, dtype=torch.float64)


seeds = st.integers(0, 2**31)


def rows_like(matrix: Tensor, seed: int, *, sharpness: float = 1.0) -> Tensor:
    """Random probability vectors, one per sample."""
    generator = torch.Generator().manual_seed(seed)
    return (sharpness * torch.randn(matrix.shape, dtype=torch.float64, generator=generator)).softmax(1)


def solved(matrix: Tensor, upstream: Tensor, settings: Settings, log_probs: Tensor | None = None, generator=None):
    """Labels and weights of one reading."""
    log_probs = torch.zeros_like(matrix).log_softmax(1) if log_probs is None else log_probs
    labels = solve_labels(matrix, log_probs, upstream, settings, generator)
    return labels, solve_weights(matrix, labels, upstream, log_probs, settings)


# The linear program of Eq. 4 ------------------------------------------------------------------------------------------


@given(matrices())
def test_lp_is_the_optimum_of_the_linear_program(matrix):
    """`lp` reaches the optimum of max Σ_ik v_ik Π_ik with v = w·y ≥ 0, Σ_k v_ik ≤ 1, found by scipy."""
    batch, classes = matrix.shape
    one_budget_per_sample = np.kron(np.eye(batch), np.ones(classes))
    optimum = linprog(-matrix.flatten().numpy(), A_ub=one_budget_per_sample, b_ub=np.ones(batch), bounds=(0, None))
    labels, weights = solved(matrix, rows_like(matrix, 0), LP)
    reached = (weights[:, None] * labels * matrix).sum().item()
    assert reached == pytest.approx(-optimum.fun, abs=1e-6)  # linprog leaves gains below 1e-7 where they are


@given(matrices(), seeds)
def test_nothing_feasible_beats_lp(matrix, seed):
    """No sample weights in [0, 1] and no probability vectors reach more than `lp`."""
    labels, weights = solved(matrix, rows_like(matrix, 0), LP)
    reached = (weights[:, None] * labels * matrix).sum()
    other_labels = rows_like(matrix, seed, sharpness=5.0)
    other_weights = torch.rand(len(matrix), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert (other_weights[:, None] * other_labels * matrix).sum() <= reached + 1e-12


def test_lp_by_hand():
    """Sample 1: class 1 gains most. Sample 2: a tie goes to the first. Sample 3: nothing gains, so it is left out."""
    matrix = torch.tensor([[-1.0, 2.0, 1.0], [0.5, 0.5, 0.0], [-2.0, -1.0, -3.0]], dtype=torch.float64)
    labels, weights = solved(matrix, rows_like(matrix, 0), LP)
    assert labels.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert weights.tolist() == [1, 1, 0]


def test_theorem_1_as_printed_is_not_optimal():
    """Σ_k Π_k ≥ 0, the printed weight test, leaves out a sample that gains 1."""
    matrix = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    upstream = rows_like(matrix, 0)
    assert solved(matrix, upstream, LP)[1].item() == 1
    assert solved(matrix, upstream, PRESETS["theorem1"])[1].item() == 0


# Twins ----------------------------------------------------------------------------------------------------------------

READINGS = {
    "default": {},
    "scale-number": {"scale": 2.5},
    "scale-zero": {"scale": 0.0},
    "scale-rms": {"scale": "rms"},
    "scale-rms-capped": {"scale": "rms", "scale_cap": 0.1},
    "retention-soft": {"label_retention": 0.7},
    "retention-argmax": {"label_retention": 0.7, "retention_of": "argmax"},
    "prior": {"model_prior": 0.4},
    "noise": {"gumbel_scale": 0.8},
    "temperature": {"temperature": 0.3},
    "temperature-zero": {"temperature": 0.0},
    "labels-kept": {"refine_labels": False},
    "everything": {"scale": "rms", "label_retention": 0.7, "model_prior": 0.4, "gumbel_scale": 0.8, "temperature": 0.3},
}
RANKING = ["agreement", "printed_sum", "upstream_agreement", "relu"]
"""Those whose largest score does not hang on rounding where samples are alike."""
RULES = ["agreement", "printed_sum", "upstream_agreement", "joint", "relu", "none"]


@pytest.mark.parametrize("reading", [*READINGS, *PRESETS])
@given(matrix=matrices(), seed=seeds)
def test_labels_equal_the_formula(reading, matrix, seed):
    """Every term of u_i, and every preset, against the formula in Python numbers."""
    settings = PRESETS[reading] if reading in PRESETS else Settings(**READINGS[reading])
    upstream, log_probs = rows_like(matrix, seed), rows_like(matrix, seed + 1).log()
    noise = gumbel_noise(matrix, torch.Generator().manual_seed(seed))
    found = solve_labels(matrix, log_probs, upstream, settings, torch.Generator().manual_seed(seed))
    assert_close(found, reference_labels(matrix, log_probs, upstream, settings, noise))


@pytest.mark.parametrize(("rule", "simplex"), [(rule, False) for rule in RULES] + [(rule, True) for rule in RANKING])
@pytest.mark.parametrize("test_of", ["alignment", "retained"])
@given(matrix=matrices(), seed=seeds)
def test_weights_equal_the_rule(rule, test_of, simplex, matrix, seed):
    """Every weight rule (E3), tested on Π or on Π + βỹ (E12), in the box or on the simplex (E6)."""
    settings = Settings(weight_rule=rule, weight_test_of=test_of, simplex_weights=simplex, label_retention=0.7)
    upstream, labels = rows_like(matrix, seed), rows_like(matrix, seed + 1)
    log_probs = rows_like(matrix, seed + 2).log()
    found = solve_weights(matrix, labels, upstream, log_probs, settings)
    assert_close(found, reference_weights(matrix, labels, upstream, settings, log_probs))


@given(matrices(), seeds)
def test_weights_lie_in_the_unit_interval_and_labels_on_the_simplex(matrix, seed):
    """Whatever the reading, w ∈ [0, 1], y ≥ 0 and Σ_k y_k = 1."""
    for settings in PRESETS.values():
        labels, weights = solved(matrix, rows_like(matrix, seed), settings)
        assert ((weights >= 0) & (weights <= 1)).all()
        assert (labels >= 0).all()
        assert_close(labels.sum(1), torch.ones(len(matrix), dtype=torch.float64))


@pytest.mark.parametrize("preset", ["weights_only", "l2rw"])
def test_kept_labels_are_the_upstream_labels(preset):
    matrix = torch.randn(4, 3, dtype=torch.float64)
    upstream = rows_like(matrix, 1)
    assert torch.equal(solved(matrix, upstream, PRESETS[preset])[0], upstream)


def test_simplex_weights_choose_one_sample():
    """Σ w = 1 as a constraint puts everything on the sample that gains most, even where none gains (E6)."""
    settings = replace(LP, simplex_weights=True)
    for shift in (0.0, -10.0):
        matrix = torch.tensor([[1.0, 0.0], [3.0, 2.0], [2.0, 2.5]], dtype=torch.float64) + shift
        assert solved(matrix, rows_like(matrix, 0), settings)[1].tolist() == [0, 1, 0]


def test_no_sample_gains_under_relu():
    """Where no upstream label gains, every weight is zero: not 0/0."""
    matrix = -torch.ones(3, 2, dtype=torch.float64)
    assert solved(matrix, rows_like(matrix, 0), PRESETS["l2rw"])[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("size", "expected"), [(0.0, 100.0), (1e-4, 100.0), (0.5, 2.0), (50.0, 0.02)])
def test_the_rms_scale_and_its_cap(size, expected):
    """s = 1 / rms(Π), at most 100: with u = sΠ alone, log-odds of two classes are s times the difference of Π."""
    matrix = size * torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    settings = Settings(scale="rms")
    labels, _ = solved(matrix, rows_like(matrix, 0), settings)
    odds = (labels[0, 0] / labels[0, 1]).log().item()
    assert odds == pytest.approx(expected * 2 * size)


# The proximal step ----------------------------------------------------------------------------------------------------


@given(matrices(), seeds)
def test_nothing_beats_the_proximal_label(matrix, seed):
    """`proximal` maximises ⟨y, Π⟩ − KL(y ‖ prior) / s with prior ∝ p(x)^γ exp(β ỹ); here for given s, β and γ."""
    settings = replace(PROXIMAL, scale=1.7, label_retention=0.6, model_prior=0.8)
    upstream, log_probs = rows_like(matrix, 1), rows_like(matrix, 2).log()
    prior = (settings.model_prior * log_probs + settings.label_retention * upstream).softmax(1)

    def objective(labels: Tensor) -> Tensor:
        divergence = (torch.xlogy(labels, labels) - labels * prior.log()).sum(1)
        return (labels * matrix).sum(1) - divergence / settings.scale

    best = objective(solve_labels(matrix, log_probs, upstream, settings))
    assert (objective(rows_like(matrix, seed, sharpness=3.0)) <= best + 1e-12).all()
    nearby = (0.999 * solve_labels(matrix, log_probs, upstream, settings)) + 0.001 * rows_like(matrix, seed)
    assert (objective(nearby) <= best + 1e-12).all()


@given(matrices(), seeds)
def test_bootstrap_is_proximal_without_alignment(matrix, seed):
    """The ablation ignores Π altogether."""
    upstream, log_probs = rows_like(matrix, seed), rows_like(matrix, seed + 1).log()
    labels, weights = solved(matrix, upstream, PRESETS["bootstrap"], log_probs)
    without, _ = solved(0 * matrix, upstream, PROXIMAL, log_probs)
    assert_close(labels, without)
    assert (weights == 1).all()


# The noise ------------------------------------------------------------------------------------------------------------

DRAWS = 40_000


@pytest.mark.parametrize("temperature", [0.0, 0.01])
def test_gumbel_labels_are_draws_from_a_softmax(temperature):
    """For small τ the label of `paper` is a draw from softmax(Π + βe) (E5); chi-square on 40 000 draws, 2 d.o.f."""
    alignment_row = torch.tensor([0.4, -0.6, 0.1], dtype=torch.float64)
    upstream_row = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    settings = replace(PRESETS["paper"], label_retention=1.0, temperature=temperature)
    matrix, upstream = alignment_row.expand(DRAWS, 3), upstream_row.expand(DRAWS, 3)
    labels = solve_labels(matrix, torch.zeros_like(matrix), upstream, settings, torch.Generator().manual_seed(0))
    counts = torch.bincount(labels.argmax(1), minlength=3)
    expected = DRAWS * (alignment_row + upstream_row).softmax(0)
    assert ((counts - expected) ** 2 / expected).sum() < 13.8  # exceeded by chance once in a thousand seeds


def test_gumbel_noise_is_standard():
    """Mean 0.5772 (Euler's constant), variance π²/6; the median is −log log 2."""
    noise = gumbel_noise(torch.empty(DRAWS, 2, dtype=torch.float64), torch.Generator().manual_seed(0))
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.02)
    assert noise.var().item() == pytest.approx(torch.pi**2 / 6, rel=0.03)
    assert (noise < -np.log(np.log(2))).double().mean().item() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_generator_alone_decides_the_noise(dtype):
    """Same generator seed, same labels, whatever the global random state; another seed, other labels."""
    matrix = torch.zeros(8, 3, dtype=dtype)
    labels = []
    for seed in (5, 5, 6):
        torch.rand(1)
        generator = torch.Generator().manual_seed(seed)
        labels.append(solved(matrix, matrix + 1 / 3, PRESETS["paper"], generator=generator)[0])
    assert torch.equal(labels[0], labels[1])
    assert not torch.equal(labels[0], labels[2])


def test_without_a_generator_the_global_stream_is_used():
    """`torch.manual_seed` then repeats the labels."""
    matrix = torch.zeros(8, 3, dtype=torch.float64)
    labels = []
    for _ in range(2):
        torch.manual_seed(5)
        labels.append(solved(matrix, matrix + 1 / 3, PRESETS["paper"])[0])
    assert torch.equal(*labels)
