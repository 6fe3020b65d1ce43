"""A clip of a fifth of a second, sweeps over it that take moments, and a reference to hold others against."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from vidlink.sweeping.executors import Processes
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.sweep import sweep

GRID = {
    "settings": {"input": "clip.mp4", "scale": 1, "recognizer": "none", "no-scores": True, "segment": 0.2},
    "grid": {"quality": [30, 40, 50], "channel": ["perfect", "bernoulli-10"]},
    "points": [{"quality": 99}],
}
COUNT = 7


def write_clip(path: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 256, (48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Threads:
    """Executors for tests: one thread of this process."""

    scratch = None

    def __init__(self):
        self.executor = ThreadPoolExecutor(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.executor.shutdown(cancel_futures=True)

    def slots(self):
        return 1

    def renew(self):
        raise AssertionError("a thread does not die")


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "clip.mp4")
    return folder


@pytest.fixture(scope="session")
def points(clip_folder):
    return list(sweep_from(GRID).make_points(clip_folder))


@pytest.fixture(scope="session")
def reference(points, tmp_path_factory):
    """A results folder of a sweep that nothing disturbed."""
    folder = tmp_path_factory.mktemp("reference") / "results"
    sweep(points, folder, Processes(1), quiet=True)
    return folder


@pytest.fixture
def fake_runs(monkeypatch):
    """Runs that only write what a run would; returns the settings of each that was made."""
    import json

    import vidlink.simulate

    made = []

    def simulate(settings, folder, *, quiet=False):
        made.append(settings)
        summary = {
            "input": {"path": settings.input, "frames": 5},
            "settings": {},
            "rate": {"wire_bps": 1000.0 * settings.quality},
            "plan": [{"segment": 0, "scale": 1.0, "frame_divisor": 1, "quality": settings.quality}],
            "recognition": None,
            "notes": [],
            "timing_s": {"total": len(made)},
        }
        (folder.path / "summary.json").write_text(json.dumps(summary))
        (folder.path / "predictions.csv").write_text("frame,time_s\n0,0.0\n")
        return summary

    monkeypatch.setattr(vidlink.simulate, "simulate", simulate)
    return made


def same_tables(one: Path, other: Path) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in ("results.parquet", "results.csv"))
