"""Clips as luma and chroma, picture after picture: what codecs learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.sequences import MOST_FRAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import av
    from numpy.typing import NDArray

    Sequence = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def read_colour_sequences(path: str, split: str) -> dict[str, Sequence]:
    """Read the clips of one split of a folder (:mod:`vidlink.data.videos`), or one clip.

    Returns
    -------
    dict
        By name: luma, shape (frames, h, w), and chroma, shape (frames, 2, h / 2, w / 2), sides of luma even.

    Raises
    ------
    UserError
        There is no such folder or split, or a file is no video.
    """
    from pathlib import Path

    from vidlink.data.videos import ALL, splits_of, videos_in
    from vidlink.errors import unknown

    place = Path(path).expanduser()
    if place.is_file():
        return {place.stem: read_colour_sequence(place)}
    clips = videos_in(place)
    splits = splits_of(place, clips)
    if split != ALL and split not in splits.values():
        raise unknown(f"split of {place}", split, {ALL, *splits.values()})
    return {clip.stem: read_colour_sequence(clip) for clip in clips if split in (ALL, splits[clip.stem])}


def read_colour_sequence(file: Path, most: int = MOST_FRAMES) -> Sequence:
    """Luma and chroma of a clip's first pictures; raises UserError where it is no video."""
    from vidlink.video.open import open_source

    def pictures() -> Iterator[Sequence]:
        for segment in open_source(str(file)).segments(1.0):
            yield from (planes_of(frame) for frame in segment.frames)

    luma, chroma = zip(*(each for each, _ in zip(pictures(), range(most), strict=False)), strict=True)
    return np.stack(luma), np.stack(chroma)


def planes_of(picture: av.VideoFrame) -> Sequence:
    """Copies of luma, shape (h, w), and chroma, shape (2, h / 2, w / 2), of ``yuv420p``; odd rows and columns go."""
    height, width = picture.height // 2 * 2, picture.width // 2 * 2
    found = []
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        found.append(rows[: height // (1 if plane.width == picture.width else 2), :])
    luma = found[0][:, :width].copy()
    return luma, np.stack([each[:, : width // 2] for each in found[1:]])
