import cv2
import numpy as np
import pytest
import torch

from vidlink.training.degrade import (
    Degradation,
    area_matrix,
    cubic_matrix,
    degrade,
    downsample_and_back,
    draw_scales,
    vary,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def textured(count=6, side=48):
    noise = np.random.default_rng(1).random((count, side, side), np.float32)
    return torch.from_numpy(np.stack([cv2.GaussianBlur(image, None, 1.5) for image in noise]))[:, None]


@pytest.mark.parametrize("lr", [8, 12, 16, 24, 32, 47, 48])
def test_matrices_are_opencv_s_area_and_cubic(lr):
    image = textured(1)[0, 0]
    small = area_matrix(lr, 48) @ image @ area_matrix(lr, 48).T
    expected = cv2.resize(image.numpy(), (lr, lr), interpolation=cv2.INTER_AREA)
    assert small.numpy() == pytest.approx(expected, abs=1e-5)
    large = cubic_matrix(48, lr) @ small @ cubic_matrix(48, lr).T
    expected = cv2.resize(small.numpy(), (48, 48), interpolation=cv2.INTER_CUBIC)
    assert large.numpy() == pytest.approx(expected, abs=1e-5)


def test_each_picture_has_its_own_factor():
    pictures = textured(3)
    together = downsample_and_back(pictures, torch.tensor([48, 24, 8]))
    alone = torch.cat(
        [downsample_and_back(pictures[k : k + 1], torch.tensor([lr])) for k, lr in enumerate((48, 24, 8))]
    )
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.allclose(together[0], (pictures[0] * 255).round() / 255, atol=1e-6)
    detail = together.diff(dim=-1).square().mean(dim=(1, 2, 3))
    assert detail[0] > detail[1] > detail[2]


def test_seeded_and_bounded():
    pictures, settings = textured(16), Degradation()
    first, scales = degrade(vary(pictures, settings, generator(5)), settings, generator(6))
    again, _ = degrade(vary(pictures, settings, generator(5)), settings, generator(6))
    other, _ = degrade(vary(pictures, settings, generator(7)), settings, generator(6))
    assert torch.equal(scales, draw_scales(16, settings, generator(6)))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == pictures.shape
    assert 0 <= first.min() <= first.max() <= 1


def test_scales_fill_the_range():
    scales = draw_scales(4000, Degradation(scales=(1.0, 6.0), pristine=0.25), generator())
    assert float((scales == 1).float().mean()) == pytest.approx(0.25, abs=0.03)
    drawn = scales[scales > 1]
    assert 5.9 < drawn.max() <= 6
    assert float(drawn.mean()) == pytest.approx(3.5, abs=0.1)


def test_hr_leaves_pictures_whole():
    pictures = textured(4)
    whole, scales = degrade(pictures, Degradation(scales=(1.0, 1.0)), generator())
    assert (scales == 1).all()
    assert whole.numpy() == pytest.approx(pictures.numpy(), abs=0.5 / 255 + 1e-6)
