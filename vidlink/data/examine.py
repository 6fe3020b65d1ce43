"""What a folder of clips holds, clip by clip, and what is wrong with it: what ``vidlink check`` prints."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.data.clips import stills
from vidlink.data.face_set import FaceSet
from vidlink.data.twins import ALIKE, SIDE, twins_of
from vidlink.data.videos import EVERY_S, SPLIT_FILE, labelled, labels_beside, splits_of, videos_in
from vidlink.errors import UserError
from vidlink.faces.find import check_boxes
from vidlink.labels.affect import AFFECT, EMOTIONS
from vidlink.labels.dimensions import check_cover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from vidlink.data.clips import LabelledClip

LEAST_FACES = 0.5
"""Share of looks with a face below which a clip is worth a word."""


@dataclass(kw_only=True)
class Examined:
    """One clip, as far as it can be read."""

    name: str
    """The clip's, without suffix."""
    split: str
    """Which one it is in; ``-`` where that cannot be said."""
    row: dict[str, Any] = field(default_factory=dict)
    """What it holds, by heading."""
    wrong: list[str] = field(default_factory=list)
    """What is wrong with it, a line each."""
    images: list[NDArray[np.uint8]] = field(default_factory=list)
    """Its faces, 48x48 luma."""


def examine(folder: Path) -> Iterator[Examined]:
    """Look at each clip of a folder; those that cannot be read say why.

    Raises
    ------
    UserError
        There is no such folder, or no clip in it.
    """
    clips = videos_in(folder)
    try:
        splits, whole = splits_of(folder, clips), ""
    except UserError as error:
        splits, whole = {}, str(error)
    names = {clip.stem for clip in clips}
    for clip in clips:
        found = Examined(name=clip.stem, split=splits.get(clip.stem, "-"))
        if whole and clip == clips[0]:
            found.wrong.append(whole)
        _look(clip, found)
        yield found
    for file in sorted(folder.glob("*.csv")):
        if file.name != SPLIT_FILE and file.stem not in names:
            yield Examined(name=file.stem, split="-", wrong=[f"{file}: labels without a clip beside them"])


def _look(clip: Path, found: Examined) -> None:
    from vidlink.video.open import open_source

    try:
        source = open_source(str(clip))
        ends = [(len(segment.frames), segment.end_s) for segment in source.segments(1.0)]
    except UserError as error:
        found.wrong.append(str(error))
        return
    size, rate = (source.clip.width, source.clip.height), float(source.clip.frame_rate)
    seconds = ends[-1][1]
    found.row |= {"size": f"{size[0]}x{size[1]}", "fps": f"{rate:g}", "seconds": f"{seconds:.2f}"}
    found.row["frames"] = str(sum(count for count, _ in ends))
    beside = labels_beside(clip)
    if beside:
        found.row["separator"] = separator_of(beside)
    try:
        known = labelled(clip)
        found.row |= {"rows": str(len(known.labels)), "people": str(known.labels["face"].nunique())}
        found.row |= {name: _range(known.labels[name].to_numpy(float)) for name in AFFECT}
        check_cover(known.labels, seconds, rate)
        check_boxes(known.labels, width=size[0], height=size[1])
    except UserError as error:
        found.wrong.append(str(error) if str(beside) in str(error) or not beside else f"{beside}: {error}")
        return
    found.wrong += _ranges(beside, known)
    looked = stills(known, EVERY_S)
    found.images = [image for image, _ in looked if image is not None]
    share = len(found.images) / len(looked) if looked else 0.0
    found.row["face"] = f"{100 * share:.0f} %"
    if share < LEAST_FACES:
        found.wrong.append(f"{clip}: a face in {100 * share:.0f} % of {len(looked)} looks; boxes x, y, w, h would help")


def separator_of(file: Path) -> str:
    """What stands between the cells of a table's header, by name."""
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        header = opened.readline()
    names = {",": "comma", ";": "semicolon", "\t": "tab", " ": "blank"}
    counts = {each: len(re.findall(re.escape(each), header.strip())) for each in names}
    most = max(counts, key=lambda each: counts[each])
    return names[most] if counts[most] else "none"


def _range(values: NDArray[np.float64]) -> str:
    return f"{np.nanmin(values):.2f} to {np.nanmax(values):.2f}"


def _ranges(file: Path | None, clip: LabelledClip) -> Iterator[str]:
    for name in AFFECT:
        values = clip.labels[name].to_numpy(float)
        if np.nanmax(np.abs(values)) > 1.001:
            yield f"{file}: {name} is {_range(values)}; expected within -1 and 1"
        elif len(values) > 1 and np.nanmin(values) == np.nanmax(values):
            yield f"{file}: {name} is {values[0]:g} throughout, so no correlation can be had"


def shared_faces(sets: Sequence[FaceSet]) -> Iterator[str]:
    """For each two splits how many faces of the one are in the other as well, where there are any."""
    for one, other in permutations(sets, 2):
        count = int(twins_of(one, other).sum())
        if count and sets.index(one) > sets.index(other):
            yield (
                f"{count} of {len(one)} faces of {one.split} are in {other.split} as well, or nearly so (correlation "
                f"of {ALIKE} or more at {SIDE}x{SIDE}, mirrored too)"
            )


def face_sets(examined: Sequence[Examined]) -> list[FaceSet]:
    """The faces of the clips by split."""
    splits = dict.fromkeys(each.split for each in examined if each.images)
    return [
        _set(split, [image for each in examined if each.split == split for image in each.images]) for split in splits
    ]


def _set(split: str, images: list[NDArray[np.uint8]]) -> FaceSet:
    count = len(images)
    return FaceSet(
        name="videos",
        split=split,
        images=np.stack(images),
        affect=np.full((count, 2), np.nan, np.float32),
        distribution=np.full((count, len(EMOTIONS)), np.nan, np.float32),
        majority=np.full(count, -1),
    )
