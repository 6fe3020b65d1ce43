"""The picture of a run: which rows it has, and what is in them."""

import numpy as np
import pandas as pd
import pytest

from vidlink.report.lanes import with_gaps
from vidlink.report.plot import coded_as, draw_run
from vidlink.report.thumbnails import brightened, gain_of


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
    assert labels() == ["rate (kb/s)\nheaders grey", "frames"]


def many_faces(count, missing=()):
    """A run of five seconds with so many faces, none in the frames that are missing."""
    frames = pd.DataFrame({"time_s": 0.1 * np.arange(50), "status": "ok"})
    rows = [
        {"frame": k, "time_s": 0.1 * k, "face": face, "valence": 0.1 * face, "valence_pristine": 0.2}
        for k in range(50)
        if k not in missing
        for face in range(count)
    ]
    segment = {"start_s": 0.0, "duration_s": 5.0, "scale": 2.0, "frame_divisor": 2, "height": 240}
    live = pd.DataFrame({"time_s": [1.0, 2.0], "estimate_bps": [1e3, 2e3], "capacity_bps": [50e3, 90e3]})
    summary = {
        "input": {"path": "a.mp4", "seconds": 5.0, "fps": 25.0},
        "settings": {"codec": "x264", "channel": "perfect"},
        "rate": {"wire_bps": 200.0, "target_bps": None},
        "recognition": {"n": 1, "against": "pristine", "cc": {"valence": 0.5}, "ccc": {"valence": 0.5}},
    }
    segments = pd.DataFrame([segment | {"payload_bits": 100, "wire_bits": 200}])
    return summary, {"segments": segments, "frames": frames, "predictions": pd.DataFrame(rows), "live": live}


@pytest.mark.parametrize(("faces", "rows"), [(1, 1), (3, 1), (5, 5)])
def test_more_than_three_faces_have_a_picture_each(faces, rows):
    axes = draw_run(*many_faces(faces), []).axes
    assert sum(axis.get_ylabel().startswith("valence") for axis in axes) == rows


def test_the_capacity_lies_within_the_axis():
    rates = next(axis for axis in draw_run(*many_faces(1), []).axes if "rate" in axis.get_ylabel())
    assert rates.get_ylim()[1] >= 90


def test_bars_say_how_they_were_coded():
    rates = next(axis for axis in draw_run(*many_faces(1), []).axes if "rate" in axis.get_ylabel())
    assert "240p,\n12.5 fps" in [text.get_text() for text in rates.texts]
    assert coded_as({"height": 240, "frame_divisor": 2}, 25.0) == "240p, 12.5 fps"


def test_times_without_a_face_are_hatched():
    axes = draw_run(*many_faces(1, missing=range(20, 35)), []).axes
    track = next(axis for axis in axes if axis.get_ylabel() == "valence")
    hatched = [patch for patch in track.patches if patch.get_hatch()]
    assert len(hatched) == 1
    box = hatched[0].get_extents().transformed(track.transData.inverted())
    assert (box.x0, box.x1) == pytest.approx((1.9, 3.5))


def test_a_line_ends_where_there_is_nothing():
    times, values = with_gaps(np.array([0.0, 0.1, 0.2, 1.0, 1.1]), np.arange(5.0))
    assert np.isnan(values).sum() == 1
    assert len(times) == 6


@pytest.mark.parametrize(("level", "gain"), [(20, 8.0), (50, 4.0), (120, 1.0)])
def test_dark_pictures_are_brightened(level, gain):
    picture = np.full((8, 8, 3), level, np.uint8)
    assert gain_of([(0.0, picture, picture)]) == gain
    assert brightened(picture, gain).max() == level * gain
