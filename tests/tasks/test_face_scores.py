import json
import sys
import types

import cv2
import numpy as np
import pytest
import torch

from vidlink import evaluate as command
from vidlink.codec.shelf import load_codec
from vidlink.data.faces import load_faces
from vidlink.errors import UserError
from vidlink.recognizers.recognize import Wants
from vidlink.tasks.face_scores import parse_scales, score_faces, send_coded, send_through


class Bright:
    """Valence is brightness, arousal is detail."""

    name, task = "bright", "affect"
    wants = Wants(region="face", height=48, width=48, colour="luma")
    gives = ("arousal", "valence")

    def __call__(self, pictures, context):
        detail = pictures.diff(dim=-1).abs().mean(dim=(1, 2, 3))
        return torch.stack([detail, pictures.mean(dim=(1, 2, 3))], dim=1)


class Naming(Bright):
    """Names every face happy."""

    def with_emotions(self, pictures, context):
        happy = torch.eye(8)[torch.ones(len(pictures), dtype=torch.long)]
        return torch.cat([self(pictures, context), happy], dim=1)


@pytest.fixture
def plugin(monkeypatch):
    made = types.ModuleType("test_evaluate_plugin")
    made.Bright, made.Naming = Bright, Naming
    made.NoAffect = type("NoAffect", (Bright,), {"gives": ("walk", "run")})
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made.__name__


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "unseen" / "FER2013Valid"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    lines = []
    for k in range(12):
        image = generator.integers(20 * k, 20 * k + 30, (48, 48)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{k}.png"), image)
        lines.append(f'{k}.png,"(0, 0, 48, 48)",{12 - k},{k},0,0,0,0,0,0,0,0')
    (folder / "label.csv").write_text("\n".join(lines))
    return folder.parent


def test_the_json_is_as_agreed(plugin, tree, tmp_path, capsys):
    path = tmp_path / "out.json"
    line = ["--recognizer", f"{plugin}:Naming", "--data", f"ferplus:{tree}", "--scales", "1,2,6", "--json", str(path)]
    command.main([*line, "--device", "cpu"])
    scores = json.loads(path.read_text())["scores"]
    assert [row["scale"] for row in scores] == [1, 2, 6]
    for row in scores:
        assert set(row) == {"scale", "quality", "n", "cc", "ccc", "rmse", "accuracy", "accuracy_majority"}
        assert row["n"] == 12
        assert set(row["cc"]) == {"valence", "arousal"}
        assert row["cc"]["valence"] > 0.99
        assert row["accuracy"] == pytest.approx(5 / 12)  # happiness has more votes from the eighth face on
        assert row["accuracy_majority"] == pytest.approx(5 / 11)  # six against six is no majority
    assert "CCC v/a" in capsys.readouterr().out


def test_columns_are_found_by_name(tree):
    faces = load_faces(f"ferplus:{tree}", "valid")
    row = score_faces(Bright(), faces, [1.0])[0]
    assert row["accuracy"] is None
    assert row["accuracy_majority"] is None
    assert row["cc"]["valence"] > 0.99 > abs(row["cc"]["arousal"])


def test_downsampling_loses_detail_and_keeps_the_mean():
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    assert (np.stack(send_through(images, 1.0)) == images).all()
    coarse = np.stack(send_through(images, 4.0))
    assert coarse.shape == images.shape
    assert coarse.std() < images.std() / 2
    assert coarse.mean() == pytest.approx(images.mean(), abs=1)


@pytest.mark.parametrize("scales", ["0.5", "1,two", "", "nan", "17"])
def test_wrong_scales_are_named(scales):
    with pytest.raises(UserError, match="no scale factor from 1 to 16"):
        parse_scales(scales)


def test_data_of_another_task_is_told_so():
    for spec in ("classes:arid6", "images:T91"):
        with pytest.raises(UserError, match=r"for --task .*; faces are afewva, ferplus, generated, recola"):
            load_faces(spec, "valid")


def test_recognizers_of_something_else_are_refused(plugin, tree):
    with pytest.raises(UserError, match=r"'activity': names classes; faces are labelled .* --data classes:PATH"):
        command.main(["--recognizer", "activity", "--data", f"ferplus:{tree}"])
    with pytest.raises(UserError, match="gives walk, run; the faces are labelled with valence"):
        command.main(["--recognizer", f"{plugin}:NoAffect", "--data", f"ferplus:{tree}"])


def test_a_missing_folder_for_json_is_named_before_the_work(tree):
    with pytest.raises(UserError, match="no such folder"):
        command.main(["--data", f"ferplus:{tree}", "--json", "/no/such/out.json"])


def test_generated_faces_are_data_too():
    faces = load_faces("generated:6", "valid")
    assert faces.images.shape == (6, 48, 48)
    assert (faces.majority == -1).all()
    assert not np.array_equal(faces.images, load_faces("generated:6", "train").images)
    for spec, split in (("generated:x", "train"), ("generated:0", "train"), ("generated:5", "nosplit")):
        with pytest.raises(UserError):
            load_faces(spec, split)


def test_coded_faces_are_scored_at_each_quality(plugin, tree, tmp_path, capsys):
    path = tmp_path / "out.json"
    options = [f"--recognizer={plugin}:Bright", f"--data=ferplus:{tree}", "--scales=1,2", f"--json={path}"]
    command.main([*options, "--codec=x264", "--quality=20,45"])
    result = json.loads(path.read_text())
    assert result["codec"] == "x264"
    assert [(row["scale"], row["quality"]) for row in result["scores"]] == [(1, 20), (1, 45), (2, 20), (2, 45)]
    assert "45" in capsys.readouterr().out
    first = path.read_bytes()
    command.main([*options, "--quality=20,45"])
    assert path.read_bytes() == first


def test_coding_loses_detail_and_keeps_the_faces_apart():
    generator = np.random.default_rng(0)
    images = np.stack([generator.integers(k, k + 60, (48, 48)) for k in range(0, 190, 3)]).astype(np.uint8)
    codec = load_codec("x264")
    fine, coarse = (np.stack(send_coded(images, 1.0, quality, codec)) for quality in (12, 48))
    assert fine.shape == coarse.shape == images.shape
    assert np.abs(fine.astype(float) - images).mean() < 6
    assert coarse.std(axis=(1, 2)).mean() < 0.5 * fine.std(axis=(1, 2)).mean()
    assert np.corrcoef(coarse.mean(axis=(1, 2)), images.mean(axis=(1, 2)))[0, 1] > 0.99


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quality=99"], "'99' is no crf of x264 from"),
        (["--quality=30,x"], "'x' is no crf of x264 from"),
        (["--codec=x264"], "give the quality too"),
        (["--codec=x999", "--quality=30"], "x999"),
    ],
)
def test_wrong_qualities_are_named(tree, options, message):
    with pytest.raises(UserError, match=message):
        command.main([f"--data=ferplus:{tree}", *options])


def test_disturbed_faces_are_scored_alike_each_time(plugin, tree, tmp_path):
    results = []
    for text in ("occlusion:1", "occlusion:1", None):
        path = tmp_path / "out.json"
        line = ["--recognizer", f"{plugin}:Bright", "--data", f"ferplus:{tree}", "--scales", "1", "--json", str(path)]
        command.main([*line, "--device", "cpu", *(["--disturb", text] if text else [])])
        results.append(json.loads(path.read_text()))
    assert results[0] == results[1]
    assert [result["disturb"] for result in results] == ["occlusion:1", "occlusion:1", None]
    assert results[0]["scores"][0]["cc"]["valence"] < 0.8 < results[2]["scores"][0]["cc"]["valence"]
