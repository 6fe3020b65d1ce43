"""Recognizers that give dimensions of windows, in whole runs."""

import sys
import types

import numpy as np
import pandas as pd
import pytest
import torch

import vidlink
from vidlink.scores.recognition import Recognition


class Instant:
    """Brightness of the whole picture."""

    name, task, gives = "instant", "exposure", ("brightness", "age")
    wants = vidlink.Wants(region="frame", height=8, width=8, colour="luma")

    def __call__(self, pictures, context):
        return torch.stack([pictures.mean(dim=(1, 2, 3)), torch.from_numpy(context.age_s).float()], dim=1)


class Window(Instant):
    """Brightness over half a second, and what else is known."""

    name, gives = "window", ("brightness", "age", "qp", "from_s", "to_s", "later")
    wants = vidlink.Wants(region="frame", height=8, width=8, colour="luma", frames=3, frame_rate=5)

    def __call__(self, windows, context):
        at = context.asked
        of = (context.age_s[:, at], np.nan_to_num(context.qp[:, at]), context.offset_s[:, 0], context.offset_s[:, -1])
        later = torch.full((len(windows),), float(context.later))
        seen = windows.mean(dim=(1, 2, 3, 4))
        return torch.stack([each.float() for each in (seen, *map(torch.from_numpy, of), later)], dim=1)


class Featured(Window):
    """The same, each picture looked at once."""

    def features(self, pictures, context):
        return pictures.mean(dim=(1, 2, 3))[:, None]

    def __call__(self, windows, context):
        return super().__call__(windows[:, :, :, None, None], context)


class Broken(Window):
    """Gives up on the third batch."""

    def __init__(self):
        self.left = 3

    def __call__(self, windows, context):
        self.left -= 1
        return super().__call__(windows, context) if self.left else windows


@pytest.fixture(scope="module")
def run(small_clip):
    module = types.ModuleType("recognizers_over_time")
    for each in (Instant, Window, Featured, Broken):
        setattr(module, each.__name__, each)
    sys.modules[module.__name__] = module

    def one(name, **settings):
        rung = {"scale": 2, "quality": 30, "divisors": "3"} if "bitrate" not in settings else {}
        return vidlink.run(
            settings.pop("clip", small_clip),
            recognizer=f"recognizers_over_time:{name}",
            quiet=True,
            no_scores=True,
            **rung,
            **settings,
        )

    yield one
    del sys.modules[module.__name__]


@pytest.fixture(scope="module")
def instant(run):
    return run("Instant").predictions


def test_windows_go_across_segments(run, instant):
    found = run("Window").predictions
    assert found["frame"].tolist() == instant["frame"].tolist() == list(range(50))
    for suffix in ("", "_pristine"):
        each = instant[f"brightness{suffix}"].to_numpy()
        wanted = [np.mean([each[max(0, k - 5)], each[k], each[min(49, k + 5)]]) for k in range(50)]
        assert found[f"brightness{suffix}"].to_numpy() == pytest.approx(wanted, abs=2e-5)
    assert (found["later"] == 1).all()
    assert found["from_s"].to_numpy() == pytest.approx([-0.04 * min(5, k) for k in range(50)])
    assert found["to_s"].to_numpy() == pytest.approx([0.04 * min(5, 49 - k) for k in range(50)])
    assert (found["age_pristine"] == 0).all()
    assert (found["qp_pristine"] == 0).all()


def test_the_context_says_how_old_a_picture_is_and_how_it_was_coded(run, instant):
    found = run("Window").predictions
    # Each segment of 25 frames has a key frame, and then one picture in three.
    assert found["age"].to_numpy() == pytest.approx([0.04 * (k % 25 % 3) for k in range(50)])
    assert instant["age"].to_numpy() == pytest.approx(found["age"].to_numpy())
    assert found["qp"].between(20, 42).all()
    assert found.groupby([found["frame"] // 25, found["frame"] % 25 // 3])["qp"].nunique().max() == 1


def test_features_give_what_pictures_give(run):
    windows, features = run("Window").predictions, run("Featured").predictions
    pd.testing.assert_frame_equal(windows, features, atol=2e-5)


def test_live_runs_use_the_past_alone(run):
    found = run("Window", bitrate="auto", scales="1,2", divisors="1,2").predictions
    assert len(found) == 50
    assert (found["later"] == 0).all()
    assert (found["to_s"] == 0).all()
    assert found["from_s"].to_numpy() == pytest.approx([-0.04 * min(10, k) for k in range(50)])


def test_few_looks_and_short_clips(run, make_clip, tmp_path):
    found = run("Window", recognize_every=20).predictions
    assert found["frame"].tolist() == [0, 20, 40]
    # The nearest looks to 0.2 s away are the picture itself and none of those 0.8 s away.
    assert (found[["from_s", "to_s"]] == 0).all(axis=None)
    one = run("Window", clip=make_clip(tmp_path / "one.mp4", count=1)).predictions
    assert one[["from_s", "to_s"]].to_numpy().tolist() == [[0, 0]]
    assert np.isfinite(one["brightness"]).all()


def test_a_plan_by_task_asks_about_windows(run):
    by_task = run("Window", bitrate="40k", objective="task", scales="1,2", divisors="1")
    assert by_task.summary["recognition"]["n"] == 50


def test_a_recognizer_that_fails_is_asked_no_more(run):
    broken = run("Broken")
    assert "gave shape" in broken.summary["recognition_error"]
    assert broken.summary["recognition"] is None
    assert len(broken.frames) == 50


def test_nothing_seen_is_no_table(small_clip):
    from vidlink.video.open import open_source

    recognition = Recognition(open_source(str(small_clip)).clip, recognizer=Window(), labels=None)
    assert recognition.table(2.0).empty
