import json
import sys
import types

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from vidlink import evaluate, train
from vidlink.errors import UserError
from vidlink.nets.srcnn import SRCNN
from vidlink.nets.weights import load_restorer
from vidlink.tasks import images
from vidlink.tasks.superresolution import SuperResolutionTask
from vidlink.training.loop import Training


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two images of odd sizes."""
    place = tmp_path_factory.mktemp("images")
    for number in range(2):
        noise = np.random.default_rng(number).integers(0, 256, (57 + number, 65, 3), np.uint8)
        cv2.imwrite(str(place / f"{number}.png"), cv2.GaussianBlur(noise, None, 1.5))
    return place


def training(folder, out, *more):
    given = ["--data", f"images:{folder}", "--valid", f"images:{folder}", "--out", str(out)]
    small = ["--steps", "4", "--batch", "2", "--patch", "24", "--device", "cpu", "--threads", "1", "--quiet"]
    return SuperResolutionTask().training_parser().parse_args([*given, *small, *more])


def trained(options):
    return train.train(SuperResolutionTask(), options)


def test_a_restorer_of_several_pictures_learns_from_clips(tmp_path, make_clip, capsys):
    for name in ("a", "b"):
        make_clip(tmp_path / f"{name}.mp4", count=12)
    (tmp_path / "split.csv").write_text("name,split\na,train\nb,valid\n")
    out = tmp_path / "out" / "my.safetensors"
    out.parent.mkdir()
    given = ["--network", "temporal", "--width", "4", "--least", "2", "--data", f"videos:{tmp_path}", "--out", str(out)]
    small = ["--steps", "2", "--batch", "2", "--patch", "32", "--patches", "16", "--threads", "1", "--quiet"]
    card = trained(SuperResolutionTask().training_parser().parse_args([*given, *small]))
    assert (card["clips"], card["valid"], card["scales"]) == (["a"], ["b"], (2.0, 3.0))
    result = tmp_path / "out" / "scores.json"
    scored = ["--weights", str(out), "--data", f"videos:{tmp_path / 'b.mp4'}", "--json", str(result)]
    evaluate.main(["--task", "sr", *scored])
    assert json.loads(result.read_text())["scores"] == card["valid_scores"]
    coded = ["--quality", "40"]
    evaluate.main(["--task", "sr", *scored, *coded])
    assert json.loads(result.read_text())["bicubic_db"] < card["valid_mean"]["bicubic_db"] - 0.5
    given[given.index("--data") + 1] = f"videos:{tmp_path / 'a.mp4'}"
    with pytest.raises(UserError, match="one clip, and none to score on"):
        trained(SuperResolutionTask().training_parser().parse_args([*given, *small, "--overwrite"]))
    with pytest.raises(UserError, match="is for restorers of single pictures"):
        evaluate.main(["--task", "sr", *scored, "--disturb", "noise:0.1"])


def test_networks_that_choose_a_path_learn_from_clips_and_restore(tmp_path, make_clip, capsys):
    for name in ("a", "b"):
        make_clip(tmp_path / f"{name}.mp4", count=12, size=(320, 240))
    (tmp_path / "split.csv").write_text("name,split\na,train\nb,valid\n")
    out, result = tmp_path / "my.safetensors", tmp_path / "scores.json"
    given = ["--network", "classsr", "--least", "2", "--data", f"videos:{tmp_path}", "--out", str(out)]
    small = ["--steps", "1", "--batch", "2", "--patches", "16", "--threads", "1", "--quiet"]
    card = trained(SuperResolutionTask().training_parser().parse_args([*given, *small]))
    assert (card["network"], card["clips"], card["valid"]) == ("classsr", ["a"], ["b"])
    assert card["valid_mean"]["longest_path_db"] > 10
    evaluate.main(
        ["--task", "sr", "--weights", str(out), "--data", f"videos:{tmp_path / 'b.mp4'}", "--json", str(result)]
    )
    assert json.loads(result.read_text())["scores"] == card["valid_scores"]
    elsewhere = [*given[:4], "--data", "videos:none", "--out", "other.safetensors"]
    for more, words in (
        (["--patch", "48"], "--patch 48"),
        (["--disturb", "noise:0.1"], "learns from clips as they are"),
    ):
        with pytest.raises(UserError, match=words):
            SuperResolutionTask().check(SuperResolutionTask().training_parser().parse_args([*elsewhere, *more]))


def test_restorers_learn_to_make_good_what_went_wrong(folder, tmp_path):
    out = tmp_path / "my.safetensors"
    card = trained(training(folder, out, "--scale", "1", "--disturb", "noise:0.1", "--steps", "60", "--batch", "4"))
    assert card["disturb"] == "noise:0.1"
    assert card["resampling"] == "link"
    assert card["valid_mean"]["bicubic_db"] == pytest.approx(20, abs=0.5), "a tenth of full scale"
    assert card["valid_mean"]["psnr_db"] > card["valid_mean"]["bicubic_db"] + 1


@pytest.mark.parametrize("network", ["srcnn", "espcn", "twin", "residual"])
def test_training_leaves_weights_log_and_card_that_the_evaluation_reads(folder, tmp_path, capsys, network):
    out = tmp_path / "my.safetensors"
    card = trained(training(folder, out, "--network", network, "--width", "4"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my.csv", "my.json", "my.png", "my.safetensors"]
    assert json.loads((tmp_path / "my.json").read_text()) == card | {"scales": [3.0, 3.0]}
    assert (card["network"], card["images"], card["seed"]) == (network, 2, 0)
    log = pd.read_csv(tmp_path / "my.csv")
    assert log["step"].tolist() == [4]
    result = tmp_path / "scores.json"
    weights = ["--weights", str(out), "--data", f"images:{folder}", "--json", str(result), "--device", "cpu"]
    evaluate.main(["--task", "sr", *weights])
    assert json.loads(result.read_text())["scores"] == card["valid_scores"]
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["image", "0.png", "1.png", "mean"]
    assert log["psnr_db"].iloc[-1] == pytest.approx(json.loads(result.read_text())["psnr_db"], abs=6e-4)


def test_a_killed_run_goes_on_to_the_same_weights(folder, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    original, done = Training._train_epoch, []
    monkeypatch.setattr(images, "_settings", every_two_steps(images._settings))
    trained(training(folder, whole))

    def dying(self, *rest):
        if done:
            raise KeyboardInterrupt
        done.append(rest)
        return original(self, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_train_epoch", dying)
        with pytest.raises(KeyboardInterrupt):
            trained(training(folder, cut))
    assert cut.with_suffix(".checkpoint").exists()
    assert not cut.exists()
    trained(training(folder, cut))
    expected, found = load_file(whole), load_file(cut)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert whole.with_suffix(".csv").read_bytes() == cut.with_suffix(".csv").read_bytes()


def every_two_steps(original):
    from dataclasses import replace

    return lambda options: replace(original(options), each=2)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--steps", "0"], "--steps 0: at least 1"),
        (["--learning-rate", "nan"], "--learning-rate nan"),
        (["--scale", "1"], "--scale 1: takes no detail; give a factor above 1"),
        (["--network", "espcn", "--scale", "2.5"], "espcn takes whole scale factors"),
        (["--network", "espcn", "--patch", "20"], "a multiple of 3 for espcn"),
        (["--network", "srcn"], "did you mean 'srcnn'"),
        (["--patch", "64"], "none of 2 images is at least 64x64"),
        (["--data", "ferplus:x"], "unknown kind of data"),
        (["--valid", "images:/no/such"], "no such folder"),
        (["--out", "/tmp/x.pt"], "a .safetensors file"),
    ],
)
def test_wrong_settings_are_named(folder, tmp_path, more, message):
    with pytest.raises(UserError, match=message):
        trained(training(folder, tmp_path / "x.safetensors", *more))


def test_existing_weights_are_kept(folder, tmp_path):
    out = tmp_path / "x.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(UserError, match="--overwrite"):
        trained(training(folder, out))
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "no restorer's"),
        ({"restorer": "{"}, "no restorer's"),
        ({"restorer": '{"name": "srcnn", "scale": "x", "width": 1}'}, "no restorer's"),
        ({"restorer": '{"name": "vdsr", "scale": 3, "width": 1}'}, "unknown restorer 'vdsr'"),
        ({"restorer": '{"name": "espcn", "scale": 3, "width": 1}'}, "of another network"),
    ],
)
def test_weights_of_something_else_are_refused(tmp_path, header, message):
    path = tmp_path / "w.safetensors"
    save_file(SRCNN((4, 4), (1, 1, 1)).state_dict(), path, header)
    with pytest.raises(UserError, match=message):
        load_restorer(path)


def test_a_subpixel_network_is_not_scored_at_another_factor(folder, tmp_path):
    out = tmp_path / "my.safetensors"
    trained(training(folder, out, "--network", "espcn"))
    asked = ["--weights", str(out), "--data", f"images:{folder}", "--scale", "2", "--device", "cpu"]
    with pytest.raises(UserError, match="restores at 3 and at no other"):
        evaluate.main(["--task", "sr", *asked])


def test_both_commands_hand_over(folder, tmp_path, capsys):
    out = tmp_path / "my.safetensors"
    small = ["--steps", "1", "--batch", "1", "--patch", "24", "--device", "cpu", "--threads", "1", "--quiet"]
    train.main(["--task", "sr", "--network", "espcn", "--data", f"images:{folder}", "--out", str(out), *small])
    evaluate.main(["--task", "sr", "--weights", str(out), "--data", f"images:{folder}", "--device", "cpu"])
    assert "mean" in capsys.readouterr().out


def test_a_restorer_of_ones_own(folder, tmp_path, monkeypatch):
    module = types.ModuleType("restorers_of_ours")
    module.Mine = lambda width: SRCNN((width, 4), (3, 3, 3))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    out = tmp_path / "my.safetensors"
    card = trained(training(folder, out, "--network", "restorers_of_ours:Mine", "--width", "4"))
    line = ["--task", "sr", "--weights", str(out), "--data", f"images:{folder}", "--device", "cpu"]
    with pytest.raises(UserError, match="runs only where the command names it"):
        evaluate.main(line)
    result = tmp_path / "scores.json"
    evaluate.main([*line, "--network", "restorers_of_ours:Mine", "--json", str(result)])
    assert json.loads(result.read_text())["scores"] == card["valid_scores"]
