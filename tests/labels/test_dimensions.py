"""Labels: read, checked against the clip, brought to frames, and matched to faces."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.errors import UserError
from vidlink.labels.dimensions import check_cover, labels_at, load_labels, match_faces

AFFECT = ("valence", "arousal")


def written(tmp_path, text):
    (tmp_path / "labels.csv").write_text(text)
    return tmp_path / "labels.csv"


def test_rows_come_sorted_with_a_face_and_without_what_is_not_needed(tmp_path):
    table = load_labels(
        written(tmp_path, "time_s, valence, arousal, note\n1.0, 0.5, -0.5, b\n0.0, 0.1, 0.2, a\n2.0,,0.3,c\n"), AFFECT
    )
    assert list(table.columns) == ["time_s", "face", "valence", "arousal"]
    assert table["time_s"].tolist() == [0.0, 1.0]
    assert table["face"].tolist() == [0, 0]
    assert table["valence"].tolist() == [0.1, 0.5]


def test_faces_and_boxes_are_kept(tmp_path):
    table = load_labels(
        written(tmp_path, "time_s,face,valence,arousal,x,y,w,h\n0,1,0,0,5,6,7,8\n0,0,1,1,1,2,3,4\n"), AFFECT
    )
    assert table[["face", "x", "y", "w", "h"]].to_numpy().tolist() == [[0, 1, 2, 3, 4], [1, 5, 6, 7, 8]]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("time_s,valence\n0,1\n", "'arousal'"),
        ("valence,arousal\n0,1\n", "'time_s'"),
        ("time_s,valence,arousal\n0,a,1\n", "'valence'"),
        ("time_s,valence,arousal\nzero,0,1\n", "'time_s'"),
        ("time_s,valence,arousal\n0,0,1\n0,1,1\n", "twice"),
        ("time_s,face,valence,arousal\n0,1,0,1\n0,1,1,1\n", "twice"),
        ("time_s,valence,arousal\n", "no complete row"),
        ("time_s,valence,arousal\n0,,\n", "no complete row"),
        ('time_s,valence,arousal\n0,"1,2\n', "CSV"),
        ("", "CSV"),
    ],
)
def test_wrong_files_are_refused(tmp_path, text, part):
    with pytest.raises(UserError, match=part):
        load_labels(written(tmp_path, text), AFFECT)


def test_binary_files_and_missing_ones_are_refused(tmp_path):
    (tmp_path / "labels.csv").write_bytes(bytes(range(128, 256)) * 20)
    with pytest.raises(UserError, match="CSV"):
        load_labels(tmp_path / "labels.csv", AFFECT)
    with pytest.raises(UserError, match="no such file"):
        load_labels(tmp_path / "other.csv", AFFECT)
    with pytest.raises(UserError, match="no such file"):
        load_labels(tmp_path, AFFECT)


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [(0, 10, True), (0, 6, True), (0, 4, False), (5, 10, True), (20, 30, False), (0, 15.9, True), (0, 30, False)],
)
def test_cover(first, last, fits):
    labels = pd.DataFrame({"time_s": np.linspace(first, last, 50)})
    if fits:
        check_cover(labels, 10.0)
    else:
        with pytest.raises(UserError, match=r"do not match the clip.*10 s"):
            check_cover(labels, 10.0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 30))
def test_labels_between_rows_lie_on_straight_lines(seed, count):
    rng = np.random.default_rng(seed)
    known = np.sort(rng.choice(1000, count, replace=False)) / 100
    apart = np.diff(known)
    longest = min(max(1.5 * np.median(apart), 1.0), 2.0)
    table = pd.DataFrame({"time_s": known, "face": 3, "valence": rng.normal(size=count)})
    times = rng.uniform(-1, 11, 50)
    found = labels_at(table, 3, times, ["valence"])[:, 0]
    for time_s, value in zip(times, found, strict=True):
        if known[0] <= time_s <= known[-1]:
            k = min(np.searchsorted(known, time_s, side="right"), count - 1)
            if known[k] - known[k - 1] > longest:
                assert np.isnan(value)
                continue
            share = (time_s - known[k - 1]) / (known[k] - known[k - 1])
            assert value == pytest.approx((1 - share) * table["valence"][k - 1] + share * table["valence"][k])
        elif time_s < known[0] - min(np.median(apart), 1) or time_s > known[-1] + min(np.median(apart), 1):
            assert np.isnan(value)


def test_a_face_without_rows_has_no_labels():
    table = pd.DataFrame({"time_s": [0.0, 1.0], "face": 0, "valence": 0.5})
    assert np.isnan(labels_at(table, 1, np.array([0.5]), ["valence"])).all()


def tracks(**boxes):
    rows = [
        {"time_s": time_s, "face": int(name[1:]), "x": x, "y": y, "width": w, "height": h}
        for name, (count, x, y, w, h) in boxes.items()
        for time_s in np.arange(count) / 10
    ]
    return pd.DataFrame(rows)


def labelled(*faces, boxes=None):
    table = pd.concat(
        [pd.DataFrame({"time_s": [0.0, 1.0], "face": face, "valence": 0.0}) for face in faces], ignore_index=True
    )
    if boxes:
        table[["x", "y", "w", "h"]] = np.repeat(boxes, 2, axis=0)
    return table


def test_one_labelled_face_takes_the_track_seen_longest():
    seen = tracks(f0=(3, 0, 0, 10, 10), f1=(9, 50, 50, 10, 10))
    assert match_faces(labelled(7), seen) == {1: 7}


def test_boxes_tell_the_faces_apart():
    seen = tracks(f0=(10, 0, 0, 10, 10), f1=(10, 50, 50, 10, 10), f2=(10, 200, 200, 10, 10))
    labels = labelled(0, 1, boxes=[(51, 49, 10, 10), (1, 0, 11, 10)])
    assert match_faces(labels, seen) == {1: 0, 0: 1}


def test_a_box_that_no_track_overlaps_matches_nothing():
    assert match_faces(labelled(0, boxes=[(100, 100, 9, 9)]), tracks(f0=(10, 0, 0, 10, 10))) == {}


def test_several_faces_without_boxes_go_by_number():
    seen = tracks(f0=(10, 0, 0, 10, 10), f2=(10, 50, 50, 10, 10))
    assert match_faces(labelled(0, 1, 2), seen) == {0: 0, 2: 2}


def test_no_track_at_all():
    assert match_faces(labelled(0), tracks(f0=(1, 0, 0, 1, 1)).iloc[:0]) == {}
