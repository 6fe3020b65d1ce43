"""Videos in class folders, ``CLASS/clip.mp4``: UCF101, HMDB51, KTH, ARID and whatever is laid out like them.

Clips of one recording share a place, a person and a light; a network that saw one of them knows the others. So clips
are split by recording group, which the file's name tells: its first number, in the names of ARID (``Walk_10_3.mp4``),
UCF101 (``v_Biking_g08_c01.avi``) and KTH (``person05_walking_d1.avi``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.sets import is_own, kinds_of, read, split_spec
from vidlink.errors import UserError
from vidlink.progress import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".mpg", ".mpeg", ".m4v")
"""File names that count as videos."""
GROUP = r"(\d+)"
"""Default pattern of the recording group in a file's name."""


@dataclass(frozen=True, kw_only=True)
class ClipFile:
    """One video of a class folder."""

    path: Path
    """Where it is."""
    label: str
    """Name of its folder."""
    group: str
    """Recording group."""


@dataclass(kw_only=True)
class ClipSet:
    """Decoded clips with what is known of them."""

    classes: tuple[str, ...]
    """Names of the folders, sorted."""
    clips: list[NDArray[np.uint8]] = field(default_factory=list)
    """Luma, shape (frames, height, width) each."""
    files: list[ClipFile] = field(default_factory=list)
    """Where each comes from."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Width and height of each source in pixels."""
    frame_rate: float = 0.0
    """Frames a second of all clips."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Clips that cannot be read, and why."""


def find_clips(spec: str, pattern: str = GROUP) -> list[ClipFile]:
    """The videos that a command line names: ``classes:PATH``, or ``package.module:function:PATH``.

    Raises
    ------
    UserError
        The spec is of another kind, and as :func:`list_clips`.
    """
    kind, path = split_spec(spec)
    if kind not in kinds_of("actions") and not is_own(kind):
        raise UserError(f"--data {spec}: expected classes:PATH, a folder of class folders")
    files: list[ClipFile] = read(kind, "actions", path, pattern, into=list)
    return files


def list_clips(folder: Path | str, pattern: str = GROUP) -> list[ClipFile]:
    """The videos of class folders, in order of class and name.

    Parameters
    ----------
    folder
        Holds one folder a class.
    pattern
        Regular expression whose first group (or the whole match) is the recording group; a name in which it is not
        found is a group by itself.

    Raises
    ------
    UserError
        No such folder, no class folders with videos in it, or the pattern is none.
    """
    try:
        finds = re.compile(pattern)
    except re.error as error:
        raise UserError(f"--groups {pattern!r}: not a regular expression ({error})") from error
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise UserError(f"data {folder}: no such folder; expected one that holds CLASS/clip.mp4")
    files = []
    for place in sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")):
        for path in sorted(each for each in place.iterdir() if each.suffix.lower() in SUFFIXES):
            found = finds.search(path.stem)
            group = path.stem if found is None else found.group(1 if finds.groups else 0)
            files.append(ClipFile(path=path, label=place.name, group=group or path.stem))
    if not files:
        raise UserError(f"data {folder}: no videos in class folders, expected CLASS/clip.mp4 ({', '.join(SUFFIXES)})")
    return files


def read_clip(
    path: Path, frame_rate: float, size: tuple[int, int] | None = None, colour: str = "luma"
) -> tuple[NDArray, tuple[int, int]]:
    """Decode one clip at so many frames a second.

    Parameters
    ----------
    path
        The video.
    frame_rate
        Frames a second: at each instant the frame on show.
    size
        Width and height in pixels to which frames are shrunk by area; None keeps the source's.
    colour
        ``luma`` or ``rgb``.

    Returns
    -------
    clip : NDArray[np.uint8]
        Shape (frames, height, width), or (frames, height, width, 3).
    size : tuple
        Width and height of the source.

    Raises
    ------
    UserError
        The file cannot be read.
    """
    from vidlink.video.open import open_source
    from vidlink.video.pictures import as_array, resize

    source = open_source(str(path))
    kept: list[NDArray[np.uint8]] = []
    for time_s, frame in source.frames():
        missing = int(time_s * frame_rate + 1.001) - len(kept)  # instants up to now that have no picture yet
        if missing > 0:
            picture = as_array(frame, colour)
            picture = resize(picture, *size) if size else picture.copy()
            kept += [kept[-1]] * (missing - 1) if kept else []
            kept.append(picture)
    return np.stack(kept), (source.clip.width, source.clip.height)


def read_clips(
    files: Sequence[ClipFile], frame_rate: float, size: tuple[int, int] | None, colour: str = "luma"
) -> Iterator[tuple]:
    """Decode clips one by one: yields (file, frames, size), or (file, reason, None) where it cannot be read."""
    for file in files:
        try:
            clip, hr = read_clip(file.path, frame_rate, size, colour)
        except UserError as error:
            yield file, str(error), None
        else:
            yield file, clip, hr


def load_clips(files: Sequence[ClipFile], *, frame_rate: float, size: tuple[int, int], quiet: bool = True) -> ClipSet:
    """Decode clips into memory; those that cannot be read are named and left out.

    Raises
    ------
    UserError
        Where no clip at all can be read.
    """
    found = ClipSet(classes=tuple(sorted({file.label for file in files})), frame_rate=frame_rate)
    for file, clip, hr in counted(read_clips(files, frame_rate, size), "clip", total=len(files), quiet=quiet):
        if hr is None:
            found.skipped[f"{file.label}/{file.path.name}"] = clip
            continue
        found.files.append(file)
        found.clips.append(clip)
        found.sizes.append(hr)
    if not found.clips:
        folder = files[0].path.parents[1]
        raise UserError(f"data {folder}: none of {len(files)} clips can be read ({next(iter(found.skipped.values()))})")
    return found


def assign_folds(files: Sequence[ClipFile], count: int = 5) -> NDArray[np.int64]:
    """Fold of each clip: whole recording groups, folds of about equal size, and every class left in every training set.

    The largest group goes first, each into the smallest fold in which no class loses its last other group.

    Returns
    -------
    NDArray
        From 0 to count - 1, shape (n,).

    Raises
    ------
    UserError
        A class has one recording group only, so it cannot be both learned and tested, or there are fewer groups than
        folds.
    """
    members: dict[str, list[int]] = {}
    owners: dict[str, set[str]] = {}
    for index, file in enumerate(files):
        members.setdefault(file.group, []).append(index)
        owners.setdefault(file.label, set()).add(file.group)
    for label, groups in owners.items():
        if len(groups) < 2:
            raise UserError(
                f"class {label!r} has one recording group only ({next(iter(groups))}): it cannot be both learned and "
                "tested; leave the class out, or say with --groups how names tell groups"
            )
    if len(members) < count:
        raise UserError(f"{len(members)} recording groups are too few for {count} folds")
    held: list[set[str]] = [set() for _ in range(count)]
    sizes = [0] * count
    fold = np.zeros(len(files), np.int64)
    for group in sorted(members, key=lambda name: (-len(members[name]), name)):
        able = [k for k in range(count) if all(groups - held[k] - {group} for groups in owners.values())]
        chosen = min(able or range(count), key=lambda k: (sizes[k], k))
        held[chosen].add(group)
        sizes[chosen] += len(members[group])
        fold[members[group]] = chosen
    return fold
