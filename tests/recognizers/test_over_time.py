"""Windows of recognizers that give dimensions."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import vidlink
from vidlink.errors import UserError
from vidlink.recognizers.over_time import Follower, nearest
from vidlink.recognizers.recognize import Context, Wants, load_recognizer, recognize

WANTS = Wants(region="frame", height=4, width=4, colour="luma", frames=5, frame_rate=5)


class Window:
    """Says of each window which pictures are in it, when, and what is known of them."""

    name, task, wants = "window", "test", WANTS
    gives = ("asked", "first", "last", "from_s", "to_s", "age", "qp", "later")

    def __call__(self, windows, context):
        assert windows.shape[1:] == (5, 1, 4, 4)
        assert windows.dtype == torch.float32
        assert context.age_s.shape == context.qp.shape == context.offset_s.shape == windows.shape[:2]
        assert [len(each) for each in context.status] == [5] * len(windows)
        seen = (windows.mean(dim=(2, 3, 4)) * 255).round()
        at = context.asked
        known = [
            context.offset_s[:, 0],
            context.offset_s[:, -1],
            context.age_s[:, at],
            np.nan_to_num(context.qp[:, at]),
        ]
        columns = [seen[:, at], seen[:, 0], seen[:, -1], *map(torch.from_numpy, known)]
        columns.append(torch.full((len(windows),), float(context.later)))
        return torch.stack([column.double() for column in columns], dim=1)


class Featured(Window):
    """The same, by features."""

    looks = 0

    def features(self, pictures, context):
        assert pictures.shape[1:] == (1, 4, 4)
        assert context.scale.shape == (len(pictures),)
        self.looks += len(pictures)
        return pictures.mean(dim=(1, 2, 3))[:, None]

    def __call__(self, windows, context):
        assert windows.shape[1:] == (5, 1)
        return super().__call__(windows[:, :, :, None, None].expand(-1, -1, -1, 4, 4), context)


def pictures(count):
    return [np.full((8, 8), 10 * (k % 25), np.uint8) for k in range(count)]


def known(count):
    return replace(Context.pristine(count), age_s=np.arange(count) / 100, qp=30.0 + np.arange(count))


@pytest.mark.parametrize("made", [Window, Featured])
def test_a_window_lies_about_each_picture(made):
    times_s = [0.1 * k for k in range(12)]  # ten a second, and windows of five a second
    answers = recognize(made(), pictures(12), None, known(12), times_s=times_s)
    asked, first, last, from_s, to_s, age_s, qp, later = answers.T
    assert asked.tolist() == [10 * k for k in range(12)]
    assert first.tolist() == [10 * max(0, k - 4) for k in range(12)]
    assert last.tolist() == [10 * min(11, k + 4) for k in range(12)]
    assert from_s == pytest.approx([-0.1 * min(4, k) for k in range(12)])
    assert to_s == pytest.approx([0.1 * min(4, 11 - k) for k in range(12)])
    assert age_s == pytest.approx(np.arange(12) / 100)
    assert qp == pytest.approx(30 + np.arange(12))
    assert (later == 1).all()


@pytest.mark.parametrize("made", [Window, Featured])
def test_live_a_window_ends_with_its_picture(made):
    answers = recognize(made(), pictures(12), None, known(12), times_s=[0.1 * k for k in range(12)], later=False)
    asked, first, last, from_s, to_s, *_, later = answers.T
    assert asked.tolist() == last.tolist() == [10 * k for k in range(12)]
    assert first.tolist() == [10 * max(0, k - 8) for k in range(12)]
    assert from_s == pytest.approx([-0.1 * min(8, k) for k in range(12)])
    assert (to_s == 0).all()
    assert (later == 0).all()


@pytest.mark.parametrize("later", [True, False])
def test_a_clip_shorter_than_a_window_is_held(later):
    answers = recognize(Window(), pictures(2), None, known(2), times_s=[0.0, 0.04], later=later)
    assert answers[:, :3].tolist() == ([[0, 0, 10], [10, 0, 10]] if later else [[0, 0, 0], [10, 0, 10]])
    assert recognize(Window(), pictures(1), None, known(1), times_s=[3.0])[:, :5].tolist() == [[0, 0, 0, 0, 0]]
    assert recognize(Window(), [], None, times_s=[]).shape == (0, 8)


def test_pictures_without_times_have_nothing_to_do_with_one_another():
    answers = recognize(Window(), pictures(3), None, known(3))
    assert answers[:, :5].tolist() == [[10 * k, 10 * k, 10 * k, 0, 0] for k in range(3)]


def test_each_picture_is_looked_at_once():
    recognizer = Featured()
    recognize(recognizer, pictures(40), None, known(40), times_s=[0.04 * k for k in range(40)])
    assert recognizer.looks == 40


def test_pictures_without_a_face_are_in_no_window():
    class Face(Window):
        wants = replace(WANTS, region="face")

    boxes = [None if k in (3, 4) else (0, 0, 8, 8) for k in range(8)]
    answers = recognize(Face(), pictures(8), boxes, known(8), times_s=[0.2 * k for k in range(8)])
    assert np.isnan(answers[[3, 4]]).all()
    assert answers[2, :5] == pytest.approx([20, 0, 50, -0.4, 0.6])
    assert np.isfinite(answers[[0, 1, 2, 5, 6, 7]]).all()


def test_windows_of_faces_say_by_how_much_each_was_enlarged(tmp_path):
    class Seen:
        name, task, gives = "seen", "test", ("looked", "asked")
        wants = Wants(region="face", height=48, width=48, colour="luma", frames=3, frame_rate=5)

        def features(self, pictures, context):
            return torch.from_numpy(context.seen_scale)[:, None]

        def __call__(self, windows, context):
            asked = torch.from_numpy(context.seen_scale[:, context.asked])
            return torch.stack([windows[:, context.asked, 0].double(), asked], dim=1)

    run = vidlink.run(bitrate="40k", scale=4, recognizer=Seen(), recognize_every=25, out=tmp_path / "run", quiet=True)
    table = run.predictions
    side = table["width"].round()
    assert (side > 60).all()
    for name in ("looked", "asked"):
        assert table[name].to_numpy() == pytest.approx((4 * 48 / side).to_numpy(), rel=0.02)
        assert (table[f"{name}_pristine"] == 1).all()


@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize("parts", [1, 7, 25])
def test_windows_do_not_depend_on_how_pictures_come_in(later, parts):
    rng = np.random.default_rng(0)
    times_s = np.cumsum(rng.uniform(0.01, 0.3, 60))
    follower = Follower(wants=WANTS, frame_rate=10, later=later)
    windows, oldest = [], []
    for part in np.array_split(times_s, parts):
        windows += follower.add(part.tolist())
        oldest.append(follower.oldest)
    before = len(windows)
    windows += follower.finish()
    assert [window.position for window in windows] == list(range(60))
    assert (before == 60) == (not later)
    for window in windows:
        upto = times_s if later else times_s[: window.position + 1]
        instants_s = times_s[window.position] + (np.arange(5) - follower.asked) / 5
        far = np.abs(times_s[window.rows] - instants_s)
        assert far == pytest.approx([np.abs(upto - instant_s).min() for instant_s in instants_s])
        assert window.offset_s == pytest.approx(times_s[window.rows] - times_s[window.position], abs=1e-6)
    if parts > 1:
        assert oldest[-1] > 30  # what is not needed is dropped


def test_nearest_takes_the_earlier_of_two():
    assert nearest(np.array([0.0, 1.0, 2.0]), np.array([-5, 0.5, 0.6, 1.5, 9])).tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"wants": replace(WANTS, stride_s=0.5)}, "wants stride_s = 0.5 and gives dimensions, which have a window"),
        ({"features": 3}, "features cannot be called"),
    ],
)
def test_what_cannot_be_is_refused(monkeypatch, attributes, message):
    import sys
    import types

    module = types.ModuleType("test_windows_of_dimensions")
    module.Wrong = type("Wrong", (Window,), attributes)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(UserError, match=message):
        load_recognizer("test_windows_of_dimensions:Wrong")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (lambda self, pictures, context: pictures.mean(), "gave shape"),
        (lambda self, pictures, context: pictures.mean(dim=(1, 2, 3))[:-1, None], "gave shape"),
        (lambda self, pictures, context: pictures.mean(dim=(2, 3)) * float("nan"), "gave numbers that are not finite"),
        (lambda self, pictures, context: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_wrong_features_name_the_recognizer(features, message):
    wrong = type("Wrong", (Featured,), {"features": features})()
    with pytest.raises(UserError, match=f"recognizer 'window': {message}"):
        recognize(wrong, pictures(3), None, known(3), times_s=[0, 1, 2])
