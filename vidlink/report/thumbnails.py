"""A few pictures of a run: what was sent, and what was seen at the far end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    from numpy.typing import NDArray

    from vidlink.types import Clip, Segment

COUNT = 6
"""Most pictures that are chosen in the end."""
_LONGEST_SIDE = 320

Thumbnail: TypeAlias = "tuple[float, NDArray[np.uint8], NDArray[np.uint8]]"
"""Time in seconds, source picture and received picture in RGB, shape (height, width, 3)."""


class Thumbnails:
    """Keeps a few pictures of what was sent and what was seen, evenly over the clip, whatever its length."""

    def __init__(self, clip: Clip) -> None:
        self._factor = max(1.0, max(clip.width, clip.height) / _LONGEST_SIDE)
        self._every = 1
        self._kept: list[Thumbnail] = []

    def look(self, segment: Segment, screen: Sequence[av.VideoFrame]) -> None:
        """Take a picture from the middle of a segment, perhaps."""
        if segment.index % self._every:
            return
        middle = len(screen) // 2
        self._kept.append(
            (float(segment.times_s[middle]), self._small(segment.frames[middle]), self._small(screen[middle]))
        )
        if len(self._kept) >= 2 * COUNT:
            self._kept = self._kept[::2]
            self._every *= 2

    def _small(self, picture: av.VideoFrame) -> NDArray[np.uint8]:
        width, height = round(picture.width / self._factor), round(picture.height / self._factor)
        return (
            picture.reformat(width=max(2, width), height=max(2, height))
            .to_ndarray(format="rgb24")
            .astype(np.uint8, copy=False)
        )

    def chosen(self) -> list[Thumbnail]:
        """At most six of them, evenly spaced."""
        rows = np.unique(np.linspace(0, len(self._kept) - 1, min(COUNT, len(self._kept))).round().astype(int))
        return [self._kept[k] for k in rows]
