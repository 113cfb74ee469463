"""What every type of a recipe is made from."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
TITLE = r"^[^|\r\n]+$"
Title = Annotated[str, Field(pattern=TITLE)]
"""One line of a printed table; `|` would end a cell."""


class Strict(BaseModel):
    """Base: frozen, no unknown keys, no silent conversion, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
