"""A clip as frames with times, and how it is cut into segments."""

import itertools
import json
import os
import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictured import planes

from vidlink.errors import UserError
from vidlink.types import CLOCK, Clip
from vidlink.video.open import open_source
from vidlink.video.source import Source


def timed_source(times, rate):
    """A source of tiny pictures at given times."""
    clip = Clip(
        name="fake", width=2, height=2, frame_rate=Fraction(rate), pixel_format="yuv420p", seconds=None, notes=()
    )
    return Source(clip, lambda _: ((float(time_s), av.VideoFrame(2, 2, "yuv420p")) for time_s in times))


def cut_by_hand(times, period, seconds):
    """Frame counts of segments: by slots of the clock; a tail shorter than half a segment joins the one before."""
    slots = np.floor((times + period / 100) / seconds).astype(int)
    counts = [int((slots == slot).sum()) for slot in sorted(set(slots))]
    start = times[len(times) - counts[-1]]
    if len(counts) > 1 and times[-1] + period - start < seconds / 2:
        counts[-2:] = [counts[-2] + counts[-1]]
    return counts


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    rate=st.sampled_from([5, 12, 25, 30]),
    tenths=st.sampled_from([1, 5, 10, 20]),
)
def test_segments_follow_the_rule_for_any_times(steps, rate, tenths):
    times = (np.cumsum(steps) - steps[0]) / 100
    seconds = tenths / 10
    segments = list(timed_source(times, rate).segments(seconds))
    assert [len(segment.frames) for segment in segments] == cut_by_hand(times, 1 / rate, seconds)
    assert [segment.index for segment in segments] == list(range(len(segments)))
    assert np.concatenate([segment.times_s for segment in segments]) == pytest.approx(times)
    assert [segment.first_frame for segment in segments] == np.cumsum(
        [0] + [len(segment.frames) for segment in segments[:-1]]
    ).tolist()
    assert [segment.last for segment in segments] == [False] * (len(segments) - 1) + [True]
    for segment, after in itertools.pairwise(segments):
        assert segment.end_s == pytest.approx(after.start_s)
    assert segments[-1].end_s == pytest.approx(times[-1] + 1 / rate)


@pytest.mark.parametrize(
    ("count", "counts"),
    [(25, [25]), (37, [37]), (38, [25, 13]), (50, [25, 25]), (51, [25, 26]), (62, [25, 37]), (63, [25, 25, 13])],
)
def test_a_tail_shorter_than_half_a_segment_joins_the_one_before(count, counts):
    assert [len(segment.frames) for segment in timed_source(np.arange(count) / 25, 25).segments(1.0)] == counts


def test_ntsc_rates_fill_segments_evenly():
    times = np.arange(300) * 1001 / 30_000
    counts = [len(segment.frames) for segment in timed_source(times, Fraction(30_000, 1001)).segments(1.0)]
    assert sum(counts) == 300
    assert set(counts[:-1]) <= {29, 30}


def test_times_that_stand_still_or_run_back_are_moved_on_and_said():
    source = timed_source([0, 0.1, 0.1, 0.05, 0.3, 0.4], 10)
    times = [time_s for time_s, _ in source.frames()]
    assert np.all(np.diff(times) > 1e-4)
    assert len(times) == 6
    assert times[:2] == [0, pytest.approx(0.1)]
    assert times[-1] <= 0.4 + 3 * 0.1
    assert any("timestamps" in note for note in source.notes)


def test_a_source_reads_the_same_again_and_again(small_clip):
    source = open_source(str(small_clip))
    first, second = ([(t, planes(p).tobytes()) for t, p in source.frames()] for _ in range(2))
    assert first == second


def test_segments_stream_one_at_a_time():
    taken = []

    def read(_):
        for index in range(1000):
            taken.append(index)
            yield index / 25, av.VideoFrame(2, 2, "yuv420p")

    clip = Clip(name="long", width=2, height=2, frame_rate=Fraction(25), pixel_format="yuv420p", seconds=None)
    segments = Source(clip, read).segments(1.0)
    next(segments)
    assert len(taken) <= 2 * 25 + 1
    next(segments)
    assert len(taken) <= 3 * 25 + 1


def test_an_empty_source_is_an_error():
    with pytest.raises(UserError, match="no frame"):
        list(timed_source([], 25).segments(1.0))


def test_frames_carry_their_time_on_the_clock(small_clip):
    for time_s, picture in open_source(str(small_clip)).frames():
        assert picture.time_base == CLOCK
        assert picture.pts == round(time_s * 90_000)
        assert picture.format.name == "yuv420p"


@pytest.mark.skipif(not os.environ.get("VIDLINK_SLOW"), reason="takes minutes: set VIDLINK_SLOW=1")
def test_memory_stays_flat_on_ten_minutes(tmp_path, ffmpeg):
    clip = tmp_path / "long.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=640x480:r=25:d=600", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", clip),
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    subprocess.run(
        [
            *(sys.executable, "-m", "vidlink.simulate", str(clip), "--scale", "2", "--quality", "35"),
            *("--out", str(tmp_path / "run")),
        ],
        check=True,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"peak RSS: {peak / 1e6:.3f} GB (the clip's encoder: {before / 1e6:.3f} GB)")
    assert peak < 1_000_000, "kilobytes"
    frames = json.loads((tmp_path / "run" / "summary.json").read_text())["frames"]
    assert sum(frames.values()) == 15_000
