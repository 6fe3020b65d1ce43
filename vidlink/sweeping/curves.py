"""Rate-accuracy curves of a sweep: one a method, over all clips, and again without each clip.

Scores are those of the concatenation of the clips. Each clip is left out in turn, for every curve alike, so that
differences of curves have the jackknife's intervals too (:mod:`vidlink.sweeping.intervals`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vidlink.errors import UserError, unknown
from vidlink.scores.bd import Difference, bd_rate, bd_score
from vidlink.scores.kinds import KINDS
from vidlink.scores.measures import MEASURES
from vidlink.scores.moments import is_within
from vidlink.sweeping.intervals import jackknife
from vidlink.sweeping.work import DONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One method at several budgets (or loss rates, ...)."""

    name: str
    """The method."""
    along: tuple[float, ...]
    """Value of the setting that changes along the curve, at each point, rising."""
    clips: int
    """Clips behind every point."""
    missing: tuple[float, ...]
    """Values at which there is no point, because some clip has no result there (mostly: the budget is too low)."""
    values: dict[str, Values]
    """By name (that of a measure, such as ``wire_bps`` or ``psnr_db``, or ``ccc_valence``, ``ccc_mean``, ...) shape
    (1 + clips, points); the first row is of all clips, each other one of all but one."""

    def estimate(self, name: str) -> NDArray[np.float64]:
        """Values of all clips, shape (points,)."""
        return self.values[name][0]

    def interval(self, name: str) -> NDArray[np.float64]:
        """95 % interval from clips, shape (2, points); NaN with one clip."""
        if self.clips < 2:
            return np.full((2, len(self.along)), np.nan)
        return np.array([jackknife(float(column[0]), column[1:], name) for column in self.values[name].T]).T


def make_curves(table: pd.DataFrame, by: str, along: str = "bitrate_bps") -> dict[str, Curve]:
    """Curves of a sweep's table.

    Parameters
    ----------
    table
        As :func:`vidlink.sweeping.sweep.sweep` gives it; a row for each method, clip and value of ``along``, or several
        (seeds), which count as one long clip.
    by
        Column that names the method.
    along
        Column that changes along a curve.

    Returns
    -------
    dict of str to Curve
        In the order of the table. A curve has the points that every clip has a result for; one without a point has
        no values.

    Raises
    ------
    UserError
        There is no such column, or ``along`` holds no numbers.
    """
    for column in (by, along):
        if column not in table:
            raise unknown("column", column, map(str, table.columns))
    if not pd.api.types.is_numeric_dtype(table[along]) or table[along].isna().all():
        raise UserError(f"column {along!r} holds no numbers, so no curve runs along it; name one that was varied")
    clips = sorted(table["input"].fillna("").unique())
    counts = np.concatenate([np.ones((1, len(clips))), 1 - np.eye(len(clips))])  # all clips, then all but one
    found = {}
    for name, rows in table.groupby(by, sort=False):
        values = sorted(rows[along].dropna().unique())
        points = {}
        for value in values:
            done = rows[(rows[along] == value) & (rows["status"] == DONE)]
            done = done.assign(input=done["input"].fillna("")).drop_duplicates("point").set_index("input")
            if set(done.index) == set(clips):
                points[float(value)] = _point(done.sort_index(), counts)
        columns = next(iter(points.values()), {})
        found[str(name)] = Curve(
            name=str(name),
            along=tuple(points),
            clips=len(clips),
            missing=tuple(float(value) for value in values if float(value) not in points),
            values={column: np.column_stack([point[column] for point in points.values()]) for column in columns},
        )
    return found


def _point(rows: pd.DataFrame, counts: NDArray) -> dict[str, NDArray[np.float64]]:
    """All values of one point, shape (1 + clips,) each; rows sorted by clip, their index, as the counts are."""
    measures = {name: each.column for name, each in MEASURES.items() if each.on_curves}
    means = rows[[name for name in measures if name in rows]].groupby(level=0).mean(numeric_only=True)
    total = np.maximum(counts.sum(axis=1), 1)
    found = {column: counts @ means[name].to_numpy(float) / total for name, column in measures.items() if name in means}
    member = means.index.get_indexer(rows.index)
    for kind in KINDS:
        found |= kind.joined(rows, counts[:, member])
    for name in ("cc", "ccc"):
        own = (column for column in found if column.startswith(f"{name}_") and not is_within(column, found))
        each = [found[column] for column in own]
        if each:
            found[f"{name}_mean"] = np.mean(each, axis=0)
    return found


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A BD figure with its interval."""

    difference: Difference
    """The figure of all clips."""
    low: float
    """Lower end of the 95 % interval over clips; NaN where there is none."""
    high: float
    """Upper end."""
    refused: float
    """Share of the leave-one-out figures that the curves do not support; where it is not 0 there is no interval."""


def compare(curve: Curve, anchor: Curve, score: str, *, of_rate: bool, rate: str = "wire_bps") -> Interval:
    """BD-rate or BD-score of a curve against an anchor, with the jackknife's interval over clips.

    That of a BD-rate is taken of the logarithm of the ratio of the rates.

    Parameters
    ----------
    curve, anchor
        Of the same table.
    score
        Name of the score, such as ``ccc_mean``.
    of_rate
        BD-rate at equal score (percent), or BD-score at equal rate.
    rate
        Name of the rate: ``wire_bps`` or ``bpp``.

    Raises
    ------
    UserError
        A curve has no such score or rate.
    """
    figure = bd_rate if of_rate else bd_score
    if not (curve.along and anchor.along):
        empty = curve.name if not curve.along else anchor.name
        nothing = Difference(value=None, low=np.nan, high=np.nan, dropped=0, reason=f"{empty} has no point")
        return Interval(difference=nothing, low=np.nan, high=np.nan, refused=1.0)
    for side in (curve, anchor):
        for name in (rate, score):
            if name not in side.values:
                raise unknown(f"score of {side.name}", name, side.values)
    sides = [(side.values[rate], side.values[score]) for side in (curve, anchor)]
    every = [
        figure(ours_rate, ours, anchor_rate, theirs)
        for ours_rate, ours, anchor_rate, theirs in zip(*sides[0], *sides[1], strict=True)
    ]
    values = np.array([np.nan if found.value is None else found.value for found in every])
    low = high = np.nan
    if curve.clips > 1 and of_rate:
        ends = np.array(jackknife(np.log1p(values[0] / 100), np.log1p(values[1:] / 100), ""))
        low, high = np.expm1(ends) * 100
    elif curve.clips > 1:
        low, high = jackknife(float(values[0]), values[1:], "")
    refused = float(np.isnan(values[1:]).mean()) if curve.clips > 1 else 0.0
    return Interval(difference=every[0], low=float(low), high=float(high), refused=refused)
