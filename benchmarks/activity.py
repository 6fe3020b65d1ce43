"""Activity over thin, lossy links: accuracy against rate on ARID, whole resolution, one fixed scale, and adaptive.

Every clip is recognized by weights that have seen no clip of its recording group (``--weights``: the folds that
``python -m vidlink.train --task activity --keep-folds`` leaves). Each clip goes over each channel at each rate, coded
whole (scale factor 1), at scale factor 4, and as the planner chooses for what the recognizer keeps (``--objective
task``, scale factors 1 to 16). A rate at which a method cannot code the clip at all counts as refused, not as wrong.

Figures, over all clips of the subset:

accuracy_whole, accuracy_fixed, accuracy_adaptive
    Share of clips whose class is named, mean over channels and rates where the method could code at least half of the
    clips.
lowest_bps_whole, lowest_bps_fixed, lowest_bps_adaptive
    Lowest rate at which the method could code every clip over a perfect channel.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bench
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vidlink.command import run_command
from vidlink.data.classfolders import ClipFile, assign_folds, list_clips
from vidlink.errors import UserError
from vidlink.report.style import BLACK, BLUE, FAINT_GREY, GREY, VERMILION
from vidlink.scores.metrics import wilson
from vidlink.sweeping.grid import sweep_from

if TYPE_CHECKING:
    import argparse

CHANNELS = ("perfect", "bernoulli-5", "gilbert-elliott")
RATES = ("8k", "16k", "32k", "64k", "128k", "256k")
METHODS: dict[str, dict[str, Any]] = {
    "whole": {"scale": 1},
    "fixed": {"scale": 4},
    "adaptive": {"scales": "1,2,4,8,16", "objective": "task"},
}
MEANS = ("recognition_accuracy_clip", "recognition_accuracy", "rate_wire_bps", "rate_bpp", "plan_mean_scale")
"""Columns of the sweep's table that are averaged over clips."""
LABELS = {"whole": "whole resolution", "fixed": "scale factor 4", "adaptive": "adaptive, for the task"}
COLOURS = {"whole": VERMILION, "fixed": GREY, "adaptive": BLUE}


def main() -> None:
    """Run the sweep (or go on with it), print the table, draw the figure."""
    parser = bench.flags(__doc__, quick="one clip of three classes, three rates, one channel", figure=True)
    parser.add_argument("--data", type=Path, help="class folders (default: arid6 in VIDLINK_DATA)")
    parser.add_argument("--weights", required=True, metavar="STEM", help="STEM.fold1.safetensors, STEM.fold2..., ...")
    parser.add_argument("--clips", type=int, default=2, help="clips of each class, of different groups first (2)")
    parser.add_argument("--out", type=Path, default=Path("runs/activity"), help="results folder, gone on with")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    data = arguments.data or bench.data("arid6")
    if data is None:
        raise UserError("no clips: give --data, or set VIDLINK_DATA to a folder with arid6")
    rows = summarize(run(data, arguments))
    print(rows.to_string(index=False))
    if arguments.figure:
        draw(arguments.figure, rows)
    bench.report(figures_of(rows), arguments.json, rows=rows.to_dict("records"))


def run(data: Path, arguments: argparse.Namespace) -> pd.DataFrame:
    """The table of the sweep, a row a run."""
    files = list_clips(data)
    folds = dict(zip(files, assign_folds(files).tolist(), strict=True))
    chosen = choose(files, 1 if arguments.quick else arguments.clips)
    chosen = chosen[::2] if arguments.quick else chosen
    clips = [
        {
            "name": f"{file.label}/{file.path.name}",
            "input": str(file.path.absolute()),
            "weights": str(Path(f"{arguments.weights}.fold{folds[file] + 1}.safetensors").absolute()),
        }
        for file in chosen
    ]
    raw = {
        "settings": {"recognizer": "activity", "no-scores": True, "device": "cpu"},
        "grid": {
            "clip": clips,
            "method": [{"name": name, **settings} for name, settings in METHODS.items()],
            "bitrate": ["8k", "32k", "128k"] if arguments.quick else list(RATES),
            "channel": ["perfect"] if arguments.quick else list(CHANNELS),
        },
    }
    points = list(sweep_from(raw).make_points(Path()))
    return bench.sweep_table(points, arguments.out, arguments.workers, may_refuse=True, cache_bytes=2 * 10**9)


def choose(files: list[ClipFile], count: int) -> list[ClipFile]:
    """So many clips of each class, one of each recording group before a second of any."""
    chosen = []
    for label in sorted({file.label for file in files}):
        seen: dict[str, int] = {}
        ranked = []
        for file in (file for file in files if file.label == label):
            ranked.append((seen.get(file.group, 0), file.group, file))
            seen[file.group] = seen.get(file.group, 0) + 1
        chosen += [file for _, _, file in sorted(ranked, key=lambda row: row[:2])[:count]]
    return chosen


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """A row a channel, method and rate: accuracy over clips with Wilson's interval, windows, mean rates."""
    rows = []
    for keys, group in table.groupby(["channel", "method", "bitrate_bps"], sort=False):
        channel, method, bitrate_bps = cast("tuple[str, str, float]", keys)
        done = group[group["status"] == "done"]
        accuracy, windows, wire_bps, bpp, scale = (done[name].astype(float).mean() for name in MEANS)
        low, high = (wilson(round(accuracy * len(done)), len(done)) if len(done) else None) or (np.nan, np.nan)
        counts: dict[str, Any] = {"channel": channel, "method": method, "kbps": bitrate_bps / 1000, "clips": len(done)}
        scores = {"refused": len(group) - len(done), "accuracy": accuracy, "low": low, "high": high, "windows": windows}
        rows.append({**counts, **scores, "wire_kbps": wire_bps / 1000, "bpp": bpp, "scale": scale})
    return pd.DataFrame(rows).round(4)


def figures_of(rows: pd.DataFrame) -> dict[str, float | None]:
    """The figures that the head of this file describes."""
    found: dict[str, float | None] = {}
    for method in METHODS:
        mine = rows[rows["method"] == method]
        coded = mine[mine["clips"] >= mine["refused"]]
        found[f"accuracy_{method}"] = float(coded["accuracy"].mean()) if len(coded) else None
        whole = mine[(mine["refused"] == 0) & (mine["channel"] == "perfect")]
        found[f"lowest_bps_{method}"] = float(whole["kbps"].min()) * 1000 if len(whole) else None
    return found


def draw(path: Path, rows: pd.DataFrame) -> None:
    """Draw accuracy against wire rate and against bits per pixel, a column a channel."""
    channels = list(dict.fromkeys(rows["channel"]))
    figure = Figure(figsize=(3.6 * len(channels), 6), layout="constrained", dpi=100)
    axes = figure.subplots(2, len(channels), sharey=True, squeeze=False)
    for column, channel in enumerate(channels):
        for method, label in LABELS.items():
            mine = rows[(rows["channel"] == channel) & (rows["method"] == method) & (rows["clips"] > 0)]
            for axis, key in zip(axes[:, column], ("wire_kbps", "bpp"), strict=True):
                # Side by side, or equal accuracies would hide each other.
                aside = mine[key] * {"whole": 0.94, "fixed": 1.0, "adaptive": 1.06}[method]
                reach = [mine["accuracy"] - mine["low"], mine["high"] - mine["accuracy"]]
                style: Any = {"fmt": "o-", "color": COLOURS[method], "markersize": 4, "elinewidth": 0.8}
                axis.errorbar(aside, mine["accuracy"], yerr=reach, label=label, **style)
        for axis, name in zip(axes[:, column], ("wire rate (kb/s)", "payload bits per pixel"), strict=True):
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter(lambda value, _: f"{value:.2g}" if value < 1 else f"{value:g}")
            axis.axhline(1 / 6, color=BLACK, linewidth=0.8, linestyle=":")
            axis.set_xlabel(name)
            axis.set_ylim(0, 1.02)
            axis.grid(color=FAINT_GREY)
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=8)
        axes[0, column].set_title(channel, fontsize=10)
    for axis in axes[:, 0]:
        axis.set_ylabel("accuracy over clips")
    axes[0, 0].legend(frameon=False, fontsize=8, loc="lower right")
    for axis in axes[1]:
        axis.tick_params(axis="x", rotation=45)
    bench.save(figure, path)


if __name__ == "__main__":
    run_command(main)
