from __future__ import annotations

import dataclasses
import gc

import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from vidlink.data.builtin import open_builtin
from vidlink.sender import downsample as module
from vidlink.sender.downsample import Downsampler
from vidlink.sender.groups import join
from vidlink.video.pictures import luma


@pytest.fixture
def parts():
    found = []
    for segment in open_builtin().segments(0.2):
        found.append(segment)
        if len(found) == 2:
            return found
    raise AssertionError("the built-in clip is longer")


def test_pictures_of_a_group_are_those_of_its_segments_and_made_once(parts):
    group, _ = join([(part, b"") for part in parts], 0)
    downsample, slots = Downsampler(), [1, 5, 7]
    first = list(downsample(group, slots, 96, 72))
    plain = VideoReformatter()
    for picture, slot in zip(first, slots, strict=True):
        wanted = plain.reformat(group.frames[slot], width=96, height=72, format="yuv420p", interpolation="AREA")
        np.testing.assert_array_equal(luma(picture), luma(wanted))
        assert picture.pts == group.frames[slot].pts
    assert all(a is b for a, b in zip(first, downsample(group, slots, 96, 72), strict=True))
    assert list(downsample(parts[1], [7 - len(parts[0].frames)], 96, 72)) == [first[2]]
    assert next(downsample(group, slots, 48, 36)).width == 48


def test_at_the_size_of_the_source_nothing_is_made(parts):
    assert next(Downsampler()(parts[0], [2], 320, 240)) is parts[0].frames[2]


def test_nothing_is_kept_of_a_segment_that_has_ended(parts):
    downsample = Downsampler()
    segment = dataclasses.replace(parts[0])
    assert len(list(downsample(segment, [0, 1], 96, 72))) == 2
    assert downsample._bytes == 2 * 96 * 72 * 3 // 2
    del segment
    gc.collect()
    assert downsample._bytes == 0
    assert not downsample._kept
    assert not downsample._segments


def test_no_more_is_kept_than_there_is_room_for(parts, monkeypatch):
    monkeypatch.setattr(module, "_MOST_BYTES", 3 * 96 * 72)
    downsample = Downsampler()
    for width in (96, 48, 32):
        list(downsample(parts[0], [0, 1], width, width * 3 // 4))
        assert downsample._bytes <= 3 * 96 * 72
    again = list(downsample(parts[0], [0], 32, 24))
    assert again[0] is next(downsample(parts[0], [0], 32, 24))
