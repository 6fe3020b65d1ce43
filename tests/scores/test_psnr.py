"""PSNR against torchmetrics and the machine's own ffmpeg."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictured import noisy, write_raw

from vidlink.scores.psnr import PSNR, luma_psnr_db, psnr_db
from vidlink.video.open import open_source


@settings(max_examples=40, deadline=None)
@given(width=st.integers(2, 40), height=st.integers(2, 40), sigma=st.floats(0.3, 80), seed=st.integers(0, 9999))
def test_psnr_is_that_of_torchmetrics(width, height, sigma, seed):
    import torch
    from torchmetrics.functional.image import peak_signal_noise_ratio

    rng = np.random.default_rng(seed)
    a = rng.integers(0, 256, (height, width), dtype=np.uint8)
    b = np.clip(a + rng.normal(0, sigma, a.shape), 0, 255).astype(np.uint8)
    if (a == b).all():
        assert psnr_db(a, b) == 100
        return
    expected = peak_signal_noise_ratio(
        torch.from_numpy(a).double(), torch.from_numpy(b).double(), data_range=(0.0, 255.0)
    )
    assert psnr_db(a, b) == pytest.approx(min(100, float(expected)), abs=1e-4)


def test_identical_pictures_count_as_the_ceiling():
    picture = np.zeros((4, 4), np.uint8)
    assert psnr_db(picture, picture) == 100
    assert psnr_db(picture, picture + np.uint8(255)) == 0


@pytest.mark.parametrize("sigma", [2, 10, 40])
def test_it_is_that_of_ffmpeg(small_clip, tmp_path, ffmpeg, sigma):
    frames = [picture for _, picture in open_source(str(small_clip)).frames()][:5]
    worse = [noisy(picture, sigma, seed=k) for k, picture in enumerate(frames)]
    inputs = write_raw(tmp_path, worse, frames)
    ffmpeg(*inputs, "-lavfi", "[0][1]psnr=stats_file=p.log", "-f", "null", "-", cwd=tmp_path)
    expected = [float(value) for value in re.findall(r"psnr_y:([0-9.]+)", (tmp_path / "p.log").read_text())]
    found = [luma_psnr_db(a, b) for a, b in zip(worse, frames, strict=True)]
    assert found == pytest.approx(expected, abs=0.01)


def test_what_people_read_of_it():
    assert (PSNR.heading, PSNR.label, PSNR.quantity(31.256)) == ("PSNR dB", "PSNR (dB)", "31.26 dB")
