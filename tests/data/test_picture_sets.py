"""Labelled pictures: class folders, label maps, boxes of COCO files; what is wrong with them is named in one line."""

import json
import zipfile

import cv2
import numpy as np
import pytest
from scenes import CAR, PEDESTRIAN, scene, write_camvid, write_classes, write_coco

from vidlink.check import main as check
from vidlink.data.images import load_images
from vidlink.data.picture_set import hold, learn_and_validate, load_pictures
from vidlink.errors import UserError
from vidlink.labels.regions import boxes_of


def test_class_folders_and_a_zip_of_them_are_one_kind(tmp_path):
    write_classes(tmp_path / "all" / "train")
    write_classes(tmp_path / "all" / "test", count=3)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in (tmp_path / "all").rglob("*.png"):
            archive.write(file, file.relative_to(tmp_path / "all"))
    for spec in (f"images:{tmp_path}/all", f"images:{tmp_path}/all.zip"):
        train, valid = learn_and_validate(spec, None, "labels")
        assert (train.classes, len(train), len(valid)) == (("blue", "red"), 16, 6)
        held = hold(train, (8, 8))
        assert held.images.shape == (16, 8, 8, 3)
        assert (held.images[held.labels == 0, ..., 2].mean(), held.images[held.labels == 1, ..., 0].mean()) > (150, 150)
        assert len(load_images(spec)) == 22  # super-resolution takes all of them
    part = load_pictures(f"images:{tmp_path}/all.zip/test", "labels")
    assert [each.name for each in part.pictures][:2] == ["blue/0.png", "blue/1.png"]


def test_a_share_is_held_out_from_the_end_of_each_group(tmp_path):
    write_camvid(tmp_path, 5, recording="a")
    write_camvid(tmp_path, 5, first=5, recording="b")
    train, valid = learn_and_validate(f"camvid:{tmp_path}", "0.4", "maps")
    assert [each.name[-9:-4] for each in valid.pictures] == ["a_003", "a_004", "b_008", "b_009"]
    assert len(train) == 6
    assert len(learn_and_validate(f"camvid:{tmp_path}", None, "maps")[1]) == 2  # no split of its own: a fifth


def test_maps_have_no_label_where_camvid_has_none_and_boxes_are_their_regions(tmp_path):
    write_camvid(tmp_path, 1)
    label = load_pictures(f"camvid:{tmp_path}", "maps").pictures[0].label()
    assert (label[-1, -1], label[0, 0], label.dtype) == (255, 0, np.uint8)
    boxes = hold(load_pictures(f"camvid:{tmp_path}", "boxes"), (96, 64)).labels[0]
    _, labels = scene(0)
    rows, columns = np.nonzero(labels == CAR)
    wanted = 2 * np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert boxes[0].tolist() == [*wanted, 0]
    assert boxes[1].tolist() == [76, 28, 90, 52, 1]
    assert len(boxes_of(labels, (CAR, PEDESTRIAN), least_side=13)) == 0


def test_coco_boxes(tmp_path):
    said = write_coco(tmp_path / "labels.json")
    said["annotations"].append({"image_id": 1, "category_id": 3, "bbox": [0, 0, 5, 5], "iscrowd": 1})
    (tmp_path / "labels.json").write_text(json.dumps(said))
    found = load_pictures(f"coco:{tmp_path}/labels.json", "boxes")
    assert found.classes == ("car", "pedestrian")
    assert hold(found, (48, 32)).labels[1].tolist() == [[38, 14, 45, 26, 1]]


def spoil(place, change):
    said = write_coco(place)
    change(said)
    place.write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda said: said["images"][1].update(file_name="gone.png"), "picture gone.png is not there"),
        (
            lambda said: said["annotations"][2].update(bbox=[44, 0, 9, 4]),
            "box 2 of 2.png: .* out of the picture",
        ),
        (lambda said: said["annotations"][0].update(bbox=[4, 4, -3, 4]), "empty or negative"),
        (lambda said: said["annotations"][0].update(bbox=[4, 4, 3, 0]), "empty or negative"),
        (lambda said: said["annotations"][0].update(bbox=[4, 4, "x", 2]), "not four numbers"),
        (lambda said: said["annotations"][0].update(bbox=[4, 4, float("nan"), 2]), "not four numbers"),
        (lambda said: said["annotations"][0].update(bbox=[4, 4, 10**400, 2]), "not four numbers up to 1e9"),
        (lambda said: said["annotations"][0].update(bbox=[48, 4, 0.9, 2]), "lies outside the picture of 48x32"),
        (lambda said: said["images"][1].update(file_name="x" * 300), "is not there"),
        (lambda said: said["images"][1].update(id=0), "two images with one id"),
        (lambda said: said["annotations"][0].update(category_id=1), "category 1, which is not in categories"),
        (lambda said: said["annotations"][0].update(image_id="a"), "image a, which is not in images"),
        (lambda said: said["annotations"][0].pop("bbox"), r"annotations\[0\] has no bbox"),
        (lambda said: said.pop("categories"), "no list of categories"),
        (lambda said: said["categories"].append({"id": 9, "name": "car"}), "two categories with one id or one name"),
        (lambda said: said["images"][0].update(width=47), "48x32, but .* says 47x32"),
    ],
)
def test_what_is_wrong_with_a_coco_file_is_named(tmp_path, change, message):
    spoil(tmp_path / "labels.json", change)
    with pytest.raises(UserError, match=message) as found:
        hold(load_pictures(f"coco:{tmp_path}/labels.json", "boxes"), (48, 32))
    assert "\n" not in str(found.value)


def spoiled_map(place, label):
    write_camvid(place, 2)
    file = place / "labels" / "0001_001.png"
    file.unlink()
    if label is not None:
        cv2.imwrite(str(file), label)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.zeros((30, 48), np.uint8), "48x30, its picture is 48x32"),
        (np.full((32, 48), 17, np.uint8), "unknown class 17; expected 0 to 10, or 255"),
        (np.zeros((32, 48, 3), np.uint8), "a label map in colour"),
        (None, "no label map"),
    ],
)
def test_what_is_wrong_with_a_label_map_is_named(tmp_path, label, message):
    spoiled_map(tmp_path, label)
    with pytest.raises(UserError, match=message):
        hold(load_pictures(f"camvid:{tmp_path}", "maps"), (48, 32))


@pytest.mark.parametrize(
    ("spec", "form", "message"),
    [
        ("camvid:/no/such", "maps", "camvid /no/such: no such folder"),
        ("coco:/no/such.json", "boxes", "cannot be read"),
        ("images:/no/such.zip", "labels", "no such folder, zip file or picture"),
        ("coco:x.json", "maps", "has no maps; camvid have"),
        ("camvid", "maps", "expected KIND:PATH, for example camvid:"),
        ("ferplus:x", "boxes", "has no boxes"),
    ],
)
def test_other_data_are_refused(spec, form, message):
    with pytest.raises(UserError, match=message):
        load_pictures(spec, form)


def test_one_class_loose_pictures_and_no_zip_are_refused(tmp_path):
    write_classes(tmp_path / "one", classes=("only",), count=1)
    with pytest.raises(UserError, match="one class folder with pictures, only; expected CLASS"):
        load_pictures(f"images:{tmp_path}/one", "labels")
    (tmp_path / "loose").mkdir()
    cv2.imwrite(str(tmp_path / "loose" / "a.png"), np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match=r"a.png lies in no class folder; .*--task sr alone"):
        load_pictures(f"images:{tmp_path}/loose", "labels")
    (tmp_path / "no.zip").write_bytes(b"PK no")
    with pytest.raises(UserError, match="neither a folder, a picture nor a zip file"):
        load_pictures(f"images:{tmp_path}/no.zip", "labels")


def test_check_lists_classes_and_what_is_wrong(tmp_path, capsys):
    spoiled_map(tmp_path, np.full((32, 48), 17, np.uint8))
    with pytest.raises(UserError, match=r"things are wrong"):
        check([f"camvid:{tmp_path}"])
    said = capsys.readouterr().out
    assert "maps: 1 pictures, 48x32 (1)" in said
    assert "  pedestrian  1\n" in said
    assert said.count("unknown class 17") == 1
    spoil(tmp_path / "labels.json", lambda said: said["annotations"][0].update(bbox=[4, 4, 3, 0]))
    with pytest.raises(UserError, match="1 thing is wrong"):
        check([f"coco:{tmp_path}/labels.json"])
