"""Labels: what was in the video at which time, from a table, brought to the frames of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vidlink.errors import UserError
from vidlink.faces.tracks import BOX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def load_labels(path: Path, dimensions: Sequence[str]) -> pd.DataFrame:
    """Read a labels file.

    Parameters
    ----------
    path
        CSV with ``time_s``, one column a dimension, optionally ``face`` and the face's box ``x``, ``y``, ``w``, ``h``.
    dimensions
        Columns that must be there: what the recognizer gives.

    Returns
    -------
    pandas.DataFrame
        Columns ``time_s``, ``face`` (0 where the file names none), the dimensions, and the box where given; sorted by
        face and time.

    Raises
    ------
    UserError
        No such file, no CSV, a column that is missing or not numeric, a time twice.
    """
    if not path.is_file():
        raise UserError(f"labels {path}: no such file")
    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise UserError(f"labels {path}: not a CSV table: {error}") from error
    missing = [column for column in ("time_s", *dimensions) if column not in table]
    if missing:
        raise UserError(
            f"labels {path}: no column {missing[0]!r}; needed are time_s, {', '.join(dimensions)}, "
            f"found are {', '.join(map(str, table.columns))}"
        )
    if "face" not in table:
        table["face"] = 0
    box = list(BOX) if all(side in table for side in BOX) else []
    table = table[["time_s", "face", *dimensions, *box]]
    for column in table.columns if len(table) else ():
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise UserError(f"labels {path}: column {column!r} holds something that is not a number")
    table = table.dropna(subset=["time_s", "face", *dimensions]).sort_values(["face", "time_s"], kind="stable")
    if table.empty:
        raise UserError(f"labels {path}: no complete row")
    if table.duplicated(["face", "time_s"]).any():
        twice = table.loc[table.duplicated(["face", "time_s"]), "time_s"].iloc[0]
        raise UserError(f"labels {path}: time_s = {twice:g} stands twice (several faces need a column 'face')")
    return table.reset_index(drop=True)


def check_cover(labels: pd.DataFrame, seconds: float) -> None:
    """Refuse labels that are of another clip.

    Raises
    ------
    UserError
        They cover less than half of the clip's ``seconds``, or run on for more than another half of it.
    """
    first, last = labels["time_s"].min(), labels["time_s"].max()
    covered = min(last, seconds) - max(first, 0.0)
    one_frame = len(labels) == 1 and 0 <= first <= seconds
    if not one_frame and (covered < 0.5 * seconds - 0.1 or last > 1.5 * seconds + 1):
        raise UserError(
            f"the labels do not match the clip: they run from {first:g} to {last:g} s, the clip from 0 to {seconds:g} s"
        )


def labels_at(labels: pd.DataFrame, face: int, times_s: NDArray, dimensions: Sequence[str]) -> NDArray[np.float64]:
    """Labels of one face at any times: straight lines between rows, NaN outside them.

    Half a row's distance beyond the first and the last row still counts as inside.

    Returns
    -------
    ndarray, shape (times, dimensions)
    """
    rows = labels[labels["face"] == face]
    known_s = rows["time_s"].to_numpy(float)
    if len(known_s) == 0:
        return np.full((len(times_s), len(dimensions)), np.nan)
    reach = float(np.median(np.diff(known_s))) if len(known_s) > 1 else 0.05
    inside = (times_s >= known_s[0] - reach) & (times_s <= known_s[-1] + reach)
    values = np.column_stack([np.interp(times_s, known_s, rows[name].to_numpy(float)) for name in dimensions])
    return np.where(inside[:, None], values, np.nan)


def match_faces(labels: pd.DataFrame, predictions: pd.DataFrame) -> dict[int, int]:
    """Which labelled face is which tracked face.

    With boxes in the labels each takes the track that overlaps it most over time. Without them one labelled face takes
    the track that was seen longest, and several take the tracks of their own numbers.

    Parameters
    ----------
    labels
        As :func:`load_labels` gives them.
    predictions
        Columns ``time_s``, ``face``, ``x``, ``y``, ``width``, ``height``; a row a frame and face.

    Returns
    -------
    dict of int to int
        Tracked face to labelled face.
    """
    tracks = predictions["face"].value_counts(sort=False)
    faces = sorted(labels["face"].unique())
    if tracks.empty:
        return {}
    if all(side in labels for side in BOX):
        overlaps = [
            (_mean_overlap(labels[labels["face"] == face], predictions[predictions["face"] == track]), track, face)
            for face in faces
            for track in sorted(tracks.index)
        ]
        matched: dict[int, int] = {}
        for overlap, track, face in sorted(overlaps, key=lambda row: (-row[0], row[1], row[2])):
            if overlap > 0.1 and track not in matched and face not in matched.values():
                matched[int(track)] = int(face)
        return matched
    if len(faces) == 1:
        longest = max(sorted(tracks.index), key=lambda track: tracks[track])
        return {int(longest): int(faces[0])}
    return {int(face): int(face) for face in faces if face in tracks.index}


def _mean_overlap(labelled: pd.DataFrame, tracked: pd.DataFrame) -> float:
    times_s = tracked["time_s"].to_numpy(float)
    known_s = labelled["time_s"].to_numpy(float)
    x, y, w, h = (np.interp(times_s, known_s, labelled[side].to_numpy(float)) for side in BOX)
    u, v, p, q = (tracked[side].to_numpy(float) for side in ("x", "y", "width", "height"))
    shared = np.clip(np.minimum(x + w, u + p) - np.maximum(x, u), 0, None) * np.clip(
        np.minimum(y + h, v + q) - np.maximum(y, v), 0, None
    )
    return float(np.mean(shared / np.maximum(w * h + p * q - shared, 1e-9)))
