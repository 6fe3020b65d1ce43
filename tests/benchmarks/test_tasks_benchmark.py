"""The claims on joining restoration and recognition: what is trained is whole, comparable, and scored as said."""

import json
from dataclasses import replace

import pytest
import tasks
import tasks_claims
import tasks_data

from vidlink import train
from vidlink.data.picture_set import load_pictures
from vidlink.errors import UserError
from vidlink.nets.pictures import PictureNetwork, build_for_pictures
from vidlink.tasks.task import TASKS
from vidlink.training.losses import parse_loss

CLAIMS = tasks_claims.CLAIMS
ASKED = "joint_gain_s2 joint_gain_s4 joint_gain_s8 denoise_miou_gain denoise_psnr_db dehaze_map_gain low_light_map_gain"
ASKED += " dfd_gain_8 dfd_gain_16 boost_miou_gain aeris_map_gain dsrl_miou_gain"


def read(claim, each, folder):
    words = [*claim.common.split(), *each.words.split(), "--data", "images:x", "--out", str(folder / "x.safetensors")]
    words += ["--teacher", "teacher.safetensors"] if each.teacher else []
    task = TASKS.make(claim.task, {})
    options = task.training_parser().parse_args(words)
    task.check(options)
    return options


def test_every_figure_is_of_rows_that_are_scored(tmp_path):
    figures = {figure.name: (claim, figure) for claim in CLAIMS.values() for figure in claim.figures}
    assert set(ASKED.split()) <= set(figures)
    for claim, figure in figures.values():
        assert {figure.ours, figure.theirs} - {""} <= {row.title for row in claim.rows}
        assert (figure.score or claim.score) in (claim.score, *claim.shown)
    for claim in CLAIMS.values():
        trained = {each.name: read(claim, each, tmp_path) for each in claim.trainings}
        for row in claim.rows:
            assert {f"{scale:g}" for scale in row.scales} <= set(trained[row.trained].scales.split(","))


def test_trainings_begin_with_earlier_ones_and_one_name_is_one_training(tmp_path):
    known = {}
    for claim in CLAIMS.values():
        seen = []
        for each in claim.trainings:
            assert {each.start, each.teacher} - {""} <= set(seen)
            seen.append(each.name)
            whole = (each.words, each.start, claim.common, claim.width, claim.batch, claim.epochs[each.stage])
            assert known.setdefault((claim.data, each.name), whole) == whole
            options = read(claim, each, tmp_path)
            network = build_for_pictures(
                PictureNetwork(task=claim.task, name=options.network, classes=("a", "b"), size=(32, 32), width=4)
            )
            parse_loss(options.loss).check(network, options.network)
            assert options.recognizer_rate or each.start


def test_what_is_compared_has_the_same_epochs():
    for claim in CLAIMS.values():
        stages = {each.name: each.stage for each in claim.trainings}
        rows = {row.title: stages[row.trained] for row in claim.rows}
        assert all(rows[figure.ours] == rows[figure.theirs] for figure in claim.figures if figure.theirs)


def test_drawn_pictures_are_written_once_and_have_all_classes(tmp_path, monkeypatch):
    spec = tasks_data.prepare("camvid-48x32", tmp_path, pictures=0, tested=0, quick=True)
    for form, classes in (("maps", 11), ("boxes", 3)):
        found = load_pictures(spec, form)
        assert len(found) == 8
        assert found.pictures[0].read().shape == (32, 48, 3)
        assert len(found.classes) == classes
    classes = load_pictures(tasks_data.prepare("cifar", tmp_path, pictures=0, tested=0, quick=True), "labels", "valid")
    assert classes.classes == tuple(sorted(tasks_data.SHAPES))
    monkeypatch.setattr(tasks_data, "_write_classes", None)
    assert tasks_data.prepare("cifar", tmp_path, pictures=0, tested=0, quick=True).startswith("images:")
    monkeypatch.delenv("VIDLINK_DATA", raising=False)
    with pytest.raises(UserError, match=r"set VIDLINK_DATA to a folder with camvid, or give --quick"):
        tasks_data.prepare("camvid-48x36", tmp_path / "other", pictures=0, tested=0, quick=False)


def test_a_figure_is_the_mean_difference_seed_by_seed():
    scores = {row.title: [{"miou": 0.4, "psnr": 20.0}, {"miou": 0.5, "psnr": 21.0}] for row in CLAIMS["denoise"].rows}
    scores["hybrid loss"] = [{"miou": 0.43, "psnr": 19.0}, {"miou": 0.52, "psnr": 20.5}]
    found = tasks.figures_of(CLAIMS["denoise"], scores)
    assert found["denoise_miou_gain"]["value"] == pytest.approx(2.5)
    assert found["denoise_psnr_db"]["value"] == pytest.approx(19.75)
    assert found["denoise_psnr_gain_db"]["value"] == pytest.approx(-0.75)
    assert tasks.cell([0.4, 0.5], "miou") == "45.0 ± 5.0"
    assert tasks.cell([None], "psnr") == "-"


def test_a_claim_from_drawn_pictures_to_its_table(tmp_path, capsys, monkeypatch):
    options = tasks.parse(["--quick", "--work", str(tmp_path)])
    whole = CLAIMS["denoise"]
    rows = (*whole.rows[:2], replace(whole.rows[2], trained="denoised"))
    claim = replace(whole, data="camvid-48x32", trainings=whole.trainings[:2], rows=rows)
    scores = tasks.try_claim(options, claim)
    assert set(scores) == {"clean", "noisy", "separate"}
    assert scores["separate"][0]["psnr"] > 5
    said = capsys.readouterr().out
    assert "| noisy |" in said
    assert "core-minutes" in said
    monkeypatch.setattr(train, "run", None)  # nothing is trained again
    assert tasks.try_claim(options, claim) == scores
    tasks.draw(tmp_path / "a.png", {"1/0/0": [{"accuracy": 0.4, "psnr": 20.0, "perception": 3.0}]})
    assert (tmp_path / "a.png").stat().st_size > 5000
    files = list(tmp_path.glob("quick/*/unet-0.json"))
    assert json.loads(files[0].read_text())["epochs"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--claims denois", "did you mean 'denoise'"),
        ("--effort 0", "a number above 0"),
        ("--seeds 0,x", "whole numbers"),
        ("--pictures 3", "at least 10"),
    ],
)
def test_wrong_options(words, message):
    with pytest.raises(UserError, match=message):
        tasks.parse(words.split())
