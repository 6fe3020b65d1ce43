"""The planner: the best rung for each segment from a handful of trial encodes.

Two facts make trials few. At one scale factor the logarithm of the bits and the quality fall almost linearly with the
codec's knob: two trials tell where a budget is met. And neighbours are alike: the lines of the segments before, moved
to go through the first trial of this one, say which rungs can win at all. So a segment is coded at the rung that served
last, with the knob that its line predicts; then at the neighbouring rungs that the lines do not rule out; then the
winner once or twice more until it fills its budget. The best of these trials is what is sent: nothing is coded again.

The first trial also says how far the lines are to be believed. The more bits and quality surprise, the more neighbours
are tried in spite of what their lines say; after a cut, as at the start, a few rungs far apart are tried first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vidlink.types import Rung

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from vidlink.codec.recipe import QualityKnob
    from vidlink.sender.trial import Attempt

FULL = 0.975
"""A segment that takes this share of its budget is full."""
_AIM = 0.99
_REFINEMENTS = 4
_NEAR = 0.25
"""A trial whose bits are further from the budget than this (as a logarithm) is repeated before rungs are compared."""
_MARGIN = 2.0
"""A neighbour is tried where its line promises no less than the winner's quality minus so many knob units ..."""
_DOUBT_GROWTH = 0.5
"""... and so many more for each segment since it was last tried, and what their content came as a surprise."""
_USUAL_SURPRISE = 1.0
"""So many knob units of surprise are nothing to worry about."""
_CUT = 8.0
"""So many knob units of surprise are a cut."""
_SLOPE_DOUBT = 0.6
"""A line's slope may be wrong by this share of it."""
_BITS_SLOPE = math.log(2) / 6
"""First guess at how the logarithm of the bits falls: by half in six units, as H.264's quantizer doubles in six."""
_GUESS_BITS_PER_PIXEL = 0.06
"""First guess at the scale: the one with about so many bits for each coded pixel."""

Key = tuple[int, int]
"""A rung but for its quality: position in the ladder, position among the frame divisors."""


@dataclass(slots=True)
class _Line:
    """How bits and quality of one rung fall with the knob, through a point of its latest trial."""

    knob: float
    log_bits: float
    quality: float
    bits_slope: float
    quality_slope: float
    doubt: float = 0.0
    """By how much it may be wrong by now, in units of the objective."""
    key_share: float = 0.0
    """The key picture's share of the bits."""

    def stretch(self, times: float) -> None:
        """Go on to groups so many times as long: there is still one key picture in each."""
        longer = self.key_share + (1 - self.key_share) * times
        self.log_bits += math.log(longer)
        self.key_share /= longer

    def knob_for(self, log_bits: float) -> float:
        return self.knob + (self.log_bits - log_bits) / self.bits_slope

    def log_bits_for(self, knob: float) -> float:
        return self.log_bits - self.bits_slope * (knob - self.knob)

    def quality_for(self, knob: float) -> float:
        return self.quality - self.quality_slope * (knob - self.knob)


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What a guide knows."""

    last: Key | None
    """The rung that won."""
    length: float
    """How long the segment was."""
    lines: dict[Key, _Line]
    """All rungs that were ever tried."""

    @property
    def bits_slope(self) -> float:
        """How the logarithm of the bits falls with the knob at the rung that won."""
        return self.lines[self.last].bits_slope if self.last else _BITS_SLOPE

    @property
    def quality_per_bit_doubling(self) -> float:
        """What twice the bits are worth at the rung that won, in units of the objective."""
        line = self.lines[self.last] if self.last else None
        return line.quality_slope / line.bits_slope * math.log(2) if line else 0.0


class _Turn:
    """What there is of one segment while it is planned."""

    def __init__(self, attempt: Callable[[Rung], Attempt], pool: Executor, *, budget_bits: float) -> None:
        self.attempt, self.pool, self.budget_bits = attempt, pool, budget_bits
        self.log_budget = math.log(_AIM * budget_bits)
        self.tried: dict[Key, list[Attempt]] = {}

    def best(self) -> tuple[Key, Attempt] | None:
        """The best trial that fits, if there is one."""
        fitting = [(key, made) for key, all_made in self.tried.items() for made in all_made]
        fitting = [(key, made) for key, made in fitting if made.wire_bits <= self.budget_bits]
        best = max(fitting, key=lambda found: found[1].quality, default=None)
        if best is None:
            return None
        # At one rung more bits are better: where a measure says otherwise, it is by chance.
        same = [found for found in fitting if found[0] == best[0]]
        return max(same, key=lambda found: (found[1].wire_bits, found[1].quality))


class Guide:
    """Finds rungs segment by segment, and learns from each.

    Parameters
    ----------
    scales
        The ladder: scale factors, rising.
    divisors
        Frame divisors, rising.
    knob
        Range and step of the codec's quality knob.
    quality_slope
        First guess at what one unit of the knob is worth, in units of the objective.
    """

    def __init__(
        self, *, scales: Sequence[float], divisors: Sequence[int], knob: QualityKnob, quality_slope: float
    ) -> None:
        self._scales, self._divisors, self._knob = scales, divisors, knob
        self._first_slope = quality_slope
        self._lines: dict[Key, _Line] = {}
        self._last: Key | None = None
        self._surprise = 0.0
        self._length = 1.0
        self.tried: dict[Key, list[Attempt]] = {}
        """All trials of the latest segment."""

    def choose(
        self,
        attempt: Callable[[Rung], Attempt],
        *,
        budget_bits: float,
        pixels: float,
        pool: Executor,
        length: float = 1.0,
    ) -> Attempt | None:
        """Find the best trial of the next segment within its budget.

        Parameters
        ----------
        attempt
            Codes the segment at a rung and measures it; may run in any thread.
        budget_bits
            Wire bits that the segment may take.
        pixels
            Pixels of all frames of the segment at scale 1.
        pool
            Runs trials beside each other.
        length
            How long the segment is, in any unit: 1 where all are about alike.

        Returns
        -------
        Attempt or None
            None where not even the cheapest rung fits.
        """
        turn = _Turn(attempt, pool, budget_bits=budget_bits)
        self.tried = turn.tried
        if length != self._length:
            for line in self._lines.values():
                line.stretch(length / self._length)
            self._length = length
        start = self._last or self._first_guess(budget_bits, pixels)
        known = start in self._lines
        self._try(turn, {start: self._knob_for(start, turn.log_budget)})
        line = self._lines[start]
        if not known or self._surprise > _CUT * line.quality_slope:
            # New content: what was best before is no better a place to begin than any other.
            self._try(turn, {key: self._knob_for(key, turn.log_budget) for key in self._outposts() if key != start})
        found = self._search(turn)
        if found is None:
            # Lines may be wrong; what is cheapest of all says whether anything fits.
            cheapest = len(self._scales) - 1, len(self._divisors) - 1
            self._try(turn, {cheapest: self._knob.worst})
            found = self._search(turn)
        if found:
            key, made = found
            self._last = key
            return made
        return None

    def slopes(self, made: Attempt) -> tuple[float, float]:
        """How the logarithm of the bits and the quality fall with the knob at the rung of a trial."""
        line = self._lines[
            self._scales.index(made.coded.rung.scale), self._divisors.index(made.coded.rung.frame_divisor)
        ]
        return line.bits_slope, line.quality_slope

    def remember(self) -> State:
        """What it knows now, to come back to the segment that it just chose for."""
        return State(
            last=self._last, length=self._length, lines={key: replace(line) for key, line in self._lines.items()}
        )

    def recall(self, state: State) -> None:
        """Know again what it knew then."""
        self._last, self._length = state.last, state.length
        self._lines = {key: replace(line) for key, line in state.lines.items()}

    def _search(self, turn: _Turn) -> tuple[Key, Attempt] | None:
        """Climb from the rungs that were tried to the best one there is, and fill the budget with it."""
        while True:
            worth = {key: self._worth(key, made, turn) for key, made in turn.tried.items()}
            best = max(turn.tried, key=lambda key: (worth[key], -key[0], -key[1]))
            if worth[best] == -math.inf:
                keys = self._cheaper(turn.tried)
            else:
                keys = self._promising(best, worth[best], turn.log_budget)
            keys = [key for key in keys if key not in turn.tried]
            keys += [key for key in turn.tried if self._unclear(key, worth, best, turn)]
            if not keys:
                break
            self._try(turn, {key: self._knob_for(key, turn.log_budget) for key in keys})
        # The winner fills its budget; so does whoever still promises more than the winner turned out to be worth.
        found = turn.best()
        for key in sorted((key for key in turn.tried if worth[key] > -math.inf), key=lambda key: -worth[key]):
            if found is not None and found[0] != key and worth[key] <= found[1].quality:
                break
            self._refine(key, turn)
            found = turn.best()
        return found

    def _try(self, turn: _Turn, knobs: Mapping[Key, float]) -> None:
        """Code the segment at some rungs, beside each other."""
        rungs = [self._rung(key, knob) for key, knob in knobs.items()]
        for key, made in zip(knobs, turn.pool.map(turn.attempt, rungs), strict=True):
            self._learn(key, made, turn.tried)
            turn.tried.setdefault(key, []).append(made)

    def _rung(self, key: Key, knob: float) -> Rung:
        return Rung(scale=self._scales[key[0]], frame_divisor=self._divisors[key[1]], quality=knob)

    def _first_guess(self, budget_bits: float, pixels: float) -> Key:
        scale = math.sqrt(max(1.0, _GUESS_BITS_PER_PIXEL * pixels / budget_bits))
        return min(range(len(self._scales)), key=lambda place: abs(math.log(self._scales[place] / scale))), 0

    def _knob_for(self, key: Key, log_budget: float) -> float:
        """The knob that a rung's line predicts for the budget; without a line one from a rung that has one."""
        line = self._lines.get(key) or self._borrowed(key)
        return self._knob.rounded(line.knob_for(log_budget) if line else (self._knob.best + self._knob.worst) / 2)

    def _borrowed(self, key: Key) -> _Line | None:
        """A line for a rung that was never tried, from the nearest one: bits go with the coded pixels to about 0.8."""
        if not self._lines:
            return None
        near = min(self._lines, key=lambda other: (abs(other[0] - key[0]) + abs(other[1] - key[1]), other))
        line = self._lines[near]
        pixels = 2 * math.log(self._scales[near[0]] / self._scales[key[0]])
        frames = math.log(self._divisors[near[1]] / self._divisors[key[1]])
        log_bits = line.log_bits + 0.8 * pixels + 0.5 * frames
        return _Line(line.knob, log_bits, line.quality, line.bits_slope, line.quality_slope, key_share=line.key_share)

    def _learn(self, key: Key, made: Attempt, tried: dict[Key, list[Attempt]]) -> None:
        """Move lines through a new trial."""
        log_bits = math.log(made.wire_bits)
        line = self._lines.get(key)
        if line is not None and key not in tried:
            self._compare(line, made, tried)
        slopes = (line.bits_slope, line.quality_slope) if line else (_BITS_SLOPE, self._first_slope)
        others = [other for other in tried.get(key, []) if abs(other.knob - made.knob) > 0.2]
        if others:
            other = min(others, key=lambda other: abs(other.knob - made.knob))
            step = other.knob - made.knob
            bits_slope = (log_bits - math.log(other.wire_bits)) / step
            quality_slope = (made.quality - other.quality) / step
            slopes = (
                min(max(bits_slope, _BITS_SLOPE / 5), 4 * _BITS_SLOPE),
                min(max(quality_slope, self._first_slope / 10), 5 * self._first_slope),
            )
        self._lines[key] = _Line(made.knob, log_bits, made.quality, *slopes, key_share=made.key_share)

    def _compare(self, line: _Line, made: Attempt, tried: dict[Key, list[Attempt]]) -> None:
        """What a first trial at a rung means for the others: the first of a segment moves all, surprises cast doubt."""
        more_bits = math.log(made.wire_bits) - line.log_bits_for(made.knob)
        more_quality = made.quality - line.quality_for(made.knob)
        surprise = abs(more_quality) + abs(more_bits) / line.bits_slope * line.quality_slope
        doubt = max(0.0, surprise - _USUAL_SURPRISE * line.quality_slope)
        if not tried:
            self._surprise = surprise
        for key, known in self._lines.items():
            if not tried:
                known.log_bits += more_bits
                known.quality += more_quality
                known.doubt += doubt + _DOUBT_GROWTH * line.quality_slope
            elif key not in tried:
                known.doubt = max(known.doubt, doubt)

    def _worth(self, key: Key, made: Sequence[Attempt], turn: _Turn) -> float:
        """What a rung would be worth where it meets the budget; minus infinity where it cannot."""
        line = self._lines[key]
        knob = line.knob_for(turn.log_budget)
        if knob > self._knob.worst:
            fits = any(attempt.wire_bits <= turn.budget_bits for attempt in made)
            at_worst = any(attempt.knob >= self._knob.worst for attempt in made)
            if not fits and (at_worst or line.log_bits_for(self._knob.worst) > turn.log_budget + _NEAR):
                return -math.inf
        return line.quality_for(min(max(knob, self._knob.best), self._knob.worst))

    def _promising(self, best: Key, worth: float, log_budget: float) -> list[Key]:
        """Neighbours of a rung that may be better."""
        promising = []
        for key in self._neighbours(best):
            line = self._lines.get(key)
            if line is None:
                promising.append(key)
                continue
            knob = line.knob_for(log_budget)
            margin = _MARGIN * line.quality_slope + line.doubt
            if knob > self._knob.worst + 1 + margin / line.quality_slope:
                continue
            if line.quality_for(min(max(knob, self._knob.best), self._knob.worst)) >= worth - margin:
                promising.append(key)
        return promising

    def _outposts(self) -> list[Key]:
        """Rungs far apart: large pictures, few of them; middling and small ones, all of them."""
        last, fewest = len(self._scales) - 1, len(self._divisors) - 1
        return sorted({(0, fewest), (last // 2, 0), (last, 0)})

    def _neighbours(self, key: Key) -> list[Key]:
        place, divisor = key
        near = [(place + 1, divisor), (place - 1, divisor), (place, divisor + 1), (place, divisor - 1)]
        # The trade at about equal bits: finer pictures for fewer of them, and back.
        near += [(place - 1, divisor + 1), (place + 1, divisor - 1)]
        # A factor may be worse than both beside it: sizes that divide the source's evenly keep its edges.
        near += [(place + 2, divisor), (place - 2, divisor)]
        return [(p, d) for p, d in near if 0 <= p < len(self._scales) and 0 <= d < len(self._divisors)]

    def _cheaper(self, tried: dict[Key, list[Attempt]]) -> list[Key]:
        """Where to go from rungs that are all too expensive: smaller pictures first, then fewer of them."""
        place, divisor = max(tried, key=lambda key: (key[0], key[1]))
        if place + 1 < len(self._scales):
            return [(min(place + 2, len(self._scales) - 1), divisor)]
        return [(place, divisor + 1)] if divisor + 1 < len(self._divisors) else []

    def _unclear(self, key: Key, worth: dict[Key, float], best: Key, turn: _Turn) -> bool:
        """Whether a rung that may win was measured too far from the budget to compare."""
        made = turn.tried[key]
        if len(made) > 1 or abs(math.log(made[-1].wire_bits) - turn.log_budget) <= _NEAR:
            return False
        line = self._lines[key]
        knob = self._knob.rounded(line.knob_for(turn.log_budget))
        if knob == made[-1].knob:
            return False
        margin = 2 * _MARGIN + _SLOPE_DOUBT * abs(knob - made[-1].knob)
        return worth[key] >= worth[best] - margin * line.quality_slope

    def _refine(self, key: Key, turn: _Turn) -> None:
        """Close in on the knob at which a rung fills the budget."""
        for _ in range(_REFINEMENTS):
            below = [made for made in turn.tried[key] if made.wire_bits <= turn.budget_bits]
            above = [made for made in turn.tried[key] if made.wire_bits > turn.budget_bits]
            if any(made.wire_bits >= FULL * turn.budget_bits for made in below):
                return
            lowest = max((made.knob for made in above), default=self._knob.best - self._knob.step)
            highest = min((made.knob for made in below), default=self._knob.worst + self._knob.step)
            if highest - lowest <= 1.5 * self._knob.step:
                return
            knob = self._knob.rounded(self._lines[key].knob_for(turn.log_budget))
            if not lowest < knob < highest:
                knob = self._knob.rounded((lowest + highest) / 2)
            if any(made.knob == knob for made in turn.tried[key]):
                return
            self._try(turn, {key: knob})
