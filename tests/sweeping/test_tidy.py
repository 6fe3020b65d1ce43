"""The table for people: means and intervals under short names."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vidlink.sweeping.tidy import add_short, tidy

CLIPS, SEEDS = ("a.mp4", "b.mp4", "c.mp4"), (0, 1)


@pytest.fixture
def frame():
    """Runs of three clips, two seeds and two codecs, as a sweep's table has them."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "point": f"{codec}{clip}{seed}",
            "status": "done",
            "error": None,
            "run_folder": None,
            "input": clip,
            "codec": codec,
            "seed": seed,
            "input_frames": 50,
            "input_fps": 25.0,
            "input_width": 320,
            "input_height": 240,
            "input_seconds": 2.0,
            "plan_mean_scale": 2.0,
            "plan_mean_frame_divisor": 2.0,
            "rate_wire_bps": 24_000.0,
            "delivery_loss_rate": 0.1,
            "frames_frozen": 5,
            "quality_psnr_db": rng.normal(30, 2),
            "recognition_ccc_valence": rng.uniform(0.4, 0.6),
            "recognition_ccc_arousal": rng.uniform(0.8, 0.9),
        }
        for codec in ("x264", "x265")
        for clip in CLIPS
        for seed in SEEDS
    ]
    return pd.DataFrame(rows)


def test_a_row_is_a_setting_and_intervals_are_over_clips(frame):
    table = tidy(frame, pd.Series(0.5, index=frame.index))
    assert table["codec"].tolist() == ["x264", "x265"]
    row = table.iloc[0]
    shown = row[["clips", "seeds", "resolution", "frames_per_s", "kbps", "encode_s_per_s", "lost", "frozen"]]
    assert shown.tolist() == [3, 2, "160x120", 12.5, 24.0, 0.25, pytest.approx(0.1), pytest.approx(0.1)]
    runs = frame[frame["codec"] == "x264"]
    clips = runs.groupby("input")[["recognition_ccc_valence", "recognition_ccc_arousal"]].mean().mean(axis=1)
    low, high = stats.t.interval(0.95, 2, loc=clips.mean(), scale=stats.sem(clips))
    assert (row["ccc"], row["ccc_low"], row["ccc_high"]) == pytest.approx((clips.mean(), low, min(high, 1.0)))
    assert row["ccc_valence"] == pytest.approx(runs["recognition_ccc_valence"].mean())
    assert row["interval"] == "95 % over 3 clips"


def test_with_one_clip_intervals_are_over_seeds_and_with_one_run_there_is_none(frame):
    one = frame[frame["input"] == "a.mp4"]
    assert tidy(one)["interval"].tolist() == ["95 % over 2 seeds"] * 2
    single = tidy(one[one["seed"] == 0])
    assert "interval" not in single
    assert "ccc_low" not in single


def test_runs_that_failed_are_left_out(frame):
    frame.loc[frame["codec"] == "x265", "status"] = "failed"
    assert len(tidy(frame)) == 1


def test_short_names_never_replace_a_column(frame):
    assert add_short(frame.assign(ccc=7.0))["ccc"].eq(7.0).all()


def test_scores_end_where_they_can_end(frame):
    frame["recognition_ccc_valence"] = frame["recognition_ccc_arousal"] = np.tile([0.0, 0.0, 1.0, 1.0, 1.0, 1.0], 2)
    assert tidy(frame)["ccc_high"].tolist() == [1.0, 1.0]
