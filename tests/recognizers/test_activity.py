"""The shipped recognizer of activities: on generated figures that it has not seen, and on real clips."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from vidlink.data.figures import ACTIONS, FRAME_RATE, draw_clips
from vidlink.errors import UserError
from vidlink.recognizers.recognize import load_recognizer
from vidlink.scores.classify import evaluate_clips


def test_shipped_weights_are_small_and_name_their_classes():
    assert len((files("vidlink.weights") / "activity.safetensors").read_bytes()) < 8e6
    assert load_recognizer("activity", device="cpu").classes == ACTIONS


def test_it_names_what_figures_do_at_any_scale():
    clips, labels = draw_clips(np.random.default_rng(12345), 18)
    named = [(ACTIONS[label], str(k), clip, 320) for k, (clip, label) in enumerate(zip(clips, labels, strict=True))]
    found = evaluate_clips(load_recognizer("activity", device="cpu"), named, FRAME_RATE, (1.0, 8.0))
    full, coarse = (row["accuracy"] for row in found.scores())
    assert full > 0.6
    assert coarse > full - 0.2


def test_weights_of_faces_are_refused():
    faces = Path(str(files("vidlink.weights") / "affect.safetensors"))
    with pytest.raises(UserError, match="does not name the classes of an activity network"):
        load_recognizer("activity", weights=faces)


def test_a_real_clip_goes_through_the_main_job(data, simulated, tmp_path):
    clip = data / "arid6" / "Sit" / "Sit_10_1.mp4"
    how = ("--bitrate", "16k", "--recognizer", "activity", "--max-size", "16x12", "--divisors", "1,2")
    summary = simulated(tmp_path / "run", clip, *how, "--no-scores", "--no-video").summary
    assert {row["scale"] for row in summary["plan"]} == {20.0}
    found = summary["recognition"]
    assert (found["task"], found["against"], found["class_label"]) == ("activity", "labels", "Sit")
    assert 0 <= found["interval"][0] <= found["accuracy"] <= found["interval"][1] <= 1
