from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vidlink.codec.shelf import load_codec
from vidlink.data.builtin import open_builtin
from vidlink.files.cache import Cache
from vidlink.sender import memory as module
from vidlink.sender.encode import encode
from vidlink.sender.memory import Memory
from vidlink.types import Rung


@pytest.fixture(scope="module")
def clip_and_segments():
    source = open_builtin()
    segments = []
    for segment in source.segments(0.4):
        segments.append(segment)
        if len(segments) == 2:
            return source.clip, segments
    raise AssertionError("the built-in clip is longer")


@pytest.fixture
def encodes(monkeypatch):
    made = []

    def count(*arguments, **keywords):
        made.append(arguments)
        return encode(*arguments, **keywords)

    monkeypatch.setattr(module, "encode", count)
    return made


@pytest.mark.parametrize("codec", ["x264", "x265", "vp9"])
def test_a_remembered_segment_is_the_coded_one(clip_and_segments, tmp_path, encodes, codec):
    clip, segments = clip_and_segments
    recipe, rung = load_codec(codec), Rung(scale=4.0, quality=35.0, frame_divisor=2)
    remembering = Memory(Cache(tmp_path, max_bytes=10**7))
    first = remembering.encode(segments[1], rung, clip=clip, codec=recipe, side_data=b"faces")
    again = Memory(Cache(tmp_path, max_bytes=10**7)).encode(segments[1], rung, clip=clip, codec=recipe, side_data=b"x")
    assert len(encodes) == 1
    assert again == dataclasses.replace(first, side_data=b"x")
    assert first == encode(segments[1], rung, clip=clip, codec=recipe, side_data=b"faces")


def test_everything_that_matters_makes_another_entry(clip_and_segments, tmp_path, encodes):
    clip, (one, two) = clip_and_segments
    x264, rung = load_codec("x264"), Rung(scale=4.0, quality=35.0)
    remembering = Memory(Cache(tmp_path, max_bytes=10**7))
    cases = [
        (one, rung, clip, x264),
        (two, rung, clip, x264),
        (one, dataclasses.replace(rung, quality=36.0), clip, x264),
        (one, dataclasses.replace(rung, scale=3.0), clip, x264),
        (one, dataclasses.replace(rung, frame_divisor=2), clip, x264),
        (one, rung, dataclasses.replace(clip, frame_rate=2 * clip.frame_rate), x264),
        (one, rung, clip, x264.model_copy(update={"options": {**x264.options, "preset": "fast"}})),
    ]
    for segment, at, of, codec in cases * 2:
        remembering.encode(segment, at, clip=of, codec=codec)
    assert len(encodes) == len(cases)


def test_worth_depends_on_the_objective_and_the_faces(clip_and_segments, tmp_path):
    clip, (segment, _) = clip_and_segments
    codec, rung = load_codec("x264"), Rung(scale=4.0, quality=35.0)
    cache, measured = Cache(tmp_path, max_bytes=10**7), []

    def worth(objective: str, side_data: bytes) -> list[float]:
        def measure() -> list[float]:
            measured.append(1)
            return [0.1 + len(measured), 0.5]

        remembering = Memory(cache, objective=objective)
        return remembering.worth(segment, rung, clip=clip, codec=codec, side_data=side_data, measure=measure)

    values = [worth("psnr", b""), worth("ssim", b""), worth("psnr", b"face"), worth("psnr", b"")]
    assert values == [[1.1, 0.5], [2.1, 0.5], [3.1, 0.5], [1.1, 0.5]]


def test_boxes(tmp_path):
    found = [np.array([1.0, 2.5, 3.0, 4.0])]
    looked = []

    def detect(picture):
        looked.append(picture)
        return found if picture.any() else []

    remembering = Memory(Cache(tmp_path, max_bytes=10**7))
    for _ in range(2):
        assert remembering.boxes(np.zeros((4, 6), np.uint8), detect, "it whole") == []
        np.testing.assert_array_equal(remembering.boxes(np.ones((4, 6), np.uint8), detect, "it whole"), found)
        remembering.boxes(np.ones((6, 4), np.uint8), detect, "it whole")
        remembering.boxes(np.ones((6, 4), np.uint8), detect, "another whole")
    assert len(looked) == 4


def test_without_a_cache_everything_is_computed(clip_and_segments, encodes):
    clip, (segment, _) = clip_and_segments
    remembering = Memory()
    for _ in range(2):
        remembering.encode(segment, Rung(scale=4.0, quality=35.0), clip=clip, codec=load_codec("x264"))
    assert len(encodes) == 2
