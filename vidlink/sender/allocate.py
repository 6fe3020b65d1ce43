"""Which rung for which segment: the best mean quality whose wire bits fit a leaky bucket.

The bucket drains at the budget. A segment's wire bits are poured in when it has been captured whole and must have
drained ``buffer_s`` later: that is how long a packet may wait at the sender, and what leaves it never exceeds the
budget over any window. With one-second segments and a bucket of one second each segment has its own second of budget;
with a deeper bucket hard segments borrow from easy ones.

The choice is Lagrangian (Shoham and Gersho 1988; under a buffer Ortega, Ramchandran and Vetterli 1994): the slope of
quality against bits is lowered from infinity, every segment follows along its convex hull, and one that would overflow
the bucket stays where it is while the others go on.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vidlink.types import CodedSegment, Rung


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One trial encode of a segment."""

    rung: Rung
    """How it was coded."""
    wire_bits: int
    """What it costs on the wire."""
    quality: float
    """Mean quality over its frames as the objective counts it; higher is better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """The trial encodes of one segment."""

    trials: tuple[Trial, ...]
    """In any order; none where each alone overflows the bucket."""
    cheapest: CodedSegment
    """The coded segment with the fewest wire bits, kept to tell the lowest rate that works."""
    frames: int
    """Number of source frames: the weight of the segment in the mean."""
    start_s: float
    """Start of the segment in seconds."""
    duration_s: float
    """Duration of the segment in seconds."""

    @property
    def end_s(self) -> float:
        """When the segment has been captured whole, in seconds."""
        return self.start_s + self.duration_s


class Bucket:
    """The leaky bucket between coder and link.

    Parameters
    ----------
    segments
        The segments in order; only their times are used.
    rate_bps
        Drain rate in bits per second.
    depth_s
        Seconds after its capture by which a segment must have drained; never less than the segment's own duration.
    """

    def __init__(self, segments: Sequence[Choices], *, rate_bps: float, depth_s: float) -> None:
        self._rate_bps = rate_bps
        self._ends = [segment.end_s for segment in segments]
        self._limits = [segment.end_s + max(depth_s, segment.duration_s) for segment in segments]
        # The clip as a whole must not exceed the budget either, however short its last segment is.
        self._limits[-1] = min(self._limits[-1], self._ends[-1] + segments[0].duration_s)
        self._bits = [0] * len(segments)
        self._drained = list(self._ends)

    def fits(self, segment: int, bits: int) -> bool:
        """Whether ``bits`` wire bits in a segment, all others as they are, overflow nothing."""
        return all(drained <= self._limits[k] + 1e-9 for k, drained in self._drain(segment, bits))

    def put(self, segment: int, bits: int) -> None:
        """Set the wire bits of a segment."""
        for k, drained in self._drain(segment, bits):
            self._drained[k] = drained
        self._bits[segment] = bits

    def _drain(self, segment: int, bits: int) -> list[tuple[int, float]]:
        """When this segment and those after it that notice have drained."""
        free = self._drained[segment - 1] if segment else -math.inf
        changed = []
        for k in range(segment, len(self._bits)):
            free = max(free, self._ends[k]) + (bits if k == segment else self._bits[k]) / self._rate_bps
            changed.append((k, free))
            if k > segment and free == self._drained[k]:
                break
            if k + 1 < len(self._bits) and max(free, self._drained[k]) <= self._ends[k + 1]:
                break
        return changed


def allocate(segments: Sequence[Choices], *, rate_bps: float, depth_s: float) -> list[Trial] | None:
    """Choose one trial for every segment.

    Parameters
    ----------
    segments
        The trials of every segment, in order.
    rate_bps
        Budget on wire bits per second.
    depth_s
        Depth of the leaky bucket in seconds.

    Returns
    -------
    list of Trial or None
        One trial for each segment, or None where not even the cheapest ones fit.
    """
    if not all(segment.trials for segment in segments):
        return None
    bucket = Bucket(segments, rate_bps=rate_bps, depth_s=depth_s)
    hulls = [hull(segment.trials) for segment in segments]
    chosen = [points[0] for points in hulls]
    for k, trial in enumerate(chosen):
        if not bucket.fits(k, trial.wire_bits):
            return None
        bucket.put(k, trial.wire_bits)
    steps = [step for k, points in enumerate(hulls) if (step := _step(segments[k], points, 1, k))]
    heapq.heapify(steps)
    while steps:
        _, k, position = heapq.heappop(steps)
        trial = hulls[k][position]
        if not bucket.fits(k, trial.wire_bits):
            continue
        bucket.put(k, trial.wire_bits)
        chosen[k] = trial
        if step := _step(segments[k], hulls[k], position + 1, k):
            heapq.heappush(steps, step)
    # What is left over goes to trials between the corners of the hulls.
    for k, segment in enumerate(segments):
        better = [t for t in segment.trials if t.quality > chosen[k].quality and bucket.fits(k, t.wire_bits)]
        if better:
            chosen[k] = max(better, key=lambda t: (t.quality, -t.wire_bits))
            bucket.put(k, chosen[k].wire_bits)
    return chosen


def hull(trials: Sequence[Trial]) -> list[Trial]:
    """The upper convex hull of quality against wire bits: bits and quality rise, the slope falls."""
    points: list[Trial] = []
    for trial in sorted(trials, key=lambda t: (t.wire_bits, -t.quality)):
        if points and trial.quality <= points[-1].quality:
            continue
        while len(points) > 1 and _slope(points[-2], points[-1]) <= _slope(points[-1], trial):
            points.pop()
        points.append(trial)
    return points


def lowest_rate(
    segments: Sequence[Choices], *, depth_s: float | None, wire_bits: Callable[[CodedSegment, float], int]
) -> float:
    """The lowest budget in bits per second, rounded up to two digits and more, at which the cheapest trials fit.

    Parameters
    ----------
    segments
        The segments in order.
    depth_s
        Depth of the leaky bucket in seconds; None where segments of any length must fit their own time each.
    wire_bits
        Wire bits of a coded segment at a budget (how pictures share packets depends on the budget).
    """

    def works(rate_bps: float) -> bool:
        if depth_s is None:
            return all(wire_bits(each.cheapest, rate_bps) <= rate_bps * each.duration_s + 1e-9 for each in segments)
        bucket = Bucket(segments, rate_bps=rate_bps, depth_s=depth_s)
        for k, segment in enumerate(segments):
            bits = wire_bits(segment.cheapest, rate_bps)
            if not bucket.fits(k, bits):
                return False
            bucket.put(k, bits)
        return True

    rate_bps = 100.0
    while not works(rate_bps):
        rate_bps *= 1.01
    step = 10 ** (math.floor(math.log10(rate_bps)) - 1)
    rate_bps = math.ceil(rate_bps / step) * step
    while not works(rate_bps):
        rate_bps += step
    return rate_bps


def _slope(low: Trial, high: Trial) -> float:
    return (high.quality - low.quality) / max(high.wire_bits - low.wire_bits, 1)


def _step(segment: Choices, points: Sequence[Trial], position: int, k: int) -> tuple[float, int, int] | None:
    """The step up to a corner of a segment's hull as a heap entry, steepest first."""
    if position >= len(points):
        return None
    return -segment.frames * _slope(points[position - 1], points[position]), k, position
