"""How much faster a sweep is with two workers than with one.

The same points, the start of the built-in clip as a file, no cache, every worker computing in one thread. One worker
and two take turns, so that other load on the machine meets both; the sweep's whole wall time counts, with starting the
workers.

Figures:

speedup_2_workers
    Wall seconds with one worker over wall seconds with two, medians of the repetitions.
points_per_minute
    Points a minute with two workers.
other_load
    Share of the machine that other processes took meanwhile (Linux; else absent): above a few percent the speed-up
    says more about them.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import bench

from vidlink.command import run_command
from vidlink.sweeping.executors import Processes
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.sweep import sweep


def main() -> None:
    """Measure, print the table, and write the figures where asked for."""
    arguments = bench.flags(__doc__, quick="fewer points, one repetition").parse_args()
    figures = measure(*((12, 1) if arguments.quick else (32, 3)))
    bench.report(figures, arguments.json)


def measure(count: int, repetitions: int) -> dict[str, float]:
    """All figures by name."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        bench.builtin_as_file(Path(folder) / "clip.mp4", seconds=4)
        before = processor_seconds()
        for repetition in range(repetitions):
            for workers in (1, 2):
                walls[workers].append(run(Path(folder), count, workers, f"{repetition}-{workers}"))
        after = processor_seconds()
    one, two = (statistics.median(walls[workers]) for workers in (1, 2))
    figures = {"speedup_2_workers": one / two, "points_per_minute": 60 * count / two}
    if before and after:
        total, own = after[0] - before[0], after[1] - before[1]
        figures["other_load"] = max(0.0, (total - own) / max(after[2] - before[2], 1e-9))
    return figures


def run(folder: Path, count: int, workers: int, name: str) -> float:
    """Wall seconds of one sweep."""
    raw = {
        "settings": {"input": "clip.mp4", "scales": "4,8", "bitrate": "48k"},
        "grid": {"seed": list(range(count // 2)), "channel": ["perfect", "bernoulli-5"]},
    }
    points = list(sweep_from(raw).make_points(folder))
    start = time.perf_counter()
    table = sweep(points, folder / name, Processes(workers), quiet=True)
    wall_s = time.perf_counter() - start
    if set(table["status"]) != {"done"}:
        raise RuntimeError(f"a point failed: {table['error'].dropna().iloc[0]}")
    return wall_s


def processor_seconds() -> tuple[float, float, float] | None:
    """Busy processor seconds of the machine, of this process and its ended children, and all that there were."""
    try:
        fields = [float(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    except OSError:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return (sum(fields) - fields[3] - fields[4]) / ticks, own, sum(fields) / ticks


if __name__ == "__main__":
    run_command(main)
