"""Labels: what was in the video at which time, from a table, brought to the frames of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vidlink.errors import UserError
from vidlink.faces.tracks import BOX
from vidlink.files.csvs import read_csv_file
from vidlink.labels.cells import column_of_numbers
from vidlink.labels.cover import wrong_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LONGEST_GAP_S = 1.0
"""Seconds between two rows over which a label is taken to change evenly."""
_SIDES = ("x", "y", "width", "height")
"""What tables of predictions call the sides of a box."""
_SAME_S = 1e-6
"""Times that differ by less are the same: tables are rounded."""


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
        face and time. Rows in which a dimension is empty or NaN are there between complete ones of their face.

    Raises
    ------
    UserError
        No such file, no CSV, a column that is missing, stands twice or is not numeric, a time twice.
    """
    where = f"labels {path}"
    cells = read_csv_file(path, "labels", ("time_s", *dimensions))
    times_s = column_of_numbers(cells, "time_s", where)
    columns = {"time_s": times_s, "face": np.zeros(len(times_s), int)}
    if "face" in cells.columns:
        columns["face"] = column_of_numbers(cells, "face", where, whole=True).astype(int)
    boxed = BOX if all(side in cells.columns for side in BOX) else ()
    columns |= {name: column_of_numbers(cells, name, where, unknown=True) for name in (*dimensions, *boxed)}
    table = pd.DataFrame(columns).sort_values(["face", "time_s"], kind="stable")
    # An incomplete row says where nothing is known, so it is kept between complete ones.
    complete = table[[*dimensions]].notna().all(axis=1)
    begun = complete.groupby(table["face"]).cummax()
    goes_on = complete[::-1].groupby(table["face"][::-1]).cummax()[::-1]
    table = table[begun & goes_on]
    if table.empty:
        raise UserError(f"{where}: no complete row")
    if table.duplicated(["face", "time_s"]).any():
        twice = table.loc[table.duplicated(["face", "time_s"]), "time_s"].iloc[0]
        raise UserError(f"{where}: time_s = {twice:g} stands twice (several faces need a column 'face')")
    return table.reset_index(drop=True)


def check_cover(labels: pd.DataFrame, seconds: float, frame_rate: float = 25.0) -> None:
    """Refuse labels that are of another clip.

    Parameters
    ----------
    labels
        As :func:`load_labels` gives them.
    seconds
        Length of the clip.
    frame_rate
        Its frames a second, for a hint.

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
            f"{wrong_unit(last, seconds, frame_rate) if last > seconds else ''}"
        )


def labels_at(labels: pd.DataFrame, face: int, times_s: NDArray, dimensions: Sequence[str]) -> NDArray[np.float64]:
    """Labels of one face at any times: straight lines between rows, NaN where nothing is known.

    Nothing is known beside a row that is NaN, up to the next row on either side; between rows that are more than
    :data:`LONGEST_GAP_S` apart (in a table whose rows are all that sparse, more than twice that); and further from the
    first and the last row than rows are apart, at most :data:`LONGEST_GAP_S`.

    Parameters
    ----------
    labels
        As :func:`load_labels` gives them.
    face
        Which face.
    times_s
        Seconds, shape (times,).
    dimensions
        Columns.

    Returns
    -------
    ndarray, shape (times, dimensions)
    """
    rows = labels[labels["face"] == face]
    known_s = rows["time_s"].to_numpy(float)
    if len(known_s) == 0:
        return np.full((len(times_s), len(dimensions)), np.nan)
    apart_s = float(np.median(np.diff(known_s))) if len(known_s) > 1 else 0.05
    reach_s, gap_s = min(apart_s, LONGEST_GAP_S), min(max(1.5 * apart_s, LONGEST_GAP_S), 2 * LONGEST_GAP_S)
    times_s = np.asarray(times_s, float)
    inside = (times_s >= known_s[0] - reach_s) & (times_s <= known_s[-1] + reach_s)
    # The rows on both sides of each time, the same one twice where it is a row's own.
    last = len(known_s) - 1
    after = np.clip(np.searchsorted(known_s, times_s - _SAME_S), 0, last)
    before = np.clip(np.searchsorted(known_s, times_s + _SAME_S, side="right") - 1, 0, last)
    known = inside & (known_s[after] - known_s[before] <= gap_s + _SAME_S)
    values = np.column_stack(
        [_between(known_s, rows[name].to_numpy(float), times_s, before, after) for name in dimensions]
    )
    return np.where(known[:, None], values, np.nan)


def _between(
    known_s: NDArray[np.float64], known: NDArray, times_s: NDArray, before: NDArray, after: NDArray
) -> NDArray[np.float64]:
    """Straight lines between rows, NaN where the row before or after is."""
    there = np.isfinite(known)
    if not there.any():
        return np.full(len(times_s), np.nan)
    return np.where(there[before] & there[after], np.interp(times_s, known_s[there], known[there]), np.nan)


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
        known = labels.dropna(subset=list(BOX))
        labelled = {face: _places(known[known["face"] == face], BOX) for face in faces}
        tracked = {track: _places(predictions[predictions["face"] == track], _SIDES) for track in sorted(tracks.index)}
        overlaps = [(_mean_overlap(labelled[face], tracked[track]), track, face) for face in faces for track in tracked]
        matched: dict[int, int] = {}
        for overlap, track, face in sorted(overlaps, key=lambda row: (-row[0], row[1], row[2])):
            if overlap > 0.1 and track not in matched and face not in matched.values():
                matched[int(track)] = int(face)
        return matched
    if len(faces) == 1:
        longest = max(sorted(tracks.index), key=lambda track: tracks[track])
        return {int(longest): int(faces[0])}
    return {int(face): int(face) for face in faces if face in tracks.index}


def _places(rows: pd.DataFrame, sides: Sequence[str]) -> NDArray[np.float64]:
    """Times and boxes: time, x, y, width and height, shape (5, n)."""
    return rows[["time_s", *sides]].to_numpy(float).T


def _mean_overlap(labelled: NDArray[np.float64], tracked: NDArray[np.float64]) -> float:
    known_s, *sides = labelled
    if not len(known_s):
        return 0.0
    times_s, u, v, p, q = tracked
    x, y, w, h = (np.interp(times_s, known_s, side) for side in sides)
    shared = np.clip(np.minimum(x + w, u + p) - np.maximum(x, u), 0, None) * np.clip(
        np.minimum(y + h, v + q) - np.maximum(y, v), 0, None
    )
    return float(np.mean(shared / np.maximum(w * h + p * q - shared, 1e-9)))
