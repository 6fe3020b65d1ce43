import pytest
import torch

from vidlink.nets.normalize import normalize_contrast
from vidlink.nets.recognition import RecognitionNet


def test_parameters_as_in_the_paper():
    paper = sum(p.numel() for p in RecognitionNet(96, outputs=1).parameters())
    convolutions = 64 * 26 + 128 * (64 * 25 + 1) + 256 * (128 * 25 + 1)
    assert paper == convolutions + 300 * (256 * 5 * 5 + 1) + 301
    small = sum(p.numel() for p in RecognitionNet(48, outputs=2).parameters())
    assert small == convolutions + 300 * (256 * 2 * 2 + 1) + 602
    assert 4 * small < 8e6


@pytest.mark.parametrize("size", [36, 37, 40, 48, 64, 96])
def test_any_size_that_fits(size):
    assert RecognitionNet(size, outputs=3)(torch.rand(2, 1, size, size)).shape == (2, 3)


def test_too_small_a_size_is_refused():
    with pytest.raises(ValueError, match="36"):
        RecognitionNet(35)


def test_exposure_does_not_matter():
    torch.manual_seed(0)
    network = RecognitionNet(48, outputs=2).eval()
    pictures = torch.rand(4, 1, 48, 48)
    assert torch.allclose(network(pictures), network(0.4 * pictures + 0.3), atol=2e-3)


def test_noise_of_a_flat_picture_is_not_stretched():
    flat = 0.5 + 0.001 * torch.randn(1, 1, 48, 48)
    assert normalize_contrast(flat).std() < 0.1
    assert normalize_contrast(torch.rand(3, 1, 48, 48)).std(dim=(1, 2, 3)) == pytest.approx(1, abs=0.01)
