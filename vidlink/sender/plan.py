"""The planner, group by group: which segments are joined, at which rung, within which bits.

Segments between which there is no cut are first planned as one group, as many as may be joined. Where the trials
foretell that several groups would be better (:mod:`vidlink.sender.divide`) these are planned, too, and what turned out
better is sent. How the rung of a group is found is in :mod:`vidlink.sender.guided`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.sender.allocate import Bucket, Choices, Trial, allocate
from vidlink.sender.divide import best_division
from vidlink.sender.groups import grouped, join, without_pictures
from vidlink.sender.guided import Guide
from vidlink.sender.task import BudgetTooLowError, Planned, Task
from vidlink.sender.trial import Attempt
from vidlink.types import Rung, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vidlink.sender.groups import Sided

_OCTAVES = 1.0
"""Groups get at least this many octaves less and at most as many more than the bits of their own time."""
_ASIDE = 0.6
"""Octaves of bits to either side at which it is seen what bits are worth to a group."""
_WORTH_TRYING = 0.2
"""A division is tried where it is foretold to be better by so many knob units' worth."""


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
        yield planned.segment, _sent(planned, task, task.rate_bps * planned.segment.duration_s)


def guided_with_loans(read: Callable[[str], Iterable[Sided]], task: Task) -> Iterator[tuple[Segment, Attempt]]:
    """As :func:`guided`, but where the bucket is deeper than a segment, groups borrow from those after them.

    The clip is planned twice. After the first plan each group is coded twice more at its rung, with fewer bits and with
    more: what it would be worth with any number of bits goes to the same Lagrangian choice under the bucket as the
    exhaustive search uses (:mod:`vidlink.sender.allocate`), which leaves all groups at one slope, but for those that
    the bucket holds back. The second plan takes up each group where the first left it, within the bits that this gave
    it and those that the groups before it were given and did not take.

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
    counts, frames, floors, seen = [], [], [], []
    for planned in _plan(guide, read("plan"), task):
        segment = planned.segment
        floor = task.trials.make(segment, cheapest(task, task.knob.worst), planned.side_data, largest_bits=0)
        floors.append(floor.wire_bits)
        seen.append(_around(planned, task))
        counts.append(len(segment.each))
        frames.append(len(segment.frames))
        # Without its frames a segment takes little memory.
        alone.append(planned._replace(segment=without_pictures(segment)))
    own_bits = [task.rate_bps * planned.segment.duration_s for planned in alone]
    usual = [planned.state.quality_per_bit_doubling for planned in alone]
    curves = curves_of(seen, own_bits, usual)
    choices = [_choices(*each, task) for each in zip(alone, frames, floors, curves, strict=True)]
    chosen = allocate(choices, rate_bps=task.rate_bps, depth_s=task.depth_s)
    budgets = [float(trial.wire_bits) for trial in chosen] if chosen else own_bits
    bucket = Bucket(choices, rate_bps=task.rate_bps, depth_s=task.depth_s)
    for k, bits in enumerate(budgets):
        bucket.put(k, int(bits))
    sending = task.joined(read("send"), counts)
    rival = _guide(task.rival) if task.rival else None
    left_bits = 0.0
    for k, ((segment, side_data), planned) in enumerate(zip(sending, alone, strict=True)):
        # What was given and not taken is still there, unless the link was idle meanwhile.
        shares = (share * left_bits for share in (1.0, 0.5) if bucket.fits(k, int(budgets[k] + share * left_bits)))
        budget_bits = budgets[k] + next(shares, 0.0)
        guide.recall(planned.state)
        found = _choose(guide, segment, side_data, task, budget_bits)
        if task.rival and rival:
            other = _choose(rival, segment, side_data, task.rival, budget_bits)
            made = [Planned(segment, side_data, each, planned.state) for each in (found, other)]
            found = _better(made[:1], made[1:], task)[0].found
        found = _sent(Planned(segment, side_data, found, guide.remember()), task, found.wire_bits)
        bucket.put(k, found.wire_bits)
        left_bits += budgets[k] - found.wire_bits
        yield segment, found


def _sent(planned: Planned, task: Task, limit_bits: float) -> Attempt:
    """How a planned group is sent: as it is, or with a restorer of its own."""
    return planned.found if task.overfit is None else task.overfit(planned, task, limit_bits)


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


def _choices(planned: Planned, frames: int, floor_bits: int, curve: tuple[float, float], task: Task) -> Choices:
    """What a group would be worth with fewer (but no fewer than it needs) and with more bits than its own time's."""
    segment, found = planned.segment, planned.found
    own_bits = task.rate_bps * segment.duration_s
    slope, bend = curve
    octaves = np.arange(_OCTAVES, -_OCTAVES - 0.01, -0.05)
    return Choices(
        trials=tuple(
            Trial(
                rung=found.coded.rung,
                wire_bits=int(own_bits * 2**octave),
                quality=found.quality + slope * float(octave) + bend * float(octave) ** 2,
            )
            for octave in octaves
            if octave > -0.01 or own_bits * 2**octave > floor_bits
        ),
        cheapest=found.coded,
        frames=frames,
        start_s=segment.start_s,
        duration_s=segment.duration_s,
    )


def _around(planned: Planned, task: Task) -> list[Attempt]:
    """The group at its rung as it was chosen, with fewer bits and with more."""
    segment, coded, side_data = planned.segment, planned.found.coded, planned.side_data
    rung, knob = coded.rung, task.knob
    step = _ASIDE * math.log(2) / planned.state.bits_slope
    aside = {knob.rounded(min(max(rung.quality + side, knob.best), knob.worst)) for side in (-step, step)}
    rungs = [replace(rung, quality=quality) for quality in sorted(aside - {rung.quality})]

    def attempt(rung: Rung) -> Attempt:
        return task.trials.make(segment, rung, side_data, by=task.by)

    # Where two plans were compared, the better one was measured in another way.
    alike = task.trials.measured(segment, coded, side_data, by=task.by) if task.rival else planned.found
    return [alike, *task.pool.map(attempt, rungs)]


def curves_of(
    seen: Sequence[Sequence[Attempt]], own_bits: Sequence[float], usual: Sequence[float]
) -> list[tuple[float, float]]:
    """Of each group the parabola of its quality over octaves of bits: slope and bend at the bits of its own time.

    Each has a slope of its own. The bend is that of the clip, the median, since one group's three trials say little of
    it; no parabola bends up, and within reach none falls.

    Parameters
    ----------
    seen
        Trials of each group at one rung.
    own_bits
        Of each group, where octaves are counted from.
    usual
        Slopes of groups of which too little is known.
    """
    points = []
    for trials, own in zip(seen, own_bits, strict=True):
        by_bits = {trial.wire_bits: trial.quality for trial in trials}
        points.append((np.log2(np.array(list(by_bits), float) / own), np.array(list(by_bits.values()))))
    bends = [float(np.polyfit(*each, 2)[0]) for each in points if len(each[0]) > 2 and np.ptp(each[0]) > _ASIDE]
    bend = min(float(np.median(bends)), 0.0) if bends else 0.0
    curves = []
    for (octaves, worth), slope in zip(points, usual, strict=True):
        own_slope = slope
        if np.ptp(octaves) > _ASIDE / 2:
            own_slope = max(float(np.polyfit(octaves, worth - bend * octaves**2, 1)[0]), 0.0)
        curves.append((own_slope, max(bend, -own_slope / (2 * _OCTAVES))))
    return curves
