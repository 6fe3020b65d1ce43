"""The planner against the exhaustive search and the usual baselines: rate, quality, cost.

Every point is a run of the product itself over a perfect channel, without recognizer. All methods are as free as the
planner to leave frames out and to join segments into groups with one key frame, but for those named otherwise. The
exhaustive reference tries every scale factor x the codec's quality grid x the frame divisors 1, 2, 3, 4 on all
groups of a tree (eight seconds, its halves, down to single segments); its grid of qualities is coarser than what the
planner may use, so the planner can be better than the reference.

The points are a sweep with one cache of trial encodes, which remembers what each of them cost: a method's processor
time is what it would have been alone. With ``--work FOLDER`` cache and results stay there, and an interrupted benchmark
goes on where it was.

Figures
-------
bd_rate_vs_reference
    Mean over clips of the BD-rate (percent, piecewise cubic, PSNR) of the planner against the exhaustive search.
bd_rate_vs_reference_worst
    The largest of them.
search_cost_ratio
    Encoding processor time of the planner / of the exhaustive search, all clips and rates. Target: at most 1/6.
bd_rate_vs_full
    Mean BD-rate of the planner against scale 1, on rates up to 48 kb/s. Target: -15 or less.
bd_rate_vs_full_every_frame
    The same against scale 1 with every frame.
bd_rate_vs_best_fixed
    BD-rate of the planner against the best fixed scale, on the clip that joins different content at its own size.
bd_rate_vs_best_fixed_scaled
    The same where the joined clips were first scaled to one size. Target: -5 or less.
bd_rate_worst_vs_best_fixed
    The same on the clip on which it is largest. Target: at most 1.
bd_rate_vs_one_second_gop
    Mean over the clips but the built-in one of the BD-rate of the planner against itself with a key frame every second,
    on rates up to 48 kb/s. Target: -15 or less.
bd_rate_vs_best_fixed_every_frame
    As bd_rate_vs_best_fixed, but the fixed scale codes every frame.
utilisation_min, utilisation_max
    Wire rate / budget over all points of the planner at which the clip can use the bits. Target: 0.97 to 1.00.

Clips come from the folder in VIDLINK_DATA (and the built-in one, which is all there is without it).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
from allocation_clips import find_clips
from allocation_figures import draw, draw_rungs

from vidlink.codec.shelf import load_codec
from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.scores.bd import bd_rate
from vidlink.sender.encode import encode
from vidlink.sender.ladder import usable_scales
from vidlink.settings import Settings
from vidlink.sweeping.grid import sweep_from
from vidlink.types import Rung

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

RATES = (12_000, 16_000, 24_000, 32_000, 48_000, 96_000, 192_000, 512_000)
QUICK_RATES = (12_000, 24_000, 48_000)
QUICK_CLIPS = ("carphone", "mixed")
LOW_BPS = 48_000
LEVELS = 4
"""Levels of the tree of groups: of eight segments, four, two and one."""
METHODS: dict[str, dict[str, Any]] = {
    "planner": {"search": "guided"},
    "reference": {"search": "exhaustive"},
    "one-second groups": {"search": "guided", "gop": 1},
    "full size": {"search": "guided", "scales": "1"},
    "full size, all frames": {"search": "guided", "scales": "1", "divisors": "1"},
    "best fixed": {"search": "best-fixed"},
    "best fixed, all frames": {"search": "best-fixed", "divisors": "1"},
    "ladder": {"search": "ladder"},
}

Point = dict[str, Any]
Results = dict[str, dict[str, list[Point]]]


def expected_s(clips: dict[str, Path | None], base: Settings) -> float:
    """About how many processor seconds everything takes: the exhaustive search is most of it.

    One segment of each clip is coded at scale 1; what the rest of the ladder takes beside that is known.
    """
    codec, total_s = load_codec(base.codec), 0.0
    for path in clips.values():
        source = bench.open_clip(path)
        clip = source.clip
        segment = next(source.segments(base.segment_s))
        start = time.thread_time()
        encode(segment, Rung(scale=1.0, quality=32.0), clip=clip, codec=codec)
        once_s = time.thread_time() - start
        scales = usable_scales(base.scales, clip.width, clip.height, min_side=codec.min_side)
        pixels = sum(1 / scale**1.6 for scale in scales)  # small pictures cost more than their pixels
        frames = sum(1 / divisor for divisor in base.divisors)
        # Decoding and measuring take about as long again, and all runs of all methods as long as the search.
        total_s += (
            (clip.seconds or 10.0) / base.segment_s * once_s * pixels * frames * len(codec.quality.grid) * 4 * LEVELS
        )
    return total_s


def measure(arguments: argparse.Namespace, work: Path) -> Results:
    """All points that were asked for; a method has none where the rate is below what it can do."""
    clips = find_clips(work)
    wanted = QUICK_CLIPS if arguments.quick else arguments.clips.split(",") if arguments.clips else tuple(clips)
    if unknown := [name for name in wanted if name not in clips and not arguments.quick]:
        raise UserError(f"--clips: no clip {unknown[0]!r}; there are {', '.join(clips)}")
    clips = {name: path for name, path in clips.items() if name in wanted} or clips
    rates: Sequence[float] = QUICK_RATES if arguments.quick else RATES
    if arguments.rates:
        rates = bench.read_rates(arguments.rates)
    minutes = expected_s(clips, Settings(codec=arguments.codec, segment_s=arguments.segment)) / 60
    print(
        f"{len(clips)} clips, {len(rates)} rates: about {minutes:.0f} minutes of one core, less what is remembered",
        file=sys.stderr,
    )
    methods = [{"name": name, **how} for name, how in METHODS.items()]
    raw = {
        "settings": {"codec": arguments.codec, "segment": arguments.segment, "recognizer": "none"},
        "grid": {
            "clip": [{"name": name, **({"input": str(path)} if path else {})} for name, path in clips.items()],
            # The largest rate and the exhaustive search first: it makes every trial that the others need.
            "bitrate": sorted(rates, reverse=True),
            "method": sorted(methods, key=lambda method: method["search"] != "exhaustive"),
        },
    }
    points = list(sweep_from(raw).make_points(Path.cwd()))
    table = bench.sweep_table(points, work / "sweep", may_refuse=True, cache_bytes=8 << 30)
    if set(table["status"]) == {"refused"}:
        raise UserError(table["error"].iloc[0])
    results: Results = {clip: {method: [] for method in METHODS} for clip in clips}
    rows = zip(table.to_dict("records"), bench.summaries(table, work / "sweep"), strict=True)
    for row, summary in sorted(rows, key=lambda pair: pair[0]["bitrate_bps"]):
        if summary is not None:
            results[row["clip"]][row["method"]].append(point_of(row["bitrate_bps"], summary))
    return results


def point_of(rate_bps: float, summary: dict[str, Any]) -> Point:
    """What of a run is of interest here."""
    return {
        "rate_bps": rate_bps,
        "wire_bps": summary["rate"]["wire_bps"],
        "utilisation": summary["rate"]["utilisation"],
        "psnr_db": summary["quality"]["psnr_db"],
        "seconds": summary["input"]["seconds"],
        "encode_cpu_s": summary["timing_s"]["encode_cpu"],
        "encodes": summary["timing_s"]["encodes"],
        "plan": [
            (row["start_s"], row["scale"], row["frame_divisor"], row["quality"], row["wire_bits"])
            for row in summary["plan"]
        ],
    }


def saved_rate(ours: list[Point], anchor: list[Point]) -> float | None:
    """BD-rate at equal PSNR in percent (negative saves), or None where the curves support no figure."""
    sides = (([point["wire_bps"] for point in side], [point["psnr_db"] for point in side]) for side in (ours, anchor))
    (rates, scores), (anchor_rates, anchor_scores) = sides
    return bd_rate(rates, scores, anchor_rates, anchor_scores).value


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
        method: {clip: saved_rate(m["planner"], m.get(method, [])) for clip, m in results.items()}
        for method in METHODS
        if method != "planner"
    }
    for method in ("full size", "full size, all frames", "one-second groups"):
        against[f"{method}, low"] = {clip: saved_rate(m["planner"], m.get(method, [])) for clip, m in low.items()}
    fixed = [value for value in against["best fixed"].values() if value is not None]
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
        "bd_rate_vs_full_every_frame": mean(list(against["full size, all frames, low"].values())),
        "bd_rate_vs_one_second_gop": mean(
            [value for clip, value in against["one-second groups, low"].items() if clip != "built-in"]
        ),
        "bd_rate_worst_vs_best_fixed": max(fixed, default=None),
        "bd_rate_vs_best_fixed": against["best fixed"].get("mixed"),
        "bd_rate_vs_best_fixed_scaled": against["best fixed"].get("scaled"),
        "bd_rate_vs_best_fixed_every_frame": against["best fixed, all frames"].get("mixed"),
        "utilisation_min": min(used, default=None),
        "utilisation_max": max(used, default=None),
    }
    return figures, against


def show(results: Results, against: dict[str, dict[str, float | None]]) -> None:
    """Print every point and the BD-rates."""
    print(f"{'clip':<13} {'method':<22} {'budget':>7} {'used':>6} {'PSNR':>6} {'encodes':>8} {'CPU s':>7}")
    for clip, methods in results.items():
        for method, made in methods.items():
            for point in made:
                worth = f"{point['utilisation']:>6.3f} {point['psnr_db']:>6.2f}"
                cost = f"{point['encodes']:>8} {point['encode_cpu_s']:>7.2f}"
                print(f"{clip:<13} {method:<22} {point['rate_bps'] / 1000:>6g}k {worth} {cost}")
    print("\nBD-rate of the planner in percent (negative saves; low: up to 48 kb/s)")
    print(f"{'clip':<13} " + " ".join(f"{method:>22}" for method in against))
    for clip in results:
        cells = [by_clip[clip] for by_clip in against.values()]
        print(f"{clip:<13} " + " ".join(f"{'-' if cell is None else format(cell, '.1f'):>22}" for cell in cells))
    print()


def main() -> None:
    """Run everything, print the tables, draw, and write the JSON."""
    parser = bench.flags(__doc__, quick="two clips, three rates", figure=True, redraw=True)
    parser.add_argument("--clips", metavar="A,B", help="these clips only")
    parser.add_argument("--rates", metavar="12k,24k", help="these budgets only")
    parser.add_argument("--codec", default="x264", metavar="NAME", help="codec recipe, or a TOML file")
    parser.add_argument("--segment", type=float, default=1.0, metavar="S", help="length of a segment in seconds")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep trials and points there, and go on from them")
    parser.add_argument("--rungs", type=Path, metavar="FILE", help="the chosen rungs over time")
    arguments = parser.parse_args()
    if arguments.redraw:
        results = json.loads(arguments.redraw.read_text())["runs"]
    else:
        with bench.folder_or_scratch(arguments.work) as work:
            results = measure(arguments, work)
    figures, against = compare(results)
    show(results, against)
    if arguments.figure:
        draw(results, arguments.figure)
    if arguments.rungs:
        draw_rungs(results, arguments.rungs, clip="mixed" if "mixed" in results else next(iter(results)))
    for methods in results.values():
        for method in METHODS.keys() - {"planner"}:
            for point in methods[method]:
                point.pop("plan", None)  # of no further use, and most of the file
    bench.report(figures, arguments.json, bd_rates=against, runs=results)


if __name__ == "__main__":
    run_command(main)
