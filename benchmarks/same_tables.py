"""Does a redesign leave every table as it was? Fills a folder with runs and sweeps, and compares two such folders.

A change that must not change behaviour is checked in three steps, on one machine:

    python benchmarks/same_tables.py make before/       # with the old checkout installed
    python benchmarks/same_tables.py make after/        # with the new one
    python benchmarks/same_tables.py compare before/ after/

The tables must be equal byte for byte, ``summary.json`` in everything but the timing and
``complete``, which older ones lack. Runs on real clips are left out
where ``VIDLINK_DATA`` is not set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

RUNS = {
    "default": "--bitrate 64k",
    "bursts": "--bitrate 24k --channel gilbert-elliott",
    "x265-loss": "--codec x265 --scale 2 --quality 30 --channel bernoulli-5",
    "vp9-loss": "--codec vp9 --scale 2 --quality 40 --channel bernoulli-10",
    "av1": "--codec av1 --scale 3 --quality 45",
    "parity": "--bitrate 48k --fec rs:k=10,n=12 --channel bernoulli-5 --scales 1,2",
    "copies": "--bitrate 48k --nack --channel bernoulli-5 --scales 2",
    "satellite": "--bitrate 96k --channel satellite --scales 2,4 --segment 2 --mtu 600",
    "live": "--bitrate auto --channel lte-drive",
    "live-copies": "--bitrate auto --channel narrowband-64k --estimator throughput --nack",
    "face-window": "--bitrate 24k --roi face",
    "task": "--bitrate 32k --objective task --recognize-every 5 --scales 1,2,4",
    "thresholds": "--bitrate 32k --search ladder --recognizer none",
    "best-fixed": "--bitrate 32k --search best-fixed --scales 2,4 --recognizer none",
    "exhaustive": "--bitrate 48k --search exhaustive --scales 2,4 --divisors 1,2 --recognizer none",
    "loans": "--bitrate 32k --buffer 3 --recognizer none",
}
"""Name to command line, on the built-in clip."""

DATA_RUNS = {
    "activity": "{data}/arid6/Walk/Walk_10_1.mp4 --bitrate 32k --recognizer activity",
    "activity-live": "{data}/arid6/Run/Run_11_1.mp4 --bitrate auto --channel lte-drive --recognizer activity",
    "real-face": "{data}/clips/selfie_960x540.mp4 --bitrate 48k --channel gilbert-elliott",
    "raw": "{data}/clips/CiscoVT2people_320x192_12fps.yuv --video-size 320x192 --framerate 12 --bitrate 48k",
}
"""The same on real clips."""

SWEEPS = {
    "grid": """
[settings]
recognizer = "affect"
recognize-every = 5
scales = [1, 2, 4]
[grid]
bitrate = ["24k", "48k"]
channel = ["perfect", "bernoulli-5"]
seed = [0, 1]
""",
    "points": """
[settings]
recognizer = "none"
scale = 2
quality = 32
[[points]]
codec = "x265"
channel = "gilbert-elliott"
[[points]]
codec = "vp9"
nack = true
channel = "bernoulli-10"
[[points]]
bitrate = "1k"
""",
}
"""Name to sweep file."""


def make(folder: Path) -> None:
    """Run everything into a new folder."""
    folder.mkdir(parents=True)
    runs = dict(RUNS)
    data = os.environ.get("VIDLINK_DATA")
    if data:
        runs |= {name: line.format(data=data) for name, line in DATA_RUNS.items()}
    else:
        print("VIDLINK_DATA is not set: runs on real clips are left out")
    for name, line in runs.items():
        _call("vidlink.simulate", *line.split(), "--no-video", "--out", str(folder / name))
    for name, text in SWEEPS.items():
        file = folder / f"{name}.toml"
        file.write_text(text, encoding="utf-8")
        _call("vidlink.sweep", str(file), "--out", str(folder / f"sweep-{name}"), "--quiet")


def _call(module: str, *arguments: str) -> None:
    print(f"python -m {module} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.DEVNULL)


def compare(before: Path, after: Path) -> list[str]:
    """What differs between two folders, a line each."""
    found = [_tables(folder) for folder in (before, after)]
    if not found[0]:
        return [f"{before} holds no table"]
    differing = [f"{name}: only in one of them" for name in sorted(found[0].keys() ^ found[1].keys())]
    return differing + [f"{name}: differs" for name in sorted(found[0].keys() & found[1].keys())
                        if _content(found[0][name]) != _content(found[1][name])]  # fmt: skip


def _tables(folder: Path) -> dict[str, Path]:
    """Every table below a folder by its path inside, caches and what names times and machines left out."""
    files = sorted([*folder.glob("*/*.csv"), *folder.glob("*/summary.json")])
    return {str(file.relative_to(folder)): file for file in files}


def _content(file: Path) -> object:
    if file.suffix == ".csv":
        return file.read_bytes()
    summary = json.loads(file.read_text(encoding="utf-8"))
    for name in ("timing_s", "complete"):
        summary.pop(name, None)
    return list(summary.items())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("make", "compare"))
    parser.add_argument("folders", nargs="+", type=Path)
    arguments = parser.parse_args()
    if len(arguments.folders) != (1 if arguments.what == "make" else 2):
        parser.error("make takes one folder, compare two")
    if arguments.what == "make":
        make(arguments.folders[0])
        return
    differing = compare(*arguments.folders)
    print("\n".join(differing) or f"{len(_tables(arguments.folders[0]))} tables are equal")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
