"""The parts of the learned codec, each against what it stands for."""

import cv2
import numpy as np
import torch

from vidlink.nets.dvc.fixed import FixedPrior, probabilities
from vidlink.nets.dvc.hyperprior import MOST, ByQuality, Hyperprior, anchors, bits_of, rounded, scale_of
from vidlink.nets.dvc.motion import MotionNet
from vidlink.nets.dvc.network import DVC, warp_sharply
from vidlink.nets.dvc.transform import ResidualTransform, fold, unfold


def test_the_transform_starts_as_opencvs_cosine_transform_and_inverts():
    transform = ResidualTransform()
    luma, chroma = torch.rand(1, 1, 16, 24), torch.rand(1, 2, 8, 12)
    latents = transform.analyse(luma, chroma).detach()
    assert latents.shape == (1, 96, 2, 3)
    block = cv2.dct(luma[0, 0, :8, :8].numpy())
    np.testing.assert_allclose(latents[0, :3, 0, 0], [block[0, 0], block[0, 1], block[1, 0]], atol=1e-5)
    back = transform.synthesize(latents)
    torch.testing.assert_close(back[0], luma, atol=1e-5, rtol=0)
    torch.testing.assert_close(back[1], chroma, atol=1e-5, rtol=0)
    torch.testing.assert_close(unfold(fold(luma, chroma))[0], luma)


def test_bits_are_those_of_the_laplace_distribution():
    scale = torch.tensor(1.7, dtype=torch.float64)
    laplace = torch.distributions.Laplace(torch.tensor(0.0, dtype=torch.float64), scale)
    values = torch.tensor([-6.0, -0.7, -0.2, 0.0, 0.49, 1.0, 5.0], dtype=torch.float64)
    wanted = -torch.log2(laplace.cdf(values + 0.5) - laplace.cdf(values - 0.5))
    torch.testing.assert_close(bits_of(values, scale), wanted)


def test_tables_are_whole_numbers_of_the_same_distributions():
    tables = probabilities()
    assert len(tables) == 64
    values = torch.arange(-20.0, 21)
    for number in (0, 17, 40):
        whole = tables[number] * 2**24
        assert np.array_equal(whole, np.round(whole))
        assert np.array_equal(whole, whole[::-1])
        wanted = 2 ** -bits_of(values, scale_of(torch.tensor(float(number)))).numpy()
        np.testing.assert_allclose(tables[number][MOST - 20 : MOST + 21], wanted, atol=3e-7)


def test_whole_numbers_say_what_the_network_says():
    torch.manual_seed(0)
    prior = Hyperprior((3, 5), 2, width=8, own=4)
    with torch.no_grad():
        for parameter in prior.tell.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    own, values = torch.randint(-5, 6, (4, 2, 3)), torch.randint(-9, 10, (8, 8, 12)).float()
    fixed = FixedPrior(prior)
    features = fixed.features(own)
    assert torch.equal(features, features.round())
    with torch.no_grad():
        exact = prior.features(own[None].float())
        for part in (0, 1):
            wanted = prior.tables_of(exact, values[None], part, torch.tensor([33.5]))[0].clamp(0, 63).round()
            found = fixed.tables_of(features, values, part, 33.5)
            assert np.abs(found - wanted.numpy()).max() <= 1
            assert (found == wanted.numpy()).mean() > 0.9


def test_vectors_between_anchors_are_interpolated():
    vectors = ByQuality(anchors()[:, None] * 2)
    found = vectors(torch.tensor([20.0, 23.0, 50.0, 60.0]))
    assert found.shape == (4, 1, 1, 1)
    torch.testing.assert_close(found.flatten(), torch.tensor([40.0, 46.0, 100.0, 100.0]))


def test_rounding_has_a_dead_zone_and_passes_gradients():
    values = torch.tensor([0.55, -0.65, 1.7, 300.0], requires_grad=True)
    whole = rounded(values, 0.4)
    assert whole.tolist() == [0, -1, 2, 127]
    whole.sum().backward()
    assert values.grad.tolist() == [1, 1, 1, 1]


def test_motion_that_is_there_is_found_and_predicted_from():
    rng = np.random.default_rng(0)
    scene = cv2.GaussianBlur(rng.random((96, 160), np.float32), (0, 0), 2)
    scene = torch.from_numpy((scene - scene.min()) / np.ptp(scene))
    first, second = scene[None, None, :64, 10:106], scene[None, None, :64, 13:109]  # moves left by three
    flow = MotionNet()(second, first).detach()
    inner = flow[..., 8:-8, 8:-8]
    assert abs(float(inner[:, 0].median()) - 1.5) < 0.3  # pixels of half the size
    assert abs(float(inner[:, 1].median())) < 0.2
    torch.testing.assert_close(warp_sharply(first, torch.zeros(1, 2, 64, 96)), first, atol=1e-4, rtol=0)
    chroma = torch.full((1, 2, 32, 48), 0.5)
    with torch.no_grad():
        coded = DVC()((second, chroma), (first, chroma), torch.tensor([24.0]))
    still = (second - first).square().mean()
    assert (coded.predicted[0] - second).square().mean() < 0.2 * still
    assert (coded.planes[0] - second).square().mean() < 0.02 * still
    assert torch.equal(coded.bits.round(), coded.plain_bits.round())
