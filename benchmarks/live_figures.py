"""The picture of ``benchmarks/live.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vidlink.report.style import BLACK, BLUE, FAINT_GREY, FRAME, GREEN, GREY, LIGHT_GREY, SKY, VERMILION, WHITE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

LOOK = {
    "gcc": (BLACK, "o"),
    "clairvoyant": (GREEN, "s"),
    "throughput": (VERMILION, "^"),
    "fixed 50": (GREY, "v"),
    "fixed 75": (SKY, "v"),
    "fixed 100": (BLUE, "v"),
}


def draw(rows: Sequence[dict[str, Any]], logs: dict[str, pd.DataFrame], path: Path) -> None:
    """Delay and frozen frames against capacity used, and of some links ours over time."""
    with mpl.rc_context(FRAME):
        figure = Figure(figsize=(11, 5.6), layout="constrained", dpi=120)
        top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=[1.25, 1]))
        axes = top.subplots(1, 3)
        for axis, kind in zip(axes, ("steady", "driving"), strict=False):
            draw_cloud(axis, rows, kind, "queue_p95_s")
            axis.axhline(0.3, color=LIGHT_GREY, linewidth=0.8, linestyle="--")
            axis.axvline(0.8 if kind == "steady" else 0.6, color=LIGHT_GREY, linewidth=0.8, linestyle="--")
            axis.set_title(f"{kind} links", fontsize=9)
            axis.set_yscale("log")
            axis.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
            axis.minorticks_off()
            axis.set_ylabel("p95 time in the link (s)")
        draw_cloud(axes[2], rows, "driving", "frozen")
        axes[2].set_title("driving links", fontsize=9)
        axes[2].set_ylabel("frozen frames")
        axes[2].yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        handles, labels = axes[2].get_legend_handles_labels()
        top.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
        used = {row["link"]: row["capacity_used"] for row in rows if row["sender"] == "gcc"}
        if logs:
            for axis, (link, log) in zip(bottom.subplots(1, len(logs), squeeze=False)[0], logs.items(), strict=True):
                draw_time(axis, log)
                axis.set_title(f"{link.rsplit('/', 1)[-1]}: {used[link]:.0%} used", fontsize=8)
        bench.save(figure, path)


def draw_cloud(axis: Axes, rows: Sequence[dict[str, Any]], kind: str, key: str) -> None:
    """A small mark for each link, a large one for the mean."""
    for sender, (colour, marker) in LOOK.items():
        mine = [row for row in rows if (row["kind"], row["sender"]) == (kind, sender)]
        if mine:
            x, y = np.array([[row["capacity_used"], row[key]] for row in mine]).T
            axis.scatter(x, y, s=9, color=colour, marker=marker, alpha=0.35, linewidth=0)
            name = "ours (gcc)" if sender == "gcc" else f"{sender} %" if sender.startswith("fixed") else sender
            axis.scatter(x.mean(), y.mean(), s=52, color=colour, marker=marker, edgecolor=WHITE, label=name, zorder=3)
    axis.set_xlim(0, 1.02)
    axis.set_xlabel("capacity used")


def draw_time(axis: Axes, log: pd.DataFrame) -> None:
    """Capacity and estimate over time."""
    times, capacity, estimate = log["time_s"], log["capacity_bps"] / 1000, log["estimate_bps"] / 1000
    axis.fill_between(times, capacity, step="pre", color=FAINT_GREY, linewidth=0, label="capacity")
    axis.plot(times, estimate, color=BLACK, linewidth=1, label="estimate")
    axis.set_xlim(0, times.iloc[-1])
    axis.set_ylim(0, 1.15 * max(np.percentile(capacity, 99), estimate.max()))
    axis.set_xlabel("time (s)")
    axis.set_ylabel("kb/s")
    axis.legend(loc="upper right", fontsize=7, frameon=False, ncols=2)
