"""A folder of clips: ``name.mp4`` with its labels ``name.csv`` beside it, as ``vidlink reels`` writes it.

Labels are as ``vidlink.simulate --labels`` reads them: ``time_s``, ``valence``, ``arousal`` and, where there are
several faces, ``face`` and the boxes ``x``, ``y``, ``w``, ``h``.

**Splits**: ``split.csv`` (columns ``name``, ``split``) says which clip is in which. Without it the clips, in order of
their names, are 60 % ``train``, 20 % ``valid`` and 20 % ``test``. The split ``all`` is every clip.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.data.clips import LabelledClip, cut_faces, pick_split
from vidlink.data.picture_files import SUFFIXES as PICTURES
from vidlink.errors import UserError, unknown
from vidlink.faces.tracks import BOX
from vidlink.labels.affect import AFFECT
from vidlink.labels.dimensions import load_labels

if TYPE_CHECKING:
    from vidlink.data.face_set import FaceSet

SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".y4m")
"""What counts as a clip in a folder."""
SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}
"""Splits where nothing says which clip is in which."""
ALL, SPLIT_FILE = "all", "split.csv"
EVERY_S = 0.4
"""Time between two stills that are cut out of a clip, in seconds."""


def load_videos(path: str, split: str = "train") -> FaceSet:
    """Cut the faces of one split out of the clips; parameters and errors as for :func:`video_clips`."""
    return cut_faces("videos", split, video_clips(path, split), every_s=EVERY_S)


def video_clips(path: str, split: str) -> list[LabelledClip]:
    """The clips of one split with their labels.

    Parameters
    ----------
    path
        The folder.
    split
        A split that ``split.csv`` names, or ``train``, ``valid`` or ``test``; ``all`` for every clip.

    Raises
    ------
    UserError
        The folder has no clips, none in that split, or one without labels; or labels or ``split.csv`` are wrong.
    """
    folder = Path(path).expanduser()
    clips = videos_in(folder)
    splits = splits_of(folder, clips)
    if split != ALL and split not in splits.values():
        raise unknown(f"split of {folder}", split, {ALL, *splits.values()})
    return [labelled(clip) for clip in clips if split in (ALL, splits[clip.stem])]


def holds_clips(folder: Path) -> bool:
    """Whether this is a folder with a clip in it, or of class folders."""
    return folder.is_dir() and bool(_clips_of(folder) or _of_classes(folder))


def clips_by_name(folder: Path) -> dict[str, Path]:
    """What a folder stands for as an input: its clips by name; where it has none, what lies in its class folders.

    Those are clips, ``CLASS/clip.mp4``, and pictures, ``CLASS/picture.jpg``, each a clip of one frame. Their names are
    ``CLASS-clip``, and the folder is the label of each where a recognizer knows a class of that name.

    Raises
    ------
    UserError
        There is none, or two clips have one name.
    """
    if _clips_of(folder) or not (found := _of_classes(folder)):
        return {clip.stem: clip for clip in videos_in(folder)}
    named = {f"{file.parent.name}-{file.stem}": file for file in found}
    if len(named) < len(found):
        twice = next(file for file in found if file not in named.values())
        raise UserError(f"{twice.parent}: two clips or pictures are called {twice.stem}; rename one")
    return named


def _of_classes(folder: Path) -> list[Path]:
    """Clips and pictures in two class folders or more; none of pictures with label maps, nor of folders of runs."""
    places = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    named = {each.name for each in places}
    if len(places) < 2 or {"images", "labels"} <= named or any((each / "summary.json").exists() for each in places):
        return []
    files = (file for place in places for file in sorted(place.iterdir()) if file.is_file())
    return [file for file in files if file.suffix.lower() in (*SUFFIXES, *PICTURES)]


def videos_in(folder: Path) -> list[Path]:
    """The clips of a folder in order of their names; raises UserError where there are none, or two of one name."""
    if not folder.is_dir():
        raise UserError(f"videos {folder}: no such folder")
    clips = _clips_of(folder)
    if not clips:
        raise UserError(
            f"videos {folder}: no clip in it; expected name.mp4 and name.csv (or {', '.join(SUFFIXES[1:])})"
        )
    names = [clip.stem for clip in clips]
    twice = next((clip for clip in clips if names.count(clip.stem) > 1), None)
    if twice:
        raise UserError(f"videos {folder}: two clips are called {twice.stem}; their labels and splits go by the name")
    return clips


def _clips_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())


def labels_beside(clip: Path) -> Path | None:
    """The labels of a clip, ``name.csv``; None where there are none."""
    beside = clip.with_suffix(".csv")
    return beside if beside.is_file() else None


def labelled(clip: Path) -> LabelledClip:
    """A clip with the labels beside it; raises UserError where they are missing or wrong."""
    beside = labels_beside(clip)
    if beside is None:
        raise UserError(f"videos {clip}: no {clip.stem}.csv beside it, with time_s, {', '.join(AFFECT)}")
    labels = load_labels(beside, AFFECT)
    if labels["face"].nunique() > 1 and not all(side in labels for side in BOX):
        raise UserError(f"labels {beside}: of several faces, so they need their boxes {', '.join(BOX)}")
    return LabelledClip(name=clip.stem, video=str(clip), labels=labels)


def splits_of(folder: Path, clips: list[Path]) -> dict[str, str]:
    """The split of each clip by its name.

    Raises
    ------
    UserError
        ``split.csv`` lacks a column, names a clip that is not there or twice, or leaves one out.
    """
    names = [clip.stem for clip in clips]
    file = folder / SPLIT_FILE
    if not file.is_file():
        return {name: split for split in SHARES for name in pick_split(names, split, SHARES)}
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened, skipinitialspace=True)
        found: dict[str, str] = {}
        if not {"name", "split"} <= set(reader.fieldnames or ()):
            raise UserError(f"{file}: expected the columns name, split; found {', '.join(reader.fieldnames or ())}")
        for row in reader:
            name = (row["name"] or "").strip()
            name = name if name in names else Path(name).stem
            if name not in names:
                raise UserError(f"{file}, line {reader.line_num}: {unknown('clip', name, names)}")
            if name in found:
                raise UserError(f"{file}, line {reader.line_num}: {name} stands twice")
            found[name] = (row["split"] or "").strip()
    missing = [name for name in names if not found.get(name)]
    if missing:
        raise UserError(f"{file}: says no split of {missing[0]}")
    return found
