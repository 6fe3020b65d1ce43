"""Pictures as arrays, and up and down in size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from vidlink.video.park import fetched, is_large

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.types import Picture


def luma(picture: av.VideoFrame) -> NDArray[np.uint8]:
    """The luma plane of a ``yuv420p`` picture, shape (height, width), without copying."""
    plane = picture.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def with_luma(picture: av.VideoFrame, luma: NDArray[np.uint8]) -> av.VideoFrame:
    """A ``yuv420p`` picture with other luma, shape (height, width); chroma, colour and time are the picture's own."""
    made = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for number, (plane, source) in enumerate(zip(made.planes, picture.planes, strict=True)):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        given = np.frombuffer(memoryview(source), np.uint8).reshape(source.height, source.line_size)
        rows[:, : plane.width] = luma if number == 0 else given[:, : plane.width]
    made.colorspace, made.color_range = picture.colorspace, picture.color_range
    made.color_primaries, made.color_trc = picture.color_primaries, picture.color_trc
    made.pts = picture.pts
    if picture.time_base is not None:
        made.time_base = picture.time_base
    return made


def as_array(picture: av.VideoFrame, colour: str) -> NDArray[np.uint8]:
    """A picture as ``luma``, shape (height, width), or ``rgb``, shape (height, width, 3)."""
    return luma(picture) if colour == "luma" else np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)


def resize(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Resize by area where it shrinks, bicubic where it grows."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return resized.astype(np.uint8, copy=False)


def downsample_and_back(picture: NDArray[np.uint8], lr: tuple[int, int]) -> NDArray[np.uint8]:
    """Downsample by area as the sender does, and back by bicubic interpolation, with 8 bits in between.

    :func:`vidlink.training.degrade.downsample_and_back` does this to batches of tensors.

    Parameters
    ----------
    picture
        Shape (height, width) or (height, width, 3).
    lr
        LR width and height in pixels, at most the picture's own.

    Returns
    -------
    NDArray
        Of the same shape.
    """
    return resize(resize(picture, *lr), picture.shape[1], picture.shape[0])


class Upsampler:
    """Brings LR pictures to HR size by bicubic interpolation; the last one is remembered, since it may be held."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._reformatter = VideoReformatter()
        self._last: tuple[Picture, av.VideoFrame] | None = None

    def __call__(self, picture: Picture) -> av.VideoFrame:
        """The picture at HR size, ``yuv420p``."""
        if self._last is None or self._last[0] is not picture:
            large = self._reformatter.reformat(
                fetched(picture), width=self._width, height=self._height, format="yuv420p", interpolation="BICUBIC"
            )
            self._last = picture, large
        return self._last[1]

    def grey(self) -> av.VideoFrame:
        """What is on show before anything was ever decoded: mid-grey at HR size, which is grey by any matrix."""
        picture = av.VideoFrame(self._width, self._height, "yuv420p")
        for plane in picture.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        return picture


class LumaUpsampler:
    """Brings the luma of LR pictures to HR size as :class:`Upsampler` does, for whoever looks at nothing else."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._reformatter = VideoReformatter()
        self._last: tuple[Picture, av.VideoFrame] | None = None

    def __call__(self, picture: Picture) -> av.VideoFrame:
        """The luma of a ``yuv420p`` picture at HR size, ``gray``."""
        if self._last is None or self._last[0] is not picture:
            small = luma(fetched(picture))
            grey = av.VideoFrame(small.shape[1], small.shape[0], "gray")
            luma(grey)[:] = small
            large = self._reformatter.reformat(
                grey, width=self._width, height=self._height, format="gray", interpolation="BICUBIC"
            )
            self._last = picture, large
        return self._last[1]


class Arrays(Sequence["NDArray[np.uint8]"]):
    """Some pictures as arrays, each made when it is looked at."""

    def __init__(self, pictures: Sequence[av.VideoFrame], slots: Sequence[int], colour: str) -> None:
        self._pictures, self._slots, self._colour = pictures, slots, colour

    def __len__(self) -> int:
        return len(self._slots)

    @overload
    def __getitem__(self, place: int) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, place: slice) -> Arrays: ...
    def __getitem__(self, place: int | slice) -> NDArray[np.uint8] | Arrays:
        if isinstance(place, slice):
            return Arrays(self._pictures, self._slots[place], self._colour)
        return as_array(self._pictures[self._slots[place]], self._colour)


def as_arrays(pictures: Sequence[av.VideoFrame], slots: Sequence[int], colour: str) -> Sequence[NDArray[np.uint8]]:
    """Pictures at some slots as :func:`as_array` makes them; large ones only when they are looked at."""
    made = Arrays(pictures, slots, colour)
    first = pictures[slots[0]] if slots else None
    return made if first is not None and is_large(first.width, first.height) else list(made)
