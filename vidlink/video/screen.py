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


class Lazy(Sequence[av.VideoFrame]):
    """Pictures that are each made when somebody looks, and kept but where a segment of them would fill the memory."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._made: dict[int, av.VideoFrame] = {}

    def make(self, slot: int) -> av.VideoFrame:
        """The picture at a place."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, slot: int) -> av.VideoFrame: ...
    @overload
    def __getitem__(self, slot: slice) -> Sequence[av.VideoFrame]: ...
    def __getitem__(self, slot: int | slice) -> av.VideoFrame | Sequence[av.VideoFrame]:
        if isinstance(slot, slice):
            return [self[k] for k in range(*slot.indices(len(self)))]
        if slot not in self._made:
            picture = self.make(slot)
            if is_large(picture.width, picture.height):
                return picture
            self._made[slot] = picture
        return self._made[slot]


class Screen(Lazy):
    """The pictures on show during a segment: one HR picture (``yuv420p``) for each source frame.

    Parameters
    ----------
    receptions
        What was received, one for each source frame.
    upsample
        Brings pictures to HR size.
    """

    def __init__(self, receptions: Sequence[Reception], upsample: ToFullSize) -> None:
        super().__init__(len(receptions))
        self._receptions, self._upsample = receptions, upsample

    def make(self, slot: int) -> av.VideoFrame:
        """What is on show at a source frame."""
        picture = self._receptions[slot].picture
        return self._upsample.grey() if picture is None else self._upsample(picture)
