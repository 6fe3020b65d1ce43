"""What a way to choose rungs has to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vidlink.sender.groups import grouped, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor

    from vidlink.codec.recipe import QualityKnob
    from vidlink.sender.groups import Sided
    from vidlink.sender.guided import State
    from vidlink.sender.risk import Risk
    from vidlink.sender.trial import Attempt, Named, Trials
    from vidlink.types import Clip, Segment


class BudgetTooLowError(Exception):
    """Not even the cheapest rungs fit the budget."""


class Planned(NamedTuple):
    """A group and how it is sent."""

    segment: Segment
    """The group."""
    side_data: bytes
    """What travels with it."""
    found: Attempt
    """The trial that won."""
    state: State
    """What the guide knew after it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What there is to choose from, and within what."""

    clip: Clip
    """What is coded."""
    trials: Trials
    """Makes and measures trial encodes."""
    scales: tuple[float, ...]
    """The ladder, rising."""
    divisors: tuple[int, ...]
    """Frame divisors, rising."""
    qualities: tuple[float, ...]
    """Quality grid of the exhaustive search."""
    knob: QualityKnob
    """Range of the quality for planners that need no grid."""
    knob_worth: float
    """About what one unit of the knob is worth."""
    rate_bps: float
    """Budget on wire bits per second."""
    depth_s: float
    """Depth of the leaky bucket in seconds; 0 where groups of several lengths have the bits of their own time each."""
    loans: bool
    """Whether groups may borrow bits from those after them."""
    pool: Executor
    """Runs trial encodes."""
    most_parts: int = 1
    """Segments that may be joined into one group."""
    risk: Risk | None = None
    """What loss makes of long groups; None where nothing is lost."""
    by: Named | None = None
    """Another objective than that of the trials."""
    rival: Task | None = None
    """The same by a simpler objective: its plan is among the candidates."""
    closely: Named | None = None
    """By what the plans are compared then."""
    overfit: Callable[[Planned, Task, float], Attempt] | None = None
    """Decides whether a restorer goes with a planned group, within so many bits: :mod:`vidlink.sender.overfit`. None
    where none ever does."""

    def windows(self, segments: Iterable[Sided]) -> Iterator[list[Sided]]:
        """Segments that may be joined, with the side data that travels with them."""
        return windows(segments, self.most_parts, self.clip)

    def joined(self, segments: Iterable[Sided], counts: Iterable[int]) -> Iterator[Sided]:
        """The groups of a plan that has so many segments in each."""
        return grouped(segments, counts) if self.most_parts > 1 else iter(segments)
