import cv2
import numpy as np
import pytest
import torch

from vidlink.data.generated import draw_faces
from vidlink.errors import UserError
from vidlink.training.batches import Batches
from vidlink.training.bicubic import resize_bicubic
from vidlink.training.degrade import Degradation, downsample_and_back
from vidlink.training.disturb import ELECTRONS, FAR, KINDS, Disturbance, Mix, disturb_images, parse_mix


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def one(kind, strength, share=1.0):
    least, largest = strength if isinstance(strength, tuple) else (strength, strength)
    return Disturbance(kind=kind, strength=(least, largest), share=share)


@pytest.fixture(scope="module")
def textured():
    noise = np.random.default_rng(1).random((8, 40, 48), np.float32)
    return torch.from_numpy(np.stack([cv2.GaussianBlur(image, None, 1.5) for image in noise]))[:, None]


GREY = torch.full((64, 1, 32, 32), 0.5)


def test_noise_has_its_deviation_and_no_bias():
    change = one("noise", 0.05)(GREY, generator()) - 0.5
    assert float(change.std()) == pytest.approx(0.05, rel=0.02)
    assert float(change.mean()) == pytest.approx(0, abs=1e-3)
    assert abs(float((change[..., 1:] * change[..., :-1]).mean())) < 2e-5


def test_salt_and_pepper_are_as_many():
    disturbed = one("salt", 0.2)(GREY, generator())
    assert float((disturbed == 0).float().mean()) == pytest.approx(0.1, abs=0.005)
    assert float((disturbed == 1).float().mean()) == pytest.approx(0.1, abs=0.005)
    assert float((disturbed == 0.5).float().mean()) == pytest.approx(0.8, abs=0.01)


def test_blur_is_opencv_s_away_from_edges(textured):
    disturbed = one("blur", 1.7)(textured, generator())
    expected = np.stack([cv2.GaussianBlur(image, (21, 21), 1.7) for image in textured[:, 0].numpy()])
    assert disturbed[:, 0, 10:-10, 10:-10].numpy() == pytest.approx(expected[:, 10:-10, 10:-10], abs=1e-4)
    flat = one("blur", 3.0)(GREY, generator())
    assert torch.allclose(flat, GREY)


def test_occlusions_cover_their_share_anywhere_with_any_grey():
    pictures = torch.full((2000, 1, 24, 36), -1.0)  # no grey is -1
    covered = KINDS["occlusion"].apply(pictures, torch.full((2000,), 0.25), generator()) != -1
    shares = covered.float().mean(dim=(1, 2, 3))
    assert float(shares.mean()) == pytest.approx(0.25, abs=0.01)
    assert float(shares.std()) < 0.02
    rows, columns = covered[:, 0].any(dim=2).sum(1), covered[:, 0].any(dim=1).sum(1)
    assert (covered[:, 0].sum(dim=(1, 2)) == rows * columns).all()  # rectangles
    assert rows.unique().numel() > 3
    often = covered[:, 0].float().mean(0)
    assert often.min() > 0
    assert often[12, 18] > 0.4
    disturbed = one("occlusion", 1.0)(pictures.clamp(min=0), generator())
    greys = disturbed.amax(dim=(1, 2, 3))
    assert torch.equal(greys, disturbed.amin(dim=(1, 2, 3)))
    assert float(greys.mean()) == pytest.approx(0.5, abs=0.03)


def test_low_light_is_dark_and_noisier_the_less_there_is():
    dark = one("dark", 0.9)(GREY, generator())
    assert float(dark.mean()) == pytest.approx(0.05, abs=5e-4)
    shot, rounding = 0.05 / ELECTRONS, 1 / 255**2 / 12
    assert float(dark.var()) == pytest.approx(shot + rounding, rel=0.05)
    assert torch.allclose(dark * 255, (dark * 255).round(), atol=1e-4)


def test_haze_thickens_towards_the_horizon_and_is_the_same_above_it():
    black = torch.zeros(200, 1, 40, 8)
    hazy = KINDS["haze"].apply(black, torch.full((200,), 0.2), generator())
    light = hazy[:, 0, :, 0]
    assert (light.diff(dim=1) <= 1e-6).all(), "the lower, the nearer"
    assert torch.allclose(light[:, 0], light[:, 11]), "the sky is at one distance"
    assert (light[:, 39] < light[:, 25]).all()
    far = 1 - torch.exp(torch.tensor(-0.2 * FAR))
    assert float((light[:, 0] / far).min()) == pytest.approx(0.7, abs=0.02)
    assert float((light[:, 0] / far).max()) == pytest.approx(1.0, abs=0.02)
    assert torch.equal(KINDS["haze"].apply(black, torch.zeros(200), generator()), black)


def test_downsampling_is_the_link_s_or_the_literature_s(textured):
    square = textured[..., :40]
    by_area = one("area", 4.0)(square, generator())
    assert torch.allclose(by_area, downsample_and_back(square, torch.full((8,), 10)), atol=1e-6)
    wide = textured.expand(-1, 3, -1, -1) * torch.tensor([1.0, 0.5, 0])[:, None, None]
    colour = one("area", 4.0)(wide, generator())
    assert colour.shape == wide.shape
    assert (colour.mean(dim=(0, 2, 3)) - wide.mean(dim=(0, 2, 3))).abs().max() < 0.01
    by_bicubic = one("bicubic", 4.0)(textured, generator())
    expected = np.stack(
        [resize_bicubic(resize_bicubic(image, 10, 12), 40, 48).clip(0, 1) for image in textured[:, 0].numpy()]
    )
    assert by_bicubic[:, 0].numpy() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_seeded_bounded_and_befalls_its_share(textured, kind):
    pictures = textured[..., :40].repeat(32, 1, 1, 1)
    strong = (KINDS[kind].nothing, 1.0 if kind == "salt" else min(4.0, KINDS[kind].largest))
    disturbance = one(kind, strong, share=0.4)
    first, again = disturbance(pictures, generator(3)), disturbance(pictures, generator(3))
    other = disturbance(pictures, generator(4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == pictures.shape
    assert 0 <= first.min() <= first.max() <= 1
    untouched = torch.isclose(first, pictures, atol=1e-6).all(dim=(1, 2, 3)).float().mean()
    assert 0.5 < float(untouched) < 0.75
    assert torch.allclose(one(kind, KINDS[kind].nothing)(pictures, generator()), pictures, atol=1e-6)


def test_strengths_fill_their_range():
    disturbed = one("dark", (0.2, 0.6))(torch.ones(4000, 1, 4, 4), generator())
    light = disturbed.mean(dim=(1, 2, 3))
    assert 0.37 < float(light.min()) < 0.43
    assert 0.77 < float(light.max()) < 0.83
    assert float(light.mean()) == pytest.approx(0.6, abs=0.01)


def test_a_mix_goes_through_its_parts_in_order(textured):
    mix = parse_mix("blur:2, noise:0.01-0.05@0.5")
    assert mix == Mix(parts=(one("blur", 2.0), one("noise", (0.01, 0.05), 0.5)))
    source = generator(7)
    by_hand = mix.parts[1](mix.parts[0](textured, source), source)
    assert torch.equal(mix(textured, generator(7)), by_hand)
    other_order = Mix(parts=mix.parts[::-1])(textured, generator(7))
    assert not torch.equal(other_order, by_hand)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nose:0.1", "did you mean 'noise'"),
        ("", "unknown disturbance ''"),
        ("noise", "expected noise:STRENGTH"),
        ("noise:x", "expected noise:STRENGTH"),
        ("noise:-0.1", "from 0 to 1"),
        ("noise:0.5-0.1", "from 0 to 1"),
        ("noise:nan", "from 0 to 1"),
        ("dark:1", "from 0 to 0.999"),
        ("area:0.5", "from 1 to 16"),
        ("noise:0.1@1.5", "@SHARE"),
        ("noise:0.1,blur", "expected blur:STRENGTH"),
    ],
)
def test_wrong_mixes_are_named(text, message):
    with pytest.raises(UserError, match=message):
        parse_mix(text)


def test_images_are_disturbed_in_eight_bits(textured):
    images = (textured[:, 0] * 255).byte().numpy()
    assert np.array_equal(disturb_images(images, parse_mix("noise:0"), generator()), images)
    disturbed = disturb_images(images, parse_mix("noise:0.1"), generator())
    assert disturbed.dtype == np.uint8
    assert (disturbed.astype(int) - images).std() == pytest.approx(25.5, rel=0.05)


def test_training_sees_disturbed_pictures_and_its_teacher_pristine_ones():
    faces = draw_faces("6", "train")
    degradation = Degradation(scales=(1.0, 1.0), noise=0.0)
    settings = {"size": 6, "device": torch.device("cpu")}
    plain = next(Batches(faces, degradation, **settings).epoch(generator(5)))
    covered = next(Batches(faces, degradation, disturb=parse_mix("occlusion:1"), **settings).epoch(generator(5)))
    assert torch.equal(covered.pristine, plain.pristine)
    assert (covered.pictures.std(dim=(1, 2, 3)) < 0.01).all()
    assert (plain.pictures.std(dim=(1, 2, 3)) > 0.02).all()
