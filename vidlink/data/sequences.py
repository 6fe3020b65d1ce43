"""Clips as luma, picture after picture: what restorers that look at several pictures learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.sets import read, split_spec
from vidlink.errors import UserError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MOST_FRAMES = 300
"""So many pictures of a clip are read at the most."""


def load_sequences(spec: str, split: str) -> dict[str, NDArray[np.uint8]]:
    """Load the clips that a command line names.

    Parameters
    ----------
    spec
        ``videos:PATH``, a folder of clips as :mod:`vidlink.data.videos` describes it (no labels are needed), or one
        clip; or ``package.module:function:PATH``, where the function takes path and split and gives what this one does.
    split
        Which clips of the folder; ``all`` for every one.

    Returns
    -------
    dict
        Luma by the name of the clip, shape (frames, height, width), sides even; ordered by name.

    Raises
    ------
    UserError
        Where the spec has another kind, there is no such folder or split, or a file is no video.
    """
    kind, path = split_spec(spec)
    if not kind:
        raise UserError(f"data {spec!r}: expected videos:PATH, for example videos:/data/clips")
    found: dict[str, NDArray[np.uint8]] = read(kind, "sequences", path, split, into=dict, what="kind of clips")
    return found


def read_sequences(path: str, split: str) -> dict[str, NDArray[np.uint8]]:
    """Read one clip, or the clips of one split of a folder; errors are those of :func:`load_sequences`."""
    from vidlink.data.videos import ALL, splits_of, videos_in

    place = Path(path).expanduser()
    if place.is_file():
        return {place.stem: read_sequence(place)}
    clips = videos_in(place)
    splits = splits_of(place, clips)
    if split != ALL and split not in splits.values():
        raise unknown(f"split of {place}", split, {ALL, *splits.values()})
    return {clip.stem: read_sequence(clip) for clip in clips if split in (ALL, splits[clip.stem])}


def read_sequence(file: Path, most: int = MOST_FRAMES) -> NDArray[np.uint8]:
    """Luma of a clip's first pictures, shape (frames, height, width), an odd last row or column left out.

    Raises
    ------
    UserError
        Where it is no video.
    """
    from vidlink.video.open import open_source
    from vidlink.video.pictures import luma

    source = open_source(str(file))
    height, width = source.clip.height // 2 * 2, source.clip.width // 2 * 2

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for segment in source.segments(1.0):
            yield from (luma(frame)[:height, :width].copy() for frame in segment.frames)

    return np.stack([picture for picture, _ in zip(pictures(), range(most), strict=False)])
