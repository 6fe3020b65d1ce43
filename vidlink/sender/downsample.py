"""LR pictures of a segment: each is downsampled once for a size, however often the segment is coded at it."""

from __future__ import annotations

import threading
import weakref
from bisect import bisect_right
from collections import OrderedDict
from itertools import accumulate
from typing import TYPE_CHECKING

from av.video.reformatter import VideoReformatter

from vidlink.video.park import is_large

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import av

    from vidlink.types import Segment

_MOST_BYTES = 128 << 20
"""What is kept takes no more than this."""

Key = tuple[int, int, int]
"""Which segment as it was captured, and the LR size."""


class Downsampler:
    """Brings HR pictures to LR size by area averaging, and keeps them for as long as their segment lives.

    A segment is coded several times at one size while it is planned, alone and as part of groups. May be used from any
    thread. Large pictures are not kept.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, dict[int, av.VideoFrame]] = OrderedDict()
        self._segments: dict[int, weakref.ref[Segment]] = {}
        self._bytes = 0
        self._lock = threading.RLock()  # a segment may end while it is held

    def __call__(self, segment: Segment, slots: Sequence[int], width: int, height: int) -> Iterator[av.VideoFrame]:
        """LR pictures (``yuv420p``) of some frames of a segment, one by one; at the source's size its own.

        Nobody may change them.
        """
        reformatter = VideoReformatter()
        parts = segment.each
        ends = list(accumulate(len(part.frames) for part in parts))
        for slot in slots:
            k = bisect_right(ends, slot)
            part, place = parts[k], slot - ends[k] + len(parts[k].frames)
            picture = self._find((id(part), width, height), place)
            if picture is None:
                source = part.frames[place]
                picture = reformatter.reformat(
                    source, width=width, height=height, format="yuv420p", interpolation="AREA"
                )
                if picture is not source and not is_large(source.width, source.height):
                    self._keep(part, place, picture)
            yield picture

    def _find(self, key: Key, place: int) -> av.VideoFrame | None:
        with self._lock:
            pictures = self._kept.get(key)
            if pictures is None:
                return None
            self._kept.move_to_end(key)
            return pictures.get(place)

    def _keep(self, part: Segment, place: int, picture: av.VideoFrame) -> None:
        number = id(part)
        with self._lock:
            if number not in self._segments:
                self._segments[number] = weakref.ref(part, lambda _: self._forget(number))
            pictures = self._kept.setdefault((number, picture.width, picture.height), {})
            self._bytes += 0 if place in pictures else _bytes(picture)
            pictures[place] = picture
            while self._bytes > _MOST_BYTES:
                self._bytes -= sum(map(_bytes, self._kept.popitem(last=False)[1].values()))

    def _forget(self, number: int) -> None:
        """A segment has ended; its number may be another's soon."""
        with self._lock:
            self._segments.pop(number, None)
            for key in [key for key in self._kept if key[0] == number]:
                self._bytes -= sum(map(_bytes, self._kept.pop(key).values()))


def _bytes(picture: av.VideoFrame) -> int:
    return picture.width * picture.height * 3 // 2
