"""Ways to choose rungs under a budget: the planner, the exhaustive reference, and the usual baselines.

Each takes the clip segment by segment and yields what is to be sent, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.sender.allocate import Choices, Trial, allocate, lowest_rate
from vidlink.sender.guided import Guide
from vidlink.sender.search import search
from vidlink.types import Rung

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor

    from vidlink.codec.recipe import QualityKnob
    from vidlink.sender.trial import Attempt, Trials
    from vidlink.types import Clip, CodedSegment, Segment

LADDER_BITS_PER_PIXEL = 0.05
"""A fixed bitrate ladder takes the finest scale at which a coded pixel still gets so many bits."""


_OCTAVES = 1.0
"""Segments get at least this many octaves less and at most as many more than the bits of their own time."""


class BudgetTooLowError(Exception):
    """Not even the cheapest rungs fit the budget."""


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
    """Depth of the leaky bucket in seconds."""
    pool: Executor
    """Runs trial encodes."""


def guided(segments: Iterable[tuple[Segment, bytes]], task: Task) -> Iterator[tuple[Segment, Attempt]]:
    """Plan segment by segment with few trials, each within the bits of its own time; see :mod:`vidlink.sender.guided`.

    Parameters
    ----------
    segments
        Segments with the side data that travels with them, in order.
    task
        What to choose from.

    Raises
    ------
    BudgetTooLowError
        A segment does not fit.
    """
    guide = _guide(task)
    for segment, side_data in segments:
        yield segment, _choose(guide, segment, side_data, task, task.rate_bps * segment.duration_s)


def guided_with_loans(
    read: Callable[[str], Iterable[tuple[Segment, bytes]]], task: Task
) -> Iterator[tuple[Segment, Attempt]]:
    """As :func:`guided`, but where the bucket is deeper than a segment, segments borrow from those after them.

    The clip is planned twice. What the first plan learns of each segment, a straight line of quality against the
    logarithm of its bits, goes to the same Lagrangian choice under the bucket as the exhaustive search uses; the second
    plan takes up each segment where the first left it, within the bits that this gave it.

    Parameters
    ----------
    read
        Reads the clip from its start, for the stage of that name.
    task
        What to choose from.

    Raises
    ------
    BudgetTooLowError
        A segment does not fit its own time.
    """
    guide, states, alone = _guide(task), [], []
    for segment, side_data in read("plan"):
        own_bits = task.rate_bps * segment.duration_s
        found = _choose(guide, segment, side_data, task, own_bits)
        states.append(guide.remember())
        floor = task.trials.make(segment, _cheapest(task, task.knob.worst), side_data, largest_bits=0)
        # Without its frames a segment takes little memory.
        alone.append((replace(segment, frames=()), len(segment.frames), found, own_bits, floor.wire_bits))
    slopes = [state.quality_per_bit_doubling for state in states]
    # A slope from two trials is rough: halfway to what is usual in the clip.
    usual = float(np.median(slopes))
    choices = [_model(*each, (slope + usual) / 2) for each, slope in zip(alone, slopes, strict=True)]
    chosen = allocate(choices, rate_bps=task.rate_bps, depth_s=task.depth_s)
    budgets = [trial.wire_bits for trial in chosen] if chosen else [own_bits for *_, own_bits, _ in alone]
    for (segment, side_data), state, budget_bits in zip(read("send"), states, budgets, strict=True):
        guide.recall(state)
        yield segment, _choose(guide, segment, side_data, task, budget_bits)


def _guide(task: Task) -> Guide:
    return Guide(scales=task.scales, divisors=task.divisors, knob=task.knob, quality_slope=task.knob_worth)


def _choose(guide: Guide, segment: Segment, side_data: bytes, task: Task, budget_bits: float) -> Attempt:
    """The guide's choice for a segment within its budget."""
    pixels = float(task.clip.width * task.clip.height * len(segment.frames))

    def attempt(rung: Rung) -> Attempt:
        return task.trials.make(segment, rung, side_data)

    found = guide.choose(attempt, budget_bits=budget_bits, pixels=pixels, pool=task.pool)
    if found is None:
        raise BudgetTooLowError
    return found


def _cheapest(task: Task, quality: float) -> Rung:
    return Rung(scale=task.scales[-1], frame_divisor=task.divisors[-1], quality=quality)


def _model(
    segment: Segment, frames: int, found: Attempt, own_bits: float, floor_bits: int, per_doubling: float
) -> Choices:
    """What a segment would be worth with fewer (but no fewer than it needs) and with more bits than its own time's."""
    octaves = np.arange(_OCTAVES, -_OCTAVES - 0.01, -0.05)
    return Choices(
        trials=tuple(
            Trial(
                rung=found.coded.rung,
                wire_bits=int(own_bits * 2**octave),
                quality=found.quality + per_doubling * float(octave),
            )
            for octave in octaves
            if octave > -0.01 or own_bits * 2**octave > floor_bits
        ),
        cheapest=found.coded,
        frames=frames,
        start_s=segment.start_s,
        duration_s=segment.duration_s,
    )


def exhaustive(segments: Iterable[tuple[Segment, bytes]], task: Task) -> list[Rung]:
    """The reference: every rung of every segment is tried, then the best are chosen for the clip as a whole.

    Raises
    ------
    BudgetTooLowError
        Not even the cheapest rungs fit.
    """
    choices = [
        search(
            segment,
            task.trials,
            scales=task.scales,
            divisors=task.divisors,
            qualities=task.qualities,
            largest_bits=task.rate_bps * max(task.depth_s, segment.duration_s),
            side_data=side_data,
            pool=task.pool,
        )
        for segment, side_data in segments
    ]
    chosen = allocate(choices, rate_bps=task.rate_bps, depth_s=task.depth_s)
    if chosen is None:
        raise BudgetTooLowError
    return [trial.rung for trial in chosen]


def ladder_scale(task: Task) -> float:
    """The scale of the usual fixed bitrate ladder: thresholds on the rate, whatever the content."""
    samples = task.clip.width * task.clip.height * float(task.clip.frame_rate)
    fitting = [scale for scale in task.scales if task.rate_bps * scale**2 >= LADDER_BITS_PER_PIXEL * samples]
    return fitting[0] if fitting else task.scales[-1]


def best_fixed_scale(read: Callable[[], Iterable[tuple[Segment, bytes]]], task: Task) -> float:
    """The one scale that serves the whole clip best: each is planned, and the best mean quality wins.

    Parameters
    ----------
    read
        Reads the clip from its start.
    task
        What to choose from.

    Raises
    ------
    BudgetTooLowError
        No scale fits.
    """
    means: dict[float, float] = {}
    for scale in task.scales:
        worth: list[tuple[float, int]] = []
        try:
            for segment, found in guided(read(), replace(task, scales=(scale,))):
                worth.append((found.quality, len(segment.frames)))
        except BudgetTooLowError:
            continue
        means[scale] = sum(quality * frames for quality, frames in worth) / sum(frames for _, frames in worth)
    if not means:
        raise BudgetTooLowError
    return max(means, key=lambda scale: means[scale])


def floor_bps(
    segments: Iterable[tuple[Segment, bytes]],
    task: Task,
    wire_bits: Callable[[CodedSegment, float], int],
    *,
    quality: float,
    depth_s: float,
) -> float:
    """The lowest budget in bits per second at which the cheapest rung of every segment fits.

    Parameters
    ----------
    segments, task
        As for :func:`guided`.
    wire_bits
        Wire bits of a coded segment at a budget: how pictures share packets depends on it.
    quality
        The worst quality that may be chosen.
    depth_s
        Depth of the bucket in seconds; 0 where each segment must fit its own time.
    """
    rung = _cheapest(task, quality)
    choices = [
        Choices(
            trials=(),
            cheapest=task.trials.make(segment, rung, side_data, largest_bits=0).coded,
            frames=len(segment.frames),
            start_s=segment.start_s,
            duration_s=segment.duration_s,
        )
        for segment, side_data in segments
    ]
    return lowest_rate(choices, depth_s=depth_s, wire_bits=wire_bits)


def ladder_floor_bps(floor: Callable[[Task], float], task: Task) -> float:
    """The lowest budget in bits per second that works for the usual ladder, whose scale depends on the budget.

    Parameters
    ----------
    floor
        The lowest budget for what a task may choose from.
    task
        With the whole ladder.
    """
    rate_bps = task.rate_bps
    while True:
        scale = ladder_scale(replace(task, rate_bps=rate_bps))
        needed_bps = floor(replace(task, scales=(scale,)))
        if needed_bps <= rate_bps:
            return rate_bps
        rate_bps = needed_bps
