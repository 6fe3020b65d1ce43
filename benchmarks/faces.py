"""How well and how cheaply faces are found: frames by number of faces, and processor time against that of coding.

Each detector follows the faces of real clips as a run does, once. Beside it the longest clip is coded once, whole, by
x264 at CRF 30: ``find_share`` is the processor time of finding with the default detector over that of coding it.
``--quick`` leaves out the clips without a face of interest.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import bench
import cv2
import numpy as np

from vidlink.codec.shelf import load_codec
from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.faces.centerface import network_file
from vidlink.faces.detector import DEFAULT, Detector
from vidlink.faces.find import FaceTracker
from vidlink.sender.encode import encode
from vidlink.types import Rung

if TYPE_CHECKING:
    from pathlib import Path

CLIPS = {
    "expressions_640x360.mp4": 1,
    "selfie_960x540.mp4": 1,
    "CiscoVT2people_320x192_12fps.yuv": 2,
    "carphone_pristine.mp4": 1,
}
"""Clips and the faces in each of their frames."""
FACELESS = ("bikes.mp4", "bigbuckbunny.mp4")


def found_in(path: Path, detector: str) -> tuple[list[int], float]:
    """How many frames have 0, 1, 2, ... faces, and the processor seconds of finding them."""
    tracker = FaceTracker(detector=Detector(detector))
    counts: list[int] = []
    spent_s = 0.0
    for segment in bench.open_clip(path).segments(1.0):
        start = time.process_time()
        tracks = tracker.track(segment)
        spent_s += time.process_time() - start
        counts += [len(tracks)] * len(segment.frames)
    return np.bincount(counts).tolist(), spent_s


def coding_s(path: Path) -> float:
    """Processor seconds of coding a clip once."""
    source, codec = bench.open_clip(path), load_codec("x264")
    spent_s = 0.0
    for segment in source.segments(1.0):
        start = time.process_time()
        encode(segment, Rung(scale=1.0, frame_divisor=1, quality=30.0), clip=source.clip, codec=codec)
        spent_s += time.process_time() - start
    return spent_s


def main() -> None:
    """The command."""
    options = bench.flags(__doc__, quick="only clips with faces").parse_args()
    folder = bench.data("clips")
    if folder is None:
        raise UserError("VIDLINK_DATA names no folder with clips")
    cv2.setNumThreads(1)
    detectors = [DEFAULT, *(["centerface"] if network_file() else [])]
    figures: dict[str, float | None] = {}
    rows = []
    for clip in (*CLIPS, *(() if options.quick else FACELESS)):
        for detector in detectors:
            frames, spent_s = found_in(folder / clip, detector)
            rows.append([clip, detector, *(str(count) for count in (*frames, 0, 0, 0)[:3]), f"{spent_s:.2f}"])
            if clip in CLIPS:
                right = frames[CLIPS[clip]] if len(frames) > CLIPS[clip] else 0
                name = f"right_{detector}"
                figures[name] = min(figures.get(name) or 1.0, right / sum(frames))
            if clip == next(iter(CLIPS)):
                figures[f"find_s_{detector}"] = spent_s
    coded_s = coding_s(folder / next(iter(CLIPS)))
    figures |= {"code_s": coded_s, "find_share": (figures[f"find_s_{DEFAULT}"] or 0.0) / coded_s}
    print(bench.markdown(["clip", "detector", "no face", "one", "two", "seconds"], rows))
    print(f"coding {next(iter(CLIPS))} once: {coded_s:.2f} s")
    bench.write_json(options.json, figures, rows=rows)


if __name__ == "__main__":
    run_command(main)
