"""Drawings as SVG without a script: as wide as the page is, with text that keeps its size.

Places across and down are percentages, so a drawing fits a phone and a sheet of paper. Lines and areas, which SVG does
not take in percent, are drawn in a frame of 1000 by 100 that is stretched. What marks stand for is said by classes,
whose colours are in ``page.css``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MOST_POINTS = 1200
"""Points of a line; of more the lowest and the highest of each stretch are drawn."""
_WIDE, _HIGH = 1000, 100


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A range of values along one side of a drawing."""

    low: float
    """Value at its start."""
    high: float
    """Value at its end, larger."""
    logarithmic: bool = False
    """Whether equal steps are equal ratios."""

    @classmethod
    def over(cls, values: Iterable[float], *, zero: bool = False, logarithmic: bool = False) -> Axis:
        """A range that holds all finite values, with some room; from zero where asked."""
        found = [float(value) for value in values if math.isfinite(value) and (value > 0 or not logarithmic)]
        low, high = (min(found), max(found)) if found else (0.0, 1.0)
        if logarithmic and found:
            return cls(low=low / 1.15, high=high * 1.15, logarithmic=True)
        low = min(low, 0.0) if zero else low
        room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
        return cls(low=low if zero and low == 0 else low - room, high=high + room)

    def share(self, values: NDArray) -> NDArray[np.float64]:
        """How far along the values are, 0 to 1 within the range."""
        values, ends = np.asarray(values, float), (self.low, self.high)
        if self.logarithmic:
            with np.errstate(invalid="ignore", divide="ignore"):
                values, ends = np.log(values), (math.log(self.low), math.log(self.high))
        return (values - ends[0]) / (ends[1] - ends[0])

    def ticks(self, count: int = 4) -> list[float]:
        """Round values within the range, about so many."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for steps in ((1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
                found = [step * 10.0**power for power in powers for step in steps]
                found = [value for value in found if self.low <= value <= self.high]
                if len(found) >= 3:
                    return found
        raw = (self.high - self.low) / max(1, count)
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
        first = math.ceil(self.low / step)
        return [round(k * step, 12) for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def percent(share: float) -> str:
    """A share as SVG writes it, within what it can draw."""
    return f"{100 * min(2.0, max(-1.0, share)):.3f}%" if math.isfinite(share) else "0%"


def line(kind: str, x: NDArray, y: NDArray, x_axis: Axis, y_axis: Axis, *, steps: bool = False) -> Markup:
    """A line through points; where a value is missing it breaks. With ``steps`` values hold until the next one."""
    across, down = _WIDE * x_axis.share(x), _HIGH * (1 - y_axis.share(np.clip(y, y_axis.low, y_axis.high)))
    across, down = _thinned(across, down)
    parts, pen = [], "M"
    for place, (right, below) in enumerate(zip(across, down, strict=True)):
        if not (math.isfinite(right) and math.isfinite(below)):
            pen = "M"
            continue
        parts.append(f"{pen}{right:.1f} {below:.2f}")
        pen = "L"
        if steps and place + 1 < len(across):
            parts.append(f"L{across[place + 1]:.1f} {below:.2f}")
    path = " ".join(parts)
    return _stretched(Markup('<path class="line {}" d="{}"/>').format(kind, path)) if parts else Markup("")


def band(kind: str, x: NDArray, low: NDArray, high: NDArray, x_axis: Axis, y_axis: Axis) -> Markup:
    """The area between two lines, where both have values."""
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(x)
    if known.sum() < 2:
        return Markup("")
    across = _WIDE * x_axis.share(np.asarray(x, float)[known])
    edges = [
        _HIGH * (1 - y_axis.share(np.clip(edge[known], y_axis.low, y_axis.high))) for edge in (np.asarray(high), low)
    ]
    there = [f"{right:.1f},{below:.2f}" for right, below in zip(across, edges[0], strict=True)]
    back = [f"{right:.1f},{below:.2f}" for right, below in zip(across[::-1], edges[1][::-1], strict=True)]
    return _stretched(Markup('<polygon class="band {}" points="{}"/>').format(kind, " ".join(there + back)))


def bar(kind: str, start: float, end: float, top: float, bottom: float, *, text: str = "", title: str = "") -> Markup:
    """A rectangle between shares of the width and of the height; text within it is cut where it has no room."""
    rest = Markup("<title>{}</title>").format(title) if title else Markup("")
    area = Markup('<rect class="{}" width="100%" height="100%"/>').format(kind)
    words = Markup('<text class="inside" x="4" y="50%">{}</text>').format(text) if text else Markup("")
    return Markup('<svg x="{}" y="{}" width="{}" height="{}">{}{}{}</svg>').format(
        percent(start), percent(top), percent(max(0.0, end - start)), percent(max(0.0, bottom - top)), rest, area, words
    )


def dot(kind: str, x: float, y: float, *, title: str = "", radius: float = 4) -> Markup:
    """A dot at shares of the width and (from the bottom) of the height."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return Markup("")
    return Markup('<circle class="dot {}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
        kind, percent(x), percent(1 - y), f"{radius:g}", title
    )


def rule(kind: str, x_axis: Axis | None = None, y_axis: Axis | None = None, *, at: float) -> Markup:
    """A straight line right across at a value of the vertical axis, or right down at one of the horizontal axis."""
    if y_axis is not None:
        place = percent(1 - float(y_axis.share(np.array(at))))
        return Markup('<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>').format(kind, place, place)
    place = percent(float(x_axis.share(np.array(at)))) if x_axis is not None else "0%"
    return Markup('<line class="{}" y1="0" y2="100%" x1="{}" x2="{}"/>').format(kind, place, place)


def scale_down(axis: Axis, count: int = 3) -> Markup:
    """Lines across at about so many round values, each with its number at the left, where it stays in the drawing."""
    parts = []
    for value in axis.ticks(count):
        below = 1 - float(axis.share(np.array(value)))
        parts.append(rule("grid", y_axis=axis, at=value))
        if below > 0.12:
            text = f"{value:g}"
            parts.append(Markup('<text class="tick" x="3" y="{}" dy="-2">{}</text>').format(percent(below), text))
    return Markup("").join(parts)


def drawing(kind: str, height: int, what: str, parts: Sequence[Markup]) -> Markup:
    """A drawing as wide as there is room, so many pixels high, with words for those who do not see it."""
    return Markup('<svg class="drawing {}" width="100%" height="{}" role="img" aria-label="{}">{}</svg>').format(
        kind, height, what, Markup("").join(parts)
    )


def _stretched(part: Markup) -> Markup:
    return Markup(
        '<svg width="100%" height="100%" viewBox="0 0 {} {}" preserveAspectRatio="none" overflow="visible">{}</svg>'
    ).format(_WIDE, _HIGH, part)


def _thinned(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """The points, or of too many the lowest and the highest of each stretch, in order."""
    if len(x) <= MOST_POINTS:
        return x, y
    kept: set[int] = {0, len(x) - 1}
    for rows in np.array_split(np.arange(len(x)), MOST_POINTS // 2):
        values = y[rows]
        known = np.isfinite(values)
        if known.any():
            kept |= {int(rows[np.nanargmin(values)]), int(rows[np.nanargmax(values)])}
        if not known.all():
            kept.add(int(rows[np.flatnonzero(~known)[0]]))
    places = np.array(sorted(kept))
    return x[places], y[places]
