"""The planner against the exhaustive search and the usual baselines: rate, quality, cost.

Every point is a run of the product itself over a perfect channel, without recognizer. The exhaustive reference tries
every scale factor x the codec's quality grid x the frame divisors 1, 2, 3, 4; its grid of qualities is coarser than
what the planner may use, so the planner can be better than the reference.

All runs share one cache of trial encodes, which remembers what each of them cost: a method's processor time is what it
would have been alone. With ``--work FOLDER`` the cache and the finished points stay there, and an interrupted benchmark
goes on where it was; other settings need another folder.

Figures
-------
bd_rate_vs_reference
    Mean over clips of the BD-rate (percent, piecewise cubic, PSNR) of the planner against the exhaustive search.
bd_rate_vs_reference_worst
    The largest of them.
search_cost_ratio
    Encoding processor time of the planner / of the exhaustive search, all clips and rates. Target: at most 1/6.
bd_rate_vs_full
    Mean BD-rate of the planner against scale 1 with every frame, on rates up to 48 kb/s. Target: -25 or less.
bd_rate_vs_best_fixed
    BD-rate of the planner against the best fixed scale (the frame rate free), on the clip that joins different content
    at its own size. Target: -10 or less.
bd_rate_vs_best_fixed_scaled
    The same where the joined clips were first scaled to one size.
bd_rate_vs_best_fixed_every_frame
    As bd_rate_vs_best_fixed, but the fixed scale codes every frame.
utilisation_min, utilisation_max
    Wire rate / budget over all points of the planner at which the clip can use the bits. Target: 0.97 to 1.00.

Clips come from the folder in VIDLINK_DATA (and the built-in one, which is all there is without it).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from tqdm import tqdm

from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.files.cache import Cache
from vidlink.report.run_folder import RunFolder
from vidlink.sender.encode import encode
from vidlink.sender.ladder import usable_scales
from vidlink.sender.memory import Memory
from vidlink.settings import Settings
from vidlink.simulate import simulate
from vidlink.types import Rung
from vidlink.units import parse_rate
from vidlink.video.open import open_source

if TYPE_CHECKING:
    from collections.abc import Sequence

RATES = (12_000, 16_000, 24_000, 32_000, 48_000, 96_000, 192_000, 512_000)
QUICK_RATES = (12_000, 24_000, 48_000)
QUICK_CLIPS = ("carphone", "mixed")
LOW_BPS = 48_000
METHODS: dict[str, dict[str, Any]] = {
    "planner": {"search": "guided"},
    "reference": {"search": "exhaustive"},
    "full size": {"search": "guided", "scales": (1.0,), "divisors": (1,)},
    "best fixed": {"search": "best-fixed"},
    "best fixed, all frames": {"search": "best-fixed", "divisors": (1,)},
    "ladder": {"search": "ladder"},
}
STYLE = {
    "planner": ("#000000", "-", "o"),
    "reference": ("#888888", "--", "s"),
    "full size": ("#d55e00", "-", "^"),
    "best fixed": ("#0072b2", "-.", "v"),
    "best fixed, all frames": ("#56b4e9", "-.", "<"),
    "ladder": ("#009e73", ":", "d"),
}

Point = dict[str, Any]
Results = dict[str, dict[str, list[Point]]]


def join_clips(data: Path, path: Path, *, width: int, height: int, scaled: bool) -> Path:
    """One clip that mixes content: two seconds of each clip there is, on one canvas.

    Either all are scaled to the canvas, or those that fit keep their own size in its middle.
    """
    sources = {
        "carphone_pristine.mp4": [],
        "bikes.mp4": [],
        "bigbuckbunny.mp4": [],
        "CiscoVT2people_320x192_12fps.yuv": ["-f", "rawvideo", "-video_size", "320x192", "-framerate", "12"],
    }
    inputs = [part for name, how in sources.items() for part in (*how, "-t", "2", "-i", str(data / "clips" / name))]
    fit = f"scale={width}:{height}"
    if not scaled:
        smaller = f"scale='min(iw,{width})':'min(ih,{height})':force_original_aspect_ratio=decrease"
        fit = f"{smaller}:force_divisible_by=2,pad={width}:{height}:-1:-1"
    chains = "".join(f"[{k}]fps=25,{fit},setsar=1,format=yuv420p[v{k}];" for k in range(len(sources)))
    graph = f"{chains}{''.join(f'[v{k}]' for k in range(len(sources)))}concat=n={len(sources)}:v=1[v]"
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[v]", "-crf", "8", str(path)]
    subprocess.run(command, check=True)
    return path


def find_clips(folder: Path) -> dict[str, str | None]:
    """Name and path of every clip; None is the built-in one."""
    root = os.environ.get("VIDLINK_DATA")
    if not root:
        print("VIDLINK_DATA is not set: the built-in clip alone", file=sys.stderr)
        return {"built-in": None}
    data = Path(root)
    return {
        "carphone": str(data / "clips" / "carphone_pristine.mp4"),
        "mixed": str(join_clips(data, folder / "mixed.mp4", width=640, height=360, scaled=False)),
        "scaled": str(join_clips(data, folder / "scaled.mp4", width=320, height=192, scaled=True)),
        "bikes": str(data / "clips" / "bikes.mp4"),
        **{
            name: str(data / "arid6" / name.split("_")[0] / f"{name}.mp4")
            for name in ("Run_1_1", "Jump_8_1", "Sit_10_1")
        },
        "built-in": None,
    }


def run(settings: Settings, folder: Path, cache: Cache) -> Point | None:
    """One run; None where the rate is below what the method can do."""
    try:
        with RunFolder(folder / "run", overwrite=True) as place:
            summary = simulate(settings, place, quiet=True, memory=Memory(cache, objective="psnr"))
    except UserError as error:
        if "lowest rate that works" not in str(error):
            raise
        return None
    return {
        "rate_bps": settings.bitrate_bps,
        "wire_bps": summary["rate"]["wire_bps"],
        "utilisation": summary["rate"]["utilisation"],
        "psnr_db": summary["quality"]["psnr_db"],
        "encode_cpu_s": summary["timing_s"]["encode_cpu"],
        "encodes": summary["timing_s"]["encodes"],
        "plan": [
            (row["start_s"], row["scale"], row["frame_divisor"], row["quality"], row["wire_bits"])
            for row in summary["plan"]
        ],
    }


def remembered(work: Path, clip: str, method: str, rate: int, make: partial[Point | None]) -> Point | None:
    """A point that an earlier benchmark in the same folder finished, or a new one."""
    path = work / "points" / f"{clip}-{method}-{rate}.json".replace(" ", "_").replace(",", "")
    if not path.is_file():
        point = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(point))
    return json.loads(path.read_text())


def expected_s(clips: dict[str, str | None], base: Settings) -> float:
    """About how many processor seconds everything takes: the exhaustive search is most of it.

    One segment of each clip is coded at scale 1; what the rest of the ladder takes beside that is known.
    """
    codec, total_s = load_codec(base.codec), 0.0
    for path in clips.values():
        source = open_source(path)
        clip = source.clip
        segment = next(source.segments(base.segment_s))
        start = time.thread_time()
        encode(segment, Rung(scale=1.0, quality=32.0), clip=clip, codec=codec)
        once_s = time.thread_time() - start
        scales = usable_scales(base.scales, clip.width, clip.height, min_side=codec.min_side)
        pixels = sum(1 / scale**1.6 for scale in scales)  # small pictures cost more than their pixels
        frames = sum(1 / divisor for divisor in base.divisors)
        # Decoding and measuring take about as long again, and all runs of all methods as long as the search.
        total_s += (clip.seconds or 10.0) / base.segment_s * once_s * pixels * frames * len(codec.quality.grid) * 4
    return total_s


def bd_rate(ours: list[Point], anchor: list[Point]) -> float | None:
    """Mean difference of the rate at equal PSNR in percent (Bjontegaard 2001, piecewise cubic), or None.

    Points that a cheaper one equals are left out. None where fewer than three are left, or the qualities of the two do
    not overlap.
    """
    curves = []
    for points in (ours, anchor):
        rising: list[Point] = []
        for point in sorted(points, key=lambda point: point["wire_bps"]):
            if not rising or point["psnr_db"] > rising[-1]["psnr_db"]:
                rising.append(point)
        if len(rising) < 3:
            return None
        rates = [point["wire_bps"] for point in rising]
        curves.append(PchipInterpolator([point["psnr_db"] for point in rising], np.log(rates)))
    low, high = (f(c.x[end] for c in curves) for f, end in ((max, 0), (min, -1)))
    if high <= low:
        return None
    difference = curves[0].integrate(low, high) - curves[1].integrate(low, high)
    return 100 * (float(np.exp(difference / (high - low))) - 1)


def draw(results: Results, path: Path) -> None:
    """Rate against PSNR for every clip and method, and below it what each differs from the planner at equal rate."""
    from matplotlib.figure import Figure

    columns = min(4, len(results))
    rows = -(-len(results) // columns)
    figure = Figure(figsize=(3.1 * columns, 4 * rows + 0.4), layout="constrained", dpi=72)
    axes = figure.subplots(2 * rows, columns, squeeze=False, sharex=True, height_ratios=[1.5, 1] * rows)
    for number, (clip, methods) in enumerate(results.items()):
        row, column = 2 * (number // columns), number % columns
        above, below = axes[row, column], axes[row + 1, column]
        ours = [[np.log(p["wire_bps"]) for p in methods["planner"]], [p["psnr_db"] for p in methods["planner"]]]
        for method, points in methods.items():
            if not points:
                continue
            colour, line, marker = STYLE[method]
            style = {"color": colour, "marker": marker, "markersize": 3.5, "linewidth": 1.2, "label": method}
            x, y = [p["wire_bps"] / 1000 for p in points], [p["psnr_db"] for p in points]
            above.plot(x, y, line, **style)
            below.plot(x, y - np.interp(np.log(1000 * np.array(x)), *ours), line, **style)
        above.set_title(clip, fontsize=10)
        below.set_xscale("log")
        below.set_xticks([12, 24, 48, 96, 192, 512], ["12", "24", "48", "96", "192", "512"])
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
    figure.savefig(path, metadata={"Software": None} if path.suffix == ".png" else None)


def draw_rungs(results: Results, path: Path, *, clip: str) -> None:
    """What the planner chose over time on one clip, a row of panels a budget: scale, frame rate, quality."""
    from matplotlib.figure import Figure

    points = [p for p in results[clip]["planner"] if p["rate_bps"] in (12_000, 24_000, 48_000, 96_000)]
    figure = Figure(figsize=(8, 5.2), layout="constrained", dpi=110)
    axes = figure.subplots(3, 1, sharex=True)
    colours = ["#440154", "#31688e", "#35b779", "#d8b80f"]
    for k, point in enumerate(points):
        starts = [row[0] for row in point["plan"]]
        ends = [*starts[1:], 2 * starts[-1] - starts[-2]]
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
    figure.savefig(path, metadata={"Software": None} if path.suffix == ".png" else None)


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of what could be computed."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def compare(results: Results) -> tuple[dict[str, float | None], dict[str, dict[str, float | None]]]:
    """The figures, and the BD-rates of the planner by method and clip (``full size, low``: up to 48 kb/s)."""
    low = {
        clip: {method: [p for p in made if p["rate_bps"] <= LOW_BPS] for method, made in methods.items()}
        for clip, methods in results.items()
    }
    against = {
        method: {clip: bd_rate(m["planner"], m.get(method, [])) for clip, m in results.items()}
        for method in METHODS
        if method != "planner"
    }
    against["full size, low"] = {clip: bd_rate(m["planner"], m.get("full size", [])) for clip, m in low.items()}
    reference = [value for value in against["reference"].values() if value is not None]
    cpu_s = {m: sum(p["encode_cpu_s"] for c in results.values() for p in c.get(m, [])) for m in METHODS}
    # Where every frame at full size and the best quality needs less than the budget the bits cannot be used.
    best = load_codec("x264").quality.best
    used = [
        point["utilisation"]
        for methods in results.values()
        for point in methods["planner"]
        if not all(row[1:4] == [1.0, 1, best] for row in map(list, point["plan"]))
    ]
    figures = {
        "bd_rate_vs_reference": mean(reference),
        "bd_rate_vs_reference_worst": max(reference, default=None),
        "search_cost_ratio": cpu_s["planner"] / cpu_s["reference"] if cpu_s["reference"] else None,
        "bd_rate_vs_full": mean(list(against["full size, low"].values())),
        "bd_rate_vs_best_fixed": against["best fixed"].get("mixed"),
        "bd_rate_vs_best_fixed_scaled": against["best fixed"].get("scaled"),
        "bd_rate_vs_best_fixed_every_frame": against["best fixed, all frames"].get("mixed"),
        "utilisation_min": min(used, default=None),
        "utilisation_max": max(used, default=None),
    }
    return figures, against


def show(results: Results) -> None:
    """Print every point, the BD-rates and the figures."""
    print(f"{'clip':<13} {'method':<22} {'budget':>7} {'used':>6} {'PSNR':>6} {'encodes':>8} {'CPU s':>7}")
    for clip, methods in results.items():
        for method, made in methods.items():
            for point in made:
                worth = f"{point['utilisation']:>6.3f} {point['psnr_db']:>6.2f}"
                cost = f"{point['encodes']:>8} {point['encode_cpu_s']:>7.2f}"
                print(f"{clip:<13} {method:<22} {point['rate_bps'] / 1000:>6g}k {worth} {cost}")
    figures, against = compare(results)
    print("\nBD-rate of the planner in percent (negative saves; low: up to 48 kb/s)")
    print(f"{'clip':<13} " + " ".join(f"{method:>22}" for method in against))
    for clip in results:
        cells = [by_clip[clip] for by_clip in against.values()]
        print(f"{clip:<13} " + " ".join(f"{'-' if cell is None else format(cell, '.1f'):>22}" for cell in cells))
    print()
    for key, value in figures.items():
        print(f"{key:<34} {'-' if value is None else format(value, '.3f')}")


def measure(arguments: argparse.Namespace, work: Path) -> Results:
    """All points that were asked for."""
    base = Settings(
        codec=arguments.codec, segment_s=arguments.segment, recognizer="none", save_video=False, save_plot=False
    )
    clips = find_clips(work)
    wanted = QUICK_CLIPS if arguments.quick else arguments.clips.split(",") if arguments.clips else tuple(clips)
    if unknown := [name for name in wanted if name not in clips and not arguments.quick]:
        raise SystemExit(f"--clips: no clip {unknown[0]!r}; there are {', '.join(clips)}")
    clips = {name: path for name, path in clips.items() if name in wanted} or clips
    rates: Sequence[int] = QUICK_RATES if arguments.quick else RATES
    if arguments.rates:
        rates = [round(parse_rate(text)) for text in arguments.rates.split(",")]
    minutes = expected_s(clips, base) / 60
    print(
        f"{len(clips)} clips, {len(rates)} rates: about {minutes:.0f} minutes of one core, less what is remembered",
        file=sys.stderr,
    )
    cache = Cache(work / "cache", max_bytes=8 << 30)
    # The largest rate first: its exhaustive search makes every trial that the others need.
    points = [
        (clip, method, rate)
        for clip in clips
        for rate in sorted(rates, reverse=True)
        for method in ("reference", *(method for method in METHODS if method != "reference"))
    ]
    found: dict[tuple[str, str, int], Point | None] = {}
    for clip, method, rate in tqdm(points, unit="run", disable=None):
        settings = replace(base, input=clips[clip], bitrate_bps=float(rate), **METHODS[method])
        make = partial(run, settings, work, cache)
        found[clip, method, rate] = remembered(work, clip, method, rate, make)
    return {
        clip: {method: [point for rate in sorted(rates) if (point := found[clip, method, rate])] for method in METHODS}
        for clip in clips
    }


def main() -> None:
    """Run everything, print the tables, draw, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two clips, three rates")
    parser.add_argument("--clips", metavar="A,B", help="these clips only")
    parser.add_argument("--rates", metavar="12k,24k", help="these budgets only")
    parser.add_argument("--codec", default="x264", metavar="NAME", help="codec recipe, or a TOML file")
    parser.add_argument("--segment", type=float, default=1.0, metavar="S", help="length of a segment in seconds")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep trials and points there, and go on from them")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="rate against PSNR")
    parser.add_argument("--rungs", type=Path, metavar="FILE", help="the chosen rungs over time")
    parser.add_argument("--redraw", type=Path, metavar="FILE", help="run nothing: take the points of an earlier --json")
    arguments = parser.parse_args()
    if arguments.redraw:
        results = json.loads(arguments.redraw.read_text())["runs"]
    elif arguments.work:
        arguments.work.mkdir(parents=True, exist_ok=True)
        results = measure(arguments, arguments.work)
    else:
        with tempfile.TemporaryDirectory() as name:
            results = measure(arguments, Path(name))
    show(results)
    if arguments.figure:
        draw(results, arguments.figure)
    if arguments.rungs:
        draw_rungs(results, arguments.rungs, clip="mixed" if "mixed" in results else next(iter(results)))
    if arguments.json:
        figures, against = compare(results)
        for methods in results.values():
            for method in METHODS.keys() - {"planner"}:
                for point in methods[method]:
                    point.pop("plan", None)  # of no further use, and most of the file
        lines = ",\n".join(f"{json.dumps(clip)}: {json.dumps(methods)}" for clip, methods in results.items())
        head = json.dumps({"figures": figures, "bd_rates": against}, indent=1).removesuffix("\n}")
        arguments.json.write_text(f'{head},\n "runs": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main()
