import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from vidlink.training.bicubic import bicubic_matrix, keys, resize_bicubic


@pytest.mark.parametrize(("after", "before"), [(16, 48), (48, 16), (10, 47), (47, 10), (7, 7), (1, 9), (5, 2)])
def test_a_flat_line_stays_flat(after, before):
    matrix = bicubic_matrix(after, before)
    assert matrix.shape == (after, before)
    assert matrix.sum(axis=1) == pytest.approx(1)


def test_the_same_size_changes_nothing():
    assert bicubic_matrix(9, 9) == pytest.approx(np.eye(9))


def test_the_kernel_is_keys():
    assert keys(np.array([0.0, 1.0, -1.0, 2.0, 2.5])) == pytest.approx([1, 0, 0, 0, 0])
    assert keys(np.array([0.5, -0.5, 1.5])) == pytest.approx([0.5625, 0.5625, -0.0625])


@pytest.mark.parametrize(("after", "before"), [((16, 12), (48, 36)), ((30, 33), (47, 40)), ((48, 36), (16, 12))])
def test_inside_it_is_pytorch_s_antialiased_bicubic(after, before):
    """PyTorch cuts the kernel off at the edge where MATLAB mirrors the picture: away from it they agree."""
    picture = np.random.default_rng(0).random(before)
    expected = functional.interpolate(
        torch.from_numpy(picture)[None, None], after, mode="bicubic", align_corners=False, antialias=True
    )[0, 0].numpy()
    found = resize_bicubic(picture, *after)
    edge = 2 * max(1, after[0] // before[0] + 1)
    inner = (slice(edge, -edge),) * 2
    assert found[inner] == pytest.approx(expected[inner], abs=1e-6)


def test_edges_are_mirrored():
    picture = np.random.default_rng(1).random((12, 9))
    wide = cv2.copyMakeBorder(picture, 6, 6, 6, 6, cv2.BORDER_REFLECT)
    assert resize_bicubic(picture, 4, 3) == pytest.approx(resize_bicubic(wide, 8, 7)[2:-2, 2:-2])
