import pytest
import torch

from vidlink.errors import UserError
from vidlink.nets.build import Network, build, build_restorer
from vidlink.nets.joint import JointNet, share_early_layers
from vidlink.nets.residual import ResidualRestorer


@pytest.mark.parametrize(
    "name",
    ["residual", "recognition", "residual+recognition", "srcnn+residual", "espcn+recognition", "twin+recognition"],
)
def test_every_pair_has_the_same_shape(name):
    network = Network(name=name, width=8)
    module = build(network).eval()
    pictures, scale = torch.rand(3, 1, 48, 48), torch.tensor([1.0, 2, 6])
    features = module.features(pictures, scale)
    assert module(pictures, scale).shape == (3, 10)
    assert torch.equal(module.head(features), module(pictures, scale))
    assert sum(p.numel() for p in module.encoder.parameters()) > 0


def test_the_largest_of_ours_can_ship():
    assert 4 * sum(parameter.numel() for parameter in build(Network(width=48)).parameters()) < 8e6


def test_the_scale_factor_steers_once_it_is_learned():
    module = build(Network(width=8)).eval()
    pictures = torch.rand(1, 1, 48, 48)
    far, near = torch.tensor([6.0]), torch.tensor([1.0])
    assert torch.equal(module(pictures, far), module(pictures, near))
    assert torch.equal(module(pictures, near), module(pictures))
    with torch.no_grad():
        module.restorer.blocks[0].first_norm.steer.weight.fill_(0.1)
    assert not torch.equal(module(pictures, far), module(pictures, near))


def test_an_untrained_restorer_interpolates():
    pictures = torch.rand(2, 1, 32, 40)
    assert torch.equal(ResidualRestorer(8).eval()(pictures), pictures)


def test_early_layers_move_over_as_in_the_paper():
    twin, recognizer = build_restorer("twin", 8), build(Network(name="recognition", width=8))
    share_early_layers(twin, recognizer)
    ours = [layer for layer in recognizer.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert len(ours) == len(twin.convolutions) == 3
    assert all(torch.equal(a.weight, b.weight) for a, b in zip(ours, twin.convolutions, strict=True))
    with pytest.raises(ValueError, match="shapes"):
        share_early_layers(build_restorer("twin", 16), recognizer)


def test_a_joint_net_drops_the_restorers_last_layer():
    restorer = build_restorer("residual", 8)
    before = {name for name in restorer.state_dict() if name.startswith("last")}
    joint = JointNet(restorer, build(Network(width=8)).recognizer)
    assert before
    assert not any(".last." in name for name in joint.state_dict())


def test_pictures_that_do_not_suit():
    with pytest.raises(UserError, match="multiples of 8"):
        build(Network(size=50))
    with pytest.raises(UserError, match="36 or more"):
        build(Network(name="recognition", size=24))
