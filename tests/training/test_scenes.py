"""Pictures and their labels are varied alike, and degraded at any shape; answers are decoded to what was asked."""

import math

import numpy as np
import pytest
import torch
from scenes import CAR, scene

from vidlink.codec.shelf import load_codec
from vidlink.labels.regions import boxes_of
from vidlink.training.answers import ClassAnswers, MapAnswers
from vidlink.training.box_answers import BoxAnswers
from vidlink.training.coded import Coding
from vidlink.training.coded_scenes import code_scenes
from vidlink.training.degrade import downsample_and_back, send
from vidlink.training.scenes import Variation, vary_scene
from vidlink.video.pictures import downsample_and_back as as_in_a_run
from vidlink.video.pictures import resize

SEED = torch.Generator().manual_seed


def scenes(count=6, size=(48, 32)):
    pairs = [scene(seed, size) for seed in range(count)]
    pictures = torch.from_numpy(np.stack([picture for picture, _ in pairs])).permute(0, 3, 1, 2).float() / 255
    return pictures, np.stack([labels for _, labels in pairs])


def test_sending_is_what_a_run_does():
    pictures, _ = scenes(3)
    sent = send(pictures, torch.tensor([1.0, 2.0, 2.9]), (24, 16))
    for picture, scale, found in zip(pictures, (1, 2, 2.9), sent, strict=True):
        array = (picture.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        wanted = resize(as_in_a_run(array, (round(48 / scale), round(32 / scale))), 24, 16)
        away = np.abs(found.permute(1, 2, 0).numpy() * 255 - wanted)
        assert (away.mean(), away.max()) < (0.5, 4)  # a run rounds and clips once more
    square, scales = torch.rand(2, 1, 12, 12), torch.tensor([1.5, 4.0])
    assert torch.allclose(send(square, scales), downsample_and_back(square, (12 / scales).round().long()), atol=1e-6)
    assert send(pictures, torch.ones(3)).equal(pictures)


def test_maps_and_boxes_go_with_the_pixels():
    pictures, labels = scenes()
    plain = Variation(zoom=(0.9, 1.6), contrast=(1, 1), brightness=0, tint=0)
    varied, maps = vary_scene(pictures, torch.from_numpy(labels), "maps", plain, SEED(0))
    red = (varied[:, 0] > 0.6) & (varied[:, 1] < 0.3)
    assert (red == (maps == CAR)).float().mean() > 0.98
    boxes = [torch.from_numpy(boxes_of(each, (CAR,), least_side=2)) for each in labels]
    again, moved = vary_scene(pictures, boxes, "boxes", plain, SEED(0))
    assert again.equal(varied)
    for picture, rows in zip(red.numpy(), moved, strict=True):
        assert len(rows) == (picture.sum() > 60) or len(rows) <= 1
        if len(rows):
            down, across = np.nonzero(picture)
            assert (
                np.abs(rows[0, :4].numpy() - [across.min(), down.min(), across.max() + 1, down.max() + 1]).max() < 1.6
            )
    assert sum(map(len, moved)) >= 4


def test_whole_pixels_are_shifted_and_mirrored():
    pictures = torch.rand(40, 3, 8, 8)
    varied, labels = vary_scene(pictures, torch.arange(40), "labels", Variation(pixels=1), SEED(1))
    assert labels.equal(torch.arange(40))
    inner = varied[:, :, 1:-1, 1:-1]
    hits = 0
    for picture, found in zip(pictures, inner, strict=True):
        places = [
            each[:, r : r + 6, c : c + 6] for each in (picture, picture.flip(2)) for r in range(3) for c in range(3)
        ]
        hits += any(found.equal(place) for place in places)
    assert hits == 40


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_what_is_asked_of_a_detector_is_found_in_its_maps(size):
    answers = BoxAnswers(2)
    boxes = [torch.tensor([[4.0, 6, 20, 30, 0], [40, 10, 46, 24, 1], [50, 40, 62, 62, 1]]), torch.zeros(0, 5)]
    heat, places, weights = answers.targets(boxes, size, (16, 16))
    assert weights.flatten(1).sum(1).tolist() == pytest.approx([3, 0], abs=0.01)
    outputs = torch.cat([torch.logit(heat.clamp(0.001, 0.999)), places], 1)
    found = answers.decide(outputs, size)
    sure = found[0][found[0][:, 4] > 0.9]
    assert sorted(sure[:, [0, 1, 2, 3, 5]].round(2).tolist()) == sorted(boxes[0].tolist())
    assert not (found[1][:, 4] > 0.9).any()
    scores = answers.scores(found, [each.numpy() for each in boxes])
    assert scores["map50"] == pytest.approx(1, abs=0.02)
    perfect = float(answers.loss(outputs, (boxes, size)))
    shifted = outputs.roll(2, 3)
    assert 0 <= perfect < float(answers.loss(shifted, (boxes, size)))


def test_maps_that_are_right_cost_less_and_pixels_without_a_label_nothing():
    _, labels = scenes(2)
    maps = torch.from_numpy(np.where(labels == 11, 255, labels))
    answers = MapAnswers(maps.numpy(), 11)
    right = torch.nn.functional.one_hot(maps.long().clamp(max=10), 11).permute(0, 3, 1, 2).float() * 20
    assert float(answers.loss(right, maps)) < 0.01 < float(answers.loss(right.roll(5, 3), maps))
    other = right.clone()
    other[:, :, -1, -1] = right[:, :, -1, -1].roll(1, 1)
    assert float(answers.loss(other, maps)) == pytest.approx(float(answers.loss(right, maps)), abs=1e-4)
    nothing = torch.full_like(maps, 255)
    assert math.isfinite(float(answers.loss(right, nothing)))
    assert answers.scores(answers.decide(right, (48, 32)), maps.numpy())["miou"] == 1
    assert ClassAnswers().scores([1, 2, 3], np.array([1, 2, 0]))["accuracy"] == pytest.approx(2 / 3)


def test_coded_scenes_come_back_to_their_places_in_colour():
    pictures, _ = scenes(2)
    coding = Coding(codec=load_codec("x264"), quality=(16, 16))
    errors = []
    for scale in (1, 3):
        found = code_scenes(pictures, scale, coding, SEED(0))
        assert found.shape == pictures.shape
        errors.append(float((found - pictures).square().mean()))
    assert errors[0] < 0.006 < errors[1]
