"""What all tests share: clips made on the spot, real clips, the machine's programs, and runs of the main job."""

import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from scene import write_scene

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many threads as cores in each of several processes spend most of their time waiting for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What is slow depends on what else the machine does, and says nothing about the code.
ANY_MACHINE = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
}
settings.register_profile("ci", derandomize=True, **ANY_MACHINE)
# For hours: pytest tests/fuzz --hypothesis-profile long. What it finds is kept in .hypothesis, and tried first.
settings.register_profile("long", max_examples=20_000, print_blob=True, **ANY_MACHINE)
settings.load_profile("ci")

COARSE = """
description = "H.264 by x264, fast and on a coarse grid"
encoder = "libx264"
decoder = "h264"
payload = "h264"

[options]
preset = "veryfast"
x264-params = "keyint=infinite:scenecut=0:slice-max-size=1400:cpu-independent=1"

[quality]
option = "crf"
best = 10
worst = 51
grid = [22, 30, 38, 44, 51]
"""


def moving_picture(index, width, height):
    """A textured pattern that drifts, upright by its bright top left corner; shape (height, width, 3)."""
    rng = np.random.default_rng(width * 10_000 + height)
    noise = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), dtype=np.uint8)
    texture = cv2.resize(noise, (width + 64, height + 64), interpolation=cv2.INTER_CUBIC)
    top, left = index % 32, (2 * index) % 64
    picture = texture[top : top + height, left : left + width].copy()
    picture[: height // 4, : width // 4] = (250, 240, 230)
    return picture


@pytest.fixture(scope="session")
def make_clip():
    """Writes a clip with PyAV: ``make_clip(path, count=50, size=(96, 64), rate=25, times_s=None, ...)``."""

    def make(
        path, *, count=50, size=(96, 64), rate=25, codec="libx264", pixel_format="yuv420p", times_s=None, options=None
    ):
        width, height = size
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=Fraction(rate))
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            # Without cpu-independent x264 codes small pictures differently from run to run on some processors.
            ours = {"preset": "veryfast", "crf": "20", "x264-params": "cpu-independent=1"}
            stream.options = ours if options is None else options
            stream.thread_count = 1
            if times_s is not None:
                stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
            for index in range(count):
                frame = av.VideoFrame.from_ndarray(moving_picture(index, width, height), format="rgb24")
                frame = frame.reformat(format=pixel_format)
                if times_s is not None:
                    frame.pts, frame.time_base = round(times_s[index] * 90_000), Fraction(1, 90_000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory, make_clip):
    """Two seconds of 96x64 at 25 frames a second."""
    return make_clip(tmp_path_factory.mktemp("small") / "small.mp4")


@pytest.fixture(scope="session", autouse=True)
def drawn_once():
    """The built-in clip is drawn once for all runs, which takes seconds."""
    from vidlink.data import builtin

    lock, pictures, (drawing, labels) = Lock(), [], builtin.builtin_clip()

    def drawn():
        for index in range(builtin.FRAME_COUNT):
            with lock:
                if index == len(pictures):
                    pictures.append(next(drawing))
            yield pictures[index]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "builtin_clip", lambda: (drawn(), labels.copy()))
        yield


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory, drawn_once):
    """A folder with the first two seconds of the built-in clip as ``face.mp4``, and its ``labels.csv``."""
    from vidlink.data.builtin import builtin_clip

    folder = tmp_path_factory.mktemp("face")
    drawing, labels = builtin_clip()
    with av.open(str(folder / "face.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"crf": "12", "preset": "veryfast"}
        for _ in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(next(drawing), format="rgb24")))
        container.mux(stream.encode(None))
    labels.iloc[:50].to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def curves_once():
    """The first training of a module draws its curves, the others leave an empty file: drawing takes longest."""
    from vidlink.report import curves

    draw, drawn = curves.write_curves, []

    def write(path, log, **how):
        if drawn:
            path.write_bytes(b"")
            return
        drawn.append(path)
        draw(path, log, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "write_curves", write)
        yield


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    """A folder with a moving square, see ``scene.py``."""
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="session")
def coarse(tmp_path_factory):
    """A codec recipe that searches fast."""
    path = tmp_path_factory.mktemp("codec") / "coarse.toml"
    path.write_text(COARSE)
    return path


@pytest.fixture(scope="session")
def data():
    """Folder of real material; skips where there is none."""
    place = os.environ.get("VIDLINK_DATA")
    if not place or not Path(place).is_dir():
        pytest.skip("VIDLINK_DATA names no folder: the real clips are not here")
    return Path(place).resolve()


def _program(name):
    if shutil.which(name) is None:
        pytest.skip(f"the program {name!r} is not on this machine")

    def run(*arguments, **keywords):
        command = [name, "-v", "error", *(["-nostdin", "-y"] if name == "ffmpeg" else []), *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, **keywords).stdout

    return run


@pytest.fixture(scope="session")
def ffmpeg():
    """Runs the machine's own ffmpeg and returns its stdout; skips where there is none."""
    return _program("ffmpeg")


@pytest.fixture(scope="session")
def ffprobe():
    """Runs the machine's own ffprobe and returns its stdout; skips where there is none."""
    return _program("ffprobe")


class Run(NamedTuple):
    """A run folder."""

    path: Path
    summary: dict

    def table(self, name):
        return pd.read_csv(self.path / f"{name}.csv")


@pytest.fixture(scope="session")
def simulated():
    """Runs the main job in this process: ``simulated(folder, *arguments)`` gives the run folder.

    Page and plot are drawn where they are asked for alone, with ``drawn=True``. Without that or ``redrawn=True`` the
    verdict has no other draws of the losses, which take most of a short run's time.
    """

    def run(folder, *arguments, drawn=False, redrawn=False):
        from vidlink.options import parse_arguments, settings_from
        from vidlink.report import verdict
        from vidlink.simulate import run_into

        words = [*map(str, arguments), *([] if drawn else ["--no-report", "--no-plot"])]
        judge = verdict.judge_run
        with pytest.MonkeyPatch.context() as patch:
            if not (drawn or redrawn):
                patch.setattr(verdict, "judge_run", lambda summary, tables, _: judge(summary, tables, None))
            run_into(Path(folder), settings_from(parse_arguments(words)), quiet=True)
        return Run(Path(folder), json.loads((Path(folder) / "summary.json").read_text()))

    return run


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capfd, tmp_path):
    """Runs the command ``simulate`` in this process, in an empty folder, with what it would print."""

    def run(*arguments):
        from vidlink.command import run_command
        from vidlink.simulate import main

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["simulate", *map(str, arguments)])
        capfd.readouterr()
        status = 0
        try:
            run_command(main)
        except SystemExit as end:
            status = end.code
        return Ended(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def swept(tmp_path_factory):
    """A results folder with kept runs: six points that are done and one that is refused."""
    from swept import GRID, Threads, write_clip

    from vidlink.sweeping.grid import sweep_from
    from vidlink.sweeping.sweep import sweep

    place = tmp_path_factory.mktemp("swept")
    write_clip(place / "clip.mp4")
    grid = {**GRID, "settings": {**GRID["settings"], "no-scores": False}}
    sweep(list(sweep_from(grid).make_points(place)), place / "results", Threads(), keep_runs=True, quiet=True)
    return place / "results"
