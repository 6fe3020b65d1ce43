"""The planner, group by group: which segments are joined, at which rung, within which bits.

Segments between which there is no cut are first planned as one group, as many as may be joined. Where the trials
foretell that several groups would be better (:mod:`vidlink.sender.divide`) these are planned, too, and what turned out
better is sent. How the rung of a group is found is in :mod:`vidlink.sender.guided`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vidlink.sender.allocate import Choices, Trial, allocate
from vidlink.sender.divide import best_division
from vidlink.sender.groups import grouped, join, without_pictures
from vidlink.sender.guided import Guide, State
from vidlink.sender.task import BudgetTooLowError, Task
from vidlink.sender.trial import Attempt
from vidlink.types import Rung, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vidlink.sender.groups import Sided

_OCTAVES = 1.0
"""Groups get at least this many octaves less and at most as many more than the bits of their own time."""
_WORTH_TRYING = 0.2
"""A division is tried where it is foretold to be better by so many knob units' worth."""


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


def guided(segments: Iterable[Sided], task: Task) -> Iterator[tuple[Segment, Attempt]]:
    """Plan group by group with few trials, each within the bits of its own time.

    Parameters
    ----------
    segments
        Segments with the side data that travels with them, in order.
    task
        What to choose from.

    Raises
    ------
    BudgetTooLowError
        A group does not fit.
    """
    for planned in _plan(_guide(task), segments, task):
        yield planned.segment, planned.found


def guided_with_loans(read: Callable[[str], Iterable[Sided]], task: Task) -> Iterator[tuple[Segment, Attempt]]:
    """As :func:`guided`, but where the bucket is deeper than a segment, groups borrow from those after them.

    The clip is planned twice. What the first plan learns of each group, a straight line of quality against the
    logarithm of its bits, goes to the same Lagrangian choice under the bucket as the exhaustive search uses; the second
    plan takes up each group where the first left it, within the bits that this gave it.

    Parameters
    ----------
    read
        Reads the clip from its start, for the stage of that name.
    task
        What to choose from.

    Raises
    ------
    BudgetTooLowError
        A group does not fit its own time.
    """
    guide, alone = _guide(task), []
    counts, floors = [], []
    for planned in _plan(guide, read("plan"), task):
        segment = planned.segment
        floors.append(task.trials.make(segment, cheapest(task, task.knob.worst), planned.side_data, largest_bits=0))
        counts.append((len(segment.each), len(segment.frames)))
        # Without its frames a segment takes little memory.
        alone.append(planned._replace(segment=without_pictures(segment)))
    slopes = [planned.state.quality_per_bit_doubling for planned in alone]
    # A slope from two trials is rough: halfway to what is usual in the clip.
    usual = float(np.median(slopes))
    choices = [
        _model(planned, frames, task, floor.wire_bits, (slope + usual) / 2)
        for planned, (_, frames), floor, slope in zip(alone, counts, floors, slopes, strict=True)
    ]
    chosen = allocate(choices, rate_bps=task.rate_bps, depth_s=task.depth_s)
    own_bits = [task.rate_bps * planned.segment.duration_s for planned in alone]
    budgets = [float(trial.wire_bits) for trial in chosen] if chosen else own_bits
    sending = task.joined(read("send"), [count for count, _ in counts])
    rival = _guide(task.rival) if task.rival else None
    for (segment, side_data), planned, budget_bits in zip(sending, alone, budgets, strict=True):
        guide.recall(planned.state)
        found = _choose(guide, segment, side_data, task, budget_bits)
        if task.rival and rival:
            other = _choose(rival, segment, side_data, task.rival, budget_bits)
            made = [Planned(segment, side_data, each, planned.state) for each in (found, other)]
            found = _better(made[:1], made[1:], task)[0].found
        yield segment, found


def cheapest(task: Task, quality: float) -> Rung:
    """The rung that takes the fewest bits at a quality."""
    return Rung(scale=task.scales[-1], frame_divisor=task.divisors[-1], quality=quality)


def _plan(guide: Guide, segments: Iterable[Sided], task: Task) -> Iterator[Planned]:
    index = 0
    before: Planned | None = None
    rival = _guide(task.rival) if task.rival else None
    for window in task.windows(segments):
        while window:
            count = len(window) if task.risk is None else 1
            if task.risk and before:
                parts, per_doubling = len(before.segment.each), before.state.quality_per_bit_doubling
                count = task.risk.longest(window, before.found, parts, per_doubling)
            groups = _plan_window(guide, window[:count], task, index)
            if task.rival and rival:
                groups = _better(groups, _plan_window(rival, window[:count], task.rival, index), task)
            for planned in groups:
                yield planned
                before = planned
                index += 1
            window = window[count:]


def _better(ours: list[Planned], others: list[Planned], task: Task) -> list[Planned]:
    """Of two plans for the same segments the one that is worth more on close inspection."""
    rungs = [[(each.segment.first_frame, each.found.coded.rung) for each in groups] for groups in (ours, others)]
    if rungs[0] == rungs[1]:
        return ours

    def looked_at(groups: list[Planned]) -> list[Planned]:
        closely = (task.trials.measured(g.segment, g.found.coded, g.side_data, by=task.closely) for g in groups)
        return [g._replace(found=found) for g, found in zip(groups, closely, strict=True)]

    theirs = looked_at(others)
    if _mean_quality(looked_at(ours)) >= _mean_quality(theirs):
        return ours
    # What later groups go on from stays in units of the task's own objective.
    return [each._replace(state=ours[min(k, len(ours) - 1)].state) for k, each in enumerate(theirs)]


def _plan_window(guide: Guide, window: list[Sided], task: Task, index: int) -> list[Planned]:
    """The groups of a window, numbered from ``index``."""

    def plan(segment: Segment, side_data: bytes) -> Planned:
        found = _choose(guide, segment, side_data, task, task.rate_bps * segment.duration_s)
        return Planned(segment, side_data, found, guide.remember())

    before = guide.remember()
    whole = plan(*(join(window, index) if task.most_parts > 1 else window[0]))
    if len(window) == 1:
        return [whole]
    knob = task.knob
    counts, gain = best_division(
        guide, whole.segment, rate_bps=task.rate_bps, most=task.most_parts, worst=knob.worst, best=knob.best
    )
    if gain < _WORTH_TRYING * task.knob_worth:
        return [whole]
    guide.recall(before)
    try:
        groups = [plan(*each) for each in grouped(window, counts, index)]
    except BudgetTooLowError:
        groups = []
    if groups and _mean_quality(groups) > whole.found.quality:
        return groups
    guide.recall(whole.state)
    return [whole]


def _mean_quality(groups: Sequence[Planned]) -> float:
    """Mean quality over all frames."""
    frames = [len(planned.segment.frames) for planned in groups]
    return sum(n * planned.found.quality for n, planned in zip(frames, groups, strict=True)) / sum(frames)


def _guide(task: Task) -> Guide:
    return Guide(scales=task.scales, divisors=task.divisors, knob=task.knob, quality_slope=task.knob_worth)


def _choose(guide: Guide, segment: Segment, side_data: bytes, task: Task, budget_bits: float) -> Attempt:
    """The guide's choice for a group within its budget."""
    pixels = float(task.clip.width * task.clip.height * len(segment.frames))

    def attempt(rung: Rung) -> Attempt:
        return task.trials.make(segment, rung, side_data, by=task.by)

    length = segment.duration_s if task.most_parts > 1 else 1.0
    found = guide.choose(attempt, budget_bits=budget_bits, pixels=pixels, pool=task.pool, length=length)
    if found is None:
        raise BudgetTooLowError
    return found


def _model(planned: Planned, frames: int, task: Task, floor_bits: int, per_doubling: float) -> Choices:
    """What a group would be worth with fewer (but no fewer than it needs) and with more bits than its own time's."""
    segment, found = planned.segment, planned.found
    own_bits = task.rate_bps * segment.duration_s
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
