"""``report.mp4``: what was sent on the left, what was seen on the right, on the source's times."""

import av
import numpy as np
import pytest

from vidlink.scores.psnr import psnr_db
from vidlink.video.comparison import Comparison, half_size
from vidlink.video.open import open_source
from vidlink.video.pictures import luma


@pytest.mark.parametrize(("size", "half"), [((96, 64), (96, 64)), ((97, 65), (96, 64)), ((960, 540), (480, 270))])
def test_both_sides_at_their_times(tmp_path, make_clip, size, half):
    times = np.cumsum([0, 0.04, 0.04, 0.1, 0.02, 0.5])
    path = make_clip(tmp_path / "in.mkv", count=6, size=size, times_s=times, codec="ffv1", options={})
    source = open_source(str(path))
    sent, seen = [], []
    with Comparison(tmp_path / "report.mp4", source.clip, longest_side=480) as film:
        for segment in source.segments(1.0):
            screen = [segment.frames[0]] * len(segment.frames)  # frozen from the start
            film.compare(screen, segment)
            sent += segment.frames
            seen += screen
    with av.open(str(tmp_path / "report.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (2 * half[0], half[1])
        frames = list(container.decode(stream))
    assert [float(frame.pts * stream.time_base) for frame in frames] == pytest.approx(times.tolist(), abs=2e-5)
    for frame, left, right in zip(frames, sent, seen, strict=True):
        for start, whole in ((0, left), (half[0], right)):
            small = whole.reformat(width=half[0], height=half[1])
            assert psnr_db(luma(frame)[:, start : start + half[0]].copy(), luma(small)) > 27


def test_sizes_of_a_side():
    assert half_size(1, 1) == (2, 2)
    assert half_size(3840, 20) == (480, 2)
    assert half_size(540, 960) == (270, 480)


def test_pairs_are_made_one_by_one(tmp_path, make_clip, monkeypatch):
    path = make_clip(tmp_path / "in.mkv", count=12, size=(96, 64))
    source = open_source(str(path))
    made, held = [], []

    def count(left, right):
        made.append(1)
        return left

    with Comparison(tmp_path / "both.mp4", source.clip) as film:
        monkeypatch.setattr("vidlink.video.comparison.side_by_side", count)
        monkeypatch.setattr(film, "_write", lambda *given: held.append(len(made)))
        for segment in source.segments(1.0):
            film.compare(segment.frames, segment)
    assert held == list(range(1, 13)), "a second of pairs of 4K pictures takes 0.6 GB"
