"""``vidlink.train --task temporal``, and the recognizer of what it makes."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vidlink import evaluate, train
from vidlink.data.generated import draw_faces
from vidlink.errors import UserError
from vidlink.nets.build import Network, build
from vidlink.nets.temporal import TemporalNet, known_of
from vidlink.nets.weights import Windows, build_temporal, describe, describe_temporal, load_affect, load_network
from vidlink.recognizers.affect import Affect
from vidlink.recognizers.recognize import Context, recognize
from vidlink.tasks import temporal

SMALL = Network(name="recognition", width=4)
PLANS = {
    "plans": [
        [
            {"start_s": 0, "scale": 2, "frame_divisor": 5, "quality": 38},
            {"start_s": 0.6, "scale": 1, "frame_divisor": 2, "quality": 45},
        ]
    ]
}
FEW = (
    "--reels",
    "2",
    "--seconds",
    "2",
    "--epochs",
    "2",
    "--steps",
    "3",
    "--batch",
    "24",
    "--hidden",
    "8",
    "--choose",
    "20",
)


@pytest.fixture(scope="module", autouse=True)
def short():
    """Few and short reels to choose by."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(temporal, "CHOSEN_REELS", 2)
        patch.setattr(temporal, "CHOSEN_S", 2.0)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("temporal")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_file(build(SMALL).state_dict(), folder / "single.safetensors", describe(SMALL).to_metadata())
    (folder / "plans.json").write_text(json.dumps(PLANS))
    return folder


def command(folder, out, *more):
    given = ("--start", folder / "single.safetensors", "--plans", folder / "plans.json", "--out", out)
    always = ("--task", "temporal", "--data", "generated:80", "--threads", "1", "--quiet", *FEW)
    return [str(each) for each in (*always, *given, *more)]


@pytest.fixture(scope="module")
def trained(folder):
    train.main(command(folder, folder / "trained.safetensors"))
    return folder / "trained.safetensors"


def test_a_run_leaves_weights_card_and_log(trained, folder):
    card = json.loads(trained.with_suffix(".json").read_text())
    assert card["best_epoch"] in (1, 2)
    assert card["faces"]["learned"] + card["faces"]["chosen"] + card["faces"]["twins_left_out"] == 80
    assert card["faces"]["chosen"] == 20
    assert set(card["chosen_scores"]) == {"single pictures", "mean of three looks", "over time"}
    log = trained.with_suffix(".csv").read_text().splitlines()
    assert len(log) == 3
    assert "arousal_ccc_live" in log[0]
    assert not trained.with_suffix(".checkpoint").exists()
    network, windows, module = load_affect(trained)
    assert (network, windows) == (SMALL, Windows(hidden=8, frames=9, frame_rate=5.0))
    single = load_network(folder / "single.safetensors")[1].state_dict()
    assert all(torch.equal(tensor, module.state_dict()[f"base.{name}"]) for name, tensor in single.items())
    assert module.correct[1].weight.abs().max() > 0


def test_the_same_command_gives_the_same_weights_from_a_checkpoint_too(trained, folder, monkeypatch):
    out = folder / "again.safetensors"
    from vidlink.training.temporal import TemporalLearner

    real = TemporalLearner.after_step

    def die(self, step):
        if step == 4:
            raise KeyboardInterrupt
        real(self, step)

    monkeypatch.setattr(TemporalLearner, "after_step", die)
    with pytest.raises(KeyboardInterrupt):
        train.main(command(folder, out))
    assert out.with_suffix(".checkpoint").exists()
    monkeypatch.setattr(TemporalLearner, "after_step", real)
    train.main(command(folder, out))
    assert out.read_bytes() == trained.read_bytes()


def test_the_recognizer_follows_time(trained):
    recognizer = Affect(weights=trained, half=False)
    assert (recognizer.wants.frames, recognizer.wants.frame_rate) == (9, 5.0)
    faces = list(draw_faces("12", "valid").images)
    boxes = [(0, 0, *face.shape[::-1]) for face in faces]
    times_s = [0.2 * k for k in range(12)]
    whole, live = (recognize(recognizer, faces, boxes, times_s=times_s, later=later) for later in (True, False))
    assert whole.shape == live.shape == (12, 2)
    assert np.isfinite(whole).all()
    assert not np.allclose(whole, live, atol=1e-4)
    # Live, what comes later makes no difference; else what is beyond the window makes none.
    assert recognize(recognizer, faces[:6], boxes[:6], times_s=times_s[:6], later=False) == pytest.approx(
        live[:6], abs=1e-5
    )
    assert recognize(recognizer, faces[:9], boxes[:9], times_s=times_s[:9])[:5] == pytest.approx(whole[:5], abs=1e-5)
    assert not np.allclose(recognize(recognizer, faces[:6], boxes[:6], times_s=times_s[:6])[5], whole[5], atol=1e-5)


def test_faces_are_scored_as_stills(trained, capsys):
    words = ["--data", "generated:60", "--weights", str(trained), "--scales", "1,4", "--threads", "1"]
    evaluate.main(words)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_still_is_answered_by_the_network_for_single_pictures(trained, folder):
    faces = list(draw_faces("9", "valid").images)
    boxes = [(0, 0, *face.shape[::-1]) for face in faces]
    single, over_time = (
        recognize(Affect(weights=weights, half=False), faces, boxes)
        for weights in (folder / "single.safetensors", trained)
    )
    assert over_time == pytest.approx(single, abs=1e-5)


def test_before_it_learns_it_is_a_mean_of_near_looks():
    network = build_temporal(SMALL, Windows(hidden=8, frames=5, frame_rate=5)).eval()
    assert isinstance(network, TemporalNet)
    looks = torch.rand(3, 5, 300)
    offset_s = torch.tensor([-0.4, -0.2, 0, 0.2, 0.4]).expand(3, 5)
    still = torch.zeros(3, 5)
    known = known_of(still + 2, still + 30, still, offset_s)
    share = (-offset_s.abs() / 0.15).softmax(dim=1)
    wanted = (network.base.head(looks) * share[:, :, None]).sum(dim=1)
    assert torch.allclose(network(looks, known, 2), wanted, atol=1e-5)


def test_what_is_not_said_is_told_apart():
    nothing = torch.full((1, 2), torch.nan)
    known = known_of(torch.ones(1, 2), nothing, nothing, torch.zeros(1, 2))
    assert known[0, 0].tolist() == [0, 0, 0, 2, 0]
    assert known_of(torch.ones(1, 1), torch.full((1, 1), 42.0), *[torch.zeros(1, 1)] * 2)[0, 0].tolist() == [
        0,
        1,
        1,
        0,
        0,
    ]


def test_pristine_windows_are_answered(trained):
    recognizer = Affect(weights=trained)
    looks = recognizer.features(torch.rand(2, 1, 48, 48), Context.pristine(2))
    assert looks.shape == (2, 300)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--frames", "1"), "--frames 1: at least 2"),
        (("--frames", "300"), "--frames 300: at most 256"),
        (("--choose", "0"), "--choose 0: at least 12"),
        (("--choose", "75"), "--choose 75: .* leave at least 12"),
        (("--seconds", "0.1"), "--seconds 0.1: from 1"),
        (("--reels", "0"), "--reels 0: at least 1"),
        (("--plans", "nowhere.json"), "--plans nowhere.json: no such file or folder"),
        (("--start", "nowhere.safetensors"), "nowhere.safetensors: no such file"),
        (("--codec", "x266"), "x266"),
    ],
)
def test_wrong_options_are_named(folder, tmp_path, words, message):
    with pytest.raises(UserError, match=message):
        train.main(command(folder, tmp_path / "out.safetensors", *words))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": 1}, "frames"),
        ({"hidden": 0}, "hidden"),
        ({"frame_rate": float("inf")}, "frame_rate"),
        ({"hidden": 9}, "of another network"),
    ],
)
def test_wrong_headers_are_refused(trained, tmp_path, arguments, message):
    from safetensors.torch import load_file

    header = describe_temporal(SMALL, Windows(**({"hidden": 8, "frames": 9, "frame_rate": 5.0} | arguments)))
    save_file(load_file(trained), tmp_path / "wrong.safetensors", header.to_metadata())
    with pytest.raises(UserError, match=message):
        Affect(weights=tmp_path / "wrong.safetensors")
