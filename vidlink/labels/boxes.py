"""Labels that say what is where: a table with a row a box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import LabelError, UserError
from vidlink.files.csvs import read_csv_file
from vidlink.labels.cells import column_of_numbers
from vidlink.labels.classes import match_class
from vidlink.labels.cover import beyond, wrong_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


_ONE_TIME_S = 5e-4
"""Times that are less than that apart are one: half of the third decimal, by which tables are rounded."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BoxLabels:
    """What is where, frame by frame, in pixels of the clip."""

    times_s: NDArray[np.float64]
    """Time of each row, rising, shape (n,); of a table of frames their numbers."""
    rows: NDArray[np.float64]
    """Left, upper, right, lower edge and number of the class of each row, shape (n, 5); NaN where a row says that
    nothing is there."""
    by_frame: bool
    """Whether rows name frames instead of times."""
    lines: tuple[int, ...]
    """Line of the file of each row."""
    where: str
    """Begins messages: ``labels FILE``."""

    def at(self, frame: int, time_s: float, frame_s: float, size: tuple[int, int]) -> NDArray[np.float64] | None:
        """The boxes of a frame; None where no row is of it.

        Parameters
        ----------
        frame, time_s
            Index and presentation time of the frame.
        frame_s
            Seconds from one frame to the next: rows of a time less than half of that away may be the frame's. Of rows
            of several times (labels of a higher frame rate) those of the nearest one are.
        size
            Width and height of the clip in pixels.

        Returns
        -------
        NDArray
            Left, upper, right, lower edge, cut at the picture's own, and number of the class, shape (k, 5).

        Raises
        ------
        LabelError
            A box lies outside the picture.
        """
        middle, reach = (float(frame), 0.5) if self.by_frame else (time_s, frame_s / 2)
        first, end = np.searchsorted(self.times_s, [middle - reach, middle + reach])
        if first == end:
            return None
        away = np.abs(self.times_s[first:end] - middle)
        nearest = np.flatnonzero(np.abs(self.times_s[first:end] - self.times_s[first + away.argmin()]) < _ONE_TIME_S)
        found = self.rows[first + nearest]
        there = ~np.isnan(found[:, 4])
        cut = found[there].copy()
        cut[:, 0:4:2] = np.clip(cut[:, 0:4:2], 0, size[0])
        cut[:, 1:4:2] = np.clip(cut[:, 1:4:2], 0, size[1])
        outside = (cut[:, 2] <= cut[:, 0]) | (cut[:, 3] <= cut[:, 1])
        if outside.any():
            row = first + int(nearest[np.flatnonzero(there)[np.flatnonzero(outside)[0]]])
            raise LabelError(
                f"{self.where}, line {self.lines[row]}: the box lies outside the picture of {size[0]}x{size[1]} pixels"
            )
        return cut

    def check_cover(self, seconds: float, frame_rate: float) -> None:
        """Refuse labels that are of another clip, or whose times are no seconds; raises :class:`UserError`."""
        first, last = float(self.times_s[0]), float(self.times_s[-1])
        end = seconds * frame_rate if self.by_frame else seconds
        unit = "frame {:g}" if self.by_frame else "{:g} s"
        if first >= end or last > 1.5 * end + 1:
            hint = "" if self.by_frame else wrong_unit(last, seconds, frame_rate)
            raise UserError(
                f"the labels do not match the clip: their rows are from {unit.format(first)} to {unit.format(last)}, "
                f"the clip from 0 to {unit.format(end)}{hint}"
            )

    def beyond(self, frames: int) -> list[str]:
        """What is to be said of rows of frames after the last of so many, as :func:`~.cover.beyond` says it."""
        return beyond(self.where, int(self.times_s[-1]), frames) if self.by_frame else []


def load_box_labels(path: Path, classes: Sequence[str]) -> BoxLabels:
    """Read a CSV table of boxes.

    Columns ``time_s`` or ``frame`` (from 0), ``class``, and in pixels of the clip ``x``, ``y`` (left, upper edge) and
    ``width``, ``height`` (or ``w``, ``h``). A row without a class says that nothing is in the picture; a frame without
    a row is not scored.

    Raises
    ------
    UserError
        It is no file, lacks columns, names a class that the recognizer does not know, or has a box that is empty or
        negative.
    """
    where = f"labels {path}"
    if path.is_dir():
        raise UserError(f"{where}: is a folder; expected a table of boxes, a CSV file")
    table = read_csv_file(path, "labels", ("class", "x", "y"))
    by_frame = "frame" in table.columns
    if not by_frame and "time_s" not in table.columns:
        raise UserError(f"{where}: no column 'time_s' or 'frame'; expected one of them")
    width, height = _sides(table.columns, where)
    if not table.rows:
        raise UserError(f"{where}: no row; expected one a box")
    times_s = column_of_numbers(table, "frame" if by_frame else "time_s", where, whole=by_frame)
    sides = [column_of_numbers(table, name, where, unknown=True) for name in ("x", "y", width, height)]
    rows = np.full((len(times_s), 5), np.nan)
    for row, ((line, cells), x, y, w, h) in enumerate(zip(table.rows, *sides, strict=True)):
        if not cells["class"]:
            continue
        number = classes.index(match_class(cells["class"], classes, f"{where}, line {line}"))
        if not (w > 0 and h > 0 and np.isfinite([x, y]).all()):
            raise UserError(
                f"{where}, line {line}: box x = {x:g}, y = {y:g}, {width} = {w:g}, {height} = {h:g}; expected a place "
                "and a size above 0, in pixels"
            )
        rows[row] = x, y, x + w, y + h, number
    order = np.argsort(times_s, kind="stable")
    lines = tuple(table.rows[row][0] for row in order)
    return BoxLabels(times_s=times_s[order], rows=rows[order], by_frame=by_frame, lines=lines, where=where)


def _sides(columns: Sequence[str], where: str) -> tuple[str, str]:
    for pair in (("width", "height"), ("w", "h")):
        if set(pair) <= set(columns):
            return pair
    raise UserError(f"{where}: no columns 'width' and 'height' (or 'w' and 'h'); found {', '.join(columns)}")
