from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.sender.encode import encode
from vidlink.sender.ladder import reach
from vidlink.sender.promise import PromiseBrokenError, keep_promise, stream_size
from vidlink.settings import Settings
from vidlink.types import Clip, Rung, Segment


def segment_of(width, height):
    import av

    pictures = []
    for index in range(3):
        noise = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
        picture = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p")
        picture.pts, picture.time_base = 3600 * index, Fraction(1, 90_000)
        pictures.append(picture)
    times = np.arange(3) / 25
    return Segment(index=0, first_frame=0, frames=tuple(pictures), times_s=times, duration_s=0.12, last=True)


def coded(codec, width, height, scale=1.0):
    clip = Clip(name="x", width=width, height=height, frame_rate=Fraction(25), pixel_format="yuv420p", seconds=0.12)
    recipe = load_codec(codec)
    return encode(segment_of(width, height), Rung(scale=scale, quality=recipe.quality.worst), clip=clip, codec=recipe)


@pytest.mark.parametrize("size", [(16, 12), (20, 16), (64, 48), (100, 58), (176, 144)])
@pytest.mark.parametrize("codec", ["x264", "x264-realtime"])
def test_the_size_is_read_from_the_stream(codec, size):
    assert stream_size(replace(coded(codec, *size), width=0, height=0)) == size


def test_the_size_is_read_from_hevc_too():
    made = replace(coded("x265", 176, 98), width=0, height=0)
    assert stream_size(made) == (176, 98)


def test_a_finer_segment_is_refused():
    made = coded("x264", 64, 48, scale=2.0)
    keep_promise(made, (32, 24))
    with pytest.raises(PromiseBrokenError, match="coded at 32x24, and at most 16x12 was promised"):
        keep_promise(replace(made, width=8, height=8), (16, 12))  # whatever the record says


def test_the_default_ladder_reaches_down_to_the_promise():
    assert reach((1.0, 2.0), 320, 240, (16, 12)) == (1.0, 2.0, 20.0)
    assert reach((1.0, 8.0), 320, 240, (80, 60)) == (1.0, 8.0)
    assert reach((1.0,), 320, 240, (1, 1)) == (1.0,)


def test_a_run_keeps_the_promise_and_refuses_finer_rungs(tmp_path, make_clip):
    from vidlink.simulate import simulate

    made = Settings(
        input=str(make_clip(tmp_path / "clip.mp4", count=25, size=(160, 120))),
        bitrate_bps=16_000,
        max_size=(16, 12),
        recognizer="none",
        save_video=False,
        score_pictures=False,
        divisors=(2,),
    )
    summary = simulate(made, quiet=True).summary
    assert {row["scale"] for row in summary["plan"]} == {10.0}
    with pytest.raises(UserError, match=r"fit no rung of the ladder 4.*at most 16x12"):
        simulate(replace(made, scale=4.0), quiet=True)
