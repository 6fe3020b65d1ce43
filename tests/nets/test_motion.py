import numpy as np
import pytest
import torch

from vidlink.nets.flow import optical_flow, warp
from vidlink.nets.motion import ActivityNet


def texture(seed, height=48, width=64):
    coarse = torch.randn(1, 1, height // 4 + 4, width // 4 + 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, scale_factor=4, mode="bicubic")[..., 4 : height + 4, 4 : width + 4]


@pytest.mark.parametrize("move", [(2, 0), (0, -2), (4, 2), (-3, 3)])
def test_flow_finds_a_known_shift(move):
    right, down = move
    whole = texture(0, 80, 96)
    first = whole[..., 16:64, 16:80]
    second = whole[..., 16 - down : 64 - down, 16 - right : 80 - right]
    flow, change, residue = optical_flow(first, second)
    middle = flow[0, :, 6:-6, 6:-6].flatten(1).median(dim=1).values
    assert middle.tolist() == pytest.approx([right / 2, down / 2], abs=0.2)
    assert residue[..., 6:-6, 6:-6].abs().mean() < 0.35 * change[..., 6:-6, 6:-6].abs().mean()


def test_stillness_has_no_flow_and_warping_by_nothing_changes_nothing():
    picture = texture(1)
    flow, change, residue = optical_flow(picture, picture)
    assert change.abs().max() == 0
    assert flow.abs().max() < 1e-5
    assert residue.abs().max() < 1e-4
    assert torch.allclose(warp(picture, torch.zeros(1, 2, 48, 64)), picture, atol=1e-4)


def test_the_network_sees_motion_only():
    torch.manual_seed(0)
    network = ActivityNet(6).eval()
    still = texture(2).clamp(-2, 2)[:, 0].expand(16, 48, 64)[None] / 8 + 0.5
    other = texture(3).clamp(-2, 2)[:, 0].expand(16, 48, 64)[None] / 8 + 0.5
    with torch.inference_mode():
        assert torch.allclose(network(still), network(other), atol=1e-3)
        moving = torch.stack([still[0, 0].roll(2 * k, dims=1) for k in range(16)])[None]
        moving[..., :20, :] = still[..., :20, :]
        assert not torch.allclose(network(still), network(moving), atol=1e-2)


def test_light_hardly_matters():
    torch.manual_seed(0)
    network = ActivityNet(6).eval()
    window = torch.rand(1, 16, 48, 64, generator=torch.Generator().manual_seed(1)).clamp(0.2, 0.9)
    with torch.inference_mode():
        bright, dark = (network.restorer.brighten(each) for each in (window, window / 10))
    assert np.corrcoef(bright.flatten().numpy(), dark.flatten().numpy())[0, 1] > 0.99
    assert bright.std() == pytest.approx(1, abs=0.1)


def test_the_restorer_learns_from_the_classes_behind_it():
    torch.manual_seed(0)
    network = ActivityNet(3)
    with torch.no_grad():
        network.restorer.residual[-1].weight.normal_(0, 0.05)
    network(torch.rand(2, 16, 48, 64)).square().sum().backward()
    assert network.restorer.gamma.grad.abs() > 0
    assert network.restorer.residual[0].weight.grad.abs().sum() > 0


def test_it_is_small():
    assert sum(tensor.numel() for tensor in ActivityNet(6).state_dict().values()) * 4 < 8e6
