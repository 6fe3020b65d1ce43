"""RECOLA and AVEC 2016: videos of conversations, rated in valence and arousal every 40 ms by six people.

F. Ringeval et al., "Introducing the RECOLA multimodal corpus of remote collaborative and affective interactions" (FG
2013); M. Valstar et al., "AVEC 2016: Depression, mood, and emotion recognition workshop and challenge". Both need a
licence. Their layouts, found at any depth below the given folder::

    recordings_video/train_1.mp4                       RECOLA-Video-recordings/P16.mp4
    ratings_individual/valence/train_1.csv             RECOLA-Annotation/emotional_behaviour/valence/P16.csv
    ratings_individual/arousal/train_1.csv             RECOLA-Annotation/emotional_behaviour/arousal/P16.csv
    ratings_gold_standard/valence/train_1.arff

A ratings file has a header, the time in seconds, and a column a rater, separated by ``;``. The mean of the raters
counts; where there are no single ratings, the gold standard does. Boxes of the faces may lie in ``boxes/NAME.csv``
(columns ``time_s``, ``x``, ``y``, ``w``, ``h``, HR pixels); without them faces are found.

**Delay**: a rater reacts a few seconds after the face. The label of a frame is the rating :data:`DELAY_S` later;
``recola:PATH?delay=4`` sets another delay (see S. Mariooryad and C. Busso, "Correcting time-continuous emotional labels
by modeling the reaction lag of evaluators", IEEE Trans. Affective Computing 6, 2015).

**Splits**: AVEC's files are named after theirs (``train``, ``dev`` is our ``valid``, ``test``). RECOLA's own names do
not say; there ``partition.csv`` (columns ``name``, ``split``) does, and without it thirds of the participants in order.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vidlink.data.clips import LabelledClip, cut_faces, pick_split
from vidlink.errors import UserError, unknown
from vidlink.faces.tracks import BOX
from vidlink.labels.affect import AFFECT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.data.face_set import FaceSet

SPLITS = {"train": "train", "valid": "dev", "test": "test"}
"""Our names and AVEC's."""
DELAY_S = 3.0
"""How long raters take to react, in seconds."""
EVERY_S = 0.4
"""Time between two stills that are cut out of a video, in seconds."""
_VIDEOS = (".mp4", ".avi", ".mkv", ".mov")
_LONGEST_GAP_S = 1.0


def load_recola(path: str, split: str = "train") -> FaceSet:
    """Cut the faces of one split out of the videos; parameters and errors as for :func:`recola_videos`."""
    return cut_faces("recola", split, recola_videos(path, split), every_s=EVERY_S)


def recola_videos(path: str, split: str) -> list[LabelledClip]:
    """The videos of one split with their labels; ``path`` may say how long raters take: ``PATH?delay=SECONDS``.

    Raises
    ------
    UserError
        The delay is none, and as :func:`recola_clips`.
    """
    folder, delay_s = _delay(path)
    return recola_clips(folder, split, delay_s=delay_s)


def _delay(text: str) -> tuple[Path, float]:
    """``PATH`` or ``PATH?delay=SECONDS``."""
    path, mark, option = text.partition("?")
    name, _, value = option.partition("=")
    try:
        delay_s = float(value) if mark else DELAY_S
    except ValueError:
        delay_s = -1.0
    if (mark and name != "delay") or not 0 <= delay_s <= 60:
        raise UserError(f"recola:{text}: expected recola:PATH or recola:PATH?delay=SECONDS, from 0 to 60")
    return Path(path).expanduser(), delay_s


def recola_clips(path: Path, split: str, *, delay_s: float = DELAY_S) -> list[LabelledClip]:
    """The videos of one split with their labels.

    Parameters
    ----------
    path
        A folder that holds one of the layouts.
    split
        ``train``, ``valid`` or ``test``.
    delay_s
        How long raters take to react, in seconds.

    Raises
    ------
    UserError
        Folder, split, ratings of a video or a part of them are missing, or are not what they should be. It names the
        file, and the line where there is one.
    """
    if split not in SPLITS:
        raise unknown("split of RECOLA", split, SPLITS)
    if not path.is_dir():
        raise UserError(f"RECOLA {path}: no such folder")
    videos = {file.stem: file for file in sorted(path.rglob("*")) if file.suffix.lower() in _VIDEOS}
    rated = {name: file for name, file in videos.items() if _ratings(path, name, "valence")}
    if not rated:
        what = f"{len(videos)} videos but no valence/NAME.csv beside" if videos else "no video"
        raise UserError(
            f"RECOLA {path}: {what}; expected recordings_video and ratings_individual, or RECOLA's own names"
        )
    names = [name for name in rated if name in _names_of(path, list(rated), split)]
    if not names:
        raise UserError(f"RECOLA {path}: no video of the split {split!r}; there are {', '.join(sorted(rated))}")
    return [
        LabelledClip(name=name, video=str(rated[name]), labels=_labels(path, name, delay_s)) for name in sorted(names)
    ]


def _names_of(path: Path, names: list[str], split: str) -> list[str]:
    avec = [name for name in names if re.match(r"(train|dev|test)_", name)]
    if avec:
        return [name for name in avec if name.startswith(f"{SPLITS[split]}_")]
    found = sorted(path.rglob("partition.csv"))
    if not found:
        return pick_split(names, split, {"train": 1 / 3, "valid": 1 / 3, "test": 1 / 3})
    table = pd.read_csv(found[0], dtype=str, skipinitialspace=True, keep_default_na=False)
    if not {"name", "split"} <= set(table.columns):
        raise UserError(f"{found[0]}: expected the columns name, split; found {', '.join(table.columns)}")
    return table.loc[table["split"].isin([split, SPLITS[split]]), "name"].tolist()


def _ratings(path: Path, name: str, dimension: str) -> Path | None:
    """The file with the ratings of one video: single raters' before the gold standard's."""
    singles = [file for file in sorted(path.rglob(f"{dimension}/{name}.csv")) if "gold" not in str(file.parent)]
    gold = [*sorted(path.rglob(f"{dimension}/{name}.arff")), *sorted(path.rglob(f"gold*/{dimension}/{name}.csv"))]
    return next(iter([*singles, *gold]), None)


def _labels(path: Path, name: str, delay_s: float) -> pd.DataFrame:
    tracks = {}
    for dimension in AFFECT:
        file = _ratings(path, name, dimension)
        if file is None:
            raise UserError(f"RECOLA {path}: {name} has no {dimension}/{name}.csv")
        tracks[dimension] = _read_arff(file) if file.suffix == ".arff" else _read_ratings(file)
    last_s = min(times_s[-1] for times_s, _ in tracks.values())
    times_s = tracks["valence"][0]
    times_s = times_s[(times_s >= delay_s) & (times_s <= last_s)]
    if len(times_s) < 2:
        raise UserError(f"RECOLA {path}: the ratings of {name} end at {last_s:g} s, before the delay of {delay_s:g} s")
    values = {name: np.interp(times_s, *track) for name, track in tracks.items()}
    table = pd.DataFrame({"time_s": np.round(times_s - delay_s, 6), "face": 0, **values})
    boxes = next(iter(sorted(path.rglob(f"boxes/{name}.csv"))), None)
    return table if boxes is None else _with_boxes(table, boxes)


def _read_ratings(file: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in seconds, and the mean of the raters."""
    try:
        table = pd.read_csv(file, sep="[;,]", engine="python", dtype=str)
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{file}: not a table of ratings: {error}") from error
    table.columns = [str(column).strip() for column in table.columns]
    if len(table.columns) < 2 or table.columns[0].lower() != "time":
        raise UserError(f"{file}: expected a header with time and the raters, found {', '.join(table.columns)}")
    numbers = table.apply(lambda column: pd.to_numeric(column.str.strip(), errors="coerce")).to_numpy(float)
    return _checked(file, numbers[:, 0], numbers[:, 1:], first_line=2)


def _read_arff(file: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in seconds, and the gold standard."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    start = next((number for number, line in enumerate(lines, 1) if line.strip().lower() == "@data"), None)
    if start is None:
        raise UserError(f"{file}: no @data, so it is no ARFF file")
    rows = [line.split(",")[-2:] for line in lines[start:] if line.strip()]
    numbers = np.array([[_number(part) for part in (row if len(row) == 2 else ("", ""))] for row in rows])
    return _checked(file, *np.hsplit(numbers.reshape(-1, 2), [1]), first_line=start + 1)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _checked(
    file: Path, times_s: NDArray[np.float64], ratings: NDArray[np.float64], *, first_line: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times_s = times_s.reshape(-1)
    bad = ~np.isfinite(times_s) | ~np.isfinite(ratings).all(axis=1)
    if bad.any() or not len(times_s):
        where = f"line {first_line + int(bad.argmax())}" if len(times_s) else "no line"
        raise UserError(f"{file}, {where}: expected a time and a rating of everyone, all numbers")
    steps = np.diff(times_s)
    if (steps <= 0).any() or (steps > _LONGEST_GAP_S).any():
        at = int(((steps <= 0) | (steps > _LONGEST_GAP_S)).argmax())
        raise UserError(
            f"{file}, line {first_line + at + 1}: rows are missing or out of order, from {times_s[at]:g} s to "
            f"{times_s[at + 1]:g} s; expected a rating every 0.04 s"
        )
    mean = ratings.mean(axis=1)
    if np.abs(mean).max() > 1.001:
        raise UserError(f"{file}: ratings up to {np.abs(mean).max():g}; expected them within -1 and 1")
    return times_s, mean


def _with_boxes(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    boxes = pd.read_csv(file, skipinitialspace=True)
    missing = [column for column in ("time_s", *BOX) if column not in boxes]
    if missing:
        raise UserError(f"{file}: no column {missing[0]!r}; expected time_s, {', '.join(BOX)}")
    boxes = boxes.dropna(subset=["time_s", *BOX]).sort_values("time_s")
    if boxes.empty:
        raise UserError(f"{file}: no complete row")
    known_s = boxes["time_s"].to_numpy(float)
    return table.assign(**{side: np.interp(table["time_s"], known_s, boxes[side].to_numpy(float)) for side in BOX})
