"""What a recognizer said over time, drawn: curves of numbers, strips of names, and what colours stand for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.patches import Patch

from vidlink.report import style
from vidlink.scores.kind import Strip
from vidlink.video.overlay import colour_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vidlink.scores.kind import Curves, Key

KEYS_A_LINE = 6
"""Names in a line of a key."""
_INK = {"label": (style.REFERENCE, "--", 1.0), "pristine": (style.PRISTINE, "-", 1.0)}
"""Colour, line and width of what the received curve is beside."""


def draw_lane(axis: Axes, lane: Sequence[Curves] | Strip, frames: pd.DataFrame, *, said: bool = True) -> None:
    """Draw curves of one number, of a face each, or a strip.

    Parameters
    ----------
    axis
        Where.
    lane
        What.
    frames
        The table of the run.
    said
        Whether curves have their key and their note.
    """
    if isinstance(lane, Strip):
        _draw_strip(axis, lane)
    else:
        _draw_curves(axis, lane, frames, said=said)


def _draw_curves(axis: Axes, lanes: Sequence[Curves], frames: pd.DataFrame, *, said: bool) -> None:
    """Received beside pristine and true numbers; where there are several faces in one picture, each in its colour."""
    for number, lane in enumerate(lanes):
        colour = style.RECEIVED if len(lanes) == 1 else style.SERIES[number % len(style.SERIES)]
        whose = f" (face {lane.face})" if len(lanes) > 1 else ""
        for kind in ("label", "pristine", "received"):
            if kind not in lane.curves:
                continue
            ink, line, width = _INK.get(kind, (colour, "-", 1.3))
            label = f"received{whose}" if kind == "received" else kind if number == 0 else None
            times_s, values = with_gaps(*lane.curves[kind])
            axis.plot(times_s, values, color=ink, linestyle=line, linewidth=width, label=label)
    looked_s = np.unique(np.concatenate([lane.curves["received"][0] for lane in lanes]))
    if not lanes[0].from_zero:
        hatch_nothing(axis, looked_s, frames)
    axis.axhline(0, color=style.FAINT_GREY, linewidth=0.8, zorder=0)
    if lanes[0].from_zero:
        axis.set_ylim(bottom=0)
    alone = len(lanes) == 1 and lanes[0].face is not None
    axis.set_ylabel(f"{lanes[0].title}\nface {lanes[0].face}" if alone else lanes[0].title.replace(" of ", "\nof "))
    if said:
        axis.set_title(lanes[0].note, loc="left", fontsize=8)
        axis.legend(loc="lower right", ncols=6, frameon=False, fontsize=8, bbox_to_anchor=(1, 0.98))


def _draw_strip(axis: Axes, lane: Strip) -> None:
    """What each window was named: received, pristine, and the label where there is one."""
    names = sorted({name for row in lane.rows.values() for name in row if isinstance(name, str)})
    colours = {name: mpl.colormaps["tab10"](k % 10) for k, name in enumerate(names)}
    middle_s = (lane.starts_s + lane.ends_s) / 2
    # Windows overlap: each is shown from half-way to the one before to half-way to the one after.
    edges_s = np.concatenate([lane.starts_s[:1], (middle_s[1:] + middle_s[:-1]) / 2, lane.ends_s[-1:]])
    rows = list(lane.rows.items())[::-1]
    for height, (_, row) in enumerate(rows):
        for place, name in enumerate(row):
            if isinstance(name, str):
                width = edges_s[place + 1] - edges_s[place]
                axis.barh(height, width, left=edges_s[place], height=0.8, color=colours[name], edgecolor="white")
    axis.set_yticks(range(len(rows)), [kind for kind, _ in rows])
    if lane.note:
        axis.set_title(f"{lane.title}: {lane.note}", loc="left", fontsize=8)
    handles = [Patch(color=colours[name], label=name) for name in names]
    axis.legend(handles=handles, loc="upper right", ncols=6, frameon=False, fontsize=8, bbox_to_anchor=(1, 1.3))


def draw_key(axis: Axes, key: Key) -> None:
    """Say which colour in the pictures is what."""
    axis.set_axis_off()
    handles = []
    for name, (number, said) in key.names.items():
        red, green, blue = colour_of(number)
        handles.append(Patch(color=(red / 255, green / 255, blue / 255), label=f"{name} {said}".rstrip()))
    axis.legend(
        handles=handles, title=key.title, loc="center left", ncols=KEYS_A_LINE, frameon=False, fontsize=8,
        title_fontsize=8, alignment="left", borderpad=0,
    )  # fmt: skip


def with_gaps(times_s: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """A line that ends where there is nothing for a while: NaN between points farther apart than thrice the usual."""
    steps = np.diff(times_s)
    if len(steps) < 2:
        return times_s, values
    holes = np.flatnonzero(steps > 3 * np.median(steps)) + 1
    return np.insert(times_s, holes, times_s[holes - 1]), np.insert(values, holes, np.nan)


def hatch_nothing(axis: Axes, looked_s: NDArray[np.float64], frames: pd.DataFrame) -> None:
    """Hatch the times at which there was no face to look at."""
    times_s = frames["time_s"].to_numpy(float)
    if len(times_s) < 2 or not len(looked_s):
        return
    usual_s = max(float(np.median(np.diff(looked_s))) if len(looked_s) > 1 else 0.0, float(np.median(np.diff(times_s))))
    edges_s = np.concatenate([[times_s[0] - usual_s], looked_s, [times_s[-1] + usual_s]])
    label: str | None = "no face"
    for start_s, end_s in pairwise(edges_s.tolist()):
        if end_s - start_s > 3 * usual_s:
            axis.axvspan(
                start_s, end_s, facecolor="none", edgecolor=style.LIGHT_GREY, hatch="///", linewidth=0, label=label
            )
            label = None
