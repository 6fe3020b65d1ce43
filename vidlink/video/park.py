"""Large pictures wait on disk: a second of them in 4K would take a third of a gigabyte, and several are under way."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import av
import numpy as np
from av.video.frame import PictureType

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction
    from typing import IO

    from numpy.typing import NDArray

    from vidlink.types import Clip, Picture

_LARGE = 4_000_000
"""Bytes of a picture above which it is parked: 2560x1440 is, 1920x1080 is not."""
_TOGETHER = 16
"""Pictures in one file, which is gone once none of them is needed."""


def is_large(width: int, height: int) -> bool:
    """Whether ``yuv420p`` pictures of that size in pixels wait on disk."""
    return width * height * 3 // 2 > _LARGE


class Parking:
    """Puts large ``yuv420p`` pictures into temporary files, as they come; smaller ones stay where they are."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._count = 0

    def __call__(self, picture: av.VideoFrame) -> Picture:
        """The picture, or what brings it back, as often as one likes and in any thread.

        Raises
        ------
        UserError
            There is no room for temporary files.
        """
        if not is_large(picture.width, picture.height) or picture.format.name != "yuv420p":
            return picture
        try:
            if self._file is None or self._count % _TOGETHER == 0:
                self._file = tempfile.TemporaryFile(prefix="vidlink-")  # noqa: SIM115 - the last picture closes it
            self._count += 1
            return Parked(picture, self._file)
        except OSError as error:
            raise UserError(
                f"{tempfile.gettempdir()}: large pictures wait there, and it cannot be written: {error.strerror}; "
                "make room, or name another folder in TMPDIR"
            ) from error


class Parked:
    """A picture in a temporary file; called, it gives the picture, a new copy each time.

    Parameters
    ----------
    picture
        What is written, ``yuv420p``.
    file
        It is added to the end of it.
    """

    __slots__ = ("_about", "_file", "_place", "height", "width")

    def __init__(self, picture: av.VideoFrame, file: IO[bytes]) -> None:
        self._file = file
        self.width, self.height = picture.width, picture.height
        self._about = _About(picture)
        self._place = file.seek(0, os.SEEK_END)
        for rows in _planes(picture):
            file.write(rows.tobytes())
        file.flush()

    @property
    def duration(self) -> int:
        """As of the picture."""
        return self._about.duration

    def __call__(self) -> av.VideoFrame:
        """The picture."""
        picture = av.VideoFrame(self.width, self.height, "yuv420p")
        place = self._place
        for rows in _planes(picture):
            data = os.pread(self._file.fileno(), rows.size, place)
            rows[:] = np.frombuffer(data, np.uint8).reshape(rows.shape)
            place += rows.size
        self._about.write_to(picture)
        return picture


class _About:
    """Times and colours of a picture."""

    __slots__ = ("_tags", "_time_base", "duration", "pts")

    def __init__(self, picture: av.VideoFrame) -> None:
        self.pts, self.duration = picture.pts, picture.duration
        self._time_base: Fraction | None = picture.time_base
        self._tags = picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc

    def write_to(self, picture: av.VideoFrame) -> None:
        picture.pts, picture.duration = self.pts, self.duration
        if self._time_base is not None:
            picture.time_base = self._time_base
        picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc = self._tags
        picture.pict_type = PictureType.NONE


def copied(picture: av.VideoFrame) -> av.VideoFrame:
    """A ``yuv420p`` picture in memory of its own: pixels, times and colours, without what else a decoder said of it."""
    copy = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for rows, from_rows in zip(_planes(copy), _planes(picture), strict=True):
        rows[:] = from_rows
    _About(picture).write_to(copy)
    return copy


class Pictures(Sequence[av.VideoFrame]):
    """Pictures in order, of which those that are parked are fetched one at a time."""

    def __init__(self, pictures: Iterable[Picture]) -> None:
        self._pictures = tuple(pictures)

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def waiting(self) -> tuple[Picture, ...]:
        """The pictures as they are: those that are parked are not fetched."""
        return self._pictures

    @overload
    def __getitem__(self, slot: int) -> av.VideoFrame: ...
    @overload
    def __getitem__(self, slot: slice) -> Sequence[av.VideoFrame]: ...
    def __getitem__(self, slot: int | slice) -> av.VideoFrame | Sequence[av.VideoFrame]:
        return Pictures(self._pictures[slot]) if isinstance(slot, slice) else fetched(self._pictures[slot])


def fetched(picture: Picture) -> av.VideoFrame:
    """The picture, brought from where it waits."""
    return picture() if callable(picture) else picture


def in_order(pictures: Sequence[Picture]) -> Sequence[av.VideoFrame]:
    """Pictures as a sequence of frames, in which parked ones are fetched when they are looked at."""
    if any(map(callable, pictures)):
        return Pictures(pictures)
    return tuple(fetched(picture) for picture in pictures)


def joined(runs: Iterable[Sequence[av.VideoFrame]]) -> Sequence[av.VideoFrame]:
    """Runs of frames one after the other; those that are parked stay so."""
    return in_order([p for run in runs for p in (run.waiting if isinstance(run, Pictures) else run)])


def _planes(picture: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """Views of the three planes, shape (height, width) each."""
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in picture.planes
    ]


def few_for(clip: Clip) -> int | None:
    """Threads that code and decode where pictures are large: one, since each encoder holds a second of them."""
    return 1 if is_large(clip.width, clip.height) else None
