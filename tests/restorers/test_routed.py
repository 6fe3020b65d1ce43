"""Restorers that choose a path for each patch: by their file, counted, and within a budget."""

import json
import re

import numpy as np
import pytest
import torch

from vidlink.codec.shelf import load_codec
from vidlink.data.builtin import open_builtin
from vidlink.errors import UserError
from vidlink.nets.routes import ROUTES, describe_routed
from vidlink.restorers.registry import load_restorer
from vidlink.restorers.restorer import Look
from vidlink.scores.psnr import psnr_db
from vidlink.training.checkpoint import save_results
from vidlink.training.sequences import send
from vidlink.video.pictures import luma


def weights(folder, name, scales=(2.0, 4.0)):
    """Weights that are not trained, but differ from interpolation."""
    torch.manual_seed(0)
    network = ROUTES.make(name, {})
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    chooser = network.classifier if name == "classsr" else network.finder
    chooser.last.bias.data[-1] += 100
    path = folder / f"{name}.safetensors"
    save_results(path, network.state_dict(), describe_routed(name, scales).to_metadata(), {})
    return path


def look(scale=3.0, size=(90, 150)):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (int(size[0] / scale), int(size[1] / scale)), dtype=np.uint8)
    return Look(small=small, large=rng.integers(0, 255, size, dtype=np.uint8), scale=scale, qp=30.0)


@pytest.mark.parametrize("name", list(ROUTES.known()))
def test_each_by_its_file_within_a_budget(tmp_path, name):
    path = str(weights(tmp_path, name))
    free = load_restorer(path)
    found = free([look()])
    assert found.shape == (90, 150)
    assert not np.array_equal(found, look().large)
    assert free.frames == 1
    assert free.multiply_adds > free.least(90, 150) > 0
    assert sum(free.patches.values()) > 0
    least = free.least(90, 150)
    bounded = load_restorer(path, budget=least + 1)
    assert not np.array_equal(bounded([look()]), found)
    assert bounded.multiply_adds == pytest.approx(least, abs=1)
    left = look(scale=1.0)
    assert free([left]) is left.large
    assert (free.multiply_adds, free.patches) == (0.0, {})


def run(command, clip, path, *more):
    line = ["--scale", "2", "--quality", "40", "--recognizer", "none", "--no-report", "--no-plot", "--no-video"]
    return command(clip, *line, "--restorer", str(path), "--out", "restored", *more)


def test_a_run_keeps_its_budget_and_says_where_patches_went(tmp_path, command, small_clip):
    path = weights(tmp_path, "classsr")
    ended = run(command, small_clip, path, "--restorer-budget", "1.3k")
    assert ended.status == 0, ended.err
    section = json.loads((tmp_path / "restored" / "summary.json").read_text())["restoration"]
    assert section["budget"] == 1300
    assert 0 < section["multiply_adds_per_pixel"] <= 1300
    assert sum(section["patches"].values()) >= section["restored"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--restorer-budget", "10"], r"--restorer-budget 10: too small for any path of .*at least \d+ multiply-adds"),
        (["--restorer-budget", "0"], "--restorer-budget '0': write multiply-adds a pixel, above 0"),
        (["--restorer-budget", "900", "--restorer", "bicubic"], "there is nothing to bound"),
        (["--restorer-budget", "900", "--restorer", "temporal"], "temporal takes the same for every picture"),
    ],
)
def test_budgets_that_cannot_be_kept_are_named(tmp_path, command, small_clip, more, words):
    ended = run(command, small_clip, weights(tmp_path, "classsr"), *more)
    assert ended.status == 2
    assert re.search(words, ended.err)
    assert len(ended.err.strip().splitlines()) == 1


class Plain:
    """Restores nothing."""

    frames, multiply_adds = 1, 1.0

    def __call__(self, looks):
        return looks[0].large


class Modest(Plain):
    """Can do with as little as one is willing to give."""

    def __init__(self, budget=None):
        self.multiply_adds = budget or 50.0


def test_a_restorer_of_ones_own_is_told_the_budget_where_it_takes_one():
    assert load_restorer(f"{__name__}:Modest", budget=7.0).multiply_adds == 7
    assert load_restorer(f"{__name__}:Modest").multiply_adds == 50
    with pytest.raises(UserError, match="Plain takes the same for every picture and cannot keep a budget"):
        load_restorer(f"{__name__}:Plain", budget=7.0)


@pytest.mark.parametrize("name", list(ROUTES.known()))
def test_the_weights_that_ship_restore_by_name(name):
    segment = next(iter(open_builtin().segments(1.0)))
    film = luma(segment.frames[0])[None].copy()
    free, bounded = load_restorer(name), load_restorer(name, budget=2000.0)
    for scale in (3.0, 4.0):
        large, _ = send(film, scale, None, load_codec("x264"))
        asked = [Look(small=large[0], large=large[0], scale=scale, qp=0.0)]
        before = psnr_db(large[0], film[0])
        assert psnr_db(free(asked), film[0]) > before + 0.1
        assert psnr_db(bounded(asked), film[0]) > before + 0.1
        assert bounded.multiply_adds <= 2000


def test_other_weights_are_refused(tmp_path):
    path = weights(tmp_path, "classsr")
    header = describe_routed("classrs", (2.0, 4.0)).to_metadata()
    network = ROUTES.make("classsr", {})
    save_results(path, network.state_dict(), header, {})
    with pytest.raises(UserError, match="unknown restorer 'classrs': did you mean 'classsr'"):
        load_restorer(str(path))
    save_results(path, network.state_dict(), header | {"network": "path-restore"}, {})
    with pytest.raises(UserError, match="of another network"):
        load_restorer(str(path))
    save_results(path, network.state_dict(), header | {"network": "classsr", "arguments": "{}"}, {})
    with pytest.raises(UserError, match=r"expected a file of vidlink\.train"):
        load_restorer(str(path))
