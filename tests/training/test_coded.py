import cv2
import numpy as np
import pytest
import torch

from vidlink.codec.shelf import load_codec
from vidlink.training.coded import Coding, code, useful_range


def faces(count):
    noise = np.random.default_rng(1).random((count, 48, 48), np.float32)
    return torch.from_numpy(np.stack([cv2.GaussianBlur(image, None, 2) for image in noise]))[:, None] * 2 - 0.5


def coded(scale, quality, *, count=10, seed=0, codec="x264"):
    coding = Coding(codec=load_codec(codec), quality=(quality, quality))
    pictures, found = code(faces(count).clamp(0, 1), scale, coding, torch.Generator().manual_seed(seed))
    assert found == quality
    return pictures


def error(pictures):
    return float((pictures - faces(len(pictures)).clamp(0, 1)).square().mean())


def test_each_face_comes_back_to_its_place():
    pictures = coded(1, 14)
    assert pictures.shape == (10, 1, 48, 48)
    distance = (pictures[:, None] - faces(10).clamp(0, 1)[None]).square().mean(dim=(2, 3, 4))
    assert distance.argmin(dim=1).tolist() == list(range(10))
    assert error(pictures) < 2e-4


def test_quality_and_scale_cost():
    errors = [error(coded(scale, quality)) for scale, quality in ((1, 14), (1, 32), (1, 46))]
    assert errors == sorted(errors)
    assert error(coded(4, 14)) > 3 * error(coded(1, 14))


def test_seeds_decide():
    assert torch.equal(coded(2, 30, seed=3), coded(2, 30, seed=3))
    assert not torch.equal(coded(2, 30, seed=3), coded(2, 30, seed=4))


@pytest.mark.parametrize("codec", ["x265", "vp9"])
def test_any_recipe(codec):
    assert error(coded(1, 20, codec=codec)) < error(coded(1, 45, codec=codec))


@pytest.mark.parametrize(("codec", "expected"), [("x264", (22, 50)), ("x265", (22, 50)), ("vp9", (26, 62))])
def test_training_uses_the_recipe_s_own_range(codec, expected):
    assert useful_range(load_codec(codec).quality) == expected
