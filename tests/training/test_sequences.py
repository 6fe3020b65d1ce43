"""Windows of clips behind the link: what is aligned, what is told, and what a network gets."""

import numpy as np
import pytest
import torch

from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.nets.temporal_sr import TemporalSR, align
from vidlink.scores.psnr import psnr_db
from vidlink.training.sequences import Through, Windows, restored, score_windows, send


def moving(frames=12, height=64, width=96, step=2):
    """A texture that moves to the right."""
    rng = np.random.default_rng(0)
    wide = np.kron(rng.integers(0, 256, (height // 8, width // 4), dtype=np.uint8), np.ones((8, 8), np.uint8))
    smooth = (wide.astype(float) + np.roll(wide, 1, 0) + np.roll(wide, 1, 1) + np.roll(wide, 2, 1)) / 4
    return np.stack([np.roll(smooth, step * frame, axis=1)[:, :width] for frame in range(frames)]).astype(np.uint8)


def through(**how):
    return Through(codec=load_codec("x264"), scales=(2.0, 3.0), quality=(20, 40), **how)


def test_windows_are_patches_with_what_is_known_of_them():
    made = Windows([moving()], through(coded=0.7, hidden=0.3), frames=5, count=80, side=32, seed=0)
    generator = torch.Generator().manual_seed(0)
    given, target, scale, qp = made.draw(40, generator)
    assert given.shape == (40, 5, 32, 32)
    assert target.shape == (40, 1, 32, 32)
    assert scale.min() >= 2
    assert scale.max() <= 3
    assert qp.isnan().any()
    assert (qp == 0).any()
    assert (qp > 15).any()
    assert 0 < (given[:, :1] - target).square().mean() < 0.05, "each window belongs to its target"
    twice = [Windows([moving()], through(), frames=3, count=8, side=32, seed=1).given for _ in range(2)]
    assert torch.equal(*twice)


def test_clips_that_are_too_small_or_short():
    with pytest.raises(UserError, match="none of 1 clips has 9 pictures of at least 96x96"):
        Windows([moving()], through(), frames=5, count=8, side=96, seed=0)
    with pytest.raises(UserError, match="none of 1 clips"):
        Windows([moving(frames=8)], through(), frames=5, count=8, side=32, seed=0)


def test_sending_costs_detail_and_coding_costs_more():
    film = moving()
    plain, no_qp = send(film, 2.0, None, load_codec("x264"))
    coded, qp = send(film, 2.0, 38.0, load_codec("x264"))
    assert (no_qp == 0).all()
    assert (qp > 25).all()
    assert psnr_db(film[5], coded[5]) < psnr_db(film[5], plain[5]) - 1


def test_alignment_brings_neighbours_to_where_things_are():
    film = torch.from_numpy(moving(step=3)[:3]).float() / 255
    window = film[[1, 0, 2]]
    found = align(window)
    inner = (slice(None), slice(8, -8), slice(8, -8))
    before, after = ((each[1:] - each[:1])[inner].square().mean() for each in (window, found))
    assert after < before / 4
    assert torch.equal(found[0], window[0])
    assert torch.equal(align(window[:, :6, :6]), window[:, :6, :6]), "too small to be aligned"


def test_an_untrained_network_is_interpolation_on_any_size():
    network = TemporalSR(4)
    pictures = torch.rand(1, 5, 37, 50)
    assert torch.equal(network(pictures), pictures[:, :1])
    film = moving()
    large, qp = send(film, 3.0, None, load_codec("x264"))
    assert np.array_equal(restored(network, large, 3.0, qp, frames=5), large)
    row = score_windows(network, {"a": film}, through(), scale=3.0, frames=5, count=4)[0]
    assert row["psnr_db"] == row["bicubic_db"]


def test_trust_picks_a_branch_for_each_pixel():
    network = TemporalSR(4)
    with torch.no_grad():
        for number, branch in enumerate(network.branches):
            branch[-1].bias.fill_(0.1 * number)
        network.trust[-1].bias[:16] = 50.0  # the first branch, everywhere
    pictures = torch.rand(1, 5, 16, 16)
    together, *each = network.estimates(pictures, torch.tensor([3.0]), torch.tensor([30.0]))
    assert torch.allclose(together, each[0])
    assert not torch.allclose(each[0], each[1])
