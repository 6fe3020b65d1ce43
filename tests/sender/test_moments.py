"""Which frames are coded where some are left out, and over which each is shown."""

import dataclasses
from fractions import Fraction
from itertools import combinations, pairwise

import av
import numpy as np
import pytest

from vidlink.codec.shelf import load_codec
from vidlink.files.cache import Cache
from vidlink.receiver.decode import decode
from vidlink.sender.encode import encode
from vidlink.sender.memory import Memory
from vidlink.sender.moments import Run, cut_into_runs, even_runs, picture_features, runs_of
from vidlink.types import Clip, Rung, Segment

CLIP = Clip(name="", width=64, height=48, frame_rate=Fraction(25), pixel_format="yuv420p", seconds=1.0)


def cost_of(runs, features):
    """Sum of squared distances between each frame and the one shown in its place."""
    ends = [run.first for run in runs[1:]] + [len(features)]
    return sum(
        float(np.sum((features[slot] - features[run.coded]) ** 2))
        for run, end in zip(runs, ends, strict=True)
        for slot in range(run.first, end)
    )


def all_cuts(count, pieces):
    """Every way to cut so many frames, each run shown by any of its frames."""
    for inner in combinations(range(1, count), pieces - 1):
        firsts = [0, *inner, count]
        choices = [[]]
        for first, end in pairwise(firsts):
            choices = [[*runs, Run(first, coded)] for runs in choices for coded in range(first, end)]
        yield from choices


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("divisor", [2, 3, 4])
def test_no_cut_is_better(seed, divisor):
    features = np.random.default_rng(seed).normal(size=(8, 3)).cumsum(axis=0).astype(np.float32)
    found = cut_into_runs(features, divisor)
    least = min(cost_of(runs, features) for runs in all_cuts(8, -(-8 // divisor)))
    # What is near in time is preferred a little.
    assert least <= cost_of(found, features) <= 1.1 * least


@pytest.mark.parametrize("count", [1, 2, 3, 7, 24, 25, 61])
@pytest.mark.parametrize("divisor", [1, 2, 3, 4, 30])
@pytest.mark.parametrize("kind", ["still", "steady", "random", "late"])
def test_runs_cover_the_segment_as_many_as_of_every_nth_frame(count, divisor, kind):
    features = {
        "still": np.zeros((count, 2)),
        "steady": np.arange(count)[:, None] * np.ones(2),
        "random": np.random.default_rng(count).normal(size=(count, 2)),
        "late": (np.arange(count)[:, None] >= count - 1) * np.ones(2),
    }[kind].astype(np.float32)
    runs = cut_into_runs(features, divisor)
    assert len(runs) == len(even_runs(count, divisor))
    assert runs[0].first == 0
    firsts = [run.first for run in runs] + [count]
    assert all(run.first <= run.coded < end for run, end in zip(runs, firsts[1:], strict=True))
    if divisor == 1:
        assert runs == even_runs(count, 1)


def test_where_nothing_moves_runs_are_even_and_pictures_are_from_their_middle():
    for features in (np.zeros((24, 4)), np.arange(24)[:, None]):
        runs = cut_into_runs(features.astype(np.float32), 4)
        lengths = np.diff([run.first for run in runs] + [24])
        assert set(lengths) <= {3, 4, 5}
        assert all(run.coded - run.first in ((n - 1) // 2, n // 2) for run, n in zip(runs, lengths, strict=True))


def test_frames_go_where_movement_is():
    """Still for 15 frames, then a jump every second frame."""
    features = np.concatenate([np.zeros(15), 10 * (np.arange(10) // 2 + 1)]).astype(np.float32)[:, None]
    runs = cut_into_runs(features, 4)
    assert len(runs) == 7
    assert cost_of(runs, features) == 0
    assert sum(run.first >= 15 for run in runs) == 5
    assert cost_of(even_runs(25, 4), features) > 0


@pytest.fixture
def segment():
    """A bright bar stands still for 12 frames, then moves two pixels a frame."""
    pictures = []
    for index in range(25):
        pixels = np.full((72, 64), 128, np.uint8)
        pixels[:48] = 60
        left = 2 * max(0, index - 12)
        pixels[:48, left : left + 16] = 200
        picture = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
        picture.pts = 3600 * (index + 50)
        pictures.append(picture)
    bare = Segment(index=2, first_frame=50, frames=pictures, times_s=2 + np.arange(25) / 25, duration_s=1.0)
    return dataclasses.replace(bare, features=picture_features(bare))


def test_small_pictures_tell_frames_apart(segment):
    features = picture_features(segment)
    assert features.shape == (25, 64 * 48)
    assert not np.diff(features[:13], axis=0).any()
    assert np.diff(features[12:], axis=0).any(axis=1).all()


@pytest.mark.parametrize("name", ["x264", "x265", "vp9", "av1"])
def test_what_is_coded_is_the_chosen_frame_and_it_has_the_time_of_the_first(segment, name):
    codec, rung = load_codec(name), Rung(scale=1, frame_divisor=4, quality=20)
    runs = runs_of(segment, 4)
    assert [run.first for run in runs] != [run.coded for run in runs]
    found = encode(segment, rung, clip=CLIP, codec=codec)
    assert sorted(unit.frame for unit in found.units) == [50 + run.first for run in runs]
    assert all(unit.time_s == pytest.approx(unit.frame / 25) for unit in found.units)
    shown = decode([(u.frame, u.nals) for u in found.units], codec=codec, parameter_sets=found.parameter_sets)
    for run in runs:
        picture = shown[50 + run.first].to_ndarray()[:48].astype(int)
        errors = [np.abs(picture - other.to_ndarray()[:48]).mean() for other in segment.frames]
        assert min(errors) == errors[run.coded]


def test_without_features_every_nth_is_coded(segment):
    bare = dataclasses.replace(segment, features=None)
    assert runs_of(bare, 4) == even_runs(25, 4)


def test_a_cache_tells_ways_to_choose_apart_where_frames_are_left_out(segment, tmp_path):
    memory, codec = Memory(Cache(tmp_path, max_bytes=10**7)), load_codec("x264")
    bare = dataclasses.replace(segment, features=None)
    for divisor, same in ((4, False), (1, True)):
        rung = Rung(scale=2, frame_divisor=divisor, quality=30)
        moved, even = (memory.encode(each, rung, clip=CLIP, codec=codec) for each in (segment, bare))
        assert (moved == even) == same
        assert memory.encode(segment, rung, clip=CLIP, codec=codec) == moved
