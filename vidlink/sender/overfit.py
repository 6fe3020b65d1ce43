"""A restorer for each group of pictures, sent along where it gains more than its bits would buy as quality.

Once a group is planned, weights are fitted to its coded pictures (:mod:`vidlink.sender.overfit_fit`). What they
gain, in coded form, is held against what their bits are worth by the plan's own slope. Where they may pay, the group is
coded once more, a little more coarsely, so that both together keep the budget. They are sent if pictures to which they
were not fitted are then better, and else the group goes as it was planned.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.nets.classified import CLASSES, FEATURES, Around, restored
from vidlink.rtp.weights import noise_levels, noise_of, parse, serialise
from vidlink.sender.overfit_fit import DB, fitted, sums_of
from vidlink.video.park import fetched
from vidlink.video.pictures import LumaUpsampler, luma

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vidlink.rtp.weights import Weights
    from vidlink.sender.task import Planned, Task
    from vidlink.sender.trial import Attempt
    from vidlink.types import Clip, CodedSegment, Picture, Segment

    Luma = NDArray[np.uint8]

_LEARNED_FROM, _TRIED_ON = 16, 32
"""Pictures of a group, evenly over its time; of small ones more are learned from, and large ones are tried on fewer."""
_PIXELS, _ALL_PIXELS = 100_000, 2_000_000
"""Of each picture that is learned from about so many are looked at, and of all together about so many."""
_MOST_TRIED_PIXELS, _LEAST_TRIED_ON = 3_000_000, 4
_TRIES = 3
_LEAST_GAIN_DB = 0.02
"""What is foretold to gain less is not tried."""
_SAFE_DB = 0.01
"""By so much pictures must be better with the weights than without."""


class Overfit:
    """Decides for each group whether a restorer goes with it.

    Parameters
    ----------
    clip
        Gives the full size.
    decode
        LR pictures of a coded segment by source frame, as if nothing were lost.
    copies
        How often the weights of a group are sent.
    lost
        Share of packets that are lost for good, about.
    """

    def __init__(
        self, clip: Clip, decode: Callable[[CodedSegment], dict[int, Picture]], *, copies: int = 1, lost: float = 0.0
    ) -> None:
        self._clip, self._decode, self._copies = clip, decode, copies
        self._arrives = 1 - lost**copies
        self.cpu_s = 0.0
        """Processor seconds that it took so far, but for coding."""

    def __call__(self, planned: Planned, task: Task, limit_bits: float) -> Attempt:
        """The group as it was planned, or with weights and a little more coarsely.

        Parameters
        ----------
        planned
            The group.
        task
            Makes the trial encodes.
        limit_bits
            Wire bits that the group may take.
        """
        start = time.thread_time()
        found, segment = planned.found, planned.segment
        per_doubling = max(planned.state.quality_per_bit_doubling, 1e-3)
        bit_db = per_doubling / (found.wire_bits * math.log(2))
        message, foretold_db = self._learn(segment, found.coded, self._copies * bit_db)
        self.cpu_s += time.thread_time() - start
        if foretold_db < _LEAST_GAIN_DB:
            return found
        cost_bits = task.trials.wire_bits(self._with(found.coded, message)) - found.wire_bits
        if self._arrives * foretold_db < cost_bits * bit_db:
            return found
        tried = self._coarser(planned, message, task, limit_bits, cost_bits)
        if tried is None:
            return found
        start = time.thread_time()
        weights = parse(message, (CLASSES, FEATURES))
        gain_db = self._gain(segment, tried.coded, weights)
        self.cpu_s += time.thread_time() - start
        if tried.quality + self._arrives * gain_db < found.quality + _SAFE_DB:
            return found
        # Without its weights a group is worth what it was measured to be: later groups go on from that.
        coded = self._with(tried.coded, message)
        return replace(tried, coded=coded, wire_bits=task.trials.wire_bits(coded))

    def _with(self, coded: CodedSegment, message: bytes) -> CodedSegment:
        return replace(coded, weights=(message,) * self._copies)

    def _learn(self, segment: Segment, coded: CodedSegment, bit_db: float) -> tuple[bytes, float]:
        """The message of the weights, and what they are foretold to gain in dB."""
        film = _Film(segment, self._decode(coded), self._clip)
        slots = film.slots(max(_LEARNED_FROM, _ALL_PIXELS // (self._clip.width * self._clip.height)), 0.5)
        errors = [_error(film.around(slot).asked, film.wanted(slot)) for slot in slots]
        noise = noise_of(math.sqrt(float(np.mean(errors))))
        unit = noise_levels(noise)
        pairs = ((film.around(slot), film.wanted(slot)) for slot in slots)
        weights, gain_db = fitted(sums_of(pairs, unit, pixels=_PIXELS), noise, bit_db=bit_db)
        return serialise(weights), gain_db

    def _coarser(
        self, planned: Planned, message: bytes, task: Task, limit_bits: float, cost_bits: int
    ) -> Attempt | None:
        """The group at its rung, but so coarse that it keeps the limit with its weights."""
        found, knob = planned.found, task.knob
        room = limit_bits - cost_bits
        if room <= 0:
            return None
        rung = found.coded.rung
        quality = knob.rounded(rung.quality + max(math.log(found.wire_bits / room), 0.0) / planned.state.bits_slope)
        for _ in range(_TRIES):
            if quality > knob.worst:
                return None
            tried = found
            if quality != rung.quality:
                tried = task.trials.make(planned.segment, replace(rung, quality=quality), planned.side_data, by=task.by)
            if task.trials.wire_bits(self._with(tried.coded, message)) <= limit_bits:
                return tried
            quality = knob.rounded(quality + knob.step)
        return None

    def _gain(self, segment: Segment, coded: CodedSegment, weights: Weights) -> float:
        """What weights add to the mean PSNR of pictures, in dB, seen at some to which they were not fitted."""
        film = _Film(segment, self._decode(coded), self._clip)
        most = max(_LEAST_TRIED_ON, min(_TRIED_ON, _MOST_TRIED_PIXELS // (self._clip.width * self._clip.height)))
        values, noise = weights.values, weights.noise_levels
        gains = []
        for slot in film.slots(most, 0.25):
            around, wanted = film.around(slot), film.wanted(slot)
            before, after = _error(around.asked, wanted), _error(restored(around, values, noise), wanted)
            gains.append(DB * math.log(max(before, 1e-6) / max(after, 1e-6)))
        return float(np.mean(gains))


class _Film:
    """What would be on show of a group at full size."""

    def __init__(self, segment: Segment, decoded: dict[int, Picture], clip: Clip) -> None:
        self._segment, self._upsample = segment, LumaUpsampler(clip.width, clip.height)
        self._distinct: list[Picture] = []
        self._of: list[int] = []
        for frame in range(segment.first_frame, segment.first_frame + len(segment.frames)):
            if frame in decoded:
                self._distinct.append(decoded[frame])
            self._of.append(max(len(self._distinct) - 1, 0))
        self._large: dict[int, Luma] = {}

    def slots(self, count: int, offset: float) -> list[int]:
        """Places of frames, evenly over the group."""
        frames = len(self._of)
        count = min(count, frames)
        return [int((k + offset) * frames / count) for k in range(count)]

    def wanted(self, slot: int) -> Luma:
        """The luma of the source."""
        return luma(fetched(self._segment.frames[slot]))

    def around(self, slot: int) -> Around:
        """The picture on show with its neighbours in the group."""
        place, last = self._of[slot], len(self._distinct) - 1
        places = (place, max(place - 1, 0), min(place + 1, last))
        kept = {each: self._large[each] for each in places if each in self._large}
        self._large = kept | {each: luma(self._upsample(self._distinct[each])) for each in {*places} - {*kept}}
        return Around(*(self._large[each] for each in places))


def _error(picture: Luma, wanted: Luma) -> float:
    return float(np.mean(np.square(wanted.astype(np.float32) - picture)))
