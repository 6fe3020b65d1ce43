"""The clips of ``benchmarks/allocation.py``."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import bench

if TYPE_CHECKING:
    from pathlib import Path


def join_clips(clips: Path, path: Path, *, width: int, height: int, scaled: bool) -> Path:
    """One clip that mixes content: two seconds of each clip there is, on one canvas.

    Either all are scaled to the canvas, or those that fit keep their own size in its middle. A clip that is there
    already is taken as it is.
    """
    if path.exists():
        return path
    sources = {
        "carphone_pristine.mp4": [],
        "bikes.mp4": [],
        "bigbuckbunny.mp4": [],
        "CiscoVT2people_320x192_12fps.yuv": ["-f", "rawvideo", "-video_size", "320x192", "-framerate", "12"],
    }
    inputs = [part for name, how in sources.items() for part in (*how, "-t", "2", "-i", str(clips / name))]
    fit = f"scale={width}:{height}"
    if not scaled:
        smaller = f"scale='min(iw,{width})':'min(ih,{height})':force_original_aspect_ratio=decrease"
        fit = f"{smaller}:force_divisible_by=2,pad={width}:{height}:-1:-1"
    chains = "".join(f"[{k}]fps=25,{fit},setsar=1,format=yuv420p[v{k}];" for k in range(len(sources)))
    graph = f"{chains}{''.join(f'[v{k}]' for k in range(len(sources)))}concat=n={len(sources)}:v=1[v]"
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[v]", "-crf", "8"]
    beside = path.with_name(f"partial-{path.name}")
    subprocess.run([*command, str(beside)], check=True)
    return beside.replace(path)


def find_clips(folder: Path) -> dict[str, Path | None]:
    """Name and path of every clip; None is the built-in one."""
    clips = bench.data("clips", "the built-in clip alone")
    if clips is None:
        return {"built-in": None}
    arid6 = clips.parent / "arid6"
    return {
        "carphone": clips / "carphone_pristine.mp4",
        "mixed": join_clips(clips, folder / "mixed.mp4", width=640, height=360, scaled=False),
        "scaled": join_clips(clips, folder / "scaled.mp4", width=320, height=192, scaled=True),
        "bikes": clips / "bikes.mp4",
        "expressions": clips / "expressions_640x360.mp4",
        **{name: arid6 / name.split("_")[0] / f"{name}.mp4" for name in ("Run_1_1", "Jump_8_1", "Sit_10_1")},
        "built-in": None,
    }
