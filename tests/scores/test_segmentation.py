import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassJaccardIndex

from vidlink.scores.segmentation import class_iou, confusion, mean_iou, pixel_accuracy


def test_miou_is_that_of_torchmetrics_over_all_frames_together():
    rng = np.random.default_rng(1)
    said, labels = rng.integers(0, 4, (3, 12, 16)), rng.integers(-1, 4, (3, 12, 16))
    labels[labels == 3] = 0  # class 3 is said and never there: it counts, with 0
    matrix = sum(confusion(a, b, 5) for a, b in zip(said, labels, strict=True))  # class 4 occurs nowhere
    reference = MulticlassJaccardIndex(5, ignore_index=-1)
    reference.update(torch.from_numpy(said), torch.from_numpy(labels))
    assert mean_iou(matrix) == pytest.approx(float(reference.compute()), abs=1e-6)
    assert matrix.sum() == (labels >= 0).sum()
    assert pixel_accuracy(matrix) == pytest.approx((said == labels)[labels >= 0].mean())
    assert np.isnan(class_iou(matrix)[4])
    assert class_iou(matrix)[3] == 0


def test_without_a_labelled_pixel_there_is_no_miou():
    matrix = confusion(np.zeros((2, 2), int), np.full((2, 2), -1), 3)
    assert mean_iou(matrix) is None
    assert pixel_accuracy(matrix) is None
