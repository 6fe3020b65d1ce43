import numpy as np
import pytest
from PIL import Image

from vidlink.errors import UserError
from vidlink.labels.maps import load_map_labels

CLASSES = ("sky", "road", "car")


def write(folder, *names, values=((0, 1), (2, 3))):
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.fromarray(np.array(values, np.uint8)).save(folder / name)
    return folder


def test_values_are_numbers_of_classes_and_the_one_after_the_last_is_no_label(tmp_path):
    labels = load_map_labels(write(tmp_path / "a", "x.png", "y.png"), CLASSES)
    assert labels.at(1, (2, 2)).tolist() == [[0, 1], [2, -1]]
    assert labels.at(2, (2, 2)) is None
    other = load_map_labels(write(tmp_path / "b", "7.png", values=((255, 1), (0, 0))), CLASSES)
    assert other.at(7, (2, 2)).tolist() == [[-1, 1], [0, 0]]
    assert other.at(0, (2, 2)) is None


def test_maps_of_a_sequence_go_by_the_names_of_its_images(tmp_path):
    folder = write(tmp_path / "a", "k2.png", "k9.png")
    labels = load_map_labels(folder, CLASSES, [tmp_path / "k9.jpg", tmp_path / "k10.jpg", tmp_path / "k2.jpg"])
    assert {frame: file.name for frame, file in labels.files.items()} == {0: "k9.png", 2: "k2.png"}
    with pytest.raises(UserError, match=r"none is named like an image of the clip, as z\.png for z\.jpg"):
        load_map_labels(folder, CLASSES, [tmp_path / "z.jpg"])


def test_a_table_says_which_value_is_which_class(tmp_path):
    folder = write(tmp_path / "a", "x.png", values=((0, 7), (9, 7)))
    (folder / "classes.csv").write_text("value,class\n0,\n7,Car\n9,sky\n")
    assert load_map_labels(folder, CLASSES).at(0, (2, 2)).tolist() == [[-1, 2], [0, 2]]
    (folder / "classes.csv").write_text("value,class\n0,sky\n7,cat\n")
    with pytest.raises(UserError, match=r"classes\.csv, line 3: unknown class 'cat': did you mean 'car'"):
        load_map_labels(folder, CLASSES)


def test_palettes_are_indices_and_colours_are_refused(tmp_path):
    folder = write(tmp_path / "a")
    picture = Image.fromarray(np.array([[2, 0]], np.uint8)).convert("P")
    picture = Image.fromarray(np.array([[2, 0]], np.uint8), mode="P")
    picture.putpalette([0, 0, 0, 9, 9, 9, 255, 0, 0])
    picture.save(folder / "x.png")
    assert load_map_labels(folder, CLASSES).at(0, (2, 1)).tolist() == [[2, 0]]
    Image.fromarray(np.zeros((1, 2, 3), np.uint8)).save(folder / "x.png")
    with pytest.raises(UserError, match=r"x\.png: a picture of mode RGB; expected 8-bit grey"):
        load_map_labels(folder, CLASSES).at(0, (2, 1))


@pytest.mark.parametrize(
    ("size", "values", "said"),
    [
        ((4, 2), ((0, 1), (2, 3)), r"x\.png: 2x2 pixels, and the clip has 4x2"),
        ((2, 2), ((0, 1), (2, 17)), r"x\.png: value 17 is no class; known are 0, 1, 2, 3, 255"),
    ],
)
def test_maps_of_another_size_or_of_unknown_classes_are_refused(tmp_path, size, values, said):
    labels = load_map_labels(write(tmp_path / "a", "x.png", values=values), CLASSES)
    with pytest.raises(UserError, match=said):
        labels.at(0, size)


def test_a_folder_without_maps_and_a_damaged_map_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"labels .*no: no such folder"):
        load_map_labels(tmp_path / "no", CLASSES)
    with pytest.raises(UserError, match="holds no PNG"):
        load_map_labels(write(tmp_path / "a"), CLASSES)
    (tmp_path / "a" / "x.png").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"x\.png: not a picture, or damaged"):
        load_map_labels(tmp_path / "a", CLASSES).at(0, (2, 2))


def test_maps_in_the_order_of_their_names_are_as_many_as_the_frames(tmp_path):
    labels = load_map_labels(write(tmp_path / "a", "x.png", "y.png"), CLASSES)
    labels.check_cover(2, 2)
    for frames in (1, 3):
        with pytest.raises(UserError, match=rf"2 label maps, and the clip has {frames} frames; expected one for each"):
            labels.check_cover(frames, frames)


def test_maps_of_frames_after_the_last_are_said_and_those_of_another_clip_refused(tmp_path):
    labels = load_map_labels(write(tmp_path / "a", "0001.png", "0002.png"), CLASSES)
    labels.check_cover(2, 2)
    assert labels.beyond(3) == []
    assert "the last is of frame 2, and the clip ends with frame 1: frames are counted from 0" in labels.beyond(2)[0]
    far = load_map_labels(write(tmp_path / "b", "1.png", "90.png"), CLASSES)
    with pytest.raises(UserError, match="maps are of frames 1 to 90, the clip has frames 0 to 9"):
        far.check_cover(10, 10)
