"""Trained networks as restorers: by their file, at the scale factors that they were trained for, on any size."""

import json

import numpy as np
import pytest
import torch

from vidlink.nets.build import build_restorer
from vidlink.nets.weights import Header
from vidlink.restorers.network import NetworkRestorer
from vidlink.restorers.registry import load_restorer
from vidlink.restorers.restorer import Look
from vidlink.training.checkpoint import save_results


def weights(folder, network, *, scale=3.0, least=None, width=8):
    """Weights that are not trained, but differ from interpolation."""
    torch.manual_seed(0)
    made = build_restorer(network, width, scale)
    for parameter in made.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    path = folder / f"{network}.safetensors"
    arguments = {"width": width, "scale": scale, "least": least or scale}
    header = Header(kind="restorer", network=network, arguments=arguments)
    save_results(path, made.state_dict(), header.to_metadata(), {})
    return path, made


def look(small=(15, 21), large=(45, 62), scale=3.0, seed=0):
    rng = np.random.default_rng(seed)
    return Look(
        small=rng.integers(0, 255, small, dtype=np.uint8), large=rng.integers(0, 255, large, dtype=np.uint8),
        scale=scale, qp=30.0,
    )  # fmt: skip


@pytest.mark.parametrize("network", ["srcnn", "espcn", "residual", "twin", "temporal"])
def test_any_restorer_by_its_file(tmp_path, network):
    path, made = weights(tmp_path, network)
    restorer = load_restorer(str(path))
    looks = [look(seed=seed) for seed in range(restorer.frames)]
    found = restorer(looks)
    assert found.shape == (45, 62)
    assert found.dtype == np.uint8
    assert not np.array_equal(found, looks[0].large)
    assert np.array_equal(found, load_restorer(str(path))(looks))
    assert restorer.frames == getattr(made, "frames", 1)


def test_multiply_adds_are_those_of_the_convolutions(tmp_path):
    restorer = NetworkRestorer(weights(tmp_path, "srcnn")[0])
    restorer([look(large=(40, 60))])
    assert restorer.multiply_adds == 81 * 64 + 25 * 64 * 32 + 25 * 32
    restorer = NetworkRestorer(weights(tmp_path, "espcn")[0])
    restorer([look(small=(20, 30), large=(60, 90))])
    assert restorer.multiply_adds == pytest.approx((25 * 64 + 9 * 64 * 32 + 9 * 32 * 9) / 9)


@pytest.mark.parametrize(
    ("network", "trained", "suits", "not_"),
    [
        ("srcnn", (3.0, 3.0), (2.2, 3.0, 4.2), (1.0, 2.0, 4.5)),
        ("espcn", (2.0, 2.0), (2.0,), (1.5, 3.0, 1.0)),
        ("temporal", (2.0, 4.0), (1.5, 2.0, 4.0, 5.6), (1.0, 1.4, 6.0)),
        ("srcnn", (1.0, 1.0), (1.0, 2.0, 8.0), ()),
    ],
)
def test_other_scale_factors_are_left_as_they_are(tmp_path, network, trained, suits, not_):
    path, _ = weights(tmp_path, network, scale=trained[1], least=trained[0])
    restorer = NetworkRestorer(path)
    assert all(restorer.suits(scale) for scale in suits)
    assert not any(restorer.suits(scale) for scale in not_)
    for scale in not_[:1]:
        looks = [look(scale=scale)] * restorer.frames
        assert restorer(looks) is looks[0].large
        assert restorer.multiply_adds == 0


def test_one_that_looks_at_several_uses_them(tmp_path):
    restorer = NetworkRestorer(weights(tmp_path, "temporal")[0])
    looks = [look(seed=seed, large=(64, 64)) for seed in range(5)]
    assert not np.array_equal(restorer(looks), restorer(looks[:1] * 5))


def test_a_run_restores_by_a_file(tmp_path, command, small_clip):
    path, _ = weights(tmp_path, "temporal", least=2.0)
    ended = command(
        small_clip, "--scale", "3", "--quality", "40", "--recognizer", "none", "--no-report", "--no-plot",
        "--no-video", "--restorer", str(path), "--out", "restored",
    )  # fmt: skip
    assert ended.status == 0, ended.err
    found = json.loads((tmp_path / "restored" / "summary.json").read_text())
    assert found["settings"]["restorer"] == str(path)
    section = found["restoration"]
    assert section["restored"] == found["input"]["frames"]
    assert section["frames"] == 5
    assert section["multiply_adds_per_pixel"] > 0


def test_the_weights_that_ship_restore_by_name():
    from vidlink.codec.shelf import load_codec
    from vidlink.data.builtin import open_builtin
    from vidlink.scores.psnr import psnr_db
    from vidlink.training.sequences import send
    from vidlink.video.pictures import luma

    segment = next(iter(open_builtin().segments(1.0)))
    film = np.stack([luma(frame) for frame in segment.frames[:5]])
    restorer = load_restorer("temporal")
    assert restorer.frames == 5
    for scale in (2.0, 3.0, 4.0):
        large, _ = send(film, scale, None, load_codec("x264"))
        looks = [Look(small=each, large=each, scale=scale, qp=0.0) for each in large[[2, 1, 3, 0, 4]]]
        assert psnr_db(restorer(looks), film[2]) > psnr_db(large[2], film[2]) + 0.2
