"""Tables of labels as spreadsheets and lab tools write them: read right, or refused in a line that names the reason."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlink.errors import UserError
from vidlink.faces.find import check_boxes
from vidlink.labels.classes import ClassLabels, load_class_labels
from vidlink.labels.dimensions import check_cover, labels_at, load_labels

GIVES = ("level",)


@pytest.fixture
def load(tmp_path):
    def read(text, dimensions=GIVES):
        path = tmp_path / "labels.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load_labels(path, dimensions)

    return read


@pytest.fixture
def load_classes(tmp_path):
    def read(text, classes):
        path = tmp_path / "labels.csv"
        path.write_text(text)
        return load_class_labels(path, classes)

    return read


@pytest.mark.parametrize(
    "text",
    [
        "time_s,level\n0,0.5\n1,-1e-1\n",
        "time_s,level\r\n0,0.5\r\n1,-0.1\r\n",
        "\ufefftime_s,level\n0,0.5\n1,-0.1\n",
        "time_s, level\n0, 0.5\n1, -0.1\n",
        "time_s ,level \n0 ,0.5 \n1,-.1\n",
        '"time_s","level"\n"0","0.5"\n"1","-0.1"\n',
        "time_s,level,\n0,0.5,\n1,-0.1,\n",
        "time_s,level\n0,0.5,\n1,-0.1,,,\n",
        "time_s,level\n0,0.5\n1,-0.1\n,,\n\n",
        ",time_s,level\n0,0,0.5\n1,1,-0.1\n",
        "time_s,level,note\n0,0.5\n1,-0.1,\n",
        "level,time_s\n-0.1,1\n0.5,0\n",
    ],
)
def test_one_table_in_many_spellings(load, text):
    table = load(text)
    assert table["time_s"].tolist() == [0, 1]
    assert table["level"].tolist() == [0.5, -0.1]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("time_s;level\n0,0;0,5\n", "semicolons"),
        ("time_s;level\n0.0;0.5\n", "';'"),
        ("time_s\tlevel\n0\t0,5\n", "tabs"),
        ("time_s|level\n0|0.5\n", "bars"),
        ("time_s level\n0 0.5\n", "blanks"),
        ("time_s,level\n0,0,0,5\n", "line 2: 4 cells under 2 columns"),
        ("time_s,level\n0,0.5\n1,0.5,7\n", "line 3: 3 cells under 2 columns"),
        ('time_s,level\n0,"0,5"\n', "decimal point"),
        ("time_s,level,level\n0,0,1\n", "'level' stands twice"),
        ("time_s,level,time_s\n0,0,1\n", "'time_s' stands twice"),
        ("time_s,level\n0,inf\n", "line 2: column 'level'.*'inf'"),
        ("time_s,level\n0,0\n1,-Infinity\n", "line 3"),
        ("time_s,level\n0,1e400\n", "1e400"),
        ("time_s,level\n0,1e18\n", "1e18"),
        ("time_s,level\n1e18,0\n", "1e18"),
        ("time_s,level\n0," + "9" * 5000 + "\n", "not a number like that"),
        ("time_s,level\n0,1_000\n", "1_000"),
        ("time_s,level\n0,\u0663\n", "not a number like that"),
        ("time_s,level\n,0.5\n", "'time_s' must hold a number"),
        ("time_s,level\nNaN,0.5\n", "'time_s' must hold a number"),
        ("time_s,face,level\n0,0.5,1\n", "'face' must hold a whole number"),
        ("time_s,face,level\n0,,1\n", "'face' must hold a whole number"),
        ("time_s,level\n0,0.5\n1,\0\n", "line 3"),
        ("time_s,level\n0," + "x" * 200_000 + "\n", "field larger"),
        ("time_s,level\n0,0\n".encode("utf-16"), "UTF-16"),
        ("time_s,level,é\n0,0,ü\n".encode("latin-1"), "UTF-8"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(load, text, part):
    with pytest.raises(UserError, match=part) as caught:
        load(text)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@given(st.text(alphabet='01.,;e-+" \t\r\nNatime_slv\x00', max_size=60))
def test_no_text_but_a_table_or_a_named_reason(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("fuzz") / "labels.csv"
    path.write_bytes(f"time_s,level\n{text}".encode())
    try:
        table = load_labels(path, GIVES)
    except UserError:
        return
    assert np.isfinite(table["time_s"]).all()
    assert table["level"].notna().any()


# Gaps and NaN


RATE = 25


def dense(seconds=6.0):
    times = np.arange(round(seconds * RATE)) / RATE
    return pd.DataFrame({"time_s": times, "face": 0, "level": np.sin(3 * times)})


def known(table, times):
    return np.isfinite(labels_at(table, 0, times, GIVES)[:, 0])


@pytest.mark.parametrize(("gap_s", "bridged"), [(0.5, True), (1.0, True), (1.2, False), (2.0, False), (4.0, False)])
def test_a_gap_of_more_than_a_second_is_not_bridged(gap_s, bridged):
    table = dense()
    times = table["time_s"].to_numpy()
    inside = (times > 1 + 1e-9) & (times < 1 + gap_s - 1e-9)
    found = known(table[~inside], times)
    assert found[~inside].all()
    assert found[inside].all() == bridged
    assert found[inside].any() == bridged


def test_what_is_nan_is_unknown_up_to_the_rows_beside_it():
    table = pd.DataFrame({"time_s": [0, 0.4, 0.8, 1.2, 1.6], "face": 0, "level": [0, 1, math.nan, 3, 4]})
    times = np.array([0, 0.4, 0.41, 0.8, 1.19, 1.2, 1.4])
    assert known(table, times).tolist() == [True, True, False, False, False, True, True]
    assert labels_at(table, 0, np.array([0.2, 1.4]), GIVES)[:, 0].tolist() == pytest.approx([0.5, 3.5])


@pytest.mark.parametrize("unknown", ["", "NaN", "nan", "NA", "n/a", "null", "None", "#N/A"])
def test_spellings_of_what_is_not_known(load, unknown):
    table = load(f"time_s,level\n0,0.1\n0.5,{unknown}\n1,0.2\n")
    assert table["level"].isna().tolist() == [False, True, False]


def test_rows_that_are_all_sparse_are_bridged_up_to_two_seconds():
    times = np.arange(0, 10, 0.1)
    for step, bridged in ((1.0, True), (2.0, True), (2.5, False)):
        rows = np.arange(0, 10.1, step)
        table = pd.DataFrame({"time_s": rows, "face": 0, "level": rows})
        assert known(table, times).all() == bridged


def test_nothing_is_known_more_than_a_second_before_and_after_the_rows():
    table = pd.DataFrame({"time_s": [4.0, 6.0], "face": 0, "level": [0.0, 1.0]})
    assert known(table, np.array([2.9, 3.1, 6.9, 7.1])).tolist() == [False, True, True, False]


def test_times_that_are_rounded_are_those_of_their_rows():
    table = pd.DataFrame({"time_s": [0.0, 0.033333, 3.0], "face": 0, "level": [0.0, 1.0, 2.0]})
    assert labels_at(table, 0, np.array([1 / 30, 3 - 1e-7]), GIVES)[:, 0].tolist() == pytest.approx([1, 2], abs=1e-6)


# Units


@pytest.mark.parametrize(("factor", "unit"), [(1000, "milliseconds"), (RATE, "frames")])
def test_times_that_are_no_seconds_are_refused(factor, unit):
    table = dense(4.0)
    with pytest.raises(UserError, match=f"look like {unit}"):
        check_cover(table.assign(time_s=table["time_s"] * factor), 4.0, RATE)
    classes = ClassLabels(starts_s=np.array([0.0, 1.0, 3.5]) * factor, classes=("a", "b", "a"))
    with pytest.raises(UserError, match=f"do not match the clip.*look like {unit}"):
        classes.check_cover(4.0, RATE)


@pytest.mark.parametrize(
    ("starts", "fits"), [([0], True), ([3.9], True), ([-5, 1], True), ([0, 6.9], True), ([4], False), ([0, 7.1], False)]
)
def test_classes_that_begin_within_the_clip(starts, fits):
    labels = ClassLabels(starts_s=np.array(starts, float), classes=("a",) * len(starts))
    if fits:
        labels.check_cover(4.0, RATE)
    else:
        with pytest.raises(UserError, match="do not match the clip"):
            labels.check_cover(4.0, RATE)


# Classes


@pytest.mark.parametrize("name", ["None", "NA", "null", "NaN", "n/a", "True", "1", "1.0", "-", "=1+1"])
def test_a_class_may_have_any_name(load_classes, name):
    labels = load_classes(f"time_s,class\n0,{name}\n1,\n2,other\n", (name, "other"))
    assert labels.classes == (name, None, "other")
    assert labels.at(0.5) == name
    assert labels.at(1.5) is None


def test_rows_of_classes_come_in_any_order_and_with_trailing_commas(load_classes):
    labels = load_classes("time_s,class\n2,b,\n0,a,\n", ("a", "b"))
    assert labels.starts_s.tolist() == [0, 2]
    assert labels.classes == ("a", "b")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("time_s,class\n0,a,b\n", "line 2: 3 cells"),
        ("time_s;class\n0;a\n", "semicolons"),
        ("time_s,class,class\n0,a,a\n", "stands twice"),
        ("time_s,class\ninf,a\n", "'inf'"),
        ("time_s,class\n0,a\n1,c\n", "line 3: unknown class 'c'"),
        ("time_s,class\n", "no row"),
    ],
)
def test_wrong_tables_of_classes(load_classes, text, part):
    with pytest.raises(UserError, match=part):
        load_classes(text, ("a", "b"))


# Boxes


@pytest.mark.parametrize(
    ("box", "fits"),
    [
        ((0, 0, 320, 240), True),
        ((-10, -10, 60, 60), True),
        ((300, 200, 60, 60), True),
        ((0, 0, 20_000, 20_000), False),
        ((0, 0, 1e9, 1), False),
        ((320, 0, 50, 50), False),
        ((-60, 0, 50, 50), False),
        ((1e9, 1e9, 50, 50), False),
        ((math.nan,) * 4, True),
    ],
)
def test_boxes_that_are_of_another_picture(box, fits):
    labels = pd.DataFrame([dict(zip(("time_s", "x", "y", "w", "h"), (0.0, *box), strict=True))])
    if fits:
        check_boxes(labels, width=320, height=240)
    else:
        with pytest.raises(UserError, match="leaves the picture, which is 320x240"):
            check_boxes(labels, width=320, height=240)
