"""What the receiver shows: pictures at HR size, made when somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, overload

import av

from vidlink.video.park import is_large

if TYPE_CHECKING:
    from vidlink.types import Picture, Reception


class ToFullSize(Protocol):
    """What brings pictures to HR size: :class:`~vidlink.video.pictures.Upsampler`, or a restorer's stand-in for it."""

    def __call__(self, picture: Picture, /) -> av.VideoFrame:
        """The picture at HR size, ``yuv420p``."""
        ...

    def grey(self) -> av.VideoFrame:
        """What is on show before anything was ever decoded."""
        ...


class Screen(Sequence[av.VideoFrame]):
    """The pictures on show during a segment: one HR picture (``yuv420p``) for each source frame.

    Parameters
    ----------
    receptions
        What was received, one for each source frame.
    upsample
        Brings pictures to HR size.
    """

    def __init__(self, receptions: Sequence[Reception], upsample: ToFullSize) -> None:
        self._receptions, self._upsample = receptions, upsample
        self._made: dict[int, av.VideoFrame] = {}

    def __len__(self) -> int:
        return len(self._receptions)

    @overload
    def __getitem__(self, slot: int) -> av.VideoFrame: ...
    @overload
    def __getitem__(self, slot: slice) -> Sequence[av.VideoFrame]: ...
    def __getitem__(self, slot: int | slice) -> av.VideoFrame | Sequence[av.VideoFrame]:
        if isinstance(slot, slice):
            return [self[k] for k in range(*slot.indices(len(self)))]
        if slot not in self._made:
            picture = self._receptions[slot].picture
            shown = self._upsample.grey() if picture is None else self._upsample(picture)
            if is_large(shown.width, shown.height):
                return shown  # a segment of them would fill the memory
            self._made[slot] = shown
        return self._made[slot]
