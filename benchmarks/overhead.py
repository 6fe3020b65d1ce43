"""What vidlink costs beyond the codec itself, measured side by side in one run.

Figures
-------
wall_ratio
    ``python -m vidlink.simulate`` with a fixed rung, a perfect channel and no recognizer, scores or film, divided by
    the system's ``ffmpeg`` doing the same: decode, scale, x264 with the same settings, decode again. Whole processes,
    start-up included, the same number of threads. Target: at most 1.10 on a clip of a minute.
help_s
    Seconds that ``python -m vidlink.simulate --help`` takes. Target: at most 0.5.
realtime_factor
    Wall time of the default planned run (``--bitrate 24k``, the affect network) on ``expressions_640x360.mp4`` from
    ``VIDLINK_DATA``, divided by the length of that clip, 19.7 s; left out where there is no such clip. Target: at most
    1.0 on two cores. ``realtime_cpu`` beside it is the processor time of the same run by two and by that length: what
    the factor would be if both cores worked all the time, and the measure on a machine that does other things too.
default_run_s
    Seconds that ``python -m vidlink.simulate --bitrate 64k`` takes on the built-in clip. Target: at most 30 on two
    cores without a GPU.

Each is the median of several turns, in which the two sides take turns. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench

from vidlink.codec.shelf import load_codec
from vidlink.command import run_command
from vidlink.pipeline import available_cores
from vidlink.sender.ladder import coded_size

SCALE, QUALITY = 1.5, 30


def seconds(command: list[str]) -> float:
    """Wall time of a command in seconds."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def realtime(folder: Path, turns: int) -> dict[str, float]:
    """Wall and processor time of the default run on a real clip, as shares of its length; empty without the clip."""
    clip = bench.data("clips/expressions_640x360.mp4", "realtime_factor is left out")
    if clip is None:
        return {}
    length_s = bench.open_clip(clip).clip.seconds or 19.7
    run = [sys.executable, "-m", "vidlink.simulate", str(clip), "--bitrate", "24k", "--overwrite"]
    walls, cpus = [], []
    for turn in range(turns):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(seconds([*run, "--out", str(folder / "realtime")]))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        print(f"run {turn + 1}: {walls[-1]:.2f} s, processor {cpus[-1]:.2f} s", file=sys.stderr)
    cores = 2
    return {
        "realtime_factor": statistics.median(walls) / length_s,
        "realtime_cpu": statistics.median(cpus) / cores / length_s,
    }


def repeat(path: Path, target: Path, length_s: int) -> Path:
    """A clip over and over for so many seconds, without coding it again."""
    loop = ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", str(path), "-t", str(length_s), "-c", "copy"]
    subprocess.run([*loop, str(target)], check=True)
    return target


def bare_ffmpeg(clip: Path, folder: Path) -> list[list[str]]:
    """The two commands that do what the simulator does, with nothing around them."""
    codec = load_codec("x264")
    source = bench.open_clip(clip)
    width, height = coded_size(source.clip.width, source.clip.height, SCALE)
    threads = ["-threads", str(available_cores())]
    stream = str(folder / "coded.264")
    encode = ["ffmpeg", "-v", "error", "-y", *threads, "-i", str(clip), "-vf", f"scale={width}:{height}:flags=area"]
    encode += ["-c:v", codec.encoder, *threads, "-crf", str(QUALITY), "-force_key_frames", "expr:gte(t,n_forced)"]
    for name, value in codec.options.items():
        encode += [f"-{name}", value]
    return [[*encode, stream], ["ffmpeg", "-v", "error", *threads, "-i", stream, "-f", "null", "-"]]


def main() -> None:
    """Measure, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="fewer turns")
    parser.add_argument("--clip", type=Path, help="clip to repeat to a minute (default: the built-in one at 640x480)")
    arguments = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        sys.exit("this benchmark compares with the system's ffmpeg, and there is none")
    turns = 3 if arguments.quick else 7
    simulate = [sys.executable, "-m", "vidlink.simulate"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once = arguments.clip or bench.builtin_as_file(folder / "builtin.mp4", seconds=10, size=(640, 480))
        clip = repeat(once, folder / "long.mp4", 60)
        fixed = ["--scale", str(SCALE), "--quality", str(QUALITY), "--recognizer", "none", "--no-scores", "--no-video"]
        ours = [*simulate, str(clip), *fixed, "--out", str(folder / "run"), "--overwrite"]
        theirs = bare_ffmpeg(clip, folder)
        pairs = []
        for turn in range(turns):
            bare = sum(map(seconds, theirs))
            pairs.append((seconds(ours), bare))
            print(f"turn {turn + 1}: vidlink {pairs[-1][0]:.2f} s, ffmpeg {bare:.2f} s", file=sys.stderr)
        helps = [seconds([*simulate, "--help"]) for _ in range(turns)]
        default = [*simulate, "--bitrate", "64k", "--out", str(folder / "default"), "--overwrite"]
        runs = [seconds(default) for _ in range(1 if arguments.quick else 3)]
        real = realtime(folder, 1 if arguments.quick else 3)
    figures = {
        "wall_ratio": statistics.median(mine / bare for mine, bare in pairs),
        "help_s": statistics.median(helps),
        "default_run_s": statistics.median(runs),
        **real,
    }
    targets = {"realtime_factor": "<= 1.0", "wall_ratio": "<= 1.10", "help_s": "<= 0.5", "default_run_s": "<= 30"}
    turns_s = [{"vidlink_s": mine, "ffmpeg_s": bare} for mine, bare in pairs]
    bench.report(figures, arguments.json, targets, turns=turns_s, runs_s=runs)


if __name__ == "__main__":
    run_command(main)
