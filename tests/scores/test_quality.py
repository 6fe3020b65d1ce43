"""PSNR and SSIM against torchmetrics and the machine's own ffmpeg; interpolation against ffmpeg's."""

import re

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.scores.objective import PictureObjective
from vidlink.scores.quality import Ssim, psnr_db
from vidlink.types import CLOCK
from vidlink.video.pictures import Upsampler, luma
from vidlink.video.source import open_source


def noisy(picture, sigma, seed=0):
    """A copy with noise."""
    planes = picture.to_ndarray()
    noise = np.random.default_rng(seed).normal(0, sigma, planes.shape)
    copy = av.VideoFrame.from_ndarray(np.clip(planes + noise, 0, 255).astype(np.uint8), format="yuv420p")
    copy.pts, copy.time_base = picture.pts, CLOCK
    return copy


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


@pytest.mark.parametrize("width", [16, 34, 97])
def test_luma_has_no_padding(width):
    picture = av.VideoFrame(width, 20, "yuv420p")
    plane = picture.planes[0]
    rows = np.zeros((20, plane.line_size), np.uint8)
    rows[:, :width] = np.arange(width)
    rows[:, width:] = 255
    plane.update(rows.tobytes())
    assert np.array_equal(luma(picture), np.tile(np.arange(width, dtype=np.uint8), (20, 1)))


@pytest.mark.parametrize("sigma", [2, 10, 40])
def test_ssim_and_psnr_are_those_of_ffmpeg(small_clip, tmp_path, ffmpeg, sigma):
    frames = [picture for _, picture in open_source(str(small_clip)).frames()][:5]
    worse = [noisy(picture, sigma, seed=k) for k, picture in enumerate(frames)]
    for name, pictures in (("a", worse), ("b", frames)):
        (tmp_path / f"{name}.yuv").write_bytes(b"".join(picture.to_ndarray().tobytes() for picture in pictures))
    raw = ("-f", "rawvideo", "-video_size", "96x64", "-i")
    both = "[0][1]ssim=stats_file=s.log;[0][1]psnr=stats_file=p.log"
    ffmpeg(*raw, "a.yuv", *raw, "b.yuv", "-lavfi", both, "-f", "null", "-", cwd=tmp_path)
    ssims = [float(value) for value in re.findall(r"Y:([0-9.]+)", (tmp_path / "s.log").read_text())]
    psnrs = [float(value) for value in re.findall(r"psnr_y:([0-9.]+)", (tmp_path / "p.log").read_text())]
    measure = Ssim(96, 64)
    assert [measure(a, b) for a, b in zip(worse, frames, strict=True)] == pytest.approx(ssims, abs=2e-4)
    assert [psnr_db(luma(a), luma(b)) for a, b in zip(worse, frames, strict=True)] == pytest.approx(psnrs, abs=0.01)


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


@pytest.mark.parametrize("size", [(48, 32), (32, 22), (24, 16), (96, 64)])
def test_upsampling_is_ffmpegs_bicubic(small_clip, ffmpeg, size):
    _, picture = next(open_source(str(small_clip)).frames())
    small = picture.reformat(width=size[0], height=size[1])
    found = luma(Upsampler(96, 64)(small))
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{size[0]}x{size[1]}", "-i", "-")
    made = ffmpeg(*raw, "-vf", "scale=96:64:flags=bicubic", "-f", "rawvideo", "-", input=small.to_ndarray().tobytes())
    expected = np.frombuffer(made, np.uint8)[: 96 * 64].reshape(64, 96)
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_upsampler_remembers_a_picture_but_not_by_mistake(small_clip):
    frames = [picture.reformat(width=48, height=32) for _, picture in open_source(str(small_clip)).frames()][:4]
    upsample = Upsampler(96, 64)
    for picture in frames:
        first, again = upsample(picture), upsample(picture)
        assert again is first
        assert np.array_equal(first.to_ndarray(), Upsampler(96, 64)(picture).to_ndarray())


@pytest.mark.parametrize("name", ["psnr", "ssim"])
def test_objective_is_the_mean_over_the_segment(small_clip, name):
    source = open_source(str(small_clip))
    segment = next(source.segments(0.4))
    pictures = [frame.reformat(width=48, height=32) for frame in segment.frames]
    found = PictureObjective(name, source.clip)(segment, pictures, b"")
    larger = [Upsampler(96, 64)(picture) for picture in pictures]
    if name == "psnr":
        each = [psnr_db(luma(a), luma(b)) for a, b in zip(larger, segment.frames, strict=True)]
    else:
        each = [Ssim(96, 64)(a, b) for a, b in zip(larger, segment.frames, strict=True)]
    assert found == pytest.approx(np.mean(each))
    perfect = PictureObjective(name, source.clip)(segment, segment.frames, b"")
    assert perfect == pytest.approx(100 if name == "psnr" else 1)


@pytest.mark.parametrize("size", [(96, 64), (97, 65)])
def test_the_screen_before_anything_was_decoded_is_grey(size):
    grey = Upsampler(*size).grey()
    assert (grey.width, grey.height, grey.format.name) == (*size, "yuv420p")
    assert set(luma(grey).ravel()) == {128}
