"""What a codec is: the recipe in a TOML file of the ``codecs`` shelf."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from vidlink.codec.parameters import check_bounds, check_name, check_options
from vidlink.rtp.formats import payload_format
from vidlink.units import LARGEST_SIDE, NUMBER


def _known(payload: str) -> str:
    payload_format(payload)
    return payload


Number = Annotated[float, Field(ge=NUMBER.least, le=NUMBER.most)]
"""A number that an encoder takes."""


class QualityKnob(BaseModel):
    """The codec's quality knob: a lower value is a better picture."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    option: Annotated[str, AfterValidator(check_name)]
    """Name of the encoder option (``crf``, ``qp``)."""
    best: Number
    """Lowest value that is allowed."""
    worst: Number
    """Highest value that is allowed."""
    step: float = Field(default=1.0, ge=1e-6, le=NUMBER.most)
    """Smallest difference that the encoder heeds."""
    grid: tuple[Number, ...] = Field(min_length=1, max_length=1000)
    """Values that the exhaustive search tries."""

    def rounded(self, value: float) -> float:
        """The nearest value that the encoder takes."""
        steps = round((min(max(value, self.best), self.worst) - self.best) / self.step)
        nearest = round(self.best + steps * self.step, 6)  # which may be just outside
        return min(max(nearest, self.best), self.worst)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.best >= self.worst:
            raise ValueError(f"best must be below worst, found best = {self.best:g}, worst = {self.worst:g}")
        outside = [value for value in self.grid if not self.best <= value <= self.worst]
        if outside:
            raise ValueError(f"grid must lie within {self.best:g} to {self.worst:g}, found {outside[0]:g}")
        return self


class Codec(BaseModel):
    """A codec recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    """The file's name without suffix; set on load."""
    description: str = Field(min_length=1)
    """One line for ``--list codecs``."""
    encoder: str = Field(min_length=1)
    """FFmpeg's name of the encoder."""
    decoder: str = Field(min_length=1)
    """FFmpeg's name of the decoder, from PyAV's wheel."""
    payload: Annotated[str, AfterValidator(_known)]
    """How units are put into packets: a name in the table :data:`vidlink.rtp.formats.FORMATS`."""
    implementation: str | None = None
    """``package.module:Class`` of a codec that is no FFmpeg encoder, see :mod:`vidlink.codec.implementation`; then it
    is the encoder's and decoder's name, too, and ``payload`` is ``generic``."""
    program: Literal["ffmpeg"] | None = None
    """``ffmpeg``: encode with the machine's own ffmpeg, for encoders that PyAV's wheel lacks."""
    min_side: int = Field(default=16, ge=2, le=LARGEST_SIDE)
    """Smallest width or height in pixels that the encoder takes; rungs below are left out."""
    options: dict[str, str] = Field(default_factory=dict)
    """Encoder options as FFmpeg names them: the encoder's own, and none that name files."""
    quality: QualityKnob
    """The quality knob."""

    @field_validator("options")
    @classmethod
    def _harmless(cls, options: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if info.data.get("implementation"):
            return options
        return check_bounds(check_options(options)) if info.data.get("encoder") == "libx264" else check_options(options)

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.quality.option in self.options:
            raise ValueError(f"options has {self.quality.option}, which is the quality knob: leave it out there")
        return self

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_class(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "implementation" not in raw:
            return raw
        name = raw["implementation"]
        given = [key for key in ("encoder", "decoder", "payload", "program") if key in raw]
        if given:
            raise ValueError(f"implementation takes the place of {given[0]}; give one of them")
        if not isinstance(name, str) or not all(name.partition(":")):
            raise ValueError(f"implementation must be package.module:Class, found {name!r}")
        return {**raw, "encoder": name, "decoder": name, "payload": "generic"}
