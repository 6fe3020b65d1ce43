import cv2
import numpy as np
import pytest
import torch

from vidlink.errors import UserError
from vidlink.training.bicubic import resize_bicubic
from vidlink.training.degrade import area_matrix
from vidlink.training.patches import Patches, crop_to_multiple


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images():
    """Smooth noise; every pixel of the second one is brighter than any of the first."""
    random = np.random.default_rng(0)
    smooth = [
        cv2.GaussianBlur(random.integers(0, 256, size).astype(np.float32), None, 2) for size in ((61, 50), (40, 90))
    ]
    return [
        (60 + (image - 128) / 2 + 100 * number).clip(0, 255).astype(np.uint8) for number, image in enumerate(smooth)
    ]


def symmetries(patch):
    return [turned for flat in (patch, patch.T) for turned in (flat, flat[::-1], flat[:, ::-1], flat[::-1, ::-1])]


def test_literature_patches_are_cut_from_whole_degraded_images(images):
    given, target, scale = Patches(images[:1], (3, 3), 48).draw(4, generator())
    assert given.shape == target.shape == (4, 1, 48, 48)
    assert scale.tolist() == [3] * 4
    whole = crop_to_multiple(images[0], 3)
    assert whole.shape == (60, 48)
    smooth = resize_bicubic(resize_bicubic(whole / 255, 20, 16), 60, 48)
    for one_given, one_target in zip(given[:, 0].numpy(), target[:, 0].numpy(), strict=True):
        pairs = [
            (symmetries(whole[top : top + 48] / 255)[turn], symmetries(smooth[top : top + 48])[turn])
            for top in range(13)
            for turn in range(8)
        ]
        matching = [blurred for sharp, blurred in pairs if np.allclose(sharp, one_target, atol=1e-6)]
        assert len(matching) == 1
        assert np.allclose(matching[0], one_given, atol=1e-6)


def test_lr_patches_lie_on_the_lr_grid(images):
    given, target, _ = Patches(images, (3, 3), 24, lr=True).draw(64, generator())
    assert given.shape == (64, 1, 8, 8)
    down = torch.from_numpy(np.kron(np.eye(8), np.full((1, 3), 1 / 3))).float()
    # the mean of 3x3 pixels is close to the antialiased bicubic of a smooth picture, if it is the same place
    error = (down @ target @ down.T - given)[..., 1:-1, 1:-1].abs().mean()
    shifted = (down @ target.roll(2, -1) @ down.T - given)[..., 1:-1, 1:-1].abs().mean()
    assert error < 0.3 * shifted


def test_link_patches_have_their_own_factors(images):
    given, target, scale = Patches(images, (1, 6), 32, resampling="link").draw(200, generator())
    assert 1 <= scale.min() < 1.3
    assert 5.7 < scale.max() <= 6
    lost = (given - target).square().mean(dim=(1, 2, 3))
    assert lost[scale > 5].mean() > 4 * lost[scale < 2].mean()


def test_link_patches_at_lr_are_the_sender_s(images):
    given, target, _ = Patches(images, (4, 4), 32, resampling="link", lr=True).draw(3, generator())
    down = area_matrix(8, 32)
    assert torch.allclose(given, down @ target @ down.T, atol=0.51 / 255)
    assert torch.equal(given, (given * 255).round() / 255)


def test_every_place_is_as_likely(images):
    """61x50 holds 14 x 3 places for a 48x48 patch; 40x90 is too low for one."""
    _, target, _ = Patches(images, (1, 6), 48, resampling="link").draw(20, generator())
    assert target.max() < 110 / 255
    _, target, _ = Patches(images, (1, 6), 36, resampling="link").draw(4000, generator())
    bright = float((target.mean(dim=(1, 2, 3)) > 110 / 255).float().mean())
    assert bright == pytest.approx(5 * 55 / (5 * 55 + 26 * 15), abs=0.03)


def test_seeded(images):
    patches = Patches(images, (1, 6), 32, resampling="link")
    first, again, other = patches.draw(8, generator(1)), patches.draw(8, generator(1)), patches.draw(8, generator(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[1], other[1])


def test_what_cannot_be_drawn_is_refused(images):
    with pytest.raises(UserError, match="none of 2 images is at least 64x64"):
        Patches(images, (3, 3), 64)
    with pytest.raises(ValueError, match="one factor only"):
        Patches(images, (1, 3), 48)
    with pytest.raises(ValueError, match="no multiple"):
        Patches(images, (3, 3), 32, lr=True)
