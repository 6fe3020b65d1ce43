"""``received.mp4``: the pictures that were shown, at the source's times."""

from fractions import Fraction

import av
import numpy as np
import pytest

from vidlink.scores.psnr import psnr_db
from vidlink.types import Clip
from vidlink.video.film import Film
from vidlink.video.open import open_source
from vidlink.video.pictures import luma


def shown(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(float(frame.pts * stream.time_base), frame) for frame in container.decode(stream)]


@pytest.mark.parametrize("size", [(96, 64), (97, 65)])
def test_pictures_and_times(tmp_path, make_clip, size):
    times = np.cumsum([0, 0.04, 0.04, 0.1, 0.02, 0.5, 1.25, 0.04, 0.04, 0.3])
    path = make_clip(tmp_path / "in.mkv", count=10, size=size, times_s=times, codec="ffv1", options={})
    source = open_source(str(path))
    kept = []
    with Film(tmp_path / "out.mp4", source.clip) as film:
        for segment in source.segments(1.0):
            film.show(segment.frames, segment)
            kept += zip(segment.times_s, segment.frames, strict=True)
    found = shown(tmp_path / "out.mp4")
    assert [time_s for time_s, _ in found] == pytest.approx([time_s for time_s, _ in kept], abs=2e-5)
    for (_, picture), (_, frame) in zip(found, kept, strict=True):
        assert (picture.width, picture.height) == (size[0] // 2 * 2, size[1] // 2 * 2)
        assert picture.format.name == "yuv420p"
        cut = luma(frame)[: picture.height, : picture.width]
        assert psnr_db(luma(picture), cut) > (36 if size == (96, 64) else 20)


def test_an_error_inside_is_passed_on(tmp_path, small_clip):
    source = open_source(str(small_clip))
    with pytest.raises(RuntimeError), Film(tmp_path / "out.mp4", source.clip) as film:  # noqa: PT012
        segment = next(source.segments(1.0))
        film.show(segment.frames, segment)
        raise RuntimeError


def test_an_error_before_the_first_picture(tmp_path):
    clip = Clip(name="x", width=32, height=32, frame_rate=Fraction(25), pixel_format="yuv420p", seconds=None, notes=())
    with pytest.raises(RuntimeError), Film(tmp_path / "out.mp4", clip):
        raise RuntimeError
