"""What recognizers of maps and boxes give: every layout that is allowed, and one line for what is not."""

import numpy as np
import pytest
import torch

from vidlink.errors import UserError
from vidlink.recognizers.recognize import Wants, load_recognizer, recognize_boxes, recognize_maps

WANTS = Wants(region="frame", height=4, width=6, colour="luma")
PICTURES = [np.zeros((8, 12), np.uint8)] * 3


class Gives:
    name, task, wants = "made", "made", WANTS

    def __init__(self, give, **names):
        self._give = give
        for name, value in names.items():
            setattr(self, name, value)

    def __call__(self, pictures, context):
        assert pictures.shape[1:] == (1, 4, 6)
        return self._give(len(pictures))


def maps(give):
    return recognize_maps(Gives(give, maps=("a", "b")), PICTURES)


def boxes(row, count=1):
    one = torch.tensor([row] * count).float()
    return recognize_boxes(Gives(lambda n: [one] * n, boxes=("a", "b")), PICTURES)[0]


def test_maps_are_scores_or_numbers_of_any_size():
    scores = torch.tensor([[[[1.0, 0], [0, 0]], [[0, 1.0], [1, 1]]]])
    found = maps(lambda n: scores.expand(n, 2, 2, 2))
    assert found.shape == (3, 4, 6)
    assert (found[0, :2, :2] == 0).all()
    assert (found[0, 2:] == 1).all()
    numbers = maps(lambda n: torch.tensor([[[1, 0]]]).expand(n, 1, 2))
    assert numbers[2].tolist() == [[1, 1, 1, 0, 0, 0]] * 4


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (
            lambda n: torch.zeros(n, 3, 4, 6),
            r"gave torch.float32 of shape \(3, 3, 4, 6\), expected scores of shape \(3, 2",
        ),
        (lambda n: torch.zeros(n, 4, 6), r"of shape \(3, 4, 6\), expected .* or whole numbers"),
        (lambda n: torch.zeros(n, 2, 0, 6), r"shape \(3, 2, 0, 6\)"),
        (lambda n: torch.full((n, 2, 4, 6), np.nan), "not finite"),
        (lambda n: torch.full((n, 4, 6), 2), "gave class number 2, expected 0 to 1"),
        (lambda n: np.zeros((n, 2, 4, 6)), "gave ndarray, expected scores"),
        (lambda n: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_what_is_no_map_is_refused(give, said):
    with pytest.raises(UserError, match=rf"recognizer 'made': .*{said}"):
        maps(give)


def test_boxes_are_cut_at_the_picture_and_those_that_are_nothing_are_left_out():
    found = boxes([-3.0, 1, 2, 9, 0.5, 1])
    assert found.rows.tolist() == [[0, 1, 2, 4, 0.5, 1]]
    for nothing in ([7.0, 1, 9, 2, 0.5, 1], [3, 1, 2, 2, 0.5, 1], [1, 1, 1, 1, 0.5, 1]):  # outside, negative, empty
        assert boxes(nothing) == (pytest.approx(np.empty((0, 6))), 1)
    assert boxes([1.0, 1, 2, 2, 0, 1]).left_out == 0, "a score of 0 fills a row"


def test_of_ten_thousand_boxes_the_surest_hundred_are_kept():
    many = torch.rand(10_000, 1) * 0.9
    rows = torch.cat([torch.tensor([[1.0, 1, 3, 3]]).expand(10_000, 4), many, 0 * many], dim=1)
    found = recognize_boxes(Gives(lambda n: rows.expand(n, -1, -1), boxes=("a",)), PICTURES)[2].rows
    assert found[:, 4].tolist() == sorted(many.flatten().tolist(), reverse=True)[:100]


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (lambda n: torch.zeros(n, 6), r"gave Tensor of shape \(3, 6\), expected 3 tensors of shape \(k, 6\)"),
        (lambda n: [torch.zeros(1, 6)], "gave boxes of 1 pictures"),
        (lambda n: [torch.zeros(1, 5)] * n, r"gave shape \(1, 5\) of a picture"),
        (lambda n: [None] * n, "gave NoneType of a picture"),
        (lambda n: torch.full((n, 1, 6), np.nan), "not finite"),
        (lambda n: torch.tensor([[[0, 0, 1, 1, 7.5, 0]]]).expand(n, 1, 6), "a box with the score 7.5, expected 0 to 1"),
        (lambda n: torch.tensor([[[0, 0, 1, 1, 0.5, 2]]]).expand(n, 1, 6), "of class number 2, expected .* 0 to 1"),
    ],
)
def test_what_is_no_box_is_refused(give, said):
    with pytest.raises(UserError, match=rf"recognizer 'made': .*{said}"):
        recognize_boxes(Gives(give, boxes=("a", "b")), PICTURES)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"maps": ("a", "a")}, "maps is .* expected different names"),
        ({"maps": tuple(map(str, range(256)))}, "maps names 256 classes of pixels, expected 255 at most"),
        ({"boxes": ("a",), "threshold": 0}, "threshold is 0, expected a score above 0"),
        ({"boxes": "car"}, "boxes is 'car', expected a tuple"),
        (
            {"boxes": ("a",), "wants": Wants(region="face", height=4, width=4, colour="rgb")},
            "gives boxes and wants region",
        ),
    ],
)
def test_what_says_where_wants_whole_single_frames_and_has_names(monkeypatch, attributes, said):
    import sys
    import types

    module = types.ModuleType("spatial_plugin")
    module.Made = type("Made", (Gives,), {"__init__": lambda self: None, **attributes})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(UserError, match=said):
        load_recognizer("spatial_plugin:Made")
