"""How much faster a sweep is with two workers than with one.

The same points, one clip drawn for the purpose, no cache, every worker computing in one thread. One worker and two take
turns, so that other load on the machine meets both; the sweep's whole wall time counts, with starting the workers.

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

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av

from vidlink.data.synthetic import builtin_clip
from vidlink.sweeping.executors import Processes
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.sweep import sweep

WIDTH, HEIGHT = 320, 240


def main() -> None:
    """Measure, print the table, and write the figures where asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer points, one repetition")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    figures = measure(*((12, 1) if arguments.quick else (32, 3)))
    for name, value in figures.items():
        print(f"{name:<20}{value:>10.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"figures": figures}, indent=1) + "\n")


def measure(count: int, repetitions: int) -> dict[str, float]:
    """All figures by name."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "clip.mp4", frames=100)
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


def draw(path: Path, frames: int) -> None:
    """Write the start of the built-in clip as a file, so that drawing it is no part of the points."""
    drawing, _ = builtin_clip()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(next(drawing), format="rgb24")))
        container.mux(stream.encode(None))


def processor_seconds() -> tuple[float, float, float] | None:
    """Busy processor seconds of the machine, of this process and its ended children, and all that there were."""
    import os

    try:
        fields = [float(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    except OSError:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return (sum(fields) - fields[3] - fields[4]) / ticks, own, sum(fields) / ticks


if __name__ == "__main__":
    main()
