"""The clips of ``benchmarks/overfit.py``: 20 seconds and more of each, no picture twice.

Where a clip is shorter, different clips follow each other, each picture once and brought to one size; those with
another frame rate are played at the rate of the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import av
import bench
import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Joined(NamedTuple):
    """A clip made of others."""

    size: tuple[int, int]
    """Width and height in pixels."""
    rate: int
    """Pictures a second."""
    parts: tuple[str, ...]
    """Clips of VIDLINK_DATA, in order; their pictures are scaled to the size, their middle where it is of another
    shape."""


JOINED = {
    "films": Joined(
        (320, 192),
        25,
        ("clips/bikes.mp4", "clips/bigbuckbunny.mp4", "clips/carphone_pristine.mp4", "clips/selfie_960x540.mp4"),
    ),
    "talking": Joined(
        (176, 144),
        25,
        ("clips/carphone_pristine.mp4", "clips/selfie_960x540.mp4", "clips/expressions_640x360.mp4"),
    ),
    "street": Joined((320, 240), 15, ("camvid/val/images/*.png", "clips/bikes.mp4")),
    "walking": Joined((320, 240), 30, tuple(f"arid6/Walk/Walk_10_{number}.mp4" for number in range(1, 14))),
}
"""Those that are joined."""
WHOLE = {"expressions": "clips/expressions_640x360.mp4"}
"""Those that are long enough."""


def find_clips(folder: Path, names: Sequence[str] | None = None) -> dict[str, Path]:
    """Name and path of the clips (None: of all); joined ones are written into the folder, losslessly.

    Raises
    ------
    SystemExit
        There is no clip of that name, or its pictures are not there.
    """
    known = [*JOINED, *WHOLE]
    found = {}
    for name in names or known:
        if name not in known:
            raise SystemExit(f"--clips: no clip {name!r}; there are {', '.join(known)}")
        parts = JOINED[name].parts if name in JOINED else (WHOLE[name],)
        if any(bench.data(part.partition("/*")[0]) is None for part in parts):
            raise SystemExit(f"VIDLINK_DATA names no folder with all of {', '.join(parts)}")
        found[name] = join(name, JOINED[name], folder) if name in JOINED else _there(WHOLE[name])
    return found


def _there(name: str) -> Path:
    path = bench.data(name)
    assert path is not None
    return path


def join(name: str, joined: Joined, folder: Path) -> Path:
    """The file of a joined clip; one that is there already is taken as it is."""
    place = folder / f"{name}.mkv"
    if place.exists():
        return place
    root = _there(".")
    pictures = [fitted(frame, joined.size) for part in joined.parts for frame in _pictures(root / part)]
    return bench.write_clip(place, pictures, joined.size, "ffv1", {}, rate=joined.rate)


def _pictures(path: Path) -> list[av.VideoFrame]:
    return [frame for segment in bench.open_clip(path).segments(1.0) for frame in segment.frames]


def fitted(picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """A picture's middle of the shape of ``size``, scaled to it by area."""
    planes = picture.to_ndarray(format="rgb24")
    height, width = planes.shape[:2]
    wide, high = min(width, height * size[0] // size[1]), min(height, width * size[1] // size[0])
    top, left = (height - high) // 2, (width - wide) // 2
    scaled = cv2.resize(planes[top : top + high, left : left + wide], size, interpolation=cv2.INTER_AREA)
    return av.VideoFrame.from_ndarray(np.asarray(scaled, np.uint8), format="rgb24").reformat(format="yuv420p")
