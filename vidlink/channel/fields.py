"""What the keys of a channel file may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from vidlink.errors import UserError
from vidlink.units import SECONDS, parse_rate


def _rate(value: Any) -> float:
    try:
        return parse_rate(value)
    except UserError as error:
        raise ValueError(str(error)) from None


def _beside(value: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return value if folder is None else Path(folder) / value


Rate = Annotated[float, BeforeValidator(_rate)]
"""Bits per second; text such as ``64k`` too."""
Probability = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=SECONDS.least, le=SECONDS.most)]
"""A time; its bounds are those of all times."""
PositiveSeconds = Annotated[float, Field(gt=0, le=SECONDS.most)]
MOST_BYTES = 10**12
"""What a queue holds at the most."""
BesideProfile = Annotated[Path, AfterValidator(_beside)]
"""A file; a relative path starts at the profile's folder."""


class Table(BaseModel):
    """A table of a channel file: its keys are known, and it does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
