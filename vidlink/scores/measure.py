"""What a measure is: where it stands in tables, what people read, how it is computed and how it is averaged.

A measure is one object. Everything that shows measures reads them from the table in :mod:`vidlink.scores.measures`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from types import TracebackType

    import av

    from vidlink.types import Clip


class PictureMeter(Protocol):
    """Measures one picture at a time."""

    def __call__(self, picture: av.VideoFrame, reference: av.VideoFrame) -> float:
        """What a received HR picture is worth beside its source, both ``yuv420p``; called in order of time."""
        ...


class RunMeter(Protocol):
    """Sees all pictures of a run and says at its end what they come to; a context manager."""

    score: float | None
    """There once the block has ended well."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __call__(self, picture: av.VideoFrame, reference: av.VideoFrame) -> None:
        """Take in a received HR picture and its source, both ``yuv420p``; called in order of time."""
        ...


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What all measures have: a place in tables, and words for people."""

    section: ClassVar[str]
    """Section of ``summary.json`` in which it stands."""
    column: str
    """Its name there, in ``frames.csv`` and ``segments.csv``, and of its values on a curve."""
    name: str
    """What people call it."""
    unit: str = ""
    """Unit in which people read it; empty where it has none."""
    unit_size: float = 1
    """How much in tables one such unit is: 1000 where tables have bits and people read kilobits."""
    digits: int
    """Decimals in tables."""
    decimals: int
    """Decimals that people read."""
    on_curves: bool = True
    """Whether curves of a sweep have it."""
    headline: bool = True
    """Whether the plot of a run and the Markdown of a sweep show it; tables have it in any case."""

    @property
    def table_column(self) -> str:
        """Its column in the table of a sweep."""
        return f"{self.section}_{self.column}"

    @property
    def heading(self) -> str:
        """Heading of a column for people, such as ``PSNR dB``."""
        return f"{self.name} {self.unit}".rstrip()

    @property
    def label(self) -> str:
        """Label of an axis, such as ``PSNR (dB)``."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def quantity(self, value: float) -> str:
        """A value as people read it, with the unit."""
        return f"{self.number(value)} {self.unit}".rstrip()

    def number(self, value: float) -> str:
        """A value as people read it, without the unit."""
        return f"{value / self.unit_size:.{self.decimals}f}"

    def rounded(self, value: float | None) -> float | None:
        """A value as tables have it."""
        return None if value is None else round(float(value), self.digits)


@dataclass(frozen=True, kw_only=True)
class QualityMeasure(Measure):
    """How good the pictures are that the far end saw."""

    section: ClassVar[str] = "quality"
    make: Callable[[Clip], Any]
    """Makes the meter for a clip."""
    option: str | None = None
    """Field of :class:`~vidlink.settings.Settings` that asks for it, where it costs so much that one has to ask; tables
    have it only then. None for what is measured in every run that scores pictures."""


@dataclass(frozen=True, kw_only=True)
class FrameMeasure(QualityMeasure):
    """A number for each frame, averaged over segments and runs."""

    make: Callable[[Clip], PictureMeter]
    mean: Callable[[Any], float] = np.mean
    """How values of frames, shape (n,), become that of all."""
    drawn_up_to: float | None = None
    """Values above are drawn as this one; None draws all as they are."""
    of_luma: bool = False
    """Whether it looks at nothing but luma, so that pictures may be ``gray``."""


@dataclass(frozen=True, kw_only=True)
class RunMeasure(QualityMeasure):
    """One number for the whole run."""

    make: Callable[[Clip], RunMeter]
