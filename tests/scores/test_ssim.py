"""SSIM against torchmetrics and the machine's own ffmpeg."""

import re

import pytest
from pictured import noisy, write_raw

from vidlink.scores.ssim import Ssim
from vidlink.video.open import open_source
from vidlink.video.pictures import luma


@pytest.mark.parametrize("sigma", [2, 10, 40])
def test_it_is_that_of_ffmpeg(small_clip, tmp_path, ffmpeg, sigma):
    frames = [picture for _, picture in open_source(str(small_clip)).frames()][:5]
    worse = [noisy(picture, sigma, seed=k) for k, picture in enumerate(frames)]
    inputs = write_raw(tmp_path, worse, frames)
    ffmpeg(*inputs, "-lavfi", "[0][1]ssim=stats_file=s.log", "-f", "null", "-", cwd=tmp_path)
    expected = [float(value) for value in re.findall(r"Y:([0-9.]+)", (tmp_path / "s.log").read_text())]
    measure = Ssim(96, 64)
    assert [measure(a, b) for a, b in zip(worse, frames, strict=True)] == pytest.approx(expected, abs=2e-4)


def test_ssim_agrees_with_torchmetrics_in_order_and_roughly(small_clip):
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    _, picture = next(open_source(str(small_clip)).frames())
    measure = Ssim(96, 64)
    for sigma in (1, 5, 15, 40):
        worse = noisy(picture, sigma)
        pair = [torch.from_numpy(luma(p).copy()).float()[None, None] for p in (worse, picture)]
        expected = float(structural_similarity_index_measure(*pair, data_range=255.0))
        assert measure(worse, picture) == pytest.approx(expected, abs=0.12)


def test_ssim_of_a_picture_held_for_long_is_right_every_time(small_clip):
    frames = [picture for _, picture in open_source(str(small_clip)).frames()]
    held = noisy(frames[0], 3)
    alone = [Ssim(96, 64)(noisy(frames[0], 3), frame) for frame in frames]
    measure = Ssim(96, 64)
    assert [measure(held, frame) for frame in frames] == pytest.approx(alone, abs=1e-6)
