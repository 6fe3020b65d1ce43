"""What a plan maximizes: picture quality, or how little the recognizer's output moves.

The table is :data:`OBJECTIVES`: a new objective is a class and a line there, and its name in the choices of the option.
One of a user's own is named as ``package.module:Class``.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.faces.roi import face_boxes
from vidlink.faces.tracks import Box
from vidlink.plugins import RAISED, Catalogue, reason, taken_of
from vidlink.recognizers.recognizer import Context
from vidlink.scores.kinds import kind_of
from vidlink.scores.once import once
from vidlink.scores.psnr import PSNR, luma_psnr_db, psnr_where_it_matters
from vidlink.scores.ssim import SSIM
from vidlink.video.park import fetched, in_order
from vidlink.video.pictures import LumaUpsampler, Upsampler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.scores.measure import FrameMeasure
    from vidlink.sender.trial import Objective
    from vidlink.types import Clip, Picture, Segment


_SAME = 0.01
"""Outputs that differ by less than about this count as the same."""
_EVERY = 1 << 30
"""So many looks are one at every frame."""
_KEPT = 32
"""Segments whose pristine outputs are kept: those of a group and more."""
_GOLDEN = (math.sqrt(5) - 1) / 2


def make_objective(name: str, clip: Clip, recognizer: Recognizer | None) -> Objective:
    """An objective by name.

    Raises
    ------
    UserError
        There is no such objective, or it needs a recognizer and there is none.
    """
    if recognizer is None and asks_recognizer(name):
        raise UserError(f"--objective {name} needs a recognizer, and --recognizer none gives none")
    made = OBJECTIVES.make(name, {"clip": clip, "recognizer": recognizer})
    if not (callable(made) and isinstance(getattr(made, "knob_worth", None), int | float)):
        raise UserError(
            f"--objective {name}: an objective is called with (segment, pictures, side_data) and has a knob_worth"
        )
    return _OwnObjective(name, made) if ":" in name else made


def asks_recognizer(name: str) -> bool:
    """Whether what an objective says depends on the recognizer: whether it takes one."""
    return "recognizer" in taken_of(OBJECTIVES.find(name), {"recognizer": None})


class _OwnObjective:
    """An objective of a user's own, of which only numbers are taken, and ``safe`` and ``closely`` if it has them."""

    def __init__(self, name: str, made: Objective) -> None:
        self._name, self._made, self.knob_worth = name, made, made.knob_worth
        self.safe, self.closely = getattr(made, "safe", None), getattr(made, "closely", None)

    def __call__(self, segment: Segment, pictures: Sequence[Picture], side_data: bytes) -> float:
        try:
            worth = self._made(segment, in_order(pictures), side_data)
            number = float(worth)
        except UserError:
            raise
        except RAISED as error:
            raise UserError(f"--objective {self._name}: raised {reason(error)}") from error
        if not math.isfinite(number):
            raise UserError(f"--objective {self._name}: gave {number}, expected a finite number")
        return number


class PictureObjective:
    """Mean of a measure over the frames of a segment, as the receiver would show them.

    Parameters
    ----------
    measure
        Of single frames, higher is better.
    knob_worth
        About what one unit of a codec's quality knob is worth.
    clip
        Gives the HR size.
    """

    def __init__(self, measure: FrameMeasure, *, knob_worth: float, clip: Clip) -> None:
        self._measure, self._clip = measure, clip
        self.knob_worth = knob_worth

    def __call__(self, segment: Segment, pictures: Sequence[Picture], side_data: bytes) -> float:
        """Mean quality of LR pictures, one for each frame of the segment."""
        upsample, meter = _upsampler(self._clip, self._measure.of_luma), self._measure.make(self._clip)
        if segment.interest is not None and self._measure is PSNR:
            meter = psnr_where_it_matters(segment.interest, self._clip)
        pairs = zip(pictures, segment.frames, strict=True)
        return float(self._measure.mean([meter(upsample(picture), frame) for picture, frame in pairs]))


class TaskObjective:
    """How little the recognizer's output on the coded pictures differs from that on the pristine ones.

    Of a recognizer of classes the output is the share of each class, in one window about the middle of the segment
    (cut or held where the segment is shorter). A recognizer that fails is asked no more: the plan then goes by PSNR,
    and the run says what was wrong.

    The value is in dB: ``-10 log10(d² + 0.01²)``, with d how far the outputs are apart, plus half the PSNR of these
    frames, which decides between pictures that say the same, and where there is no face. In dB both fall about evenly
    with the codec's knob, as planners expect. Of dimensions and shares of classes d is the root mean square difference
    over faces and some frames of the segment, of maps 1 - mIoU, of boxes 1 - their panoptic quality.

    Parameters
    ----------
    recognizer
        Who looks.
    clip
        Gives the HR size.
    looks
        Frames looked at in each segment.
    """

    knob_worth = 0.7
    """About what one unit of a codec's quality knob is worth."""

    def __init__(self, recognizer: Recognizer, clip: Clip, *, looks: int = 12) -> None:
        self._recognizer, self._clip, self._looks = recognizer, clip, looks
        self._kind = kind_of(recognizer)
        self._broken = False
        self._close: TaskObjective | None = None
        self._pristine: OrderedDict[int, Any] = OrderedDict()
        self._lock = Lock()

    @property
    def safe(self) -> Objective:
        """The plan by PSNR is among the candidates, so that none is sent that does worse by this objective."""
        return PictureObjective(PSNR, knob_worth=0.5, clip=self._clip)

    @property
    def closely(self) -> Objective:
        """The same with a look at every frame: by it the two plans are compared."""
        if self._close is None:
            self._close = TaskObjective(self._recognizer, self._clip, looks=_EVERY)
        return self._close

    def __call__(self, segment: Segment, pictures: Sequence[Picture], side_data: bytes) -> float:
        """Closeness of the outputs on LR pictures, one for each frame of the segment."""
        slots = self._slots(segment)
        upsample = _upsampler(self._clip, self._recognizer.wants.colour == "luma")
        coded = [pictures[slot] for slot in slots]
        first, which = once(map(id, coded))
        small = [fetched(coded[place]) for place in first]
        large = [upsample(picture) for picture in small]
        shown = [large[number] for number in which]
        psnr = np.mean([luma_psnr_db(p, segment.frames[slot]) for p, slot in zip(shown, slots, strict=True)])
        boxes = self._boxes(segment, slots, side_data)
        half_psnr = 0.5 * float(psnr)
        if not boxes or self._broken:
            return half_psnr
        try:
            times_s = segment.times_s[slots].tolist()
            scale = np.array([self._clip.width / picture.width for picture in small])[which]
            seen = self._kind.answers(self._recognizer, shown, boxes, times_s, _context(scale))
            with self._lock:
                if segment.index not in self._pristine:
                    frames = [segment.frames[slot] for slot in slots]
                    self._pristine[segment.index] = self._kind.answers(self._recognizer, frames, boxes, times_s)
                    while len(self._pristine) > _KEPT:
                        self._pristine.popitem(last=False)
                pristine = self._pristine[segment.index]
        except UserError:
            self._broken = True
            return half_psnr
        return half_psnr - 10 * math.log10(self._kind.difference(seen, pristine) ** 2 + _SAME**2)

    def _slots(self, segment: Segment) -> list[int]:
        """Frames of the segment that are looked at."""
        if (asked := self._kind.looks(self._recognizer, segment, self._clip)) is not None:
            return asked
        count = len(segment.frames)
        looks = min(self._looks, count)
        # One of each part of the segment, not in step with the frames that are coded, or all looks might be held.
        return [int((k + (_GOLDEN * k + 0.5) % 1) * count / looks) for k in range(looks)]

    def _boxes(self, segment: Segment, slots: Sequence[int], side_data: bytes) -> list[list[Box] | None]:
        """For each face its boxes in the frames that are looked at; one None for recognizers of whole frames."""
        if self._recognizer.wants.region == "frame":
            return [None]
        offsets = (segment.times_s - segment.start_s)[list(slots)]
        found = face_boxes(side_data, offsets, segment.duration_s, self._clip)
        return [[Box(*box) for box in shown.tolist()] for _, shown in found.values()]


def _context(scale: NDArray[np.float64]) -> Context:
    """What the receiver will know of pictures: their scale factor."""
    return Context(scale=scale, quality=np.full(len(scale), np.nan), status=("ok",) * len(scale))


def _upsampler(clip: Clip, of_luma: bool) -> Upsampler | LumaUpsampler:
    """What brings pictures to HR size: whole, or their luma alone, which takes half the time."""
    return (LumaUpsampler if of_luma else Upsampler)(clip.width, clip.height)


OBJECTIVES = Catalogue(
    what="objective",
    label="--objective {name}",
    shipped={
        "psnr": partial(PictureObjective, PSNR, knob_worth=0.5),
        "ssim": partial(PictureObjective, SSIM, knob_worth=0.008),
        "task": TaskObjective,
    },
)
"""By name, what makes an objective: called with those of the keywords ``clip`` and ``recognizer`` that it takes. What
takes a recognizer depends on one."""
