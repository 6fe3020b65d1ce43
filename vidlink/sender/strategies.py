"""Ways to choose rungs under a budget: the planner, the exhaustive reference, and the usual baselines.

Each takes the clip segment by segment and yields what is to be sent, in order.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from vidlink.sender.allocate import Choices, Trial, allocate, lowest_rate
from vidlink.sender.groups import join
from vidlink.sender.plan import cheapest, guided
from vidlink.sender.search import search
from vidlink.sender.task import BudgetTooLowError, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vidlink.sender.groups import Sided
    from vidlink.types import CodedSegment, Rung

LADDER_BITS_PER_PIXEL = 0.05
"""A fixed bitrate ladder takes the finest scale at which a coded pixel still gets so many bits."""


def exhaustive(segments: Iterable[Sided], task: Task) -> list[tuple[int, Rung]]:
    """The reference: every rung of every group is tried, then the best are chosen for the clip as a whole.

    Where segments may be joined the groups are those of a tree: all of a window, its halves, their halves, down to
    single segments; of each what is best within the bits of its own time is chosen before groups borrow.

    Returns
    -------
    list of tuple
        For each group the number of its segments, and its rung.

    Raises
    ------
    BudgetTooLowError
        Not even the cheapest rungs fit.
    """
    leaves = [leaf for window in task.windows(segments) for leaf in _leaves(window, task)]
    if task.most_parts > 1 and not task.depth_s:
        rungs = [trial.rung for _, choices in leaves if (trial := _best(choices, task))]
    else:
        chosen = allocate([choices for _, choices in leaves], rate_bps=task.rate_bps, depth_s=task.depth_s)
        rungs = [trial.rung for trial in chosen or ()]
    if len(rungs) < len(leaves):
        raise BudgetTooLowError
    return [(count, rung) for (count, _), rung in zip(leaves, rungs, strict=True)]


def _leaves(window: list[Sided], task: Task) -> list[tuple[int, Choices]]:
    """The best groups of a tree over a window, with the number of segments in each."""
    segment, side_data = join(window, window[0][0].index) if task.most_parts > 1 else window[0]
    choices = search(
        segment,
        task.trials,
        scales=task.scales,
        divisors=task.divisors,
        qualities=task.qualities,
        largest_bits=task.rate_bps * max(task.depth_s, segment.duration_s),
        side_data=side_data,
        pool=task.pool,
    )
    whole = [(len(window), choices)]
    if len(window) == 1:
        return whole
    half = (len(window) + 1) // 2
    halves = _leaves(window[:half], task) + _leaves(window[half:], task)

    def worth(groups: list[tuple[int, Choices]]) -> float:
        best = [(choices.frames, _best(choices, task)) for _, choices in groups]
        return sum(frames * (trial.quality if trial else -math.inf) for frames, trial in best)

    return whole if worth(whole) >= worth(halves) else halves


def _best(choices: Choices, task: Task) -> Trial | None:
    """The best trial within the bits of the group's own time."""
    fitting = [trial for trial in choices.trials if trial.wire_bits <= task.rate_bps * choices.duration_s]
    return max(fitting, key=lambda trial: (trial.quality, -trial.wire_bits), default=None)


def ladder_scale(task: Task) -> float:
    """The scale of the usual fixed bitrate ladder: thresholds on the rate, whatever the content."""
    samples = task.clip.width * task.clip.height * float(task.clip.frame_rate)
    fitting = [scale for scale in task.scales if task.rate_bps * scale**2 >= LADDER_BITS_PER_PIXEL * samples]
    return fitting[0] if fitting else task.scales[-1]


def best_fixed_scale(read: Callable[[], Iterable[Sided]], task: Task) -> float:
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
            for segment, found in guided(read(), replace(task, scales=(scale,), overfit=None)):
                worth.append((found.quality, len(segment.frames)))
        except BudgetTooLowError:
            continue
        means[scale] = sum(quality * frames for quality, frames in worth) / sum(frames for _, frames in worth)
    if not means:
        raise BudgetTooLowError
    return max(means, key=lambda scale: means[scale])


def floor_bps(
    segments: Iterable[Sided],
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
        Depth of the bucket in seconds; 0 where each group must fit its own time.
    """
    rung = cheapest(task, quality)
    windows = task.windows(segments)
    groups = (join(window, 0) if task.most_parts > 1 else window[0] for window in windows)
    choices = [
        Choices(
            trials=(),
            cheapest=task.trials.make(segment, rung, side_data, largest_bits=0).coded,
            frames=len(segment.frames),
            start_s=segment.start_s,
            duration_s=segment.duration_s,
        )
        for segment, side_data in groups
    ]
    if task.most_parts > 1 and not depth_s:
        return lowest_rate(choices, depth_s=None, wire_bits=wire_bits)
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
