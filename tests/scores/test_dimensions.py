import numpy as np
import torch

from vidlink.recognizers.recognize import Context, Wants
from vidlink.scores.dimensions import look_at_faces


class Mean:
    """Mean brightness and the scale that it is told."""

    name, task = "mean", "test"
    wants = Wants(region="face", height=4, width=4, colour="luma")
    gives = ("brightness", "scale")

    def __init__(self):
        self.batches = []

    def __call__(self, pictures, context):
        self.batches.append(len(pictures))
        return torch.stack([pictures.mean(dim=(1, 2, 3)), torch.from_numpy(context.scale).float()], dim=1)


def test_all_faces_of_a_segment_are_recognized_together():
    """Frame t is t on the left and 100 + t on the right."""
    pictures = [np.hstack([np.full((8, 8), t, np.uint8), np.full((8, 8), 100 + t, np.uint8)]) for t in range(5)]
    context = Context(scale=np.arange(5.0) + 1, quality=np.zeros(5), status=("ok",) * 5)
    crops = {7: [(0, 0, 8, 8)] * 5, 2: [(8, 0, 8, 8)] * 4 + [None]}
    mean = Mean()
    answers = look_at_faces(mean, pictures, crops, context)
    assert list(answers) == [7, 2]
    assert np.allclose(answers[7] * [255, 1], [[t, t + 1] for t in range(5)])
    assert np.allclose(answers[2][:4] * [255, 1], [[100 + t, t + 1] for t in range(4)])
    assert np.isnan(answers[2][4]).all()
    assert mean.batches == [9]


def test_no_face_is_no_answer():
    assert look_at_faces(Mean(), [np.zeros((8, 8), np.uint8)], {}, Context.pristine(1)) == {}


def test_whole_frames_need_no_face():
    mean = Mean()
    mean.wants = Wants(region="frame", height=4, width=4, colour="luma")
    answers = look_at_faces(mean, [np.full((8, 8), t, np.uint8) for t in (10, 20)], {0: None}, Context.pristine(2))
    assert np.allclose(answers[0] * 255, [[10, 255], [20, 255]])
