"""Faces found and followed: the drawn face of the built-in clip, real faces, and none where there is none."""

import av
import numpy as np
import pandas as pd
import pytest

from vidlink.data.builtin import open_builtin
from vidlink.errors import UserError
from vidlink.faces.find import FaceTracker, LabelledFaces
from vidlink.faces.tracks import Box, at_times
from vidlink.types import Segment
from vidlink.video.open import open_source


def overlap(a, b):
    width = np.minimum(a[0] + a[2], b[0] + b[2]) - np.maximum(a[0], b[0])
    height = np.minimum(a[1] + a[3], b[1] + b[3]) - np.maximum(a[1], b[1])
    shared = max(0, width) * max(0, height)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def segment_of(pictures, index=0, rate=25):
    """A segment of luma arrays."""
    frames = []
    for luma in pictures:
        planes = np.full((luma.shape[0] * 3 // 2, luma.shape[1]), 128, np.uint8)
        planes[: luma.shape[0]] = luma
        frames.append(av.VideoFrame.from_ndarray(planes, format="yuv420p"))
    first = index * len(frames)
    return Segment(
        index=index,
        first_frame=first,
        frames=tuple(frames),
        times_s=(first + np.arange(len(frames))) / rate,
        duration_s=len(frames) / rate,
    )


@pytest.fixture(scope="module")
def builtin():
    """The first three seconds of the built-in clip."""
    segments = open_builtin().segments(1.0)
    return [next(segments) for _ in range(3)]


@pytest.fixture(scope="module")
def face(builtin):
    """A picture with a face, and its box."""
    tracker = FaceTracker()
    found = [tracker.track(segment) for segment in builtin]
    return np.array(builtin[2].frames[0].to_ndarray()[:240]), found[2][0][0]


def test_the_drawn_face_is_one_track_that_holds_the_face(builtin):
    tracker = FaceTracker()
    found = [tracker.track(segment) for segment in builtin]
    assert [sorted(tracks) for tracks in found] == [[0], [0], [0]]
    for segment, tracks in zip(builtin, found, strict=True):
        assert tracks[0].shape == (3, 4)
        boxes = at_times(tracks[0], segment.times_s - segment.start_s, segment.duration_s)
        middle = boxes[:, :2] + boxes[:, 2:] / 2
        assert (boxes[:, 2] > 40).all()
        assert (np.abs(middle - [160, 120]) < [60, 60]).all()


def test_the_same_clip_gives_the_same_tracks(builtin):
    first, second = ([FaceTracker().track(segment)[0].tolist() for segment in builtin] for _ in range(2))
    assert first == second


def test_no_face_no_track():
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 160), dtype=np.uint8) for _ in range(25)]
    assert FaceTracker().track(segment_of(noise)) == {}
    assert FaceTracker().track(segment_of([np.full((120, 160), 90, np.uint8)] * 25)) == {}


def test_a_given_box_is_taken_as_it_is(builtin):
    tracker = FaceTracker(Box(x=10, y=20, width=30, height=40))
    for segment in builtin:
        assert {face: knots.tolist() for face, knots in tracker.track(segment).items()} == {0: [[10, 20, 30, 40]] * 3}


def test_a_face_that_moves_is_followed(face):
    picture, box = face
    wide = np.pad(picture, ((0, 0), (120, 120)), mode="edge")
    tracker = FaceTracker()
    for index in range(3):
        shifts = [120 - (index * 25 + k) for k in range(25)]
        segment = segment_of([wide[:, shift : shift + 320] for shift in shifts], index)
        tracks = tracker.track(segment)
        assert sorted(tracks) == [0]
        for k in (0, 12, 24):
            found = at_times(tracks[0], [k / 25], 1.0)[0]
            assert overlap(found, np.add(box, [120 - shifts[k], 0, 0, 0])) > 0.45


def test_two_faces_are_two_tracks_and_keep_their_numbers(face):
    picture, box = face
    both = np.concatenate([picture, picture[:, ::-1]], axis=1)
    tracker = FaceTracker()
    for index in range(2):
        tracks = tracker.track(segment_of([both] * 25, index))
        assert sorted(tracks) == [0, 1]
        if index == 0:
            left = min(tracks, key=lambda number: tracks[number][0, 0])
        assert overlap(tracks[left][0], box) > 0.5
        assert tracks[1 - left][0, 0] >= 320


def test_a_face_that_is_gone_ends_its_track_and_another_gets_a_new_number(face):
    picture, _ = face
    empty = np.full_like(picture, 90)
    tracker = FaceTracker()
    scenes = [picture, empty, empty, picture]
    found = [sorted(tracker.track(segment_of([scene] * 25, index))) for index, scene in enumerate(scenes)]
    assert found[0] == [0]
    assert found[2] == []
    assert found[3] == [1]


def test_a_false_alarm_that_does_not_last_is_no_face(face):
    picture, _ = face
    empty = np.full_like(picture, 90)
    assert FaceTracker().track(segment_of([picture] + [empty] * 24)) == {}


def test_real_faces(data):
    source = open_source(str(data / "clips" / "carphone_pristine.mp4"))
    tracker = FaceTracker()
    found = [tracker.track(segment) for segment in source.segments(1.0)]
    assert sum(0 in tracks for tracks in found) >= 3
    assert len(set().union(*found)) <= 2
    two = open_source(str(data / "clips" / "CiscoVT2people_320x192_12fps.yuv"))
    tracker = FaceTracker()
    assert len(set().union(*(tracker.track(segment) for segment in two.segments(1.0)))) >= 2


def labelled(**columns):
    """Two rows a face: face 3 moves for two seconds, face 7 stands still in the second one."""
    table = {
        "time_s": [0.0, 2.0, 1.0, 2.0],
        "face": [3, 3, 7, 7],
        "x": [0.0, 20.0, 40.0, 40.0],
        "y": 8.0,
        "w": 16.0,
        "h": 24.0,
    }
    return pd.DataFrame(table | columns)


def test_labelled_faces_are_where_the_labels_say():
    tracker = LabelledFaces(labelled())
    first, second = (tracker.track(segment_of([np.zeros((48, 64), np.uint8)] * 25, index)) for index in (0, 1))
    assert sorted(first) == [0]
    assert sorted(second) == [0, 1]
    assert first[0][0] == pytest.approx([0, 8, 16, 24])
    assert first[0][-1] == pytest.approx([9.6, 8, 16, 24])  # held from the last frame on
    assert second[1] == pytest.approx(np.tile([40, 8, 16, 24], (3, 1)))


def test_rows_without_a_box_are_bridged_and_a_box_without_size_is_refused():
    tracker = LabelledFaces(labelled(w=[16, 16, np.nan, 16]))
    assert sorted(tracker.track(segment_of([np.zeros((48, 64), np.uint8)] * 25, 0))) == [0]
    with pytest.raises(UserError, match="time_s = 2 has w = 0"):
        LabelledFaces(labelled(w=[16, 0, 16, 16]))
    with pytest.raises(UserError, match="boxes of 0 faces"):
        LabelledFaces(labelled(w=np.nan))
