"""One column of a table of runs against another: a line a setting, the runs behind it as dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from vidlink.errors import UserError, unknown
from vidlink.report import style
from vidlink.scores.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.SKY, style.BLACK, style.GREY)
_MARKERS = "osD^v"


def draw_lines(table: pd.DataFrame, *, x: str, y: str, by: Sequence[str], per: Sequence[str]) -> Figure:
    """Draw a line for each value of some columns.

    Parameters
    ----------
    table
        A row a run.
    x, y
        Columns of numbers.
    by
        Columns; each combination of their values has a line.
    per
        Columns; on a line each combination of their values is a point, the mean over its runs.

    Returns
    -------
    matplotlib.figure.Figure
        Made without pyplot, so that no window opens and no figure of others changes.

    Raises
    ------
    UserError
        A column is not there, or ``x`` or ``y`` has no numbers.
    """
    for name in (x, y, *by):
        if name not in table:
            raise unknown("column", name, list(table.columns))
    for name in (x, y):
        if not pd.api.types.is_numeric_dtype(table[name]) or table[name].isna().all():
            raise UserError(f"column {name!r} has no numbers to plot")
    lines = table.groupby(list(by), dropna=False, sort=False) if by else [((), table)]
    with mpl.rc_context(style.FRAME):
        figure = Figure(figsize=(7, 4.5), layout="constrained", dpi=110)
        axis = figure.subplots()
        for number, (values, rows) in enumerate(lines):
            colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number // len(_COLOURS) % len(_MARKERS)]
            keys = list(dict.fromkeys([*per, *by]))
            means = rows.groupby(keys, dropna=False)[[x, y]].mean() if keys else rows[[x, y]]
            means = means.sort_values(x)
            axis.plot(
                means[x] / _unit(x),
                means[y] / _unit(y),
                color=colour,
                marker=marker,
                markersize=5,
                label=_label(by, values),
            )
            if len(means) < len(rows):
                axis.scatter(rows[x] / _unit(x), rows[y] / _unit(y), color=colour, s=8, alpha=0.4, linewidths=0)
        axis.set_xlabel(_axis_label(x))
        axis.set_ylabel(_axis_label(y))
        axis.grid(alpha=0.3)
        if by:
            axis.legend(frameon=False)
    return figure


def _label(by: Sequence[str], values: tuple[object, ...]) -> str:
    pairs = zip(by, values, strict=True)
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in pairs)


def _axis_label(name: str) -> str:
    if name in MEASURES:
        return MEASURES[name].label
    if name == "bitrate_bps":
        return "budget (kb/s)"
    return name.removeprefix("recognition_").replace("_", " ")


def _unit(name: str) -> float:
    """How much in the table is one on the axis."""
    if name == "bitrate_bps":
        return 1000
    return MEASURES[name].unit_size if name in MEASURES else 1
