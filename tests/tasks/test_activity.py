"""``vidlink.train --task activity`` and ``vidlink.evaluate --data classes:``, on clips of generated figures."""

import json
import shutil

import av
import numpy as np
import pytest

from vidlink import evaluate, train
from vidlink.data.figures import FRAME_RATE, draw_clip
from vidlink.errors import UserError
from vidlink.recognizers.recognize import load_recognizer
from vidlink.training.loop import Training
from vidlink.training.windows import Variation, draw_window, make_coarse

QUICK = ["--figures", "0", "--steps", "2", "--batch", "4", "--folds", "2", "--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes, two groups each."""
    place = tmp_path_factory.mktemp("figures") / "acts"
    rng = np.random.default_rng(0)
    for label in ("Run", "Sit"):
        (place / label).mkdir(parents=True)
        for group in (1, 2):
            with av.open(str(place / label / f"{label}_{group}_1.mp4"), "w") as container:
                stream = container.add_stream("libx264", rate=int(FRAME_RATE), options={"crf": "16"})
                stream.width, stream.height, stream.pix_fmt = 112, 84, "yuv420p"
                for luma in draw_clip(label, rng, frames=24):
                    container.mux(
                        stream.encode(av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p"))
                    )
                container.mux(stream.encode(None))
    return place


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "act.safetensors"
    train.main(["--task", "activity", "--data", f"classes:{folder}", "--out", str(path), "--keep-folds", *QUICK])
    return path


def test_weights_card_and_confusion_lie_beside_each_other(trained):
    card = json.loads(trained.with_suffix(".json").read_text())
    assert card["classes"] == ["Run", "Sit"]
    assert [fold["groups"] for fold in card["folds"]] == [["1"], ["2"]]
    assert sum(map(sum, card["confusion"]["20"])) == card["clips"] == 4
    assert card["scores"][0]["interval"][0] <= card["scores"][0]["accuracy"]
    assert trained.with_suffix(".png").stat().st_size > 5000
    recognizer = load_recognizer("activity", device="cpu", weights=trained)
    assert recognizer.classes == ("Run", "Sit")
    assert load_recognizer("activity", device="cpu", weights=trained.with_suffix(".fold2.safetensors")).classes


def test_the_same_command_gives_the_same_weights(trained, folder, tmp_path):
    again = tmp_path / "act.safetensors"
    train.main(["--task", "activity", "--data", f"classes:{folder}", "--out", str(again), *QUICK])
    assert again.read_bytes() == trained.read_bytes()


def train_until(stage, folder, out, *more):
    """Die as soon as a stage begins; returns the stages that began before it."""
    begun, original = [], Training.fit

    def dying(self, learner, name=""):
        if name == stage:
            raise KeyboardInterrupt
        begun.append(name)
        return original(self, learner, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "fit", dying)
        line = ["--task", "activity", "--data", f"classes:{folder}", "--out", str(out), *QUICK, *more]
        if stage is None:
            train.main(line)
        else:
            with pytest.raises(KeyboardInterrupt, match="checkpoint holds what was done; the same command goes on"):
                train.main(line)
    return begun


def test_a_run_that_is_killed_in_a_later_fold_goes_on_there_to_the_same_bytes(folder, tmp_path):
    more = ["--figures", "6", "--figure-steps", "1", "--keep-folds", "--restorer", "joint"]
    whole, cut = tmp_path / "whole" / "a.safetensors", tmp_path / "cut" / "a.safetensors"
    first = ["restorer", "figures"]
    assert train_until(None, folder, whole, *more) == [*first, "fold 1", "fold 2", "all clips"]
    assert train_until("fold 2", folder, cut, *more) == [*first, "fold 1"]
    assert [path.name for path in cut.parent.glob("*.safetensors")] == []
    assert train_until("all clips", folder, cut, *more) == ["fold 2"]
    assert train_until(None, folder, cut, *more) == ["all clips"]
    assert sorted(path.name for path in cut.parent.iterdir()) == sorted(path.name for path in whole.parent.iterdir())
    for path in whole.parent.iterdir():
        assert path.suffix == ".png" or path.read_bytes() == (cut.parent / path.name).read_bytes(), path.name


def test_a_fold_that_is_learned_but_not_scored_is_not_learned_again(folder, tmp_path, capsys, monkeypatch):
    whole, cut = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    train_until(None, folder, whole)
    with monkeypatch.context() as patch:
        patch.setattr("vidlink.tasks.activity.score", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train_until(None, folder, cut)
    with monkeypatch.context() as patch:
        patch.setattr(Training, "_train_epoch", once_allowed_to("fold 2", "all clips"))
        train_until(None, folder, cut)
    assert whole.read_bytes() == cut.read_bytes()


def once_allowed_to(*stages):
    original = Training._train_epoch

    def training(self, learner, name, *rest):
        assert name in stages
        return original(self, learner, name, *rest)

    return training


def test_a_checkpoint_of_other_clips_or_settings_is_refused(folder, tmp_path):
    out = tmp_path / "a.safetensors"
    train_until("fold 2", folder, out)
    for more, what in ((["--steps", "3"], "steps = 2, not 3"), (["--keep-folds"], "keep_folds = False, not True")):
        with pytest.raises(UserError, match=f"belongs to a run with {what}"):
            train_until(None, folder, out, *more)
    place = tmp_path / folder.name
    shutil.copytree(folder, place)
    shutil.copy(place / "Run" / "Run_1_1.mp4", place / "Run" / "Run_2_2.mp4")
    with pytest.raises(UserError, match="belongs to a run with clips = "):
        train_until(None, place, out)


def test_a_resumed_run_says_where_it_goes_on(folder, tmp_path, capsys):
    train_until("fold 2", folder, tmp_path / "a.safetensors")
    capsys.readouterr()
    loud = [word for word in QUICK if word != "--quiet"]
    train.main(["--task", "activity", "--data", f"classes:{folder}", "--out", str(tmp_path / "a.safetensors"), *loud])
    assert "going on after fold 1, from" in capsys.readouterr().err


def test_evaluation_names_what_it_leaves_out(trained, folder, tmp_path, capsys):
    place = tmp_path / "acts"
    shutil.copytree(folder, place)
    shutil.copytree(place / "Run", place / "Fly")
    (place / "Run" / "Run_3_1.mp4").write_text("no video")
    line = ["--data", f"classes:{place}", "--weights", str(trained), "--scales", "1,8", "--device", "cpu", "--quiet"]
    evaluate.main([*line, "--json", str(tmp_path / "a.json"), "--confusion", str(tmp_path / "a.png")])
    shown = capsys.readouterr()
    assert "skipped Run/Run_3_1.mp4" in shown.err
    assert "1 clips skipped, 6 read" in shown.err
    assert "class 'Fly': not known to the recognizer, 2 clips left out" in shown.err
    found = json.loads((tmp_path / "a.json").read_text())
    assert [row["scale"] for row in found["scores"]] == [1, 8]
    assert found["scores"][0]["n"] == 4
    assert np.array(found["confusion"]["8"]).shape == (2, 2)
    assert (tmp_path / "a.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "faces:x"], "expected classes:PATH"),
        (["--folds", "1"], "--folds 1: give 0 for none, or at least 2"),
        (["--folds", "5"], "2 recording groups are too few for 5 folds"),
        (["--steps", "0"], "--steps 0: at least 1"),
        (["--largest-scale", "90"], "--largest-scale 90: from 1 to 40"),
        (["--out", "x.pt"], r"the name of a \.safetensors file"),
        (["--groups", "(Run|Sit)"], "has one recording group only"),
    ],
)
def test_wrong_options_are_named(folder, tmp_path, options, message):
    line = ["--task", "activity", "--data", f"classes:{folder}", "--out", str(tmp_path / "a.safetensors"), *QUICK]
    with pytest.raises(UserError, match=message):
        train.main([*line, *options])


def test_faces_are_no_classes(folder):
    with pytest.raises(UserError, match="recognizer 'affect': gives valence, arousal; class folders"):
        evaluate.main(["--data", f"classes:{folder}", "--recognizer", "affect", "--quiet"])


def test_figures_move_as_they_are_named():
    rng = np.random.default_rng(3)

    def height_of_change(label):
        """How far the middle of what changes sinks over the clip, mean of several, in pixels."""
        sinks = []
        for _ in range(6):
            clip = draw_clip(label, rng).astype(float)
            change = np.abs(np.diff(clip, axis=0)).mean(axis=2)
            change -= np.median(change, axis=1, keepdims=True)
            rows = (change.clip(0) * np.arange(84)).sum(axis=1) / change.clip(1e-3).sum(axis=1)
            sinks.append(rows[-10:].mean() - rows[:10].mean())
        return np.mean(sinks)

    assert draw_clip("Jump", np.random.default_rng(1)).shape == (40, 84, 112)
    assert (draw_clip("Walk", np.random.default_rng(1)) == draw_clip("Walk", np.random.default_rng(1))).all()
    assert height_of_change("Sit") > height_of_change("Stand")


def test_time_turned_round_turns_sitting_into_standing():
    clip = np.repeat(np.arange(40, dtype=np.uint8)[:, None, None], 84, axis=1).repeat(112, axis=2) * 5
    variation = Variation(scales=(1.0, 1.0), noise=0.0, gain=(1.0, 1.0), offset=0.0, shifted=False)
    rng = np.random.default_rng(0)
    for _ in range(12):
        window, pristine, label = draw_window(clip, 16.0, 320, "Sit", variation, rng)
        assert window.shape == (16, 48, 64)
        assert np.allclose(window, pristine)
        rises = window[-1].mean() > window[0].mean()
        assert label == ("Sit" if rises else "Stand")
    assert {draw_window(clip, 16.0, 320, "Walk", variation, rng)[2] for _ in range(8)} == {"Walk"}


def test_coarse_windows_lose_detail_and_keep_the_mean():
    window = np.random.default_rng(0).integers(0, 256, (16, 84, 112), dtype=np.uint8)
    coarse = make_coarse(window, 16)
    assert coarse.shape == (16, 48, 64)
    assert coarse.mean() == pytest.approx(window.mean(), abs=1)
    assert coarse.std() < make_coarse(window, 320).std() / 2


def test_folds_do_not_move_when_a_clip_cannot_be_read(tmp_path):
    """Weights that are kept of a fold must not have seen the clips that --split of that fold scores."""
    from types import SimpleNamespace

    from vidlink.data.classfolders import assign_folds, list_clips
    from vidlink.tasks.activity import _folds

    sizes = {1: 9, 2: 7, 3: 6, 4: 5, 5: 3, 6: 2}
    for label in ("Run", "Sit"):
        (tmp_path / label).mkdir()
        for group, count in sizes.items():
            for number in range(count):
                (tmp_path / label / f"{label}_{group}_{number}.mp4").touch()
    listed = list_clips(tmp_path)
    whole = assign_folds(listed)
    read = [row for row, file in enumerate(listed) if file.group != "1" or file.path.stem.endswith("_0")]
    found = _folds(listed, SimpleNamespace(files=[listed[row] for row in read]), 5)
    assert found.tolist() == whole[read].tolist()
    assert assign_folds([listed[row] for row in read]).tolist() != whole[read].tolist()
