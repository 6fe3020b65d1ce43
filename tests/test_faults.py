"""Killed, terminated or out of disk at each file operation in turn: what is there is whole, and all goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from swept import write_clip

pytestmark = pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")


@pytest.mark.parametrize(
    "scenarios",
    [
        "run_killed run_full run_limited",
        "run_terminated run_replaced run_replaced_in_two_steps",
        "sweep_killed",
        "training_killed",
        pytest.param(
            "training_replaced training_full",
            marks=pytest.mark.skipif(not os.environ.get("VIDLINK_LONG"), reason="VIDLINK_LONG is unset: takes minutes"),
        ),
    ],
)
def test_struck_at_each_file_operation(scenarios, tmp_path):
    """What belongs to one command is played in one process, which imports everything once."""
    clip = write_clip(tmp_path / "clip.mp4")
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("faults.py")),
            str(tmp_path / "work"),
            str(clip),
            *scenarios.split(),
        ],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stdout + done.stderr
