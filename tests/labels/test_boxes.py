import pytest

from vidlink.errors import UserError
from vidlink.labels.boxes import load_box_labels

CLASSES = ("car", "pedestrian")
SIZE = (100, 50)


def labels_of(tmp_path, text):
    (tmp_path / "boxes.csv").write_text(text)
    return load_box_labels(tmp_path / "boxes.csv", CLASSES)


def test_boxes_by_time_are_those_of_the_nearest_frame_and_are_cut_at_the_picture(tmp_path):
    labels = labels_of(tmp_path, "time_s,class,x,y,w,h\n0.1,Pedestrian,-5,10,20,60\n0.1,car,1,2,3,4\n0,,,,,\n")
    assert labels.at(1, 0.1, 0.1, SIZE).tolist() == [[0, 10, 15, 50, 1], [1, 2, 4, 6, 0]]
    assert labels.at(0, 0.0, 0.1, SIZE).shape == (0, 5)  # looked at, and nothing there
    assert labels.at(2, 0.2, 0.1, SIZE) is None


def test_of_labels_at_a_higher_frame_rate_those_nearest_in_time_are_a_frames(tmp_path):
    rows = "".join(f"{time_s},car,{k},2,3,4\n{time_s},car,50,2,3,4\n" for k, time_s in enumerate((0, 0.05, 0.1, 0.15)))
    labels = labels_of(tmp_path, f"time_s,class,x,y,w,h\n{rows}")
    assert [labels.at(k, k / 10, 0.1, SIZE)[:, 0].tolist() for k in (0, 1)] == [[0, 50], [2, 50]]


def test_boxes_by_frame(tmp_path):
    labels = labels_of(tmp_path, "frame,class,x,y,width,height\n3,car,1,2,3,4\n")
    assert labels.at(3, 9.9, 0.1, SIZE).tolist() == [[1, 2, 4, 6, 0]]
    labels.check_cover(1.0, 10.0)
    assert labels.beyond(4) == []
    assert "the last is of frame 3, and the clip ends with frame 2" in labels.beyond(3)[0]
    with pytest.raises(UserError, match="their rows are from frame 3 to frame 3, the clip from 0 to frame 1"):
        labels.check_cover(0.1, 10.0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0,cat,1,2,3,4", r"line 2: unknown class 'cat'"),
        ("0,car,1,2,-3,4", r"line 2: box x = 1, y = 2, w = -3, h = 4; expected a place and a size above 0"),
        ("0,car,1,2,3,0", r"line 2: box .* h = 0"),
        ("0,car,,2,3,4", r"line 2: box x = nan"),
        ("0,car,one,2,3,4", r"line 2: column 'x' must hold a number"),
    ],
)
def test_what_is_no_box_is_refused(tmp_path, row, said):
    with pytest.raises(UserError, match=said):
        labels_of(tmp_path, f"time_s,class,x,y,w,h\n{row}\n")


def test_a_box_outside_the_picture_is_refused_by_its_line(tmp_path):
    labels = labels_of(tmp_path, "time_s,class,x,y,w,h\n0,car,1,2,3,4\n0,car,120,2,3,4\n")
    with pytest.raises(UserError, match=r"boxes\.csv, line 3: the box lies outside the picture of 100x50 pixels"):
        labels.at(0, 0.0, 0.04, SIZE)


def test_a_table_without_times_or_sizes_is_refused(tmp_path):
    with pytest.raises(UserError, match="no column 'time_s' or 'frame'"):
        labels_of(tmp_path, "class,x,y,w,h\ncar,1,2,3,4\n")
    with pytest.raises(UserError, match="no columns 'width' and 'height'"):
        labels_of(tmp_path, "frame,class,x,y\n1,car,1,2\n")
