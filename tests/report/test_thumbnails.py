"""A few pictures of a run, evenly over the clip."""

import av
import numpy as np
import pytest

from vidlink.report.thumbnails import Thumbnails
from vidlink.types import Clip, Segment

CLIP = Clip(name="", width=16, height=16, frame_rate=25, pixel_format="yuv420p", seconds=None)


def segment(first, count):
    frame = av.VideoFrame.from_ndarray(np.full((24, 16), 128, np.uint8), format="yuv420p")
    times_s = np.arange(first, first + count) / 25
    return Segment(index=0, first_frame=first, frames=(frame,) * count, times_s=times_s, duration_s=count / 25)


@pytest.mark.parametrize("lengths", [[150], [25] * 6, [7, 143], [25] * 100, [1000, 1500]])
def test_however_a_clip_is_cut_its_pictures_are_spread_evenly(lengths):
    thumbnails, first = Thumbnails(CLIP), 0
    for count in lengths:
        part = segment(first, count)
        thumbnails.look(part, part.frames)
        first += count
    times_s = [time_s for time_s, _, _ in thumbnails.chosen()]
    assert len(times_s) == 6
    steps = np.diff(times_s) / (sum(lengths) / 25)
    assert (steps > 0.06).all()
    assert (steps < 0.3).all()


@pytest.mark.parametrize("count", [1, 3])
def test_a_short_clip_has_one(count):
    part, thumbnails = segment(0, count), Thumbnails(CLIP)
    thumbnails.look(part, part.frames)
    assert len(thumbnails.chosen()) == 1
