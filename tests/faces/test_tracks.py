"""Face tracks on the wire: the same boxes at both ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vidlink.faces.tracks import KNOT_S, at_knots, at_times, knot_count, pack_tracks, unpack_tracks

boxes = hnp.arrays(float, st.tuples(st.integers(1, 20), st.just(4)), elements=st.floats(0, 70_000))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(0, 255), boxes, max_size=5))
def test_tracks_survive_the_wire_to_the_pixel(tracks):
    data = pack_tracks(tracks)
    sent = {face: np.clip(np.rint(knots), 0, 65535) for face, knots in tracks.items()}
    still = {face: (knots == knots[0]).all() for face, knots in sent.items()}
    assert len(data) == sum(10 if still[face] else 2 + 8 * len(knots) for face, knots in sent.items())
    found = unpack_tracks(data)
    assert list(found) == list(tracks)
    for face, knots in sent.items():
        assert np.array_equal(found[face], knots[:1] if still[face] else knots)


@settings(max_examples=50, deadline=None)
@given(boxes, st.data())
def test_bytes_that_end_inside_a_track_are_refused(knots, data):
    whole = pack_tracks({3: knots})
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ValueError, match="end inside"):
        unpack_tracks(whole[:cut])


def test_nothing_is_nothing():
    assert pack_tracks({}) == b""
    assert unpack_tracks(b"") == {}


@pytest.mark.parametrize(
    ("seconds", "knots"), [(0.04, 2), (0.5, 2), (1.0, 3), (1.001, 3), (1.04, 3), (1.4, 4), (2.5, 6)]
)
def test_knots_are_at_most_half_a_second_apart(seconds, knots):
    assert knot_count(seconds) == knots
    assert seconds / (knot_count(seconds) - 1) <= 1.1 * KNOT_S


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=8, max_size=8), st.sampled_from([0.5, 1.0, 1.4]))
def test_straight_motion_survives_the_knots(ends, seconds):
    times = np.arange(round(25 * seconds)) / 25
    start, end = np.array(ends[:4], float), np.array(ends[4:], float)
    path = start + (times / times[-1])[:, None] * (end - start)
    found = at_times(at_knots(path, times, seconds), times, seconds)
    # The last knot lies a frame beyond the last box, which is held there.
    step = np.abs(end - start).max() / (len(times) - 1)
    assert np.abs(found - path).max() <= 1.6 * step + 1e-6


def test_a_still_face_stays_exactly_where_it_is():
    times = np.arange(25) / 25
    still = np.tile([10.0, 20.0, 30.0, 40.0], (25, 1))
    assert np.array_equal(at_times(at_knots(still, times, 1.0), times, 1.0), still)


@pytest.mark.parametrize(
    ("box", "sent"),
    [
        ((-30, 10, 100, 60), (0, 10, 70, 60)),
        ((10, -20.4, 50, 60), (10, 0, 50, 40)),
        ((-30, -30, 40, 50), (0, 0, 10, 20)),
        ((-300, 0, 100, 50), (0, 0, 1, 50)),
        ((10, 20, 30, 40), (10, 20, 30, 40)),
    ],
)
def test_what_lies_left_of_the_picture_or_above_is_cut_off(box, sent):
    assert unpack_tracks(pack_tracks({0: np.array([box] * 2, float)}))[0].tolist() == [list(map(float, sent))]
