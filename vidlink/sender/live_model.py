"""What a live sender knows of the content: what segments cost and are worth at each rung, learnt from those it coded.

At one scale factor and frame rate the logarithm of the bits and the quality fall almost linearly with the codec's knob
(as :mod:`vidlink.sender.guided` has it). A key picture and the pictures after it are counted apart, so that what was
learnt from a segment of one second also holds for one of a quarter. A new segment tells how the content changed: what
its rung cost and was worth beyond what was foretold, all others cost and are worth too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidlink.types import IPV4_UDP_RTP_BYTES, Rung

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.codec.recipe import QualityKnob
    from vidlink.sender.trial import Attempt

_BITS_SLOPE = math.log(2) / 6
"""First guess at how the logarithm of the bits falls: by half in six units, as H.264's quantizer doubles in six."""
_GUESS_BITS_PER_PIXEL = 0.06
"""First guess at the scale: the one with about so many bits for each coded pixel."""
_LOYALTY = 0.3
"""Another rung must promise so many knob units' worth of quality more than the one in use."""
_CURIOSITY = 2.0
"""A neighbour is worth a look where it promises no less than the best minus so many knob units' worth ..."""
_FORGETTING = 0.5
"""... and so many more for each segment since it was last coded."""
_REACH = 10.0
"""Lines are straight over about so many knob units; what they foretell further off says nothing."""

Key = tuple[int, int]
"""A rung but for its quality: position in the ladder, position among the frame divisors."""


@dataclass(slots=True)
class _Known:
    """What is known of one rung, at one value of the knob."""

    knob: float
    key_bits: float
    """Payload of the first picture."""
    other_bits: float
    """Mean payload of a coded picture after it."""
    fixed_bits: float
    """Of a segment on the wire beside its pictures: parameter sets and side data."""
    overhead: float
    """Wire bits of the pictures / their payload."""
    quality: float
    bits_slope: float
    quality_slope: float
    segment: int
    """When it was last coded."""

    def wire_bits(self, pictures: int, knob: float) -> float:
        payload = self.key_bits + self.other_bits * (pictures - 1)
        return self.fixed_bits + self.overhead * payload * math.exp(-self.bits_slope * (knob - self.knob))

    def knob_for(self, pictures: int, budget_bits: float) -> float:
        room = max(budget_bits - self.fixed_bits, 0.02 * budget_bits)
        payload = self.overhead * (self.key_bits + self.other_bits * (pictures - 1))
        return self.knob + math.log(payload / room) / self.bits_slope

    def quality_at(self, knob: float) -> float:
        return self.quality - self.quality_slope * (knob - self.knob)


class ContentModel:
    """Chooses rungs for segments that it has not seen.

    Parameters
    ----------
    scales, divisors
        The ladder, rising.
    knob
        Range and step of the codec's quality knob.
    knob_worth
        First guess at what one unit of the knob is worth.
    """

    def __init__(
        self, *, scales: Sequence[float], divisors: Sequence[int], knob: QualityKnob, knob_worth: float
    ) -> None:
        self._scales, self._divisors, self._knob, self._worth = scales, divisors, knob, knob_worth
        self._known: dict[Key, _Known] = {}
        self._used: Key | None = None

    def choose(self, *, budget_bits: float, frames: int, pixels: float) -> Rung:
        """The rung that promises most within a budget.

        Parameters
        ----------
        budget_bits
            Wire bits that the segment may take.
        frames
            Frames of the segment.
        pixels
            Pixels of them all at scale 1.
        """
        if not self._known:
            scale = math.sqrt(max(1.0, _GUESS_BITS_PER_PIXEL * pixels / budget_bits))
            place = min(range(len(self._scales)), key=lambda place: abs(math.log(self._scales[place] / scale)))
            return self._rung((place, 0), (self._knob.best + self._knob.worst) / 2)
        fitting = {key: self._promise(key, budget_bits, frames) for key in self._known}
        if self._used in fitting:
            fitting[self._used] += _LOYALTY * self._known[self._used].quality_slope
        best = max(fitting, key=lambda key: (fitting[key], -key[0], -key[1]))
        if fitting[best] == -math.inf:
            # Nothing known fits: the next cheaper rung that may, smaller pictures first, then fewer of them.
            cheapest = min(self._known, key=lambda key: self._least_bits(key, frames))
            best = self._cheaper(cheapest, budget_bits, frames)
        return self._rung(best, self._knob_for(best, budget_bits, frames))

    def curious(self, *, budget_bits: float, frames: int) -> Rung | None:
        """A rung beside the one in use that may be better by now, or None: worth an encode when there is time."""
        if self._used is None:
            return None
        used = self._known[self._used]
        least = self._promise(self._used, budget_bits, frames)
        promises: dict[Key, float] = {}
        for key in self._neighbours(self._used):
            known = self._known.get(key)
            if known is None:
                borrowed = self._borrowed(key)
                if borrowed.knob_for(self._pictures(key, frames), budget_bits) <= self._knob.worst + 3:
                    promises[key] = math.inf
                continue
            age = used.segment - known.segment
            if age >= 2 and known.knob_for(self._pictures(key, frames), budget_bits) <= self._knob.worst + 3:
                promise = self._promise(key, budget_bits, frames) + _FORGETTING * age * self._worth
                if promise >= least - _CURIOSITY * self._worth:
                    promises[key] = promise
        if not promises:
            return None
        best = max(promises, key=lambda key: (promises[key], -key[0], -key[1]))
        return self._rung(best, self._knob_for(best, budget_bits, frames))

    def learn(self, made: Attempt, *, sent: bool) -> None:
        """Take in a segment as it was coded: ``sent`` as what it goes out as, or only to learn from it."""
        key = self._key(made.coded.rung)
        new = self._measured(key, made)
        old = self._known.get(key)
        if old is not None and old.segment == new.segment and abs(old.knob - new.knob) > 0.2:
            # Twice the same segment: that tells the slopes.
            step = new.knob - old.knob
            payload = math.log((old.key_bits + old.other_bits) / (new.key_bits + new.other_bits))
            new.bits_slope = min(max(payload / step, _BITS_SLOPE / 3), 3 * _BITS_SLOPE)
            new.quality_slope = min(max((old.quality - new.quality) / step, self._worth / 5), 4 * self._worth)
        elif old is not None and sent and all(known.segment < new.segment for known in self._known.values()):
            self._move_all(old, new)
        self._known[key] = new
        if sent:
            self._used = key

    def _move_all(self, old: _Known, new: _Known) -> None:
        """The first trial of a segment tells how the content changed: the less, the further its knob is from before."""
        trust = max(0.0, 1 - abs(new.knob - old.knob) / _REACH)
        scaled = math.exp(-old.bits_slope * (new.knob - old.knob))
        key_change = (new.key_bits / (old.key_bits * scaled)) ** trust
        other_change = (new.other_bits / (old.other_bits * scaled)) ** trust
        more_quality = trust * (new.quality - old.quality_at(new.knob))
        for known in self._known.values():
            known.key_bits *= key_change
            known.other_bits *= other_change
            known.quality += more_quality

    def _measured(self, key: Key, made: Attempt) -> _Known:
        coded = made.coded
        sizes = [8 * sum(map(len, unit.nals)) for unit in coded.units]
        signalled = sum(map(len, coded.parameter_sets)) + len(coded.side_data)
        fixed = 8.0 * (signalled + IPV4_UDP_RTP_BYTES) if signalled else 0.0
        old = self._known.get(key) or (self._borrowed(key) if self._known else None)
        other = sum(sizes[1:]) / (len(sizes) - 1) if len(sizes) > 1 else (old.other_bits if old else sizes[0] / 4)
        return _Known(
            knob=made.knob,
            key_bits=max(sizes[0], 8.0),
            other_bits=max(other, 8.0),
            fixed_bits=fixed,
            overhead=max((made.wire_bits - fixed) / max(sum(sizes), 1), 1.0),
            quality=made.quality,
            bits_slope=old.bits_slope if old else _BITS_SLOPE,
            quality_slope=old.quality_slope if old else self._worth,
            segment=coded.index,
        )

    def _borrowed(self, key: Key) -> _Known:
        """A guess for a rung that was never coded, from the nearest one: bits go with the pixels to about 0.8."""
        near = min(self._known, key=lambda other: (abs(other[0] - key[0]) + abs(other[1] - key[1]), other))
        known = self._known[near]
        smaller = (self._scales[near[0]] / self._scales[key[0]]) ** 1.6
        rarer = math.sqrt(self._divisors[key[1]] / self._divisors[near[1]])
        return _Known(
            knob=known.knob,
            key_bits=known.key_bits * smaller,
            other_bits=known.other_bits * smaller * rarer,
            fixed_bits=known.fixed_bits,
            overhead=known.overhead,
            quality=known.quality,
            bits_slope=known.bits_slope,
            quality_slope=known.quality_slope,
            segment=-1,
        )

    def _promise(self, key: Key, budget_bits: float, frames: int) -> float:
        """Quality of a known rung at a budget; minus infinity where it does not fit."""
        known = self._known[key]
        knob = known.knob_for(self._pictures(key, frames), budget_bits)
        if knob > self._knob.worst + 0.5:
            return -math.inf
        return known.quality_at(min(max(knob, self._knob.best), self._knob.worst))

    def _least_bits(self, key: Key, frames: int) -> float:
        known = self._known.get(key) or self._borrowed(key)
        return known.wire_bits(self._pictures(key, frames), self._knob.worst)

    def _cheaper(self, key: Key, budget_bits: float, frames: int) -> Key:
        while self._least_bits(key, frames) > budget_bits:
            place, divisor = key
            if place + 1 < len(self._scales):
                key = place + 1, divisor
            elif divisor + 1 < len(self._divisors):
                key = place, divisor + 1
            else:
                break
        return key

    def _knob_for(self, key: Key, budget_bits: float, frames: int) -> float:
        known = self._known.get(key) or self._borrowed(key)
        return known.knob_for(self._pictures(key, frames), budget_bits)

    def _pictures(self, key: Key, frames: int) -> int:
        return -(-frames // self._divisors[key[1]])

    def _rung(self, key: Key, knob: float) -> Rung:
        quality = self._knob.rounded(knob)
        return Rung(scale=self._scales[key[0]], frame_divisor=self._divisors[key[1]], quality=quality)

    def _key(self, rung: Rung) -> Key:
        return self._scales.index(rung.scale), self._divisors.index(rung.frame_divisor)

    def _neighbours(self, key: Key) -> list[Key]:
        place, divisor = key
        near = [(place + 1, divisor), (place - 1, divisor), (place, divisor + 1), (place, divisor - 1)]
        # The trade at about equal bits: finer pictures for fewer of them, and back.
        near += [(place - 1, divisor + 1), (place + 1, divisor - 1)]
        return [(p, d) for p, d in near if 0 <= p < len(self._scales) and 0 <= d < len(self._divisors)]
