"""One column of a table of runs against another: a line a setting with its interval, the runs behind it as dots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vidlink.errors import UserError, unknown
from vidlink.report import style
from vidlink.scores.kinds import SCORES
from vidlink.scores.measures import MEASURES
from vidlink.sweeping.intervals import interval
from vidlink.sweeping.tidy import per_draw

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.SKY, style.BLACK, style.GREY)
_MARKERS = "osD^v"
_SHORT = {
    "kbps": "wire (kb/s)",
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    **{name: score.label for name, score in SCORES.items()},
    "lost": "packets lost (share)",
    "frozen": "frames frozen (share)",
    "loss": "packet loss (share)",
    "frames_per_s": "frames a second",
    "encode_s_per_s": "processor seconds of encoding a second of video",
}
"""Labels of axes for columns that are no measures."""


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
    bands: list[tuple[str, list[_Point]]] = []
    with mpl.rc_context(style.FRAME):
        figure = style.Shown(figsize=(7, 4.5), layout="constrained", dpi=110)
        axis = figure.subplots()
        for number, (values, rows) in enumerate(lines):
            colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number // len(_COLOURS) % len(_MARKERS)]
            keys = list(dict.fromkeys([*per, *by]))
            parts = [part for _, part in rows.groupby(keys, dropna=False)] if keys else [rows]
            points = sorted((_point(part, x, y) for part in parts), key=lambda point: point.x)
            across, up = [point.x / _unit(x) for point in points], [point.y / _unit(y) for point in points]
            axis.plot(across, up, color=colour, marker=marker, markersize=5, label=_label(by, values))
            if len(points) < len(rows):
                axis.scatter(rows[x] / _unit(x), rows[y] / _unit(y), color=colour, s=8, alpha=0.4, linewidths=0)
            bands.append((colour, [point for point in points if point.over]))
        low, high = axis.get_ylim()  # of the points: with few clips bands would leave nothing else to be seen
        for colour, known in bands:
            sides = [np.array([getattr(point, side) for point in known]) / _unit(y) for side in ("low", "high")]
            axis.fill_between(
                [point.x / _unit(x) for point in known], sides[0], sides[1], color=colour, alpha=0.15, linewidth=0
            )
        room = 0.5 * (high - low)
        axis.set_ylim(max(low - room, axis.get_ylim()[0]), min(high + room, axis.get_ylim()[1]))
        said = dict.fromkeys(point.over for _, known in bands for point in known)
        axis.set_xlabel(_axis_label(x))
        axis.set_ylabel(_axis_label(y))
        axis.grid(alpha=0.3)
        if said:
            axis.set_title(f"mean; band: 95 % interval over {' or '.join(said)}; dots: runs", fontsize=8, loc="left")
        if by:
            axis.legend(frameon=False)
    return figure


class _Point(NamedTuple):
    """A setting on its line."""

    x: float
    y: float
    low: float
    high: float
    over: str
    """What the interval is over, such as ``5 clips``; empty where there is none."""


def _point(runs: pd.DataFrame, x: str, y: str) -> _Point:
    draws, over = per_draw(runs)
    middle, low, high = interval(draws[y].to_numpy(float))
    return _Point(float(draws[x].mean()), middle, low, high, over if np.isfinite(low) else "")


def _label(by: Sequence[str], values: tuple[object, ...]) -> str:
    pairs = list(zip(by, values, strict=True))
    if len(pairs) == 1 and by[0] == "bitrate_bps" and isinstance(values[0], float):
        return f"{values[0] / 1000:g} kb/s"
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in pairs)


def _axis_label(name: str) -> str:
    if name in MEASURES:
        return MEASURES[name].label
    if name == "bitrate_bps":
        return "budget (kb/s)"
    return _SHORT.get(name, name.removeprefix("recognition_").replace("_", " "))


def _unit(name: str) -> float:
    """How much in the table is one on the axis."""
    if name == "bitrate_bps":
        return 1000
    return MEASURES[name].unit_size if name in MEASURES else 1
