"""Recognizers of maps and of boxes through whole runs: what is scored, written, drawn and said."""

import sys
import types

import av
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scene import FRAMES, HEIGHT, RATE, SIDE, WIDTH, corner

import vidlink
from vidlink.errors import UserError
from vidlink.recognizers.recognizer import Wants
from vidlink.scores.kinds import kind_of_section
from vidlink.scores.maps import MapScores
from vidlink.sweeping.curves import make_curves
from vidlink.sweeping.summary import heading, summarize
from vidlink.types import Reception, Status
from vidlink.video.overlay import outline
from vidlink.video.pictures import luma


class Spot:
    """The bright square, pixel by pixel."""

    name, task, maps = "spot", "segmentation", ("ground", "square")
    wants = Wants(region="frame", height=HEIGHT, width=WIDTH, colour="luma")

    def __call__(self, pictures, context):
        bright = pictures[:, 0] - 0.6
        return torch.stack([-bright, bright], dim=1)


class Frame:
    """The bright square as a box, in pictures of half the size; a second box that is nowhere."""

    name, task, boxes, threshold = "frame", "detection", ("square", "never"), 0.4
    wants = Wants(region="frame", height=HEIGHT // 2, width=WIDTH // 2, colour="luma")

    def __call__(self, pictures, context):
        found = []
        for picture in pictures[:, 0]:
            rows, columns = torch.where(picture > 0.6)
            edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else [0, 0, 1, 1]
            boxes = torch.tensor([[*edges, 0, 0], [50, 50, 60, 60, 0.8, 1], [0, 0, 2, 2, 0.1, 1]]).float()
            boxes[0, 4] = picture.amax()
            found.append(boxes)
        return found


@pytest.fixture(autouse=True)
def plugin(monkeypatch):
    made = types.ModuleType("placing")
    made.Spot, made.Frame = Spot, Frame
    monkeypatch.setitem(sys.modules, made.__name__, made)


def run(scene, coarse, **given):
    fixed = {} if "objective" in given else {"scale": 1.0, "quality": 40}
    how = {"framerate": RATE, "codec": str(coarse), "bitrate": "30k", "quiet": True, **fixed, **given}
    return vidlink.run(f"{scene}/images/*.png", **how)


@pytest.fixture(scope="module")
def mapped(scene, coarse, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        made = types.ModuleType("placing")
        made.Spot = Spot
        patch.setitem(sys.modules, made.__name__, made)
        place = tmp_path_factory.mktemp("mapped") / "run"
        return run(scene, coarse, recognizer="placing:Spot", labels=scene / "labels", out=place, quality=47)


def test_maps_are_held_against_label_maps_of_the_same_names(mapped):
    section, verdict = mapped.summary["recognition"], mapped.summary["verdict"]
    assert (section["against"], section["n"]) == ("labels", FRAMES)
    assert section["miou_ceiling"] == pytest.approx(1, abs=0.01)
    assert 0.7 < section["miou"] < section["miou_ceiling"]
    # The square covers every place for a while and most of none: one map for all frames knows the ground alone.
    assert section["miou_constant"] < section["miou"] - 0.1
    assert set(section["iou"]) == {"ground", "square"}
    assert verdict["kept"]["miou"] > 0.5
    assert "mIoU is" in verdict["words"][0]
    assert mapped.predictions["miou"].mean() == pytest.approx(section["miou"], abs=0.05)


def test_the_maps_of_a_run_are_pictures_that_can_be_labels(mapped, scene, coarse):
    files = sorted((mapped.folder / "maps").glob("*.png"))
    assert [file.name for file in files[:2]] == ["000000.png", "000001.png"]
    assert len(files) == FRAMES
    with Image.open(files[5]) as picture:
        assert picture.mode == "P"
        x, y = corner(5)
        assert (np.array(picture)[y + 2 : y + SIDE - 2, x + 2 : x + SIDE - 2] == 1).mean() > 0.5
    again = run(scene, coarse, recognizer=Spot(), labels=mapped.folder / "maps", recognize_every=4, quality=47)
    section = again.summary["recognition"]
    assert (section["n"], again.summary["recognition"]["miou"]) == (FRAMES // 4, 1.0)


def test_maps_are_drawn_into_the_film_the_plot_and_the_page(mapped):
    with av.open(str(mapped.folder / "received.mp4")) as film:
        picture = next(film.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    x, y = corner(0)
    square, ground = picture[y + 4 : y + 12, x + 4 : x + 12].mean((0, 1)), picture[-8:, -8:].mean((0, 1))
    assert square[2] - square[0] > 40, "the second class is blue"
    assert ground[0] - ground[2] > 40, "the first is red"
    labels = [axis.get_ylabel() for axis in mapped.plot().axes]
    assert "mIoU\nof each frame" in labels
    page = (mapped.folder / "report.html").read_text()
    for said in ("mIoU", "IoU of each class", "square 0.", "ground 0."):
        assert said in page


def test_the_map_of_a_single_picture_is_that_of_its_name(tmp_path):
    for name, value in (("a", 0), ("b", 1)):
        Image.new("L", (4, 2), value).save(tmp_path / f"{name}.png")
    settings = types.SimpleNamespace(label=None, labels=tmp_path, input=str(tmp_path / "b.png"))
    labels = kind_of_section({"miou": 0}).labels(settings, Spot(), None)
    assert labels.at(0, (4, 2)).tolist() == [[1] * 4] * 2
    labels.check_cover(1, 1)
    settings.input = str(tmp_path / "b.mp4")  # a film of that name has them all
    assert len(kind_of_section({"miou": 0}).labels(settings, Spot(), None).files) == 2


def test_boxes_at_the_edge_of_a_picture_are_drawn_within_it():
    grey = av.VideoFrame.from_ndarray(np.full((72, 64), 128, np.uint8), format="yuv420p")
    drawn = luma(outline(np.array([[0.0, 0, 1, 1, 0]]), [""])(grey))
    assert (drawn[12:, -1] != 128).all()
    assert (drawn[-1, 12:] != 128).all()
    assert (drawn[12:-1, 12:-1] == 128).all()


def test_maps_cover_a_picture_of_another_size_evenly():
    class Middle:
        name, task, maps = "middle", "segmentation", ("ground", "square")
        wants = Wants(region="frame", height=1, width=4, colour="luma")

        def __call__(self, pictures, context):
            return torch.tensor([[[0, 1, 1, 0]]]).expand(len(pictures), 1, 4)

    truth = types.SimpleNamespace(at=lambda frame, size: np.array([[0, 1, 1, 1, 0]], np.int16))
    clip = types.SimpleNamespace(width=5, height=1, frame_rate=1)
    scores = MapScores(Middle(), clip, truth)
    shown = Reception(frame=0, time_s=0.0, picture=None, status=Status.OK, late_s=0.0, scale=1.0, quality=20.0)
    picture, segment = np.zeros((1, 5), np.uint8), types.SimpleNamespace(first_frame=0, frames=[None])
    scores.add(types.SimpleNamespace(segment=segment, receptions=[shown], received=[picture], pristine=[picture]))
    assert scores._rows[0]["miou"] == 1


@pytest.mark.parametrize("labels", [None, "boxes.csv"])
def test_boxes_are_held_against_a_table_or_their_own(scene, coarse, tmp_path, labels):
    found = run(scene, coarse, recognizer="placing:Frame", labels=labels and scene / labels, out=tmp_path / "run")
    section = found.summary["recognition"]
    assert section["against"] == ("labels" if labels else "pristine")
    assert (section["n"], section["boxes"], section["left_out"]) == (FRAMES, FRAMES, FRAMES)
    assert section["map50"] > 0.9 > section["map50_chance"]
    assert 0.3 < section["map"] <= section["map_ceiling"] <= 1
    assert section["ap50"] == {"square": section["map50"]}
    table = pd.read_csv(tmp_path / "run" / "boxes.csv")
    first = table[(table["frame"] == 0) & (table["class"] == "square")]
    assert set(first["seen"]) == {"received", "pristine"}
    x, y = corner(0)
    assert first[["x", "y", "width", "height"]].to_numpy() == pytest.approx(np.array([[x, y, SIDE, SIDE]] * 2), abs=4)
    assert (found.predictions["boxes"] == 1).mean() > 0.8
    page = (tmp_path / "run" / "report.html").read_text()
    assert "boxes in each frame" in page
    assert "mAP50" in page


def test_plans_by_task_and_regions_work_with_both(scene, coarse):
    for recognizer in (Spot(), Frame()):
        found = run(scene, coarse, recognizer=recognizer, objective="task", frames="task", divisors=[2], roi="qp")
        assert found.summary.get("recognition_error") is None
        assert found.summary["recognition"]["n"] == FRAMES


def spotted(pictures):
    return Spot()(pictures, None)


def test_a_sweep_with_a_function_joins_clips_and_has_columns(scene, coarse):
    spotted.maps, spotted.wants = Spot.maps, Spot.wants
    table = vidlink.compare(
        [f"{scene}/images/*.png"], quality=[30, 44], scale=1, recognizer=spotted, framerate=RATE, codec=str(coarse),
        quiet=True,
    )  # fmt: skip
    assert table.scores()[0] == "recognition_miou"
    assert table.tidy["miou"].between(0.5, 1).all()
    joined, own = summarize(table.frame)
    assert joined["miou"].tolist() == pytest.approx(table.frame["recognition_miou"].tolist(), abs=1e-4)
    assert own["miou"].tolist() == pytest.approx(joined["miou"].tolist(), abs=1e-4)
    curve = make_curves(table.frame, "codec", along="quality")[str(coarse)]
    assert curve.estimate("miou").tolist() == pytest.approx(joined["miou"].tolist())
    assert heading("recognition_miou") == "mIoU"


def test_runs_of_boxes_are_joined_by_how_many_there_are():
    runs = pd.DataFrame({"recognition_map50": [0.5, 1.0], "recognition_map": [0.2, 0.4], "recognition_boxes": [30, 10]})
    joined = kind_of_section({"map50": 0}).joined(runs, np.array([[1.0, 1], [0, 1]]))
    assert joined["map50"].tolist() == [0.625, 1.0]
    assert joined["map"].tolist() == pytest.approx([0.25, 0.4])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "k03.png").write_bytes(b"x"), r"k03\.png: not a picture, or damaged"),
        (lambda folder: Image.new("L", (8, 8)).save(folder / "k03.png"), r"8x8 pixels, and the clip has 64x48"),
        (
            lambda folder: Image.new("L", (64, 48), 9).save(folder / "k03.png"),
            r"value 9 is no class; known are 0, 1, 2",
        ),
    ],
)
def test_label_maps_that_do_not_fit_end_the_run(scene, coarse, tmp_path, change, said):
    import shutil

    shutil.copytree(scene / "labels", tmp_path / "labels")
    change(tmp_path / "labels")
    with pytest.raises(UserError, match=said):
        run(scene, coarse, recognizer=Spot(), labels=tmp_path / "labels")


def test_one_class_for_a_clip_and_another_kind_of_labels_are_refused(scene, coarse):
    with pytest.raises(UserError, match="names no class of a clip; --labels takes a folder of label maps"):
        run(scene, coarse, recognizer=Spot(), label="square")
    with pytest.raises(UserError, match="no such folder; expected one with a PNG a frame"):
        run(scene, coarse, recognizer=Spot(), labels=scene / "boxes.csv")
    with pytest.raises(UserError, match="is a folder; expected a table of boxes"):
        run(scene, coarse, recognizer=Frame(), labels=scene / "labels")
