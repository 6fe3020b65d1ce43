"""The curves of a training: what is drawn of its log."""

import cv2
import pytest

from vidlink.report.curves import draw_curves, write_curves

LOG = [
    {"epoch": 1, "loss": 0.9, "seconds": 3.0, "valence_ccc_s1": 0.2, "arousal_ccc_s1": 0.3, "accuracy": 0.4},
    {"epoch": 2, "loss": 0.5, "seconds": 3.1, "valence_ccc_s1": 0.5, "arousal_ccc_s1": 0.4, "accuracy": 0.5},
]


def points(axis):
    return {line.get_label(): line.get_xydata().tolist() for line in axis.lines}


def test_loss_and_the_first_kind_of_score_are_drawn():
    loss, scores = draw_curves(LOG).axes
    assert list(points(loss).values()) == [[[1, 0.9], [2, 0.5]]]
    assert points(scores) == {
        "valence, scale 1": [[1, 0.2], [2, 0.5]],
        "arousal, scale 1": [[1, 0.3], [2, 0.4]],
    }
    assert scores.get_ylabel() == "CCC, validation"
    assert loss.get_yscale() == "linear"


def test_a_loss_that_falls_by_far_is_drawn_on_a_logarithmic_axis():
    (axis,) = draw_curves([{"epoch": 1, "loss": 5.0}, {"epoch": 2, "loss": 0.01}]).axes
    assert axis.get_yscale() == "log"
    assert all(float(place).is_integer() for place in axis.get_xticks())


def test_a_score_that_is_had_now_and_then_is_drawn_where_it_is():
    log = [{"step": k, "loss": 1.0 / k, **({"psnr_db": 20.0 + k} if k % 2 else {})} for k in range(1, 6)]
    loss, scores = draw_curves(log, unit="step").axes
    assert len(next(iter(points(loss).values()))) == 5
    assert next(iter(points(scores).values())) == [[1, 21], [3, 23], [5, 25]]


def test_without_scores_there_is_the_loss_alone_below_nought_too():
    (axis,) = draw_curves([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": -0.5}]).axes
    assert axis.get_yscale() == "linear"


@pytest.mark.parametrize("log", [LOG, LOG[:1]])
def test_the_picture_is_written_whole_and_the_same_each_time(tmp_path, log):
    write_curves(tmp_path / "a.png", log)
    write_curves(tmp_path / "b.png", log)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.png", "b.png"]
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert cv2.imread(str(tmp_path / "a.png")).std() > 5


def test_of_an_empty_log_nothing_is_drawn(tmp_path):
    write_curves(tmp_path / "a.png", [])
    assert list(tmp_path.iterdir()) == []
