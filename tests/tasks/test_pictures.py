"""``--task classification``, ``segmentation`` and ``detection``: training, cards, curves and scores by scale."""

import json

import pytest
import torch
from safetensors import safe_open
from scenes import write_camvid, write_classes, write_coco

from vidlink import evaluate, train
from vidlink.errors import UserError
from vidlink.nets.pictures import load_for_pictures
from vidlink.recognizers.recognize import load_recognizer
from vidlink.recognizers.recognizer import Context
from vidlink.training.loop import Training

SMALL = ["--epochs", "2", "--batch", "4", "--width", "4", "--device", "cpu", "--threads", "1", "--quiet"]
SCENES = ["--size", "48x32", *SMALL]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    place = tmp_path_factory.mktemp("data")
    write_camvid(place / "roads" / "train", 8)
    write_camvid(place / "roads" / "val", 2, first=20)
    write_classes(place / "classes")
    write_coco(place / "labels.json", 6)
    return place


def learn(task, spec, out, *more):
    train.main(["--task", task, "--data", spec, "--out", str(out), *more])
    return json.loads(out.with_suffix(".json").read_text())


def test_segmentation(data, tmp_path, capsys):
    out = tmp_path / "maps.safetensors"
    card = learn("segmentation", f"camvid:{data}/roads", out, "--half", *SCENES, "--epochs", "6")
    assert card["pictures"] == {"train": 8, "valid": 2}
    assert 0.3 < card["valid_scores"]["1"]["pixels"] <= 1
    assert "miou" in capsys.readouterr().out
    assert out.with_suffix(".png").stat().st_size > 5000
    assert len(out.with_suffix(".csv").read_text().splitlines()) == 7
    with safe_open(out, "pt") as file:
        assert file.get_tensor("head.1.weight").dtype == torch.float16
    file = tmp_path / "scores.json"
    evaluate.main(
        ["--data", f"camvid:{data}/roads", "--weights", str(out), "--scales", "1,4", "--json", str(file), "--quiet"]
    )
    scores = json.loads(file.read_text())["scores"]
    assert abs(scores["1"]["pixels"] - card["valid_scores"]["1"]["pixels"]) < 0.03  # one by tensors, one as in a run
    assert scores["4"]["miou"] > 0

    recognizer = load_recognizer("road-segmentation", device="cpu", weights=out)
    assert recognizer.maps[8] == "car"
    found = recognizer(torch.rand(2, 3, 32, 48), Context.pristine(2))
    assert found.shape == (2, 11, 32, 48)


@pytest.mark.parametrize("regime", ["hr", "joint-2", "non-joint-3"])
def test_detection(data, tmp_path, regime):
    out = tmp_path / "boxes.safetensors"
    behind = {"hr": "centre", "joint-2": "srcnn+centre", "non-joint-3": "residual/centre"}[regime]
    more = ["--network", behind] if "/" in behind else []
    card = learn("detection", f"coco:{data}/labels.json", out, "--regime", regime, *SCENES, "--sr-epochs", "1", *more)
    assert card["network"] == behind
    assert card["encoder_rate"] == {"hr": 1.0, "joint-2": 0.1, "non-joint-3": 0.0}[regime]
    assert set(card["valid_scores"]) == {"1", "2", "4", "6"}
    recognizer = load_recognizer("road-detection", device="cpu", weights=out)
    assert recognizer.boxes == ("car", "pedestrian")
    for rows in recognizer(torch.rand(2, 3, 32, 48), Context.pristine(2)):
        assert rows.shape[1] == 6
        assert (rows[:, 2:4] > rows[:, :2]).all()


def test_classification_by_both_networks_and_a_regime_for_every_factor(data, tmp_path):
    for network in ("residual", "vgg"):
        out = tmp_path / f"{network}.safetensors"
        options = ["--network", network, "--regime", "mix", "--size", "16x16", *SMALL, "--epochs", "10"]
        card = learn("classification", f"images:{data}/classes", out, *options, "--learning-rate", "0.05")
        assert card["valid_scores"]["2"]["accuracy"] >= 0.75
        assert load_for_pictures(out, "classification")[0].classes == ("blue", "red")


def test_a_run_that_was_killed_goes_on_to_the_same_weights(data, tmp_path, monkeypatch):
    options = ["--regime", "lr-2", "--codec-aware", "0.5", "--disturb", "noise:0.02", *SCENES, "--width", "2"]
    learn("segmentation", f"camvid:{data}/roads", tmp_path / "whole.safetensors", *options)
    kept = Training._put_down
    monkeypatch.setattr(Training, "_put_down", lambda *given: (kept(*given), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        learn("segmentation", f"camvid:{data}/roads", tmp_path / "twice.safetensors", *options)
    monkeypatch.setattr(Training, "_put_down", kept)
    learn("segmentation", f"camvid:{data}/roads", tmp_path / "twice.safetensors", *options)
    assert (tmp_path / "whole.safetensors").read_bytes() == (tmp_path / "twice.safetensors").read_bytes()


TINY = ["--size", "16x16", "--network", "vgg", *SMALL, "--scales", "1,8"]
NOISY = ["--disturb", "noise:0.3", "--network", "denoiser/vgg", "--restorer-width", "4"]


@pytest.fixture(scope="module")
def recognizer(data):
    out = data / "vgg.safetensors"
    learn("classification", f"images:{data}/classes", out, *TINY, "--learning-rate", "0.05")
    return out


def tensors(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)


def test_a_restorer_learns_before_a_recognizer_that_stays(data, tmp_path, recognizer, capsys):
    def train_from(start, name, *more):
        out = tmp_path / f"{name}.safetensors"
        spec = f"images:{data}/classes"
        return out, learn("classification", spec, out, *TINY, *NOISY, "--start", str(start), *more)

    options = ["--epochs", "8", "--learning-rate", "0.03"]
    restored, card = train_from(recognizer, "restored", "--regime", "restore", *options)
    assert (card["loss"], card["recognizer_rate"], card["optimizer"]) == ("restoration", 0, "adamw")
    assert set(card["valid_scores"]) == {"1", "8"}
    assert "psnr" in capsys.readouterr().out
    assert card["valid_scores"]["1"]["psnr"] > 14  # noise leaves about 12 dB
    hybrid, _ = train_from(restored, "hybrid", "--regime", "hybrid", "--epochs", "1")
    before, after, later = (tensors(path) for path in (recognizer, restored, hybrid))
    for found in (after, later):
        assert all(tensor.equal(found[f"recognizer.{name}"]) for name, tensor in before.items())
    assert not later["restorer.first.weight"].equal(after["restorer.first.weight"])

    file = tmp_path / "scores.json"
    words = ["--task", "classification", "--data", f"images:{data}/classes", "--weights", str(restored), "--quiet"]
    evaluate.main([*words, "--scales", "1", "--disturb", "noise:0.3", "--json", str(file)])
    scored = json.loads(file.read_text())["scores"]["1"]["psnr"]
    assert abs(scored - card["valid_scores"]["1"]["psnr"]) < 0.5  # other noise of the same strength, all pictures


def test_a_teacher_of_full_size_pictures(data, tmp_path, recognizer):
    options = [*TINY, "--regime", "lr-4", "--teacher", str(recognizer)]
    spec = f"images:{data}/classes"
    card = learn("classification", spec, tmp_path / "a.safetensors", *options, "--loss", "recognition,distil:2")
    assert len(card["teacher"]) == 64
    with pytest.raises(UserError, match=r"--teacher .* has features of shape"):
        learn("classification", spec, tmp_path / "b.safetensors", *options, "--loss", "distil", "--width", "6")


def test_one_encoder_and_two_decoders(data, tmp_path):
    out = tmp_path / "two.safetensors"
    words = ["--network", "unet+decoder", "--regime", "mix-4", "--disturb", "blur:0-1,noise:0-0.05"]
    words += ["--loss", "recognition,restoration:10,affinity", "--scales", "1"]
    card = learn("segmentation", f"camvid:{data}/roads", out, *SCENES, *words)
    assert card["valid_scores"]["1"]["psnr"] > 5
    assert load_recognizer("road-segmentation", device="cpu", weights=out).maps[8] == "car"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--regime", "restore"], "--network denoiser/vgg: vgg is to stay as it is .*; give its weights as --start"),
        (["--regime", "through", "--network", "vgg"], "expected RESTORER/vgg, whose restorer learns"),
        (["--loss", "distil"], "--loss distil: with --teacher FILE"),
        (["--loss", "recognition,affinity"], r"expected NETWORK\+decoder"),
        (["--loss", "restoration", "--network", "vgg", "--restorer-width", "8"], "has no restorer in front"),
        (["--encoder-rate", "0", "--recognizer-rate", "0"], "nothing is left to learn"),
        (["--network", "denoiser/residual", "--start", "vgg"], "weights of 'vgg'; expected those of 'denoiser/residu"),
        (["--start", "none.safetensors"], "none.safetensors"),
    ],
)
def test_wrong_ways_to_join(data, tmp_path, recognizer, words, message):
    given = [str(recognizer) if word == "vgg" and words[at - 1] == "--start" else word for at, word in enumerate(words)]
    with pytest.raises(UserError, match=message):
        learn("classification", f"images:{data}/classes", tmp_path / "no.safetensors", *TINY, *NOISY, *given)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "50x30"], "--size 50x30: expected like 320x240"),
        (["--learning-rate", "0"], "above 0"),
        (["--codec-aware", "2"], "a share from 0 to 1"),
        (["--valid", "1.5"], "a share between 0 and 1"),
        (["--network", "unet", "--regime", "joint-oa"], "restores first; give RESTORER"),
        (["--network", "unit"], "did you mean 'unet'"),
        (["--network", "twin+unet"], "gives pictures of another size"),
        (["--regime", "joint-99"], "factors are above 1"),
    ],
)
def test_wrong_options_of_training(data, tmp_path, words, message):
    with pytest.raises(UserError, match=message):
        learn("segmentation", f"camvid:{data}/roads", tmp_path / "no.safetensors", *SCENES, *words)


def test_weights_of_other_tasks_and_other_classes_are_refused(data, tmp_path):
    out = tmp_path / "boxes.safetensors"
    learn("detection", f"coco:{data}/labels.json", out, *SCENES, "--epochs", "1")
    with pytest.raises(UserError, match="it is of kind 'detection'"):
        load_recognizer("road-segmentation", device="cpu", weights=out)
    with pytest.raises(UserError, match="classes car, pedestrian, bicyclist; the weights tell car, pedestrian apart"):
        evaluate.main(["--task", "detection", "--data", f"camvid:{data}/roads", "--weights", str(out), "--quiet"])
