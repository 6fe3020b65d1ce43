"""Recognizers of classes through whole runs: plug-ins of all kinds, labels, and plug-ins that are wrong."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from vidlink.errors import UserError
from vidlink.labels.classes import find_class_labels, load_class_labels
from vidlink.recognizers.recognize import Wants
from vidlink.settings import Settings
from vidlink.simulate import simulate

EXAMPLE = Path(__file__).parents[2] / "examples" / "vidlink-moves"


class Moves:
    """Whether anything moves."""

    name, task = "moves", "activity"
    wants = Wants(region="frame", height=12, width=16, colour="luma", frames=4, frame_rate=8, stride_s=0.25)
    classes = ("still", "moving")

    def __init__(self, threshold: float = 0.02, sign: bool = True):
        self.threshold, self.calls = threshold, 0

    def __call__(self, windows, context):
        self.calls += 1
        assert windows.shape[1:] == (4, 1, 12, 16)
        assert context.scale.shape == windows.shape[:2]
        assert len(context.status[0]) == 4
        change = windows.diff(dim=1).abs().mean(dim=(1, 2, 3, 4))
        return torch.stack([self.threshold - change, change - self.threshold], dim=1) * 100


class Breaks(Moves):
    """Fails after a while."""

    def __call__(self, windows, context):
        if self.calls:
            raise RuntimeError("out of luck")
        return super().__call__(windows, context)


@pytest.fixture
def plugin(monkeypatch):
    made = types.ModuleType("test_classes_plugin")
    made.Moves, made.Breaks = Moves, Breaks
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


@pytest.fixture
def clip(tmp_path):
    """Two seconds at 16 frames a second: a square that stands still, then moves."""
    path = tmp_path / "moving" / "clip.mp4"
    path.parent.mkdir()
    write(path, [max(0, 3 * (index - 16)) for index in range(32)])
    return path


def write(path, lefts):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=16, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for left in lefts:
            picture = np.full((64, 96, 3), 20, np.uint8)
            picture[16:48, left : left + 24] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def run(**settings):
    made = Settings(bitrate_bps=64_000, scales=(1.0, 2.0), divisors=(1,), save_video=False, **settings)
    found = simulate(made, quiet=True)
    return found.summary, found.predictions


def test_windows_are_named_against_the_pristine_clip(plugin, clip, tmp_path):
    away = tmp_path / "clip.mp4"
    clip.rename(away)
    summary, windows = run(input=str(away), recognizer="test_classes_plugin:Moves")
    found = summary["recognition"]
    assert found["against"] == "pristine"
    assert found["accuracy"] == pytest.approx((windows["class"] == windows["class_pristine"]).mean())
    assert found["n"] == len(windows) >= 6
    low, high = found["interval"]
    assert low <= found["accuracy"] <= high
    assert windows["class_pristine"].iloc[0] == "still"
    assert windows["class_pristine"].iloc[-1] == "moving"
    assert windows["share_still"].between(0, 1).all()


def test_labels_come_from_the_folder_the_option_or_a_table(plugin, clip, tmp_path):
    recognizer = "test_classes_plugin:Moves"
    by_folder = run(input=str(clip), recognizer=recognizer)[0]["recognition"]
    assert (by_folder["against"], by_folder["class_label"]) == ("labels", "moving")
    by_option = run(input=str(clip), recognizer=recognizer, label="STILL")[0]["recognition"]
    assert by_option["class_label"] == "still"
    assert by_option["accuracy"] == pytest.approx(1 - by_folder["accuracy"])
    table = tmp_path / "labels.csv"
    table.write_text("time_s,class\n0,still\n0.95,moving\n1.9,\n")
    by_table, windows = run(input=str(clip), recognizer=recognizer, labels=table)
    assert by_table["recognition"]["accuracy"] > max(by_folder["accuracy"], by_option["accuracy"])
    assert set(windows["class_label"].dropna()) == {"still", "moving"}


def test_the_task_objective_asks_about_windows(plugin, clip, tmp_path):
    summary, _ = run(input=str(clip), recognizer="test_classes_plugin:Moves", objective="task")
    assert summary["recognition"]["accuracy"] is not None


@pytest.mark.parametrize("objective", ["psnr", "task"])
def test_a_plugin_that_breaks_leaves_the_rest_of_the_run(plugin, clip, tmp_path, objective):
    summary, _ = run(input=str(clip), recognizer="test_classes_plugin:Breaks", objective=objective)
    assert summary["recognition"] is None
    assert summary["recognition_error"] == "recognizer 'moves': raised RuntimeError: out of luck"
    assert summary["quality"]["psnr_db"] > 20


def test_the_command_names_a_broken_plugin_and_ends_with_2(command, clip, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text(
        "import torch\nfrom vidlink.recognizers.recognize import Wants\n"
        "class Broken:\n    name, task, gives = 'broken', 'x', ('a', 'b')\n"
        "    wants = Wants(region='frame', height=8, width=8, colour='luma')\n"
        "    def __call__(self, pictures, context):\n        return torch.zeros(len(pictures), 3)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    done = command(clip, "--bitrate", "64k", "--scales", "2", "--recognizer", "broken:Broken", "--out", "run")
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert "recognizer 'broken': gave shape" in done.err
    assert (tmp_path / "run" / "segments.csv").stat().st_size > 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["recognition"] is None


def test_the_example_package_is_installed_and_runs(clip, tmp_path):
    pytest.importorskip("setuptools")
    import shutil

    source, target = tmp_path / "source", tmp_path / "site"
    shutil.copytree(EXAMPLE, source)
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, *install, "--target", str(target), str(source)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    simulator = [sys.executable, "-m", "vidlink.simulate"]
    listed = subprocess.run([*simulator, "--list", "recognizers"], capture_output=True, env=environment, check=True)
    assert b"moves" in listed.stdout
    command = [*simulator, str(clip), "--bitrate", "64k", "--scales", "1", "--recognizer", "moves"]
    command += [
        "--recognizer-arg",
        "threshold=1e-4",
        "--no-video",
        "--no-plot",
        "--no-report",
        "--no-scores",
        "--out",
        str(tmp_path / "run"),
    ]
    subprocess.run(command, capture_output=True, env=environment, check=True)
    found = json.loads((tmp_path / "run" / "summary.json").read_text())["recognition"]
    assert (found["recognizer"], found["class_label"], found["class"]) == ("moves", "moving", "moving")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("time_s,valence\n0,1\n", "no column 'class'"),
        ("time_s,class\n0,fly\n", "unknown class 'fly'"),
        ("time_s,class\nx,still\n", "'time_s' must hold a number"),
        ("time_s,class\n0,still\n0,moving\n", "time_s = 0 twice"),
        ("", "not a CSV table"),
    ],
)
def test_wrong_tables_of_classes_are_named(tmp_path, table, message):
    path = tmp_path / "labels.csv"
    path.write_text(table)
    with pytest.raises(UserError, match=message):
        load_class_labels(path, Moves.classes)


def test_a_label_that_the_recognizer_does_not_know_is_refused():
    with pytest.raises(UserError, match="--label: unknown class 'movin': did you mean 'moving'"):
        find_class_labels(Settings(label="movin"), Moves.classes)
    assert find_class_labels(Settings(input="/data/walk/clip.mp4"), Moves.classes) is None


def test_a_label_needs_a_recognizer_of_classes(clip, tmp_path):
    with pytest.raises(UserError, match="--label Walk: recognizer 'affect' names no classes"):
        run(input=str(clip), recognizer="affect", label="Walk")
