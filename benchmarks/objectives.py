"""Where ``--objective task`` and ``--objective psnr`` choose differently, and what that buys at equal wire rate.

The shipped affect recognizer looks at the built-in clip (whose labels are known by construction) and at carphone (a
real face without labels). Every point is a run of the product over a perfect channel; both objectives fill the same
budget.

Figures
-------
error_ratio
    Root mean square difference of the recognizer's output from that on the pristine clip, over all frames and both
    dimensions: with ``task`` / with ``psnr``, geometric mean of clips and budgets. Below 1, ``task`` is closer.
agreement_gain, label_gain
    CCC against the output on the pristine clip, and against the labels of the built-in clip: mean of ``task`` minus
    ``psnr`` over budgets and dimensions.
psnr_cost_db
    Mean PSNR that ``task`` gives up.
rungs_differ
    Share of seconds for which the two choose another scale factor or frame rate.
wire_ratio
    Mean wire rate with ``task`` / with ``psnr``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bench
import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from vidlink.command import run_command
from vidlink.files.cache import Cache
from vidlink.labels.affect import AFFECT
from vidlink.report.style import BLUE, VERMILION
from vidlink.scores.metrics import score
from vidlink.settings import Settings

RATES = (12_000, 16_000, 24_000, 32_000, 48_000)
QUICK_RATES = (16_000, 24_000)
OBJECTIVES = ("psnr", "task")
COLOURS = {"psnr": BLUE, "task": VERMILION}

Results = dict[str, dict[str, list[dict[str, Any]]]]


def run(clip: Path | None, rate: int, objective: str, cache: Cache) -> dict[str, Any]:
    """One run: what was chosen, and how close the recognizer's output stayed."""
    settings: dict[str, Any] = {"input": str(clip) if clip else None, "bitrate_bps": rate, "objective": objective}
    made = bench.run(Settings(**settings), cache)
    summary, table = made.summary, made.predictions
    seen, pristine = (table[[name + end for name in AFFECT]].to_numpy(float) for end in ("", "_pristine"))
    labelled = summary["recognition"]["against"] == "labels"
    return {
        "rate_bps": rate,
        "wire_bps": summary["rate"]["wire_bps"],
        "psnr_db": summary["quality"]["psnr_db"],
        "seconds": summary["input"]["seconds"],
        "error": float(np.sqrt(np.mean(np.square(seen - pristine)))),
        "agreement": [score(seen[:, k], pristine[:, k])["ccc"] for k in range(len(AFFECT))],
        "labels_cc": [summary["recognition"]["cc"][name] for name in AFFECT] if labelled else None,
        "labels_ccc": [summary["recognition"]["ccc"][name] for name in AFFECT] if labelled else None,
        "plan": [(row["start_s"], row["scale"], row["frame_divisor"]) for row in summary["plan"]],
        "encodes": summary["timing_s"]["encodes"],
    }


def rungs_each_second(point: dict[str, Any]) -> list[tuple[float, int]]:
    """Scale factor and frame divisor in the middle of each second of a plan, however its segments are joined."""
    starts = np.array([row[0] for row in point["plan"]])
    middles = np.arange(0.5, point["seconds"], 1.0)
    return [tuple(point["plan"][k][1:]) for k in np.searchsorted(starts, middles, side="right") - 1]


def compare(results: Results) -> dict[str, float]:
    """The figures."""
    pairs = [pair for by in results.values() for pair in zip(by["psnr"], by["task"], strict=True)]
    differ = [a != b for p, t in pairs for a, b in zip(rungs_each_second(p), rungs_each_second(t), strict=True)]
    labelled = [(p, t) for p, t in pairs if p["labels_ccc"]]
    return {
        "error_ratio": float(np.exp(np.mean([np.log(t["error"] / p["error"]) for p, t in pairs]))),
        "agreement_gain": float(np.mean([np.subtract(t["agreement"], p["agreement"]) for p, t in pairs])),
        "label_gain": float(np.mean([np.subtract(t["labels_ccc"], p["labels_ccc"]) for p, t in labelled])),
        "psnr_cost_db": float(np.mean([p["psnr_db"] - t["psnr_db"] for p, t in pairs])),
        "rungs_differ": float(np.mean(differ)),
        "wire_ratio": float(np.mean([t["wire_bps"] / p["wire_bps"] for p, t in pairs])),
    }


def show(results: Results) -> None:
    """Print every point."""
    print(
        f"{'clip':<9} {'objective':<9} {'budget':>6} {'used':>6} {'PSNR':>6} {'error':>6}  {'agreement CCC':>13}  "
        f"{'labels CC':>11}  {'labels CCC':>11}  rungs"
    )

    def two(values: list[float] | None) -> str:
        return " ".join(f"{value:.3f}" for value in values) if values else "-"

    for clip, by in results.items():
        for points in zip(*by.values(), strict=True):
            for objective, point in zip(by, points, strict=True):
                rungs = " ".join(f"{scale:g}{'/' + str(d) if d > 1 else ''}" for _, scale, d in point["plan"])
                print(
                    f"{clip:<9} {objective:<9} {point['rate_bps'] / 1000:>5g}k {point['wire_bps'] / 1000:>6.1f} "
                    f"{point['psnr_db']:>6.2f} {point['error']:>6.3f}  {two(point['agreement']):>13}  "
                    f"{two(point['labels_cc']):>11}  {two(point['labels_ccc']):>11}  {rungs}"
                )
    print()


def draw(results: Results, path: Path, *, clip: str, rate: int) -> None:
    """Error and agreement against the rate, and the rungs over time at one budget."""
    figure = Figure(figsize=(9, 5.4), layout="constrained", dpi=110)
    axes = figure.subplot_mosaic("ABC;DDD", height_ratios=[1.2, 1])
    panels = {
        "A": ("error", "output error (RMS)"),
        "B": ("agreement", "agreement (mean CCC)"),
        "C": ("psnr_db", "PSNR (dB)"),
    }
    for letter, (key, name) in panels.items():
        for number, (each, by) in enumerate(results.items()):
            for objective, points in by.items():
                x, y = [p["wire_bps"] / 1000 for p in points], [np.mean(p[key]) for p in points]
                style: Any = {"color": COLOURS[objective], "linestyle": ("-", "--")[number], "marker": "os"[number]}
                axes[letter].plot(x, y, markersize=4, linewidth=1.3, label=f"{objective}, {each}", **style)
        axes[letter].set(xlabel="wire rate (kb/s)", ylabel=name)
        axes[letter].grid(alpha=0.3)
    for shift, (objective, points) in zip((0.985, 1.015), results[clip].items(), strict=True):
        point = next(point for point in points if point["rate_bps"] == rate)
        plan = point["plan"]
        starts = [row[0] for row in plan]
        edges = [*starts, point["seconds"]]
        axes["D"].stairs([row[1] * shift for row in plan], edges, baseline=None, color=COLOURS[objective], linewidth=2)
        for start, (_, scale, divisor) in zip(starts, plan, strict=True):
            place = (start + 0.5, scale * shift)
            where: Any = {"xytext": (0, 4 if shift > 1 else -10), "textcoords": "offset points", "ha": "center"}
            axes["D"].annotate(f"1/{divisor}", place, color=COLOURS[objective], fontsize=8, **where)
    axes["D"].set_yscale("log")
    axes["D"].set_yticks([1, 1.5, 2, 3, 4, 6, 8], ["1", "1.5", "2", "3", "4", "6", "8"])
    axes["D"].minorticks_off()
    axes["D"].set_ylim(0.8, 10)
    axes["D"].set(xlabel=f"time (s), {clip} at {rate / 1000:g} kb/s", ylabel="scale factor, share of frames")
    axes["D"].grid(alpha=0.3)
    lines, names = axes["A"].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=len(names), fontsize=9, frameon=False)
    bench.save(figure, path)


def measure(rates: tuple[int, ...], work: Path) -> Results:
    """All points."""
    clips: dict[str, Path | None] = {"built-in": None}
    if carphone := bench.data("clips/carphone_pristine.mp4"):
        clips["carphone"] = carphone
    cache = Cache(work / "cache", max_bytes=2 << 30)
    points = [(clip, objective, rate) for clip in clips for objective in OBJECTIVES for rate in rates]
    results: Results = {clip: {objective: [] for objective in OBJECTIVES} for clip in clips}
    for clip, objective, rate in tqdm(points, unit="run", disable=None):
        results[clip][objective].append(run(clips[clip], rate, objective, cache))
    return results


def main() -> None:
    """Run everything, print the table, draw, and write the JSON."""
    parser = bench.flags(__doc__, quick="two budgets", figure=True, redraw=True)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep trial encodes there")
    arguments = parser.parse_args()
    if arguments.redraw:
        results = json.loads(arguments.redraw.read_text())["runs"]
    else:
        with bench.folder_or_scratch(arguments.work) as work:
            results = measure(QUICK_RATES if arguments.quick else RATES, work)
    show(results)
    if arguments.figure:
        draw(results, arguments.figure, clip="built-in", rate=24_000)
    bench.report(compare(results), arguments.json, runs=results)


if __name__ == "__main__":
    run_command(main)
