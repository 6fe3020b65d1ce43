import pytest
import torch

from vidlink.nets.espcn import ESPCN
from vidlink.nets.normalize import normalize_contrast
from vidlink.nets.recognition import RecognitionNet
from vidlink.nets.srcnn import SRCNN
from vidlink.nets.twin import TwinNet


def randomised(network, seed=0):
    """The last layer starts at zero; here it does something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.mark.parametrize(
    ("network", "given", "features", "restored"),
    [
        (SRCNN(), (2, 1, 21, 30), (2, 32, 21, 30), (2, 1, 21, 30)),
        (SRCNN(widths=(8, 4), channels=3), (1, 3, 9, 9), (1, 4, 9, 9), (1, 3, 9, 9)),
        (ESPCN(3), (2, 1, 7, 10), (2, 32, 7, 10), (2, 1, 21, 30)),
        (ESPCN(2, channels=3), (1, 3, 5, 5), (1, 32, 5, 5), (1, 3, 10, 10)),
        (TwinNet(), (2, 1, 32, 32), (2, 256, 20, 20), (2, 1, 16, 16)),
        (TwinNet((4, 5, 6)), (1, 1, 48, 40), (1, 6, 36, 28), (1, 1, 32, 24)),
    ],
)
def test_shapes(network, given, features, restored):
    pictures = torch.rand(given)
    assert network.features(pictures).shape == features
    assert network.channels == features[1]
    assert network(pictures).shape == restored


def test_parameters_as_in_the_papers():
    def count(network):
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(SRCNN()) == 64 * 82 + 32 * (64 * 25 + 1) + 32 * 25 + 1
    assert count(ESPCN(3)) == 64 * 26 + 32 * (64 * 9 + 1) + 9 * (32 * 9 + 1)
    assert count(TwinNet()) == 64 * 26 + 128 * (64 * 25 + 1) + 256 * (128 * 25 + 1) + 256 * 25 + 1


def test_untrained_they_interpolate():
    pictures = torch.rand(2, 1, 24, 24)
    assert torch.equal(SRCNN()(pictures), pictures)
    assert torch.equal(TwinNet()(pictures), pictures[..., 8:-8, 8:-8])
    ramp = torch.linspace(0.2, 0.8, 16).expand(1, 1, 16, 16)
    inside = ESPCN(2)(ramp)[..., 4:-4]
    assert torch.allclose(inside.diff(dim=-1), torch.tensor(0.6 / 15 / 2), atol=1e-6)


def test_the_output_is_the_last_layer_on_the_features():
    pictures = torch.rand(2, 1, 33, 33)
    network = randomised(SRCNN())
    assert torch.allclose(network(pictures) - pictures, network.last(network.features(pictures)), atol=1e-6)


def test_the_twin_s_convolutions_fit_the_recognizer_and_see_the_same():
    twin, recognizer = randomised(TwinNet()), RecognitionNet(48)
    convolutions = [layer for layer in recognizer.layers if isinstance(layer, torch.nn.Conv2d)]
    for ours, theirs in zip(twin.convolutions, convolutions, strict=True):
        theirs.load_state_dict(ours.state_dict())
    pictures = torch.rand(3, 1, 48, 48)
    seen = normalize_contrast(pictures)
    for convolution in convolutions:
        seen = convolution(seen).relu()
    assert torch.allclose(twin.features(pictures), seen, atol=1e-4)


@pytest.mark.parametrize("residual", [True, False])
def test_the_twin_does_not_mind_exposure(residual):
    twin = randomised(TwinNet((4, 5, 6), residual=residual))
    pictures = torch.rand(2, 1, 32, 32)
    assert torch.allclose(twin(0.5 * pictures + 0.2), 0.5 * twin(pictures) + 0.2, atol=5e-3)


@pytest.mark.parametrize("scale", [1, 1.5, 2.5])
def test_subpixel_wants_a_whole_factor(scale):
    with pytest.raises(ValueError, match="whole number"):
        ESPCN(scale)
