"""What it buys that segments borrow bits from those after them: ``--buffer`` above the length of a segment.

Clips of calm and lively seconds in turns: reels of faces whose time runs ten times as slowly for two seconds, then
twice as fast for two, and so on; their labels follow. Each is coded within each budget with buckets of several depths,
once with a key frame in each segment (``--gop 1``) and once as the planner groups segments (``--gop auto``, in which
bits move within a group of up to eight seconds anyway). Every run is a run of the product over a perfect channel.

Figures
-------
GOP_buffer_S_psnr_db, GOP_buffer_S_psnr_db_low, GOP_buffer_S_psnr_db_high
    Mean PSNR with a bucket of S seconds minus that with one of a second, mean over budgets, with its 95 % interval
    (Student's t over clips).
GOP_buffer_S_ccc, GOP_buffer_S_ccc_low, GOP_buffer_S_ccc_high
    The same of the CCC of valence and arousal against the labels, mean of both.
GOP_buffer_S_encodes
    Trial encodes with it / with one of a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import pandas as pd
from tqdm import tqdm

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.files.cache import Cache
from vidlink.reels import write_reels
from vidlink.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RATES = (12_000, 18_000, 26_000)
BUFFERS = (1.0, 2.0, 4.0, 8.0)
"""Seconds; the first is what others are compared with."""
GOPS: dict[str, float | str] = {"gop_1": 1.0, "gop_auto": "auto"}
CLIPS, QUICK_CLIPS = 8, 2
SECONDS = 12
"""Length of a clip."""
TURN_S = 2
"""Seconds that are calm, then as many that are lively."""
SPEEDS = (0.1, 2.0)
"""How fast time runs in calm and in lively seconds."""
LOOK_EVERY = 5
SEED = 41
"""Of the reels: faces of the validation split."""

Point = dict[str, float]
"""What of a run is of interest."""


def uneven(reel: Path, target: Path) -> Path:
    """A reel whose time runs slowly and fast in turns, with its labels beside it; one that is there is taken."""
    if target.exists():
        return target
    speeds = np.repeat(np.resize(SPEEDS, SECONDS // TURN_S), TURN_S * bench.RATE)
    order = np.concatenate([[0.0], np.cumsum(speeds)[:-1]]).astype(int)
    pictures = [frame for segment in bench.open_clip(reel).segments(1.0) for frame in segment.frames]
    labels = pd.read_csv(reel.with_suffix(".csv"))
    by_frame = dict(tuple(labels.groupby((labels["time_s"] * bench.RATE).round().astype(int))))
    rows = [by_frame[old].assign(time_s=round(new / bench.RATE, 6)) for new, old in enumerate(order)]
    pd.concat(rows).to_csv(target.with_suffix(".csv"), index=False)
    size = pictures[0].width, pictures[0].height
    return bench.write_clip(target, (pictures[old] for old in order), size, "ffv1", {})


def clips(folder: Path, count: int) -> list[Path]:
    """The clips, made where they are not there."""
    faces = bench.data("ferplus.zip")
    if faces is None:
        raise UserError("this benchmark is about faces: VIDLINK_DATA must name a folder with ferplus.zip")
    # As much of a reel as the fast seconds and the slow ones take.
    long_s = SECONDS / 2 * sum(SPEEDS) + 1
    reels = [folder / "reels" / f"{number:02d}.mkv" for number in range(count)]
    if not all(reel.exists() for reel in reels):
        how: dict[str, Any] = {"seconds": long_s, "seed": SEED, "overwrite": True, "quiet": True}
        write_reels(f"ferplus:{faces}", "valid", folder / "reels", count=count, **how)
    return [uneven(reel, folder / f"uneven-{reel.name}") for reel in reels]


def measure(
    paths: Sequence[Path], rates: Sequence[int], gops: Sequence[str], depths: Sequence[float], cache: Cache
) -> dict[str, Point]:
    """All runs, by ``clip rate gop buffer``."""
    jobs = [(path, rate, gop, depth) for gop in gops for path in paths for rate in rates for depth in depths]
    found = {}
    for path, rate, gop, depth in tqdm(jobs, unit="run", disable=None):
        settings = Settings(
            input=str(path),
            labels=path.with_suffix(".csv"),
            bitrate_bps=rate,
            buffer_s=depth,
            gop=GOPS[gop],  # type: ignore[arg-type]
            recognize_every=LOOK_EVERY,
            workers=1,
        )
        summary = bench.run(settings, cache).summary
        found[f"{path.stem} {rate} {gop} {depth:g}"] = {
            "psnr_db": summary["quality"]["psnr_db"],
            "ccc": float(np.mean(list(summary["recognition"]["ccc"].values()))),
            "wire_bps": summary["rate"]["wire_bps"],
            "encodes": summary["timing_s"]["encodes"],
        }
    return found


def gains(points: Mapping[str, Point], gop: str, depth: float, column: str) -> list[float]:
    """With a bucket of a depth minus with the first, mean over budgets, a clip each."""
    by_clip: dict[str, list[float]] = {}
    for key, point in points.items():
        clip, rate, its_gop, its_depth = key.split(" ")
        if its_gop == gop and its_depth == f"{depth:g}":
            one = points[f"{clip} {rate} {gop} {BUFFERS[0]:g}"]
            by_clip.setdefault(clip, []).append(point[column] - one[column])
    return [float(np.mean(each)) for each in by_clip.values()]


def figures_of(points: Mapping[str, Point]) -> dict[str, float | None]:
    """The figures of all runs."""
    figures: dict[str, float | None] = {}
    for gop in GOPS:
        for depth in BUFFERS[1:]:
            name = f"{gop}_buffer_{depth:g}"
            for column in ("psnr_db", "ccc"):
                found = gains(points, gop, depth, column)
                if found:
                    figures |= bench.estimate(f"{name}_{column}", found)
            made = [
                point["encodes"] / points[key.rsplit(" ", 1)[0] + f" {BUFFERS[0]:g}"]["encodes"]
                for key, point in points.items()
                if key.endswith(f" {gop} {depth:g}")
            ]
            if made:
                figures[f"{name}_encodes"] = float(np.mean(made))
    return figures


def show(points: Mapping[str, Point]) -> None:
    """Print means over clips, a row for groups, budget and depth."""
    places = sorted({tuple(key.split(" ")[1:]) for key in points}, key=lambda p: (p[1], int(p[0]), float(p[2])))
    rows = []
    for rate, gop, depth in places:
        here = [point for key, point in points.items() if key.endswith(f" {rate} {gop} {depth}")]
        mean = {name: float(np.mean([point[name] for point in here])) for name in here[0]}
        rows.append(
            [
                *(gop, f"{int(rate) // 1000}k", depth, f"{mean['psnr_db']:.2f}", f"{mean['ccc']:.3f}"),
                *(f"{mean['wire_bps'] / int(rate):.3f}", f"{mean['encodes']:.0f}"),
            ]
        )
    print(bench.markdown(["groups", "budget", "bucket, s", "PSNR dB", "CCC", "of the budget", "encodes"], rows))


def main() -> None:
    """Run everything, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="two clips, one budget, a key frame a segment")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep clips and trials there, and go on from them")
    parser.add_argument("--clips", type=int, default=CLIPS, metavar="N", help="how many clips (%(default)s)")
    parser.add_argument("--rates", metavar="12k,18k", help="these budgets only")
    parser.add_argument("--buffers", metavar="1,2", help="these depths in seconds only; the first is 1")
    parser.add_argument("--groups", choices=list(GOPS), help="this way to group segments only")
    arguments = parser.parse_args()
    if arguments.clips < 2:
        parser.error("--clips: at least 2, or there is no interval")
    rates = tuple(map(round, bench.read_rates(arguments.rates))) if arguments.rates else RATES
    depths = tuple(map(float, arguments.buffers.split(","))) if arguments.buffers else BUFFERS
    if depths[0] != BUFFERS[0] or not set(depths) <= set(BUFFERS):
        parser.error(f"--buffers {arguments.buffers}: 1, then some of {', '.join(f'{d:g}' for d in BUFFERS[1:])}")
    gops = [arguments.groups] if arguments.groups else list(GOPS)
    if arguments.quick:
        rates, gops = RATES[1:2], gops[:1]
    with bench.folder_or_scratch(arguments.work) as work:
        paths = clips(work, QUICK_CLIPS if arguments.quick else arguments.clips)
        points = measure(paths, rates, gops, depths, Cache(work / "cache", max_bytes=2 << 30))
    show(points)
    bench.report(figures_of(points), arguments.json, points=points)


if __name__ == "__main__":
    run_command(main)
