"""The restorer that came with the pictures: each group is restored by its own weights, if these arrived.

Where they were lost or damaged, or none were sent, pictures stay as interpolated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vidlink.nets.classified import CLASSES, FEATURES, Around, restored
from vidlink.restorers.restoration import Restoration
from vidlink.rtp.weights import Damaged, parse
from vidlink.video.pictures import luma, with_luma

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av

    from vidlink.rtp.weights import Weights
    from vidlink.types import Clip, Picture, Reception

NAME = "sent along"
"""What the summary calls it."""


class _Placed(NamedTuple):
    """A picture in its group."""

    group: list[Picture]
    place: int
    weights: Weights | None


class SentRestoration(Restoration):
    """Brings pictures to full size by what the sender sent along.

    Parameters
    ----------
    clip
        Gives the full size.
    """

    def __init__(self, clip: Clip) -> None:
        super().__init__(clip)
        self._weights: Weights | None = None
        self._placed: dict[int, _Placed] = {}
        self._large: dict[int, av.VideoFrame] = {}
        self._groups = {"restored": 0, "lost": 0, "damaged": 0, "none": 0}
        self._weights_bits = 0
        self._state = "none"
        self._bits = 0

    @property
    def interpolates(self) -> bool:
        """Pictures may be restored."""
        return False

    def signal(self, messages: Sequence[bytes], *, sent_bits: int) -> None:
        """Take in what arrived of the next segment's weights, and how many bits of them were sent."""
        self._weights, self._bits = None, sent_bits
        for message in messages:
            try:
                self._weights = self._weights or parse(message, (CLASSES, FEATURES))
            except Damaged:
                continue
        self._state = "restored" if self._weights else "damaged" if messages else "lost" if sent_bits else "none"
        self._groups[self._state] += 1
        self._weights_bits += sent_bits

    def of_segment(self) -> dict[str, Any]:
        """Columns of the segment."""
        return {"weights_bits": self._bits, "weights": self._state}

    def add(self, receptions: Sequence[Reception]) -> None:
        """Take in the pictures of the segment; of the one before only the last is still there, to be held."""
        held = list(self._placed.items())[-1:]
        self._placed = dict(held)
        group: list[Picture] = []
        for reception in receptions:
            picture = reception.picture
            if picture is not None and id(picture) not in self._placed:
                self._placed[id(picture)] = _Placed(group, len(group), self._weights)
                group.append(picture)
        self._large = {}

    def __call__(self, picture: Picture) -> av.VideoFrame:
        """A picture of the segment at full size, ``yuv420p``."""
        if self._last is None or self._last[0] is not picture:
            self._last = picture, self._restored_by(self._placed[id(picture)])
        return self._last[1]

    def _restored_by(self, placed: _Placed) -> av.VideoFrame:
        group, place, weights = placed
        if weights is None:
            self._note(group[place], 0.0)
            return self._upsample(group[place])
        near = [group[each] for each in (place, max(place - 1, 0), min(place + 1, len(group) - 1))]
        self._large = {id(each): self._large.get(id(each)) or self._upsample(each) for each in near}
        around = Around(*(luma(self._large[id(each)]) for each in near))
        self._note(group[place], float(FEATURES))
        return with_luma(self._large[id(near[0])], restored(around, weights.values, weights.noise_levels))

    def _note(self, picture: Picture, multiply_adds: float) -> None:
        if id(picture) not in self._counted:
            self._count(multiply_adds, {})
            self._counted = {*self._counted, id(picture)} & self._placed.keys()

    def summary(self) -> dict[str, Any] | None:
        """The section ``restoration`` of ``summary.json``."""
        pixels = (self._restored + self._left) * self._clip.width * self._clip.height
        return {
            "restorer": NAME,
            "frames": 3,
            "restored": self._restored,
            "left": self._left,
            "multiply_adds": round(self._multiply_adds),
            "multiply_adds_per_pixel": round(self._multiply_adds / pixels, 1) if pixels else None,
            "groups": self._groups,
            "weights_bits": self._weights_bits,
        }

    def notes(self) -> list[str]:
        """What went wrong with weights."""
        wrong = [f"{self._groups[state]} {state}" for state in ("lost", "damaged") if self._groups[state]]
        if not wrong:
            return []
        sent = sum(self._groups.values()) - self._groups["none"]
        return [f"of the weights of {sent} groups of pictures {' and '.join(wrong)}: these are interpolated"]
