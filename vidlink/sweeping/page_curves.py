"""The curves on the page of a sweep: a score against the rate (or what else was varied), with bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from vidlink.report.page import svg
from vidlink.report.page.svg import Axis
from vidlink.scores.measures import MEASURES, quality_measures
from vidlink.settings import BUILTIN
from vidlink.sweeping.intervals import interval
from vidlink.sweeping.summary import heading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_RATE = "rate_wire_bps"
_MOST_LINES = 16
_HUES = 8
"""Colours of lines in ``page.css``; then they come again, dashed."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a figure."""

    name: str
    """What it is of."""
    x: NDArray[np.float64]
    """Places along, rising."""
    y: NDArray[np.float64]
    """The score."""
    low: NDArray[np.float64]
    """Lower edge of the band; NaN where there is none."""
    high: NDArray[np.float64]
    """Upper edge."""


def draw_curves(done: pd.DataFrame, joined: pd.DataFrame, keys: Sequence[str]) -> list[dict[str, Any]]:
    """A figure for each score.

    Parameters
    ----------
    done
        The rows of the sweep's table that are done.
    joined
        What :func:`~vidlink.sweeping.summary.summarize` makes of all clips together.
    keys
        Columns that tell settings apart.

    Returns
    -------
    list of dict
        ``title``, ``drawing``, ``axis`` (the drawing below it), ``along`` (what it says), ``key`` (class and name of
        each line), ``band`` (what the bands are), ``more`` (lines that are not drawn).
    """
    if joined.empty:
        return []
    along = _along(joined, keys)
    by = [name for name in keys if name != along]
    scores = [name for name in map(str, joined) if f"{name}_low" in joined and not name.startswith("cc_")]
    scores += [each.table_column for each in quality_measures() if each.headline and each.table_column in joined]
    figures = []
    for score in scores:
        lines = _lines(done, joined, keys, score=score, along=along, by=by)
        if lines:
            figures.append(_figure(score, lines, along, done))
    return figures


def _along(joined: pd.DataFrame, keys: Sequence[str]) -> str | None:
    """What changes along a line: the budget or the quality, or else the first number that was varied."""
    numbers = [name for name in keys if pd.api.types.is_numeric_dtype(joined[name]) and joined[name].nunique() > 1]
    numbers = [name for name in numbers if not pd.api.types.is_bool_dtype(joined[name])]
    for name in ("bitrate_bps", "quality"):
        if name in numbers:
            return name
    return numbers[0] if numbers else None


def _x_column(along: str | None, table: pd.DataFrame) -> str | None:
    return _RATE if along in ("bitrate_bps", "quality") and _RATE in table else along


def _lines(
    done: pd.DataFrame, joined: pd.DataFrame, keys: Sequence[str], *, score: str, along: str | None, by: Sequence[str]
) -> list[Line]:
    column = _x_column(along, joined)
    bounds = [_band(done, row, keys, score) for row in joined.to_dict("records")]
    table = joined.assign(_low=[low for low, _ in bounds], _high=[high for _, high in bounds])
    table = table[table[score].notna()]
    if column is None:  # settings without an order: each its own place
        table = table.assign(_x=np.arange(len(table), dtype=float))
        column, by = "_x", keys
    groups = table.groupby(list(by), sort=False, dropna=False) if by else [((), table)]
    lines = []
    for values, rows in groups:
        rows = rows[rows[column].notna()].sort_values(column)
        unit = MEASURES[score].unit_size if score in MEASURES else 1
        pairs = zip(by, values if isinstance(values, tuple) else (values,), strict=True)
        found = {name: rows[name].to_numpy(float) for name in (column, score, "_low", "_high")}
        lines.append(
            Line(
                name=", ".join(_named(name, value) for name, value in pairs) or "all",
                x=found[column] / (1000 if column in (_RATE, "bitrate_bps") else 1),
                y=found[score] / unit,
                low=found["_low"] / unit,
                high=found["_high"] / unit,
            )
        )
    return [line for line in lines if len(line.x)]


def _named(name: str, value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return f"no {heading(name)}"
    if isinstance(value, str):
        return value
    text = f"{value / 1000:g}k" if name == "bitrate_bps" else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{heading(name)} {text}"


def _band(done: pd.DataFrame, row: Mapping[Any, Any], keys: Sequence[str], score: str) -> tuple[float, float]:
    """The band about a score: its interval over clips, or with one clip over seeds."""
    low, high = row.get(f"{score}_low", np.nan), row.get(f"{score}_high", np.nan)
    if np.isfinite(low):
        return low, high
    mine = np.ones(len(done), bool)
    for name in keys:
        same = done[name].isna() if pd.isna(row[name]) else (done[name] == row[name]).fillna(False)
        mine &= same.to_numpy(bool)
    column = score if score in done else f"recognition_{score}"
    if column not in done:
        return np.nan, np.nan
    parts = done["input"].fillna(BUILTIN)[mine]
    parts = parts if parts.nunique() > 1 else done.loc[mine, "seed"]
    _, low, high = interval(done.loc[mine, column].astype(float).groupby(parts).mean().tolist())
    return low, high


def _figure(score: str, lines: list[Line], along: str | None, done: pd.DataFrame) -> dict[str, Any]:
    drawn = lines[:_MOST_LINES]
    every = {name: np.concatenate([getattr(line, name) for line in drawn]) for name in ("x", "y", "low", "high")}
    ratio = every["x"].max() / every["x"].min() if (every["x"] > 0).all() else 1
    across = Axis.over(every["x"], logarithmic=ratio > 5 and along is not None)
    down = Axis.over(np.concatenate([every["y"], *_bounded(every)]))
    parts = [svg.scale_down(down, 6)]
    title = MEASURES[score].label if score in MEASURES else heading(score)
    for number, line in enumerate(drawn):
        parts.append(svg.band(f"line-{number % _HUES}", line.x, line.low, line.high, across, down))
    key = []
    for number, line in enumerate(drawn):
        kind = f"line-{number % _HUES}" + (" dashed" if number >= _HUES else "")
        parts.append(svg.line(kind, line.x, line.y, across, down))
        whiskers = len(line.x) == 1 and np.isfinite(line.low[0])
        if whiskers:
            place = svg.percent(float(across.share(line.x)[0]))
            ends = [svg.percent(1 - float(down.share(edge)[0])) for edge in (line.low, line.high)]
            whisker = '<line class="whisker line-{}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
            parts.append(Markup(whisker).format(number % _HUES, place, place, *ends))
        for x, y, low, high in zip(line.x, line.y, line.low, line.high, strict=True):
            spread = f" [{low:.3f}, {high:.3f}]" if np.isfinite(low) else ""
            where = "" if along is None else f" at {x:.4g}"
            at = float(across.share(np.array(x))), float(down.share(np.array(y)))
            parts.append(svg.dot(f"line-{number % _HUES}", *at, title=f"{line.name}{where}: {y:.4g}{spread}"))
        key.append((f"line-{number % _HUES}", line.name))
    column = _x_column(along, done)
    words = "wire (kb/s)" if column == _RATE else "" if along is None else heading(along)
    clips = done["input"].nunique(dropna=False)
    has_band = bool(np.isfinite(every["low"]).any())
    band = f"95 % interval over {'clips' if clips > 1 else 'seeds of the one clip'}"
    return {
        "title": title,
        "drawing": svg.drawing("plot", 260, f"{title} against {words or 'settings'}, a line a setting", parts),
        "axis": _axis(across, words) if along is not None else Markup(""),
        "along": words,
        "key": key,
        "band": band if has_band else "",
        "more": len(lines) - len(drawn),
    }


def _bounded(every: Mapping[str, NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """The edges of bands, no further from the points than half their range: few clips have bands that dwarf them."""
    least, most = float(np.nanmin(every["y"])), float(np.nanmax(every["y"]))
    room = (most - least) / 2 or np.inf
    return [np.clip(every[name], least - room, most + room) for name in ("low", "high")]


def _axis(across: Axis, words: str) -> Markup:
    parts = []
    for value in across.ticks(6):
        place = float(across.share(np.array(value)))
        anchor = "start" if place < 0.03 else "end" if place > 0.95 else "middle"
        text = Markup('<text class="tick" x="{}" y="13" text-anchor="{}">{}</text>')
        parts.append(text.format(svg.percent(place), anchor, f"{value:g}"))
    return svg.drawing("axis", 18, f"{words} from {across.low:.4g} to {across.high:.4g}", parts)
