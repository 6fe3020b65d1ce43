"""One picture of a run: what was seen, at which scale and rate, what was lost, and what was recognized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from vidlink.report import style
from vidlink.report.class_plot import draw_named
from vidlink.report.terminal import sent_over
from vidlink.report.thumbnails import COUNT
from vidlink.scores.measure import FrameMeasure
from vidlink.scores.measures import headlines

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from vidlink.report.thumbnails import Thumbnail


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
    recognition = summary["recognition"]
    named = bool(recognition) and "accuracy" in recognition
    dimensions = list(recognition["cc"]) if recognition and not named and recognition["n"] else []
    tall = shown[0][1].shape[0] / shown[0][1].shape[1] if shown else 0.75
    picture_rows = 2 * 10.5 / COUNT * tall
    measures = [each for each in headlines() if isinstance(each, FrameMeasure) and each.column in tables["frames"]]
    quality_rows = max(1, len(measures))
    heights = [picture_rows, 1.9, *[1.5] * quality_rows, *[1.7] * len(dimensions), *[1.2] * named]
    with mpl.rc_context(style.FRAME):
        figure = style.Shown(figsize=(11, sum(heights) + 1.1), layout="constrained", dpi=110)
        parts = figure.subfigures(2, 1, height_ratios=[heights[0] + 0.5, sum(heights[1:])], hspace=0.01)
        top, bottom = np.asarray(parts)
        _draw_pictures(top, shown)
        axes = bottom.subplots(len(heights) - 1, 1, sharex=True, height_ratios=heights[1:])
        end_s = summary["input"]["seconds"]
        _draw_rate(axes[0], summary, tables["segments"], tables.get("live"))
        for axis, measure in zip(axes[1:], measures, strict=False):
            _draw_quality(axis, measure, tables["frames"])
        if not measures:
            axes[1].set_yticks([])
        _draw_status(axes[1], tables["frames"])
        for axis, name in zip(axes[1 + quality_rows :], dimensions, strict=False):
            _draw_track(axis, name, recognition, tables["predictions"])
        if named:
            draw_named(axes[-1], recognition, tables["predictions"])
        axes[-1].set_xlabel("time (s)")
        axes[-1].set_xlim(0, end_s)
        figure.suptitle(_title(summary), fontsize=11)
    return figure


def _title(summary: dict[str, Any]) -> str:
    rate, settings = summary["rate"], summary["settings"]
    name = summary["input"]["path"].rsplit("/", 1)[-1]
    of = f" of {rate['target_bps'] / 1000:g}" if rate["target_bps"] else ""
    return f"{name}: {rate['wire_bps'] / 1000:.1f}{of} kb/s on the wire, {settings['codec']} over {sent_over(settings)}"


def _draw_pictures(figure: Any, shown: Sequence[Thumbnail]) -> None:
    axes = figure.subplots(2, COUNT, squeeze=False)
    for column in range(COUNT):
        for row in range(2):
            axes[row, column].set_axis_off()
            if column < len(shown):
                axes[row, column].imshow(shown[column][1 + row])
        if column < len(shown):
            axes[0, column].set_title(f"{shown[column][0]:.1f} s", fontsize=9)
    for row, name in enumerate(("source", "received")):
        axes[row, 0].text(-0.04, 0.5, name, rotation=90, ha="right", va="center", transform=axes[row, 0].transAxes)


def _draw_rate(axis: Axes, summary: dict[str, Any], segments: pd.DataFrame, live: pd.DataFrame | None) -> None:
    start, length = segments["start_s"].to_numpy(), segments["duration_s"].to_numpy()
    norm = LogNorm(1, max(8.0, float(segments["scale"].max())))
    colours = mpl.colormaps["viridis_r"](norm(segments["scale"].to_numpy(float)))
    payload = segments["payload_bits"].to_numpy() / length / 1000
    wire = segments["wire_bits"].to_numpy() / length / 1000
    axis.bar(start, payload, width=length, align="edge", color=colours, edgecolor="white", linewidth=0.6)
    axis.bar(
        start,
        wire - payload,
        bottom=payload,
        width=length,
        align="edge",
        color=style.LIGHT_GREY,
        edgecolor="white",
        linewidth=0.6,
    )
    if len(segments) <= 40:
        for row, colour in zip(segments.to_dict("records"), colours, strict=True):
            # Frames that were left out: 1/2 is every second one coded.
            rate = f"\n1/{row['frame_divisor']} frames" if row["frame_divisor"] > 1 else ""
            axis.annotate(
                f"s={row['scale']:g}{rate}",
                (row["start_s"] + row["duration_s"] / 2, 0),
                (0, 2),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=8 if len(segments) <= 20 else 6,
                color="black" if colour[:3].mean() > 0.5 else "white",
            )
    target = summary["rate"]["target_bps"]
    if target:
        axis.axhline(target / 1000, color=style.LIMIT, linewidth=1, linestyle="--")
        axis.annotate(
            "budget ",
            (1, target / 1000),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
            color=style.LIMIT,
        )
    highest = max(wire.max(), (target or 0) / 1000)
    if live is not None:
        highest = max(highest, _draw_estimate(axis, live))
    axis.set_ylim(0, 1.25 * highest)
    axis.set_ylabel("rate (kb/s)\nheaders grey")


def _draw_estimate(axis: Axes, live: pd.DataFrame) -> float:
    """What the link carried and was believed to carry, over time; gives the highest value drawn, in kb/s."""
    estimate = live["estimate_bps"].to_numpy(float) / 1000
    axis.plot(live["time_s"], estimate, color=style.REFERENCE, linewidth=1, label="estimate")
    highest = float(estimate.max())
    if live["capacity_bps"].notna().any():
        capacity = live["capacity_bps"].to_numpy(float) / 1000
        axis.step(live["time_s"], capacity, color=style.LIMIT, linewidth=1, linestyle="--", label="capacity")
        # Peaks that nobody could use must not flatten the rest.
        highest = max(highest, min(float(capacity.max()), 2 * highest))
    axis.legend(loc="upper right", ncols=2, frameon=False, fontsize=8, bbox_to_anchor=(1, 1.2))
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
        axis.legend(loc="upper right", ncols=3, frameon=False, fontsize=8, bbox_to_anchor=(1, 1.2))


def _draw_track(axis: Axes, name: str, recognition: dict[str, Any], predictions: pd.DataFrame) -> None:
    labelled = recognition["against"] == "labels"
    for number, face in enumerate(sorted(predictions["face"].unique())):
        track = predictions[predictions["face"] == face]
        times = track["time_s"]
        first = number == 0
        if labelled:
            axis.plot(
                times,
                track[f"{name}_label"],
                color=style.REFERENCE,
                linestyle="--",
                linewidth=1.2,
                label="label" if first else None,
            )
        axis.plot(
            times,
            track[f"{name}_pristine"],
            color=style.PRISTINE,
            linewidth=1,
            label="recognized, pristine" if first else None,
        )
        axis.plot(
            times,
            track[name],
            color=mpl.colormaps["tab10"](int(face) % 10),
            linewidth=1.3,
            label="recognized, received" if first else None,
        )
    axis.axhline(0, color=style.FAINT_GREY, linewidth=0.8, zorder=0)
    against = "labels" if labelled else "pristine"
    scores = f"CC {recognition['cc'][name]:.2f}  CCC {recognition['ccc'][name]:.2f} against {against}"
    axis.set_ylabel(name)
    axis.set_title(scores, loc="left", fontsize=8)
    axis.legend(loc="upper right", ncols=3, frameon=False, fontsize=8, bbox_to_anchor=(1, 1.15))
