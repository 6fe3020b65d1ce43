"""Pictures as arrays, and interpolation against the machine's own ffmpeg."""

import av
import cv2
import numpy as np
import pytest

from vidlink.video.open import open_source
from vidlink.video.pictures import LumaUpsampler, Upsampler, downsample_and_back, luma, resize


@pytest.mark.parametrize("width", [16, 34, 97])
def test_luma_has_no_padding(width):
    picture = av.VideoFrame(width, 20, "yuv420p")
    plane = picture.planes[0]
    rows = np.zeros((20, plane.line_size), np.uint8)
    rows[:, :width] = np.arange(width)
    rows[:, width:] = 255
    plane.update(rows.tobytes())
    assert np.array_equal(luma(picture), np.tile(np.arange(width, dtype=np.uint8), (20, 1)))


@pytest.mark.parametrize("size", [(48, 32), (32, 22), (24, 16), (96, 64)])
def test_upsampling_is_ffmpegs_bicubic(small_clip, ffmpeg, size):
    _, picture = next(open_source(str(small_clip)).frames())
    small = picture.reformat(width=size[0], height=size[1])
    found = luma(Upsampler(96, 64)(small))
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{size[0]}x{size[1]}", "-i", "-")
    made = ffmpeg(*raw, "-vf", "scale=96:64:flags=bicubic", "-f", "rawvideo", "-", input=small.to_ndarray().tobytes())
    expected = np.frombuffer(made, np.uint8)[: 96 * 64].reshape(64, 96)
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("size", [(48, 32), (33, 22), (24, 17), (96, 64), (16, 64)])
def test_luma_alone_becomes_the_same(small_clip, size):
    for k, (_, picture) in enumerate(open_source(str(small_clip)).frames()):
        small = picture.reformat(width=size[0], height=size[1])
        found = LumaUpsampler(96, 64)(small)
        assert found.format.name == "gray"
        np.testing.assert_array_equal(luma(found), luma(Upsampler(96, 64)(small)))
        if k == 2:
            break


def test_upsampler_remembers_a_picture_but_not_by_mistake(small_clip):
    frames = [picture.reformat(width=48, height=32) for _, picture in open_source(str(small_clip)).frames()][:4]
    upsample = Upsampler(96, 64)
    for picture in frames:
        first, again = upsample(picture), upsample(picture)
        assert again is first
        assert np.array_equal(first.to_ndarray(), Upsampler(96, 64)(picture).to_ndarray())


@pytest.mark.parametrize("size", [(96, 64), (97, 65)])
def test_the_screen_before_anything_was_decoded_is_grey(size):
    grey = Upsampler(*size).grey()
    assert (grey.width, grey.height, grey.format.name) == (*size, "yuv420p")
    assert set(luma(grey).ravel()) == {128}


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3)])
def test_down_by_area_and_back_by_bicubic(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = downsample_and_back(picture, (32, 24))
    means = np.round(picture.reshape(24, 2, 32, 2, -1).mean(axis=(1, 3))).astype(np.uint8)
    means = means.reshape(24, 32, *shape[2:])
    expected = cv2.resize(means, (64, 48), interpolation=cv2.INTER_CUBIC)
    assert found.shape == shape
    assert np.abs(found.astype(int) - expected).max() <= 2, "halves are rounded either way"
    assert np.array_equal(downsample_and_back(picture, (64, 48)), picture)


def test_resizing_is_by_area_where_it_shrinks():
    stripes = np.tile(np.array([0, 255], np.uint8), (4, 4))
    assert set(resize(stripes, 4, 2).ravel()) <= {127, 128}
    assert resize(stripes, 8, 4) is stripes
