"""Real video without labels: how close a receiver stays to what it says of the pristine pictures, by rate and way.

Clips of ``VIDLINK_DATA``: a woman with changing expressions (640x360, 20 s), a man at arm's length (960x540, 4 s), a
man who talks in a car (176x144, 4 s). The receivers and the ways of sending are those of ``rate_accuracy.py``. A
receiver is held against itself, so ways of sending are compared by it and receivers are not: one that always says the
same would agree with itself.

Three clips of one face each say whether what reels of still faces show holds for faces that move. They are too few for
an interval.

Figures
-------
CLIP/RECEIVER
    BD-CCC of the adaptive sender against full size, both free in frame rate and key frames: mean difference, at equal
    rate, of the CCC between what the receiver says of received and of pristine pictures. Mean of valence and arousal.
CLIP/RECEIVER/every-frame
    The same of full size free against full size with every frame and a key frame a second.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import bench
from rate_accuracy_points import by_receiver, make_points
from rate_accuracy_ways import FULL, RECEIVERS, find_receivers, make_ways

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.sweeping.curves import Curve, compare, make_curves

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIPS = {
    "expressions": "clips/expressions_640x360.mp4",
    "selfie": "clips/selfie_960x540.mp4",
    "carphone": "clips/carphone_pristine.mp4",
}
WAYS = ("s = 1, every frame, key frame a second", "s = 1", "s = 2", "s = 3", "adaptive")
MAIN = "mix"


def find_clips() -> dict[str, Path]:
    """The clips.

    Raises
    ------
    UserError
        They are not there.
    """
    found = {name: bench.data(path) for name, path in CLIPS.items()}
    missing = [CLIPS[name] for name, path in found.items() if path is None]
    if missing:
        raise UserError(f"{missing[0]}: not there; VIDLINK_DATA names the folder with it")
    return {name: path for name, path in found.items() if path is not None}


def gain(curves: Mapping[str, Curve], method: str, anchor: str) -> float | None:
    """Mean difference of the mean CCC at equal rate; None where the curves share too little."""
    if method not in curves or anchor not in curves:
        return None
    return compare(curves[method], curves[anchor], "ccc_mean", of_rate=False).difference.value


def by_rate(curve: Curve) -> dict[float, float]:
    """Mean CCC at each budget that fits."""
    values = map(float, curve.estimate("ccc_mean")) if curve.along else ()
    return dict(zip(curve.along, values, strict=True))


def lines_of(clip: str, curves: Mapping[str, Curve], rates: list[float]) -> list[list[str]]:
    """A line a receiver and way: mean CCC at each budget."""
    lines = []
    for name, curve in curves.items():
        found = by_rate(curve)
        lines.append([f"{clip}: {name}", *(f"{found[rate]:.3f}" if rate in found else "–" for rate in rates)])
    return lines


def main() -> None:
    """Run the points, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="the smallest clip at three rates")
    add = parser.add_argument
    add("--receivers", type=Path, default=RECEIVERS, metavar="FOLDER", help="of NAME-SEED.safetensors (%(default)s)")
    add("--training-seeds", default="0", metavar="0,1", help="which of them (%(default)s)")
    add("--rates", default="12k,24k,48k,96k,192k", help="budgets on the wire (%(default)s)")
    add("--workers", type=int, metavar="N", help="processes (default: one a core)")
    add("--out", type=Path, metavar="FOLDER", help="keep results here; a killed run goes on")
    options = parser.parse_args()
    files = find_receivers(options.receivers, bench.read_seeds("--training-seeds", options.training_seeds))
    files = {name: path for name, path in files.items() if name.partition(".seed")[0] in ("hr", MAIN)}
    clips = find_clips()
    rates = tuple(options.rates.split(","))
    if options.quick:
        clips, rates = {"carphone": clips["carphone"]}, ("12k", "24k", "48k")
    plan = replace(FULL, rates=rates, factors=(1, 2, 3), by_task=(0, ()), every=5)
    ways = [replace(way, receivers=("hr", MAIN)) for way in make_ways(files, plan, MAIN, None) if way.name in WAYS]
    axis = [{"name": name, "input": str(path.absolute())} for name, path in clips.items()]
    with bench.folder_or_scratch(options.out) as out:
        points = make_points(ways, files, axis, replace(plan, clips=len(axis)))
        table = bench.sweep_table(points, out / "sweep", options.workers, may_refuse=True, cache_bytes=4 * 10**9)
        rows = by_receiver(table, ways, plan.rates, files)
    figures: dict[str, float | None] = {}
    lines: list[list[str]] = []
    stored = []
    budgets = sorted(rows["bitrate_bps"].unique())
    for clip, path in clips.items():
        curves = make_curves(rows[rows["input"] == str(path.absolute())], "method")
        for receiver in ("hr", MAIN):
            figures[f"{clip}/{receiver}"] = gain(curves, f"{receiver}, adaptive", f"{receiver}, s = 1")
            plain = f"{receiver}, s = 1, every frame, key frame a second"
            figures[f"{clip}/{receiver}/every-frame"] = gain(curves, f"{receiver}, s = 1", plain)
        lines += lines_of(clip, curves, budgets)
        stored += [{"clip": clip, "method": name, "ccc_mean": by_rate(curve)} for name, curve in curves.items()]
    print(bench.markdown(["mean CCC with the pristine output", *(f"{rate / 1000:g}k" for rate in budgets)], lines))
    bench.report(figures, options.json, rows=stored)


if __name__ == "__main__":
    run_command(main)
