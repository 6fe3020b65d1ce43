"""The region of interest: what --roi says, where the window is cut, and where the face is in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlink.errors import UserError
from vidlink.faces.roi import face_boxes, parse_roi, window_path, window_side
from vidlink.faces.tracks import at_times, pack_tracks, unpack_tracks
from vidlink.types import Clip

OFFSETS = np.arange(25) / 25


def path_of(knots, *, side=None, width=320, height=240):
    knots = np.array(knots, float)
    side = side or window_side(knots, width=width, height=height)
    return window_path(knots, OFFSETS, 1.0, side=side, width=width, height=height)


def test_what_roi_says():
    assert (parse_roi("none").cut, parse_roi("none").box) == (False, None)
    assert (parse_roi("face").cut, parse_roi("face").box) == (True, None)
    assert parse_roi("1,2,30,40").cut is False
    assert parse_roi("face:1,2,30,40").cut is True
    assert parse_roi("face:1,2,30,40").box.as_array().tolist() == [1, 2, 30, 40]


@pytest.mark.parametrize("text", ["", "Face", "face:", "face:1,2", "face:a,b,c,d", "faces", "1,2,3", "face:0,0,0,5"])
def test_anything_else_is_refused(text):
    with pytest.raises(UserError, match="--roi"):
        parse_roi(text)


knots = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(8, 150), st.integers(8, 150)),
    min_size=1,
    max_size=4,
)


@given(knots, st.integers(16, 120), st.integers(100, 641), st.integers(100, 481))
def test_the_window_is_even_and_stays_in_the_picture(track, side, width, height):
    path = path_of(track, side=2 * side, width=width, height=height)
    assert path.shape == (25, 3)
    assert (path % 2 == 0).all()
    assert (path[:, :2] >= 0).all()
    assert (path[:, 0] + path[:, 2] <= width).all()
    assert (path[:, 1] + path[:, 2] <= height).all()
    assert len(set(path[:, 2].tolist())) == 1


def test_the_window_holds_the_face_with_a_margin_and_is_not_resized_while_the_face_keeps_its_size():
    path = path_of([(100, 60, 60, 60)])
    assert path.tolist() == [[92, 52, 78]] * 25  # centred within a pixel
    # A detector's box breathes: up to a tenth more or less changes neither size nor, by much, the place.
    for size in (56, 60, 64):
        assert path_of([(100, 60, size, size)], side=78)[0, 2] == 78
    assert path_of([(80, 40, 100, 100)], side=78)[0, 2] > 110
    assert path_of([(80, 40, 30, 30)], side=78)[0, 2] < 50


def test_the_window_stands_still_for_a_small_movement_and_follows_a_large_one():
    assert len(np.unique(path_of([(100, 60, 60, 60), (104, 60, 60, 60)]), axis=0)) == 1
    path = path_of([(60, 60, 60, 60), (160, 60, 60, 60)])
    assert path[-1, 0] - path[0, 0] > 90
    assert (np.diff(path[:, 0]) >= 0).all()
    assert set(path[:, 1]) == {52}


@given(knots)
def test_the_face_in_the_window_is_the_face_in_the_source(track):
    data = pack_tracks({3: np.array(track, float)})
    clip = Clip(name="", width=90, height=90, frame_rate=25, pixel_format="", seconds=1.0, cut_from=(320, 240))
    ((source, shown),) = face_boxes(data, OFFSETS, 1.0, clip).values()
    sent = unpack_tracks(data)[3]
    np.testing.assert_allclose(source, at_times(sent, OFFSETS, 1.0))
    path = window_path(sent, OFFSETS, 1.0, side=90, width=320, height=240)
    np.testing.assert_allclose(shown[:, :2] * path[:, 2:] / 90 + path[:, :2], source[:, :2], atol=1e-9)
    np.testing.assert_allclose(shown[:, 2:] * path[:, 2:] / 90, source[:, 2:], atol=1e-9)


def test_in_whole_frames_a_face_is_where_its_track_says():
    clip = Clip(name="", width=320, height=240, frame_rate=25, pixel_format="", seconds=1.0)
    source, shown = face_boxes(pack_tracks({0: np.array([[1, 2, 3, 4]])}), OFFSETS, 1.0, clip)[0]
    assert source.tolist() == shown.tolist() == [[1, 2, 3, 4]] * 25
    assert face_boxes(b"", OFFSETS, 1.0, clip) == {}
