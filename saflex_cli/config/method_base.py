"""What every method of a recipe may say."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from saflex_cli.config.base import Strict
from saflex_cli.config.components import Augmenter

Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]


def _train_first(splits: tuple[str, ...]) -> tuple[str, ...]:
    if splits not in (("train",), ("train", "val")):
        raise ValueError("should be [train] or [train, val]")
    return splits


TrainOn = Annotated[tuple[str, ...], AfterValidator(_train_first)]


def all_different(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same items, if no two of them, or of their labels, are equal."""
    names = [getattr(item, "label", item) for item in items]
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise ValueError(f"{twice[0]} is listed twice; leave one out, or give a method a label of its own")
    return items


Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(all_different)]


def _with_label(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    if not isinstance(raw, dict) or "label" in raw:
        return raw
    parts = [raw.get("name"), raw.get("preset")]
    parts += ["trainval"] if raw.get("train_on") == ("train", "val") else []
    parts += ["clean"] if raw.get("clean_batch") is True else []
    parts += ["bn"] if raw.get("reestimate_batch_norm") is True else []
    return raw | {"label": "_".join(str(part) for part in parts if part)}


class MethodBase(Strict):
    """What every method may say."""

    uses_upstream: ClassVar[bool] = True
    """Whether it trains on the recipe's augmentation."""
    uses_network: ClassVar[bool] = True
    """Whether it trains the recipe's model, with the recipe's optimizer."""
    label: Slug
    """Name in paths and tables; without it, made from the method's name, preset, `trainval`, `clean` and `bn`."""
    train_on: TrainOn = ("train",)
    """`[train, val]` trains on both for the full number of epochs and reports the last: no selection is left."""
    augmenter: Augmenter | None = None
    """Replaces the recipe's augmenter for this method alone."""
    seeds: Seeds | None = None
    """Instead of the recipe's, where a method costs too much for all of them."""

    _label = model_validator(mode="before")(_with_label)


class WithoutUpstream(MethodBase):
    """A method that leaves the recipe's augmentation alone."""

    uses_upstream: ClassVar[bool] = False
    name: str

    @model_validator(mode="after")
    def _refuse_augmenter(self) -> "WithoutUpstream":
        if self.augmenter is not None:
            raise ValueError(f"{self.name} has no augmenter; use the method upstream")
        return self
