"""Groups of pictures: one or more consecutive segments coded as one closed GOP, with one key frame at its start.

A key picture takes many times the bits of the pictures after it, so the less often there is one, the more is left for
all. What is captured stays cut into short segments; which of them are joined is for the planner to choose.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.faces.tracks import join_parts
from vidlink.settings import MOST_PARTS
from vidlink.types import Segment
from vidlink.video.park import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vidlink.settings import Settings
    from vidlink.types import Clip

LARGEST_BYTES = 256 << 20
"""Pictures of a group take no more memory than this at full size: of 640 x 360 that is half a minute, of 1920 x 1080
three seconds, and larger ones are not joined."""

Sided = tuple[Segment, bytes]
"""A segment with the side data that travels with it."""


def longest_s(clip: Clip, settings: Settings) -> float:
    """Seconds that a group may take at most, whatever ``--gop`` says: by memory, and by the number of its segments."""
    frames = LARGEST_BYTES // (clip.width * clip.height * 3 // 2)
    return max(min(frames / float(clip.frame_rate), MOST_PARTS * settings.part_s), settings.part_s)


def windows(segments: Iterable[Sided], most: int, clip: Clip) -> Iterator[list[Sided]]:
    """Consecutive segments that may be joined: no cut among them, no more than ``most``, and not too much memory."""
    largest = LARGEST_BYTES // (clip.width * clip.height * 3 // 2)
    window: list[Sided] = []
    frames = 0
    for sided in segments:
        count = len(sided[0].frames)
        if window and (len(window) == most or sided[0].new_scene or frames + count > largest):
            yield window
            window, frames = [], 0
        window.append(sided)
        frames += count
    if window:
        yield window


def join(window: Sequence[Sided], index: int) -> Sided:
    """Consecutive segments as one, with the side data of all, and with ``index`` as its number."""
    parts = [segment for segment, _ in window]
    whole = Segment(
        index=index,
        first_frame=parts[0].first_frame,
        frames=joined(part.frames for part in parts),
        times_s=np.concatenate([part.times_s for part in parts]),
        duration_s=parts[-1].end_s - parts[0].start_s,
        last=parts[-1].last,
        side_data=join_parts([(len(part.frames), part.side_data) for part in parts]),
        new_scene=parts[0].new_scene,
        parts=tuple(parts),
    )
    return whole, join_parts([(len(part.frames), side_data) for part, side_data in window])


def grouped(segments: Iterable[Sided], counts: Iterable[int], first: int = 0) -> Iterator[Sided]:
    """Segments joined as a plan has it, so many at a time, and numbered from ``first``."""
    reading = iter(segments)
    for index, count in enumerate(counts, first):
        yield join([next(reading) for _ in range(count)], index)


def without_pictures(segment: Segment) -> Segment:
    """The segment's numbers and times alone, which take little memory."""
    return replace(segment, frames=(), parts=())
