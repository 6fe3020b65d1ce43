"""What was sent and what the far end saw, side by side, on the source's own times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from vidlink.video.film import Film
from vidlink.video.park import is_large

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vidlink.types import Clip, Segment

LONGEST_SIDE = 480
"""Pixels of either half of the film in a page at most: it goes by mail."""


class Comparison(Film):
    """Writes pairs of pictures to an MP4 file as they come: on the left what was sent, on the right what was seen.

    Parameters
    ----------
    path
        The file.
    clip
        Gives the proportions, the rate and the colour.
    longest_side
        Longer sides, in pixels of either half, are shrunk to it; None for the clip's own size.
    """

    def __init__(self, path: Path, clip: Clip, *, longest_side: int | None = None) -> None:
        longest = max(clip.width, clip.height)
        self._half = half = half_size(clip.width, clip.height, longest_side or longest)
        # A key frame at least every second, so that a page finds any moment fast.
        crf, group = "24" if longest_side else "16", str(max(1, round(clip.frame_rate)))
        options = {"preset": "veryfast", "crf": crf, "g": group, "x264-params": "cpu-independent=1"}
        if longest_side is None and is_large(clip.width, clip.height):
            options["tune"] = "zerolatency"  # what x264 holds are pairs of large pictures
        super().__init__(path, clip, size=(2 * half[0], half[1]), options=options)
        self._left, self._right = VideoReformatter(), VideoReformatter()

    def compare(self, screen: Sequence[av.VideoFrame], segment: Segment) -> None:
        """Add a segment: its own pictures, and the HR pictures on show, one for each of its frames."""
        self.show(self._pairs(screen, segment), segment)

    def _pairs(self, screen: Sequence[av.VideoFrame], segment: Segment) -> Iterator[av.VideoFrame]:
        width, height = self._half
        for sent, seen in zip(segment.frames, screen, strict=True):
            yield side_by_side(
                self._left.reformat(sent, width, height, "yuv420p"),
                self._right.reformat(seen, width, height, "yuv420p"),
            )


def half_size(width: int, height: int, longest_side: int = LONGEST_SIDE) -> tuple[int, int]:
    """Size in pixels of either half, even, for pictures of a size, no side above the longest.

    Examples
    --------
    >>> half_size(1920, 1080), half_size(97, 65)
    ((480, 270), (96, 64))
    """
    shrink = max(1.0, max(width, height) / longest_side)
    return max(2, int(width / shrink) // 2 * 2), max(2, int(height / shrink) // 2 * 2)


def side_by_side(left: av.VideoFrame, right: av.VideoFrame) -> av.VideoFrame:
    """One ``yuv420p`` picture of two that have the same even size."""
    pair = av.VideoFrame(2 * left.width, left.height, "yuv420p")
    for plane, ours, theirs in zip(pair.planes, left.planes, right.planes, strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        for start, part in ((0, ours), (ours.width, theirs)):
            source = np.frombuffer(memoryview(part), np.uint8).reshape(part.height, part.line_size)
            rows[:, start : start + part.width] = source[:, : part.width]
    return pair
