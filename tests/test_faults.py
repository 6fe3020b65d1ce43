"""Killed, terminated or out of disk at each file operation in turn: what is there is whole, and all goes on."""

import subprocess
import sys
from pathlib import Path

import pytest
from swept import write_clip

pytestmark = pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")


@pytest.mark.parametrize(
    "scenario",
    [
        "run_killed",
        "run_full",
        "run_limited",
        "run_replaced",
        "run_replaced_in_two_steps",
        "run_terminated",
        "sweep_killed",
        "training_killed",
        "training_replaced",
        "training_full",
    ],
)
def test_struck_at_each_file_operation(scenario, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4")
    folder = tmp_path / "work"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("faults.py")), scenario, str(folder), str(clip)],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stdout + done.stderr
