"""What tests of pages share: a run with losses, with a film and with classes, whose names hold markup."""

import json
import shutil

import pandas as pd
import pytest

MARKUP = "</script><img src=x onerror=alert(1)>\"'&"
"""What must never be taken for markup, whatever it names."""


@pytest.fixture(scope="session")
def whole_run(simulated, small_clip, tmp_path_factory):
    """A run folder of two seconds with losses."""
    folder = tmp_path_factory.mktemp("page") / "run"
    fixed = ("--scale", "1", "--quality", "36", "--recognizer", "none", "--no-plot", "--segment", "0.4")
    return simulated(folder, small_clip, *fixed, "--channel", "bernoulli-10", drawn=True).path


@pytest.fixture
def run(whole_run, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(whole_run, tmp_path / "run")


@pytest.fixture
def marked_run(run):
    """The same, with markup for a clip, a channel, a note, a command, and for classes; one class is a formula."""
    summary = json.loads((run / "summary.json").read_text())
    summary["input"]["path"] = f"clips/{MARKUP}.mp4"
    summary["settings"]["channel"] = MARKUP
    summary["notes"] = [MARKUP]
    summary["recognition"] = {
        "task": MARKUP,
        "recognizer": MARKUP,
        "against": "pristine",
        "faces": 1,
        "n": 2,
        "accuracy": 0.5,
        "interval": [0.1, 0.9],
        "class": MARKUP,
        "class_label": None,
        "class_pristine": MARKUP,
        "accuracy_clip": 1,
    }
    (run / "summary.json").write_text(json.dumps(summary))
    made = json.loads((run / "run.json").read_text()) | {"command": f"python -m vidlink.simulate '{MARKUP}'"}
    (run / "run.json").write_text(json.dumps(made))
    rows = {"frame": [0, 25], "time_s": [0.0, 1.0], "end_s": [1.0, 2.0], "face": [0, 0]}
    rows |= {"class": [MARKUP, "'=1+1"], "class_pristine": [MARKUP, MARKUP]}
    pd.DataFrame(rows).to_csv(run / "predictions.csv", index=False)
    return run
