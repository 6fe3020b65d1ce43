"""The picture of a run: which rows it has."""

import pandas as pd
import pytest

from vidlink.report.plot import draw_run


@pytest.fixture
def labels():
    """Draws a run of two frames with some columns; gives the labels of its rows."""

    def draw(**columns):
        frames = pd.DataFrame({"time_s": [0.0, 0.5], "status": ["ok", "frozen"], **columns})
        segment = {"start_s": 0.0, "duration_s": 1.0, "scale": 2.0, "frame_divisor": 1}
        segments = pd.DataFrame([segment | {"payload_bits": 100, "wire_bits": 200}])
        summary = {
            "input": {"path": "a.mp4", "seconds": 1.0},
            "settings": {"codec": "x264", "channel": "perfect"},
            "rate": {"wire_bps": 200.0, "target_bps": None},
            "recognition": None,
        }
        axes = draw_run(summary, {"segments": segments, "frames": frames}, []).axes
        return [axis.get_ylabel() for axis in axes if axis.get_ylabel()]

    return draw


def test_what_is_a_headline_is_drawn(labels):
    assert labels(psnr_db=[30.0, 100.0], ssim=[0.9, 1.0]) == ["rate (kb/s)\nheaders grey", "PSNR (dB)"]


def test_without_scores_the_frames_still_have_a_row(labels):
    assert labels() == ["rate (kb/s)\nheaders grey"]
