"""Planned mode's cost on clips of 10, 20, 40 and 80 seconds: it should be linear in length, and memory flat.

The built-in clip is repeated from a file, so that every second costs the same. Each point is a process of its own:
``python -m vidlink.simulate --bitrate 48k`` without recognizer and film, timed by its processor time (user and system,
which other programs on the machine hardly change) and its largest resident set.

Figures
-------
cpu_s_LENGTH, encode_cpu_s_LENGTH, peak_mib_LENGTH
    For each length in seconds.
growth
    Processor seconds for each further second of the longest clip / of the shortest but one; 1 is linear.
peak_ratio
    Largest resident set with the longest clip / with the shortest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import bench

from vidlink.command import run_command

LENGTHS = (10, 20, 40, 80)
QUICK_LENGTHS = (10, 20)


def measure(path: Path, folder: Path) -> dict[str, float]:
    """Processor seconds and largest resident set of one run."""
    command = [sys.executable, "-m", "vidlink.simulate", str(path), "--bitrate", "48k", "--recognizer", "none"]
    process = subprocess.Popen([*command, "--no-video", "--out", str(folder)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}")
    timing_s = json.loads((folder / "summary.json").read_text())["timing_s"]
    return {
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "encode_cpu_s": timing_s["encode_cpu"],
        "encodes": timing_s["encodes"],
        "peak_mib": round(used.ru_maxrss / 1024, 1),
    }


def main() -> None:
    """Run every length, print the table, and write the JSON."""
    arguments = bench.flags(__doc__, quick="10 and 20 seconds only").parse_args()
    lengths = QUICK_LENGTHS if arguments.quick else LENGTHS
    rows = {}
    print(f"{'seconds':>7} {'CPU s':>7} {'encoding':>8} {'encodes':>8} {'peak MiB':>9} {'CPU s per s':>12}")
    with tempfile.TemporaryDirectory() as name:
        for seconds in lengths:
            path = Path(name) / f"{seconds}.mp4"
            bench.builtin_as_file(path, seconds=seconds)
            rows[seconds] = row = measure(path, Path(name) / f"run-{seconds}")
            cost = f"{row['cpu_s']:>7.1f} {row['encode_cpu_s']:>8.1f} {row['encodes']:>8}"
            print(f"{seconds:>7} {cost} {row['peak_mib']:>9.1f} {row['cpu_s'] / seconds:>12.3f}", flush=True)
    spent = [rows[seconds]["cpu_s"] for seconds in lengths]
    slopes = [(b - a) / (t - s) for a, b, s, t in zip(spent, spent[1:], lengths, lengths[1:], strict=False)]
    shown = ("cpu_s", "encode_cpu_s", "peak_mib")
    figures = {f"{key}_{seconds}": row[key] for seconds, row in rows.items() for key in shown}
    figures["growth"] = round(slopes[-1] / slopes[0], 3)
    figures["peak_ratio"] = round(rows[lengths[-1]]["peak_mib"] / rows[lengths[0]]["peak_mib"], 3)
    print()
    bench.report(figures, arguments.json)


if __name__ == "__main__":
    run_command(main)
