"""The pictures of ``benchmarks/allocation.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bench
import numpy as np
from matplotlib.figure import Figure

from vidlink.report.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

if TYPE_CHECKING:
    from pathlib import Path

STYLE = {
    "planner": (BLACK, "-", "o"),
    "reference": (GREY, "--", "s"),
    "one-second groups": (PURPLE, "--", "x"),
    "full size": (VERMILION, "-", "^"),
    "full size, all frames": (ORANGE, "-", ">"),
    "best fixed": (BLUE, "-.", "v"),
    "best fixed, all frames": (SKY, "-.", "<"),
    "ladder": (GREEN, ":", "d"),
}

Results = dict[str, dict[str, list[dict[str, Any]]]]


def draw(results: Results, path: Path) -> None:
    """Rate against PSNR for every clip and method, and below it what each differs from the planner at equal rate."""
    columns = min(4, len(results) if len(results) <= 4 else -(-len(results) // 2))
    rows = -(-len(results) // columns)
    ticks = sorted({p["rate_bps"] / 1000 for methods in results.values() for p in methods["planner"]})
    figure = Figure(figsize=(3.4 * columns, 4 * rows + 0.4), layout="constrained", dpi=84)
    axes = figure.subplots(2 * rows, columns, squeeze=False, sharex=True, height_ratios=[1.5, 1] * rows)
    for number, (clip, methods) in enumerate(results.items()):
        row, column = 2 * (number // columns), number % columns
        above, below = axes[row, column], axes[row + 1, column]
        ours = np.array([[np.log(p["wire_bps"]), p["psnr_db"]] for p in methods["planner"]]).reshape(-1, 2)
        for method, points in methods.items():
            if not points:
                continue
            colour, line, marker = STYLE[method]
            style = {"color": colour, "marker": marker, "markersize": 3.5, "linewidth": 1.2, "label": method}
            x, y = [p["wire_bps"] / 1000 for p in points], [p["psnr_db"] for p in points]
            above.plot(x, y, line, **style)
            below.plot(x, y - np.interp(np.log(1000 * np.array(x)), ours[:, 0], ours[:, 1]), line, **style)
        above.set_title(clip, fontsize=10)
        below.set_xscale("log")
        below.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        below.tick_params(labelbottom=True)
        below.minorticks_off()
        below.set_ylim(-2.2, 0.6)
        below.set_xlabel("wire rate (kb/s)")
        for axis, name in ((above, "PSNR (dB)"), (below, "minus planner (dB)")):
            axis.grid(alpha=0.3)
            axis.set_ylabel(name if column == 0 else "")
    for number in range(len(results), rows * columns):
        for row in (0, 1):
            axes[2 * (number // columns) + row, number % columns].set_axis_off()
    lines, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=len(names), fontsize=8, frameon=False)
    bench.save(figure, path)


def draw_rungs(results: Results, path: Path, *, clip: str) -> None:
    """What the planner chose over time on one clip, a row of panels a budget: scale, frame rate, quality."""
    points = [p for p in results[clip]["planner"] if p["rate_bps"] in (12_000, 24_000, 48_000, 96_000)]
    figure = Figure(figsize=(8, 5.2), layout="constrained", dpi=110)
    axes = figure.subplots(3, 1, sharex=True)
    colours = ["#440154", "#31688e", "#35b779", "#d8b80f"]
    for k, point in enumerate(points):
        starts = [row[0] for row in point["plan"]]
        ends = [*starts[1:], point.get("seconds") or starts[-1] + 1]
        # Lines that lie on each other would hide all but the last.
        shift = 0.012 * (k - (len(points) - 1) / 2)
        for axis, column in zip(axes, (1, 2, 3), strict=True):
            values = np.array([row[column] for row in point["plan"]], float)
            values = values * (1 + 2 * shift) if column < 3 else values
            label = f"{point['rate_bps'] / 1000:g} kb/s"
            axis.stairs(values, [*starts, ends[-1]], baseline=None, color=colours[k], linewidth=1.8, label=label)
    axes[0].set_yscale("log")
    axes[0].set_yticks([1, 1.5, 2, 3, 4, 6, 8], ["1", "1.5", "2", "3", "4", "6", "8"])
    axes[0].minorticks_off()
    axes[1].set_yticks([1, 2, 3, 4], ["1", "1/2", "1/3", "1/4"])
    for axis, name in zip(axes, ("scale factor", "frames coded", "CRF"), strict=True):
        axis.set_ylabel(name)
        axis.invert_yaxis()
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("time (s)")
    lines, names = axes[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=len(names), fontsize=9, frameon=False)
    bench.save(figure, path)
