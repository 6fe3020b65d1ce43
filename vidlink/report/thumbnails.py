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
_STEP_S = 0.5
"""Seconds between pictures at first."""
_DARK, _SEEN, _MOST_GAIN = 80, 200, 8.0
"""Pictures whose 95th percentile is below the first are brightened to the second, at most so many times."""

Thumbnail: TypeAlias = "tuple[float, NDArray[np.uint8], NDArray[np.uint8]]"
"""Time in seconds, source picture and received picture in RGB, shape (height, width, 3)."""


class Thumbnails:
    """Keeps a few pictures of what was sent and what was seen, evenly over the clip, whatever its length."""

    def __init__(self, clip: Clip) -> None:
        self._factor = max(1.0, max(clip.width, clip.height) / _LONGEST_SIDE)
        self._step_s = _STEP_S
        self._next_s: float | None = None
        self._kept: list[tuple[float, av.VideoFrame, av.VideoFrame]] = []

    def look(self, segment: Segment, screen: Sequence[av.VideoFrame]) -> None:
        """Take a picture every so often, more seldom the longer the clip turns out to be."""
        if self._next_s is None:  # of a clip that is shorter than that, the one in the middle
            self._next_s = min(self._step_s / 2, float(segment.times_s[len(screen) // 2]))
        for place, time_s in enumerate(segment.times_s.tolist()):
            if time_s < self._next_s:
                continue
            self._kept.append((time_s, self._small(segment.frames[place]), self._small(screen[place])))
            if len(self._kept) >= 4 * COUNT:
                self._kept = self._kept[::2]
                self._step_s *= 2
            self._next_s = self._kept[-1][0] + self._step_s

    def _small(self, picture: av.VideoFrame) -> av.VideoFrame:
        width, height = round(picture.width / self._factor), round(picture.height / self._factor)
        return picture.reformat(width=max(2, width), height=max(2, height), interpolation="AREA")

    def chosen(self) -> list[Thumbnail]:
        """At most six of them, evenly spaced."""
        rows = np.unique(np.linspace(0, len(self._kept) - 1, min(COUNT, len(self._kept))).round().astype(int))
        return [(time_s, _rgb(source), _rgb(seen)) for time_s, source, seen in (self._kept[k] for k in rows)]


def _rgb(picture: av.VideoFrame) -> NDArray[np.uint8]:
    return picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def gain_of(shown: Sequence[Thumbnail]) -> float:
    """By how much dark pictures are brightened, so that people see what is in them; 1 for others."""
    if not shown:
        return 1.0
    bright = float(np.percentile(np.concatenate([source.ravel()[::7] for _, source, _ in shown]), 95))
    return float(np.clip(_SEEN / max(bright, 1.0), 1.0, _MOST_GAIN)) if bright < _DARK else 1.0


def brightened(picture: NDArray[np.uint8], gain: float) -> NDArray[np.uint8]:
    """The picture so many times as bright, shape (height, width, 3)."""
    return picture if gain == 1 else np.clip(picture * gain, 0, 255).astype(np.uint8)
