"""Restorers against noise, haze and low light: identity at first, any size, learnable, joined to recognizers."""

import numpy as np
import pytest
import torch

from vidlink.nets.aodnet import AODNet
from vidlink.nets.boost import BoostNet
from vidlink.nets.build import Network, build, build_restorer
from vidlink.nets.tone import ToneNet
from vidlink.training.disturb import parse_mix

NAMES = ("denoiser", "aodnet", "tone", "boost")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_untrained_it_leaves_pictures_of_any_size_as_they_are(name, channels):
    torch.manual_seed(0)
    made = build_restorer(name, 8, channels=channels).eval()
    for size in ((23, 30), (64, 48)):
        pictures = torch.rand(2, channels, *size)
        assert (made(pictures, torch.ones(2)) - pictures).abs().max() < 0.02
        assert made.features(pictures).shape[:2] == (2, made.channels)
    assert (made.takes_lr, made.shrink) == (False, 0)


@pytest.mark.parametrize(
    ("name", "mix", "width", "rate", "gain_db"),
    [
        ("denoiser", "noise:0.1", 8, 0.01, 3),
        ("aodnet", "haze:0.1", 8, 0.01, 1),
        ("tone", "dark:0.8", 8, 0.01, 6),
        ("boost", "noise:0.1", 24, 0.003, 3),
    ],
)
def test_it_learns_what_it_is_for(name, mix, width, rate, gain_db):
    torch.manual_seed(0)
    made = build_restorer(name, width)
    generator = torch.Generator().manual_seed(0)
    clean = torch.nn.functional.interpolate(torch.rand(6, 1, 8, 8, generator=generator), (32, 32), mode="bilinear")
    disturb, optimizer = parse_mix(mix), torch.optim.Adam(made.parameters(), rate)
    for _ in range(30):
        loss = (made(disturb(clean, generator)) - clean).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    given = disturb(clean, generator)
    before, after = ((each - clean).square().mean().item() for each in (given, made.eval()(given)))
    assert 10 * np.log10(before / after) > gain_db


@pytest.mark.parametrize("name", [*(f"{name}+recognition" for name in NAMES), *(f"{name}+residual" for name in NAMES)])
def test_any_of_them_stands_before_a_recognizer(name):
    network = build(Network(name=name, size=48, outputs=3, width=8))
    assert network(torch.rand(2, 1, 48, 48), torch.ones(2)).shape == (2, 3)
    assert sum(p.numel() for p in network.encoder.parameters()) > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_recognizer_may_see_the_restored_picture(name):
    torch.manual_seed(0)
    network = build(Network(name=f"{name}/residual", size=48, outputs=3, width=8)).eval()
    pictures = torch.rand(2, 1, 48, 48)
    assert torch.equal(network.restore(pictures), network.restorer(pictures).clamp(0, 1))
    expected = network.recognizer(network.restore(pictures), None)
    assert torch.equal(network(pictures), expected)
    network(pictures).sum().backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in network.encoder.parameters())


@pytest.mark.parametrize("name", ["espcn", "twin", "temporal"])
def test_restorers_of_other_sizes_give_no_picture_to_a_recognizer(name):
    from vidlink.errors import UserError

    with pytest.raises(UserError, match="needs whole pictures"):
        build(Network(name=f"{name}/residual"))


def test_one_that_looks_at_several_pictures_stands_before_none():
    from vidlink.errors import UserError

    with pytest.raises(UserError, match="has no features"):
        build(Network(name="temporal+residual"))


def test_haze_of_one_thickness_and_light_is_what_one_map_takes_away():
    network, clear = AODNet(), torch.rand(1, 1, 9, 9)
    t, light = 0.5, 0.8
    hazy = clear * t + light * (1 - t)
    with torch.no_grad():  # K = ((I - A) / t + A - b) / (I - 1), as in the paper; here its mean suffices for one pixel
        k = ((hazy - light) / t + light - 1) / (hazy - 1)
        network.last.bias.copy_(k[0, 0, 4, 4])
    assert network(hazy)[0, 0, 4, 4].item() == pytest.approx(clear[0, 0, 4, 4].item(), abs=1e-5)


def test_the_curve_rises_everywhere():
    torch.manual_seed(0)
    network = ToneNet()
    torch.nn.init.normal_(network.decide[-1].weight, std=2.0)
    ramp = torch.linspace(0, 1, 256).reshape(1, 1, 16, 16)
    found = network.curve(ramp).flatten()
    assert (found.diff() >= 0).all()
    assert found[-1].item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("blocks", [1, 3])
def test_each_block_gives_a_map_and_a_picture(blocks):
    network = BoostNet(8, blocks, classes=5)
    given = network.each(torch.rand(2, 1, 30, 41))
    assert len(given) == blocks
    assert all(scores.shape == (2, 5, 8, 11) and picture.shape == (2, 1, 30, 41) for scores, picture in given)
    with pytest.raises(ValueError, match="1 to 3"):
        BoostNet(8, 4)
