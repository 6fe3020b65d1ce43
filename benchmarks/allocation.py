"""The planner against the exhaustive search and the usual baselines: rate, quality, cost.

Every point is a run of the product itself over a perfect channel, without recognizer. The exhaustive reference tries
every scale factor x the codec's quality grid x the frame divisors 1, 2, 3, 4; its grid of qualities is coarser than
what the planner may use, so the planner can be better than the reference.

Figures
-------
bd_rate_vs_reference
    Mean over clips of the BD-rate (percent, piecewise cubic, PSNR) of the planner against the exhaustive search.
search_cost_ratio
    Encoding processor time of the planner / of the exhaustive search, all clips and rates. Target: at most 1/6.
bd_rate_vs_full
    Mean BD-rate of the planner against scale 1 with every frame, on rates below 48 kb/s. Target: -25 or less.
bd_rate_vs_best_fixed
    BD-rate of the planner against the best fixed scale, on the clip that joins different content. Target: -10 or less.
utilisation_min, utilisation_max
    Wire rate / budget over all clips and rates of the planner. Target: 0.97 to 1.00 wherever the clip can use the bits.

Clips come from the folder in VIDLINK_DATA (and the built-in one, which is all there is without it).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator
from tqdm import tqdm

from vidlink.errors import UserError
from vidlink.runfolder import RunFolder
from vidlink.settings import Settings
from vidlink.simulate import simulate

RATES = (12_000, 16_000, 24_000, 48_000, 96_000, 192_000, 512_000)
QUICK_RATES = (12_000, 24_000, 48_000)
METHODS = {
    "planner": {"search": "guided"},
    "reference": {"search": "exhaustive"},
    "full size": {"search": "guided", "scales": (1.0,), "divisors": (1,)},
    "best fixed": {"search": "best-fixed"},
    "ladder": {"search": "ladder"},
}
STYLE = {
    "planner": ("#000000", "-", "o"),
    "reference": ("#888888", "--", "s"),
    "full size": ("#d55e00", "-", "^"),
    "best fixed": ("#0072b2", "-.", "v"),
    "ladder": ("#009e73", ":", "d"),
}


def join_clips(data: Path, folder: Path) -> Path:
    """One clip that mixes content: two seconds each of carphone, bikes and bigbuckbunny at 320x192."""
    path = folder / "mixed.mp4"
    names = ["carphone_pristine.mp4", "bikes.mp4", "bigbuckbunny.mp4"]
    inputs = [part for name in names for part in ("-t", "2", "-i", str(data / "clips" / name))]
    chains = "".join(f"[{k}]fps=25,scale=320:192,setsar=1[v{k}];" for k in range(len(names)))
    graph = f"{chains}{''.join(f'[v{k}]' for k in range(len(names)))}concat=n={len(names)}:v=1[v]"
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[v]", "-crf", "8", str(path)]
    subprocess.run(command, check=True)
    return path


def find_clips(folder: Path, *, quick: bool) -> dict[str, str | None]:
    """Name and path of every clip; None is the built-in one."""
    root = os.environ.get("VIDLINK_DATA")
    if not root:
        print("VIDLINK_DATA is not set: the built-in clip alone", file=sys.stderr)
        return {"built-in": None}
    data = Path(root)
    clips: dict[str, str | None] = {"carphone": str(data / "clips" / "carphone_pristine.mp4")}
    clips["mixed"] = str(join_clips(data, folder))
    if not quick:
        clips["bikes"] = str(data / "clips" / "bikes.mp4")
        clips |= {
            name: str(data / "arid6" / f"{name.split('_')[0]}" / f"{name}.mp4") for name in ("Run_1_1", "Jump_8_1")
        }
        clips["built-in"] = None
    return clips


def run(clip: str | None, rate: int, method: str, folder: Path) -> dict | None:
    """One run; None where the rate is below what the method can do."""
    settings = Settings(input=clip, bitrate_bps=float(rate), recognizer="none", save_video=False)
    try:
        with RunFolder(folder / "run", overwrite=True) as place:
            summary = simulate(replace(settings, **METHODS[method]), place, quiet=True)
    except UserError:
        return None
    return {
        "rate_bps": rate,
        "wire_bps": summary["rate"]["wire_bps"],
        "utilisation": summary["rate"]["utilisation"],
        "psnr_db": summary["quality"]["psnr_db"],
        "encode_cpu_s": summary["timing_s"]["encode_cpu"],
        "encodes": summary["timing_s"]["encodes"],
        "plan": [(row["scale"], row["frame_divisor"], row["quality"]) for row in summary["plan"]],
    }


def bd_rate(ours: list[dict], anchor: list[dict]) -> float | None:
    """Mean difference of the rate at equal PSNR in percent (Bjontegaard 2001, piecewise cubic), or None.

    None where a curve has fewer than three points, falls with the rate, or the two do not overlap in quality.
    """
    curves = []
    for points in (ours, anchor):
        points = sorted(points, key=lambda point: point["wire_bps"])
        quality = np.array([point["psnr_db"] for point in points])
        if len(points) < 3 or (np.diff(quality) <= 0).any():
            return None
        curves.append(PchipInterpolator(quality, np.log([point["wire_bps"] for point in points])))
    low, high = (f(c.x[end] for c in curves) for f, end in ((max, 0), (min, -1)))
    if high <= low:
        return None
    difference = curves[0].integrate(low, high) - curves[1].integrate(low, high)
    return 100 * (float(np.exp(difference / (high - low))) - 1)


def draw(results: dict[str, dict[str, list[dict]]], path: Path) -> None:
    """Rate against PSNR for every clip and method."""
    from matplotlib.figure import Figure

    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    figure = Figure(figsize=(4 * columns, 3.2 * rows), layout="constrained", dpi=130)
    for axis, (clip, methods) in zip(figure.subplots(rows, columns, squeeze=False).flat, results.items(), strict=False):
        for method, points in methods.items():
            colour, line, marker = STYLE[method]
            x, y = [p["wire_bps"] / 1000 for p in points], [p["psnr_db"] for p in points]
            axis.plot(x, y, line, color=colour, marker=marker, markersize=4, linewidth=1.3, label=method)
        axis.set_xscale("log")
        axis.set_xticks([12, 24, 48, 96, 192, 512], ["12", "24", "48", "96", "192", "512"])
        axis.minorticks_off()
        axis.set_title(clip, fontsize=10)
        axis.grid(alpha=0.3)
        axis.set_xlabel("wire rate (kb/s)")
        axis.set_ylabel("PSNR (dB)")
    figure.axes[0].legend(fontsize=8, frameon=False)
    figure.savefig(path, metadata={"Software": None})


def mean(values: list[float | None]) -> float | None:
    """Mean of what could be computed."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def main() -> None:
    """Run everything, print the tables, draw, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two clips, three rates")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--figure", type=Path, metavar="PNG")
    arguments = parser.parse_args()
    rates = QUICK_RATES if arguments.quick else RATES
    results: dict[str, dict[str, list[dict]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = find_clips(folder, quick=arguments.quick)
        points = [(clip, method, rate) for clip in clips for method in METHODS for rate in rates]
        for clip, method, rate in tqdm(points, unit="run", disable=None):
            made = run(clips[clip], rate, method, folder)
            if made:
                results.setdefault(clip, {}).setdefault(method, []).append(made)

    print(f"{'clip':<10} {'method':<11} {'budget':>7} {'used':>6} {'PSNR':>6} {'encodes':>8} {'CPU s':>7}")
    for clip, methods in results.items():
        for method, made in methods.items():
            for point in made:
                worth = f"{point['utilisation']:>6.3f} {point['psnr_db']:>6.2f}"
                cost = f"{point['encodes']:>8} {point['encode_cpu_s']:>7.2f}"
                print(f"{clip:<10} {method:<11} {point['rate_bps'] / 1000:>6g}k {worth} {cost}")
    below = {
        clip: {method: [p for p in made if p["rate_bps"] <= 48_000] for method, made in methods.items()}
        for clip, methods in results.items()
    }
    against = {
        method: {clip: bd_rate(m["planner"], m.get(method, [])) for clip, m in results.items()} for method in METHODS
    }
    full = {clip: bd_rate(m["planner"], m.get("full size", [])) for clip, m in below.items()}
    print(
        f"\nBD-rate of the planner in percent (negative saves)\n{'clip':<10} " + " ".join(f"{m:>11}" for m in METHODS)
    )
    for clip in results:
        cells = [against[method][clip] for method in METHODS]
        print(f"{clip:<10} " + " ".join(f"{'-' if cell is None else format(cell, '.1f'):>11}" for cell in cells))
    cpu_s = {m: sum(p["encode_cpu_s"] for c in results.values() for p in c.get(m, [])) for m in METHODS}
    used = [p["utilisation"] for methods in results.values() for p in methods["planner"]]
    figures = {
        "bd_rate_vs_reference": mean(list(against["reference"].values())),
        "search_cost_ratio": cpu_s["planner"] / cpu_s["reference"],
        "bd_rate_vs_full": mean(list(full.values())),
        "bd_rate_vs_best_fixed": against["best fixed"].get("mixed"),
        "utilisation_min": min(used),
        "utilisation_max": max(used),
    }
    print()
    for key, value in figures.items():
        print(f"{key:<24} {'-' if value is None else format(value, '.3f')}")
    if arguments.figure:
        draw(results, arguments.figure)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"figures": figures, "against": against, "runs": results}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
