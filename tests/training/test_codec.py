"""Training of the learned codec: it learns, goes on where it stopped, and its weights code."""

import csv
import json

import numpy as np
import pytest
import torch

from vidlink.codec.dvc import DVCodec
from vidlink.errors import UserError
from vidlink.evaluate import main as evaluate
from vidlink.nets.dvc.network import DVC
from vidlink.tasks.codec import CodecTask
from vidlink.train import run
from vidlink.training.codec import CodecLearner, CodecSettings, score_codec
from vidlink.training.codec_priors import PriorLearner
from vidlink.training.codec_windows import CodecWindows
from vidlink.training.loop import Training

SETTINGS = CodecSettings(
    network="dvc", data="x", windows=6, frames=2, prior_steps=10, steps=2, batch=1, side=64, learning_rate=1e-3, each=1
)


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    scene = rng.integers(50, 200, (12, 20), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    luma = np.stack([scene[:80, 2 * index : 2 * index + 96] for index in range(6)])
    return CodecWindows([(luma, np.full((6, 2, 40, 48), 128, np.uint8))], frames=2, count=6, side=64, seed=0)


def test_windows_begin_with_a_coded_picture(windows):
    luma, chroma, quality = windows.take(torch.arange(6))
    assert luma.shape == (6, 2, 64, 64)
    assert chroma.shape == (6, 2, 2, 32, 32)
    assert len(set(quality.tolist())) == 6
    assert 0.4 < float(chroma.mean()) < 0.6
    drawn = windows.draw(3, torch.Generator().manual_seed(0))
    assert [each.shape for each in drawn] == [(3, 2, 64, 64), (3, 2, 2, 32, 32), (3,)]
    with pytest.raises(UserError, match="none of 1 clips has 9 pictures of at least 64x64"):
        CodecWindows([(np.zeros((6, 80, 96), np.uint8),) * 2], frames=9, count=1, side=64, seed=0)


def test_probabilities_learn_first(windows):
    torch.manual_seed(0)
    network = DVC()
    before = score_codec(network, windows)
    learner = PriorLearner(network, windows, steps=10, each=5, learning_rate=2e-3, seed=0)
    Training({}, quiet=True).fit(learner)
    after = score_codec(network, windows)
    assert after["bpp"] < 0.7 * before["bpp"]
    assert abs(after["psnr_db"] - before["psnr_db"]) < 1  # the transforms are as they were


def test_a_killed_training_goes_on_to_the_same_weights(windows, tmp_path, monkeypatch):
    def train(name):
        torch.manual_seed(1)
        learner = CodecLearner(DVC(), windows, windows, SETTINGS, device=torch.device("cpu"))
        monkeypatch.setattr(learner, "validate", dict)
        if name == "killed":
            monkeypatch.setattr(
                learner, "after_step", lambda step: 1 / 0 if step else CodecLearner.after_step(learner, step)
            )
        weights = Training({"a": 1}, checkpoint=tmp_path / name.partition("-")[0], quiet=True).fit(learner)["weights"]
        return {name: tensor.clone() for name, tensor in weights.items()}

    whole = train("whole")
    with pytest.raises(ZeroDivisionError):
        train("killed")
    for name, tensor in train("killed-again").items():
        torch.testing.assert_close(tensor, whole[name], atol=1e-6, rtol=0)


def test_the_command_makes_weights_that_code(make_clip, tmp_path, capsys):
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("a", "b"):
        make_clip(clips / f"{name}.mp4", count=4, size=(96, 80))
    (clips / "split.csv").write_text("name,split\na,train\nb,valid\n")
    out = tmp_path / "w.safetensors"
    words = ["--task", "codec", "--data", f"videos:{clips}", "--out", str(out), "--device", "cpu", "--quiet"]
    small = ["--windows", "2", "--prior-steps", "1", "--steps", "1", "--batch", "1", "--frames", "2", "--patch", "64"]
    card = run([*words, *small])
    assert (card["clips"], card["valid"]) == (["a"], ["b"])
    assert json.loads(out.with_suffix(".json").read_text())["valid_mean"]["bpp"] > 0
    assert len(list(csv.DictReader(out.with_suffix(".csv").open()))) == 2
    DVCodec(str(out))
    evaluate(["--task", "codec", "--weights", str(out), "--data", f"videos:{clips}", "--patch", "64", "--frames", "2"])
    assert "bits a pixel" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--patch", "80"], "--patch 80: a multiple of 32, at least 64"),
        (["--frames", "1"], "--frames 1: at least 2"),
        (["--learning-rate", "0"], "--learning-rate 0.0: above 0"),
        (["--data", "images:x"], "--data images:x: expected videos:FOLDER"),
    ],
)
def test_wrong_options_are_refused(words, message, tmp_path):
    task = CodecTask()
    given = ["--data", "videos:x", "--out", str(tmp_path / "w.safetensors"), *words]
    with pytest.raises(UserError, match=message):
        task.check(task.training_parser().parse_args(given))
