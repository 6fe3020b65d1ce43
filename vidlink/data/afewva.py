"""AFEW-VA: 600 short clips from films, every frame annotated with valence, arousal and 68 landmarks.

J. Kossaifi et al., "AFEW-VA database for valence and arousal estimation in-the-wild", Image and Vision Computing 65
(2017). It needs a licence. Its layout, found at any depth below the given folder (the twelve archives may be unpacked
beside each other or into one)::

    001/001.json        {"video_id": "001", "actor": "...", "frames": {"00000": {"valence": 0.0, "arousal": 3.0,
    001/00000.png                                                           "landmarks": [[x, y], ...]}, ...}}
    001/00001.png

Valence and arousal are whole numbers from -10 to 10; here they are tenths. The box of a face is a square about its
landmarks, with room for the forehead, which has none.

**Splits**: there is no official partition; the authors cross-validate with no actor in two folds. Here the actors, in
order of their names, are 60 % ``train``, 20 % ``valid`` and 20 % ``test``.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vidlink.data.clips import LabelledClip, cut_faces, pick_split
from vidlink.errors import UserError, unknown

if TYPE_CHECKING:
    from vidlink.data.face_set import FaceSet

SPLITS = {"train": 0.6, "valid": 0.2, "test": 0.2}
"""Share of the actors in each."""
FRAME_RATE = Fraction(25)
"""Frames a second of the clips."""
EVERY_S = 0.2
"""Time between two stills that are cut out of a clip, in seconds."""
_LARGEST = 10.0
_ROOM = 1.2
"""Side of a box over the longer side of its landmarks."""
_FOREHEAD = 0.08
"""How far up the box is moved, as a share of its side."""


def load_afewva(path: Path | str, split: str = "train") -> FaceSet:
    """Cut the faces of one split out of the clips; parameters and errors as for :func:`afewva_clips`."""
    return cut_faces("afewva", split, afewva_clips(path, split), every_s=EVERY_S)


def afewva_clips(path: Path | str, split: str) -> list[LabelledClip]:
    """The clips of one split with their labels and boxes.

    Parameters
    ----------
    path
        A folder that holds the layout.
    split
        ``train``, ``valid`` or ``test``.

    Raises
    ------
    UserError
        Folder, split, images or annotations are missing, or are not what they should be. It names the file and the
        frame.
    """
    if split not in SPLITS:
        raise unknown("split of AFEW-VA", split, SPLITS)
    path = Path(path).expanduser()
    if not path.is_dir():
        raise UserError(f"AFEW-VA {path}: no such folder")
    files = [file for file in sorted(path.rglob("*.json")) if file.stem == file.parent.name]
    if not files:
        raise UserError(f"AFEW-VA {path}: holds no NNN/NNN.json")
    notes = {file: _read(file) for file in files}
    actors = pick_split([_actor(file, each) for file, each in notes.items()], split, SPLITS)
    chosen = {file: each for file, each in notes.items() if _actor(file, each) in actors}
    if not chosen:
        raise UserError(f"AFEW-VA {path}: no actor is left for the split {split!r} among {len(files)} clips")
    return [
        LabelledClip(
            name=file.stem,
            video=str(file.parent / "%05d.png"),
            labels=_labels(file, each["frames"]),
            frame_rate=FRAME_RATE,
        )
        for file, each in chosen.items()
    ]


def _actor(file: Path, notes: dict[str, Any]) -> str:
    """Who is seen; a clip that does not say is an actor by itself."""
    return str(notes.get("actor") or file.stem)


def _read(file: Path) -> dict[str, Any]:
    try:
        notes = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{file}: not JSON: {error}") from error
    if not isinstance(notes, dict) or not isinstance(notes.get("frames"), dict) or not notes["frames"]:
        raise UserError(f"{file}: expected an object with 'frames', an entry a frame")
    return notes


def _labels(file: Path, frames: dict[str, Any]) -> pd.DataFrame:
    images = {image.stem for image in file.parent.glob("*.png")}
    rows = []
    for name in sorted(frames):
        where = f"{file}, frame {name!r}"
        if not name.isdecimal():
            raise UserError(f"{where}: expected a number, as its image is called")
        if name not in images:
            raise UserError(f"{where}: there is no image {name}.png")
        note = frames[name]
        try:
            valence, arousal = float(note["valence"]) / _LARGEST, float(note["arousal"]) / _LARGEST
            landmarks = np.array(note["landmarks"], float).reshape(-1, 2)
        except (TypeError, KeyError, ValueError) as error:
            raise UserError(
                f"{where}: expected valence, arousal and landmarks as pairs of numbers ({error})"
            ) from error
        if not max(abs(valence), abs(arousal)) <= 1:
            raise UserError(f"{where}: valence and arousal are from -10 to 10")
        if len(landmarks) < 2 or not np.isfinite(landmarks).all() or (np.ptp(landmarks, axis=0) <= 0).any():
            raise UserError(f"{where}: the landmarks span no box")
        time_s = round(int(name) / float(FRAME_RATE), 6)
        rows.append({"time_s": time_s, "face": 0, "valence": valence, "arousal": arousal, **_box(landmarks)})
    # Images without a note have no label: a clip's labels end where its notes end, and short gaps are bridged.
    return pd.DataFrame(rows)


def _box(landmarks: np.ndarray) -> dict[str, float]:
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    side = _ROOM * float((high - low).max())
    x, y = (low + high) / 2 - side / 2
    return {
        "x": round(float(x), 2),
        "y": round(float(y) - _FOREHEAD * side, 2),
        "w": round(side, 2),
        "h": round(side, 2),
    }
