"""One picture of a run: what was seen, at which scale and rate, what was lost, and what was recognized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from vidlink.report import style
from vidlink.report.lanes import KEYS_A_LINE, draw_key, draw_lane
from vidlink.report.terminal import clip_title, sent_over
from vidlink.report.thumbnails import COUNT, brightened, gain_of
from vidlink.scores.kind import Curves, Lanes, Strip
from vidlink.scores.kinds import kind_of_section
from vidlink.scores.measure import FrameMeasure
from vidlink.scores.measures import headlines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from vidlink.report.thumbnails import Thumbnail
    from vidlink.scores.kind import Key

MOST_TOGETHER = 3
"""Faces whose tracks share a picture; more have one each."""


def draw_run(summary: dict[str, Any], tables: dict[str, pd.DataFrame], shown: Sequence[Thumbnail]) -> Figure:
    """Draw a run; :func:`vidlink.report.style.save` writes the figure.

    Parameters
    ----------
    summary
        The content of ``summary.json``.
    tables
        The tables of the run.
    shown
        Pictures that were kept on the way, six at most.
    """
    lanes = _lanes(summary["recognition"], tables)
    tall = shown[0][1].shape[0] / shown[0][1].shape[1] if shown else 0.75
    picture_rows = 2 * 10.5 / COUNT * tall
    measures = [each for each in headlines() if isinstance(each, FrameMeasure) and each.column in tables["frames"]]
    quality = [1.5] * len(measures) or [0.4]  # without scores a low strip says what was lost
    quality_rows = len(quality)
    over_time = _grouped(lanes.over_time)
    rows = [*quality, *map(_height, over_time), *[0.3 * _key_lines(key) for key in lanes.keys]]
    heights = [picture_rows, 1.9, *rows]
    with mpl.rc_context(style.FRAME):
        figure = style.Shown(figsize=(11, sum(heights) + 1.1), layout="constrained", dpi=110)
        parts = figure.subfigures(2, 1, height_ratios=[heights[0] + 0.5, sum(heights[1:])], hspace=0.01)
        top, bottom = np.asarray(parts)
        _draw_pictures(top, shown)
        axes = _axes(bottom, heights[1:], shared=len(heights) - 1 - len(lanes.keys))
        end_s = summary["input"]["seconds"]
        _draw_rate(axes[0], summary, tables["segments"], tables.get("live"))
        for axis, measure in zip(axes[1:], measures, strict=False):
            _draw_quality(axis, measure, tables["frames"])
        if not measures:
            axes[1].set(yticks=[], ylabel="frames")
        _draw_status(axes[1], tables["frames"])
        titled: set[str] = set()
        for axis, lane in zip(axes[1 + quality_rows :], over_time, strict=False):
            draw_lane(axis, lane, tables["frames"], said=_title_of(lane) not in titled)
            titled.add(_title_of(lane))
        last = axes[quality_rows + len(over_time)]
        for axis, key in zip(axes[1 + quality_rows + len(over_time) :], lanes.keys, strict=True):
            draw_key(axis, key)
        last.set_xlabel("time (s)")
        last.tick_params(labelbottom=True)
        last.set_xlim(0, end_s)
        figure.suptitle(_title(summary), fontsize=11)
    return figure


def _axes(figure: Any, heights: Sequence[float], *, shared: int) -> list[Axes]:
    """Axes one below the other; the first ones share their axis of time."""
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    first = figure.add_subplot(grid[0])
    axes = [first, *(figure.add_subplot(grid[row], sharex=first) for row in range(1, shared))]
    for axis in axes[:-1]:
        axis.tick_params(labelbottom=False)
    return [*axes, *(figure.add_subplot(grid[row]) for row in range(shared, len(heights)))]


def _title(summary: dict[str, Any]) -> str:
    rate, settings = summary["rate"], summary["settings"]
    name = clip_title(summary["input"]["path"])
    of = f" of {rate['target_bps'] / 1000:g}" if rate["target_bps"] else ""
    return f"{name}: {rate['wire_bps'] / 1000:.1f}{of} kb/s on the wire, {settings['codec']} over {sent_over(settings)}"


def _draw_pictures(figure: Any, shown: Sequence[Thumbnail]) -> None:
    axes = figure.subplots(2, COUNT, squeeze=False)
    gain = gain_of(shown)
    for column in range(COUNT):
        for row in range(2):
            axes[row, column].set_axis_off()
            if column < len(shown):
                axes[row, column].imshow(brightened(shown[column][1:][row], gain))
        if column < len(shown):
            axes[0, column].set_title(f"{shown[column][0]:.1f} s", fontsize=9)
    said = f"\n(brightened {gain:.1f}x)" if gain > 1 else ""
    for row, name in enumerate((f"source{said}", f"received{said}")):
        axes[row, 0].text(-0.04, 0.5, name, rotation=90, ha="right", va="center", transform=axes[row, 0].transAxes)


def _draw_rate(axis: Axes, summary: dict[str, Any], segments: pd.DataFrame, live: pd.DataFrame | None) -> None:
    start, length = segments["start_s"].to_numpy(), segments["duration_s"].to_numpy()
    colours = [style.of_scale(scale) for scale in segments["scale"].to_numpy(float)]
    payload = segments["payload_bits"].to_numpy() / length / 1000
    wire = segments["wire_bits"].to_numpy() / length / 1000
    edge: dict[str, Any] = {"width": length, "align": "edge", "edgecolor": "white", "linewidth": 0.6}
    axis.bar(start, payload, color=colours, **edge)
    axis.bar(start, wire - payload, bottom=payload, color=style.LIGHT_GREY, **edge)
    _draw_key(axis, summary, segments)
    target = summary["rate"]["target_bps"]
    if target:
        axis.axhline(target / 1000, color=style.LIMIT, linewidth=1, linestyle="--", label="budget")
    highest = max(wire.max(), (target or 0) / 1000)
    if live is not None:
        highest = max(highest, _draw_estimate(axis, live))
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="lower right", ncols=3, frameon=False, fontsize=8, bbox_to_anchor=(1, 1.0))
    axis.set_ylim(0, 1.08 * highest)
    axis.set_ylabel("rate (kb/s)\nheaders grey")


def _draw_key(axis: Axes, summary: dict[str, Any], segments: pd.DataFrame) -> None:
    """Say what was coded: in the bars where they are wide enough, else once for each colour above them."""
    fps = summary["input"].get("fps")
    rows = segments.to_dict("records")
    names = [coded_as(row, fps) for row in rows]
    if len(segments) <= 12:
        for row, name in zip(rows, names, strict=True):
            middle_s = row["start_s"] + row["duration_s"] / 2
            axis.annotate(
                name.replace(", ", ",\n"),
                (middle_s, 0),
                (0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=7,
            )
        return
    handles: dict[str, Patch] = {}
    for row, name in zip(rows, names, strict=True):
        size = name.partition(",")[0]
        handles.setdefault(size, Patch(color=style.of_scale(row["scale"]), label=size))
    key = axis.legend(
        handles=list(handles.values()),
        loc="lower left",
        ncols=len(handles),
        frameon=False,
        fontsize=8,
        bbox_to_anchor=(0, 1.0),
    )
    axis.add_artist(key)


def coded_as(segment: Mapping[Any, Any], fps: float | None) -> str:
    """How a segment was coded, as in ``240p, 12.5 fps``; without its height, the scale factor."""
    size = f"{segment['height']:g}p" if segment.get("height") else f"1/{segment['scale']:g} size"
    return f"{size}, {fps / segment['frame_divisor']:.3g} fps" if fps else size


def _draw_estimate(axis: Axes, live: pd.DataFrame) -> float:
    """What the link carried and was believed to carry, over time; gives the highest value drawn, in kb/s."""
    estimate = live["estimate_bps"].to_numpy(float) / 1000
    axis.plot(live["time_s"], estimate, color=style.REFERENCE, linewidth=1, label="estimate")
    highest = float(estimate.max())
    if live["capacity_bps"].notna().any():
        capacity = live["capacity_bps"].to_numpy(float) / 1000
        axis.step(live["time_s"], capacity, color=style.LIMIT, linewidth=1, linestyle="--", label="capacity")
        highest = max(highest, float(capacity.max()))
    return highest


def _draw_quality(axis: Axes, measure: FrameMeasure, frames: pd.DataFrame) -> None:
    values = frames[measure.column].clip(upper=measure.drawn_up_to) / measure.unit_size
    axis.plot(frames["time_s"].to_numpy(), values, color=style.RECEIVED, linewidth=1)
    axis.set_ylabel(measure.label)


def _draw_status(axis: Axes, frames: pd.DataFrame) -> None:
    """Mark the frames that are not as they were sent."""
    times = frames["time_s"].to_numpy()
    for status, colour in style.STATUS.items():
        hit = times[(frames["status"] == status).to_numpy()]
        if len(hit):
            axis.plot(
                hit,
                np.full(len(hit), 0.03),
                "|",
                color=colour,
                markersize=9,
                markeredgewidth=1.4,
                transform=axis.get_xaxis_transform(),
                label=f"{len(hit)} {status}",
            )
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="lower right", ncols=3, frameon=False, fontsize=8, bbox_to_anchor=(1, 0.98))


def _lanes(recognition: dict[str, Any] | None, tables: dict[str, pd.DataFrame]) -> Lanes:
    """What is drawn of the recognition; nothing where nothing was looked at."""
    if not recognition or tables["predictions"].empty:
        return Lanes(over_time=[])
    return kind_of_section(recognition).lanes(tables["predictions"], recognition)


def _grouped(lanes: Sequence[Curves | Strip]) -> list[list[Curves] | Strip]:
    """Lanes that share a picture: three faces in one can be told apart; of more each has its own, small."""
    found: list[list[Curves] | Strip] = []
    for lane in lanes:
        if isinstance(lane, Strip):
            found.append(lane)
            continue
        alike = sum(isinstance(each, Curves) and each.title == lane.title for each in lanes)
        last = found[-1] if found else None
        if alike <= MOST_TOGETHER and isinstance(last, list) and last[0].title == lane.title:
            last.append(lane)
        else:
            found.append([lane])
    return found


def _title_of(lane: list[Curves] | Strip) -> str:
    return lane.title if isinstance(lane, Strip) else lane[0].title


def _height(lane: list[Curves] | Strip) -> float:
    """Height of a lane in inches."""
    if isinstance(lane, Strip):
        return 1.2
    return 0.8 if lane[0].face is not None and len(lane) == 1 else 1.7


def _key_lines(key: Key) -> int:
    return 1 + -(-len(key.names) // KEYS_A_LINE)
