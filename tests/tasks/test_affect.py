import json
import sys
import types

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from vidlink import evaluate
from vidlink import train as command
from vidlink.command import run_command
from vidlink.data.faces import load_faces
from vidlink.errors import UserError
from vidlink.nets.build import Network, build
from vidlink.nets.recognition import RecognitionNet
from vidlink.nets.srcnn import SRCNN
from vidlink.nets.weights import load_network
from vidlink.tasks import affect
from vidlink.tasks.affect import AffectTask
from vidlink.training import checkpoint as files
from vidlink.training.affect import AffectLearner, AffectSettings
from vidlink.training.degrade import Degradation
from vidlink.training.loop import Training


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A made FER+: light noise is happiness, dark noise is sadness."""
    root = tmp_path_factory.mktemp("made")
    generator = np.random.default_rng(0)
    for folder, count in (("FER2013Train", 48), ("FER2013Valid", 16)):
        (root / folder).mkdir()
        lines = []
        for k in range(count):
            glad = k % 2
            image = generator.integers(0, 256, (48, 48), np.uint8)
            image[30:40, 10:38] = 255 if glad else 0
            cv2.imwrite(str(root / folder / f"{k}.png"), image)
            votes = (0, 10, 0, 0, 0, 0, 0, 0, 0, 0) if glad else (0, 0, 0, 10, 0, 0, 0, 0, 0, 0)
            lines.append(f'{k}.png,"(0, 0, 48, 48)",' + ",".join(map(str, votes)))
        (root / folder / "label.csv").write_text("\n".join(lines))
    return root


def arguments(tree, out, *more):
    common = ["--data", f"ferplus:{tree}", "--out", str(out), "--epochs", "3", "--batch", "16", "--device", "cpu"]
    small = ["--width", "8", "--regime", "mix", "--sr-steps", "3"]
    return AffectTask().training_parser().parse_args([*common, "--threads", "1", "--quiet", *small, *more])


def train(options):
    return command.train(AffectTask(), options)


def test_a_whole_run_leaves_weights_log_and_card(tree, tmp_path):
    out = tmp_path / "my.safetensors"
    card = train(arguments(tree, out))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my.csv", "my.json", "my.png", "my.safetensors"]
    log = pd.read_csv(tmp_path / "my.csv")
    assert log["epoch"].tolist() == [1, 2, 3]
    assert log["loss"].iloc[-1] < log["loss"].iloc[0]
    assert json.loads((tmp_path / "my.json").read_text()) == card
    assert card["regime"] == "mix"
    assert card["seed"] == 0
    assert set(card["valid_scores"]) == {"1", "1.5", "2", "3", "4", "6"}
    assert card["split"] == {"train": "train", "valid": "valid"}
    assert "torch" in card["versions"]


def test_a_network_for_larger_pictures(tree, tmp_path):
    out = tmp_path / "large.safetensors"
    train(arguments(tree, out, "--size", "96", "--network", "recognition", "--epochs", "1", "--codec-aware", "0.5"))
    assert load_network(out)[0] == Network(name="recognition", size=96, width=8)
    evaluate.main(["--data", f"ferplus:{tree}", "--weights", str(out), "--scales", "2", "--threads", "1"])


def test_a_killed_run_resumes_to_the_same_result(tree, tmp_path):
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    train(arguments(tree, whole))
    options = arguments(tree, cut)
    stopped = interrupted(options)
    assert stopped == 2
    assert not cut.exists()
    train(options)
    expected, found = load_file(whole), load_file(cut)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert whole.with_suffix(".csv").read_bytes() == cut.with_suffix(".csv").read_bytes()


def interrupted(options):
    """Run until the second epoch's checkpoint is saved, then die in the third; returns the epochs done."""
    original, done = Training._train_epoch, []

    def dying(self, learner, name, epoch, *rest):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(epoch)
        return original(self, learner, name, epoch, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_train_epoch", dying)
        with pytest.raises(KeyboardInterrupt):
            train(options)
    return len(done)


def test_an_interrupt_says_what_is_kept(tree, tmp_path):
    options = arguments(tree, tmp_path / "x.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        original = Training._train_epoch

        def dying(self, learner, name, epoch, *rest):
            if epoch == at:
                raise KeyboardInterrupt
            return original(self, learner, name, epoch, *rest)

        patch.setattr(Training, "_train_epoch", dying)
        at = 0
        with pytest.raises(KeyboardInterrupt, match=r"^$"):
            train(options)
        at = 1
        with pytest.raises(KeyboardInterrupt, match=r"x\.checkpoint holds what was done; the same command goes on"):
            train(options)


def test_factors_that_do_not_divide_a_face(tree, tmp_path):
    card = train(arguments(tree, tmp_path / "x.safetensors", "--regime", "joint-5", "--epochs", "1"))
    assert " at 5, " in card["pretrained"]


def test_seeds_decide(tree, tmp_path):
    first = train(arguments(tree, tmp_path / "a.safetensors", "--epochs", "1"))
    again = train(arguments(tree, tmp_path / "b.safetensors", "--epochs", "1"))
    other = train(arguments(tree, tmp_path / "c.safetensors", "--epochs", "1", "--seed", "1"))
    assert first == again
    assert first["valid_scores"] != other["valid_scores"]


def test_generated_faces_join_and_weights_carry_on(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(affect, "DRAWN", 20)
    first = tmp_path / "first.safetensors"
    train(arguments(tree, first, "--epochs", "1"))
    more = ["--epochs", "1", "--generated", "0.25", "--start", str(first), "--regime", "hr"]
    card = train(arguments(tree, tmp_path / "second.safetensors", *more))
    assert card["generated"] == 0.25
    assert len(card["start"]) == 64
    assert card["started_from"]["regime"] == "mix"
    assert card["started_from"]["started_from"] is None


@pytest.mark.parametrize(
    ("network", "regime"),
    [
        ("residual", "joint-oa"),
        ("residual", "non-joint-3"),
        ("recognition", "joint-2"),
        ("srcnn+recognition", "joint-2-from-4"),
        ("espcn+residual", "joint-2"),
    ],
)
def test_pretrained_encoders(tree, tmp_path, network, regime):
    out = tmp_path / "x.safetensors"
    card = train(arguments(tree, out, "--network", network, "--regime", regime, "--epochs", "1"))
    assert card["pretrained"].startswith(f"ferplus:{tree.name} at ")
    described, module = load_network(out)
    assert (described.name, described.width) == (network, 8)
    assert module.eval()(torch.rand(2, 1, 48, 48), torch.full((2,), 2.0)).shape == (2, 10)


def test_any_regime_can_begin_with_super_resolution(tree, tmp_path):
    plain, begun = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    assert train(arguments(tree, plain, "--regime", "hr"))["pretrained"] == ""
    card = train(arguments(tree, begun, "--regime", "hr", "--pretrain", "6"))
    assert card["pretrained"].startswith(f"ferplus:{tree.name} at 6, ")
    before, after = (load_file(path)["restorer.first.weight"] for path in (plain, begun))
    assert not torch.equal(before, after)


def test_early_layers_learn_to_restore_what_is_asked_from_given_weights_on(tree, tmp_path):
    start, out = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    train(arguments(tree, start, "--epochs", "1"))
    more = ["--start", str(start), "--encoder-rate", "0", "--epochs", "1", "--sr-steps", "3"]
    card = train(arguments(tree, out, "--pretrain", "noise:0.1", *more))
    assert card["pretrained"] == f"ferplus:{tree.name} against noise:0.1, 3 steps"
    before, after = (load_file(path)["restorer.first.weight"] for path in (start, out))
    assert 0 < (before - after).abs().max() < 5e-3  # a few steps away from where it began


def test_a_frozen_encoder_stays_as_it_was_pretrained(tree, tmp_path):
    frozen, tuned = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    train(arguments(tree, frozen, "--regime", "non-joint-3"))
    train(arguments(tree, tuned, "--regime", "joint-3"))
    before, after = load_file(frozen), load_file(tuned)
    cut = tmp_path / "c.safetensors"
    train(arguments(tree, cut, "--regime", "non-joint-3", "--epochs", "1"))
    names = [name for name in before if name.startswith("restorer.")]
    assert all(torch.equal(before[name], load_file(cut)[name]) for name in names)
    assert not torch.equal(before["restorer.first.weight"], after["restorer.first.weight"])


def test_a_teacher_and_a_codec_change_what_is_learned(tree, tmp_path):
    plain, taught, coded = (tmp_path / f"{name}.safetensors" for name in ("plain", "taught", "coded"))
    train(arguments(tree, plain, "--epochs", "1"))
    card = train(arguments(tree, taught, "--epochs", "1", "--teacher", str(plain)))
    assert (len(card["teacher"]), card["distil"]) == (64, 2.0)
    card = train(arguments(tree, coded, "--epochs", "1", "--codec-aware", "1"))
    assert (card["coded"], card["codec"]) == (1.0, "x264")
    heads = [load_file(path)["recognizer.head.1.weight"] for path in (plain, taught, coded)]
    assert not torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_patience_ends_a_run_that_learns_nothing(tree, tmp_path):
    out = tmp_path / "x.safetensors"
    card = train(arguments(tree, out, "--epochs", "40", "--learning-rate", "1e-12", "--patience", "2"))
    assert len(pd.read_csv(out.with_suffix(".csv"))) == card["best_epoch"] + 2 < 40


def test_a_checkpoint_of_other_settings_is_refused(tree, tmp_path):
    options = arguments(tree, tmp_path / "x.safetensors")
    interrupted(options)
    options.seed = 7
    with pytest.raises(UserError, match="belongs to a run with seed = 0, not 7"):
        train(options)
    options.out.with_suffix(".checkpoint").write_bytes(b"half a checkpoi")
    with pytest.raises(UserError, match="not a checkpoint"):
        train(options)


def test_a_loss_that_is_not_finite_stops_with_its_step(tree, tmp_path):
    faces = load_faces(f"ferplus:{tree}", "train")
    faces.affect[5] = np.nan
    settings = AffectSettings(regime="mix", data="x", epochs=2, batch=16)
    network = build(Network(width=8))
    learner = AffectLearner(network, faces, faces, settings, Degradation(), device=torch.device("cpu"))
    with pytest.raises(UserError, match=r"the loss is nan at step [123]; last good checkpoint: none yet"):
        Training({}, checkpoint=tmp_path / "c", quiet=True).fit(learner)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    files.save_weights(path, {"a": torch.zeros(2)}, {})

    def fill(partial):
        partial.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left"):
        files.write_whole(path, fill)
    assert load_file(path)["a"].tolist() == [0, 0]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--epochs", "0"], "--epochs 0: at least 1"),
        (["--batch", "0"], "--batch 0: at least 1"),
        (["--learning-rate", "-1"], "--learning-rate"),
        (["--generated", "1"], "a share from 0 to 0.9"),
        (["--regime", "mixx"], "did you mean 'mix'"),
        (["--regime", "joint-4-from-2"], "the one after 'from' is not smaller"),
        (["--regime", "lr-1"], "factors are above 1"),
        (["--regime", "non-joint-2-from-4"], "unknown regime"),
        (["--network", "residal"], "unknown network 'residal'"),
        (["--network", "vdsr+residual"], "unknown restorer 'vdsr'"),
        (["--network", "srcnn+vgg"], "unknown recognizer 'vgg'"),
        (["--width", "0"], "--width 0: at least 1"),
        (["--codec-aware", "2"], "a share from 0 to 1"),
        (["--codec-aware", "0.5", "--codec", "nosuch"], "unknown codec 'nosuch'"),
        (["--disturb", "noise:3"], "noise"),
        (["--pretrain", "1"], "a factor above 1, at most 16"),
        (["--pretrain", "6-2"], "a range like 1-6"),
        (["--pretrain", "fog:1"], "unknown disturbance 'fog'"),
        (["--distil", "-1"], "a weight of 0 or more"),
        (["--teacher", "/no/such.safetensors"], "--teacher /no/such.safetensors: no such file"),
        (["--start", "/no/such.safetensors"], "no such file"),
        (["--valid", "nosplit"], "unknown split"),
        (["--out", "/tmp/x.pt"], "a .safetensors file"),
    ],
)
def test_wrong_settings_are_named(tree, tmp_path, more, message):
    with pytest.raises(UserError, match=message):
        train(arguments(tree, tmp_path / "x.safetensors", *more))


def test_existing_weights_are_kept(tree, tmp_path):
    out = tmp_path / "x.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(UserError, match="--overwrite"):
        train(arguments(tree, out))
    assert out.read_bytes() == b"mine"


def test_the_command_ends_with_status_2_and_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run_command(lambda: command.main(["--data", "ferplus:/no/such", "--out", str(tmp_path / "x.safetensors")]))
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no such file or folder" in err


def test_disturbed_faces_are_learnt_from_and_the_card_says_so(tree, tmp_path):
    plain = train(arguments(tree, tmp_path / "a.safetensors", "--epochs", "1"))
    other = train(arguments(tree, tmp_path / "b.safetensors", "--epochs", "1", "--disturb", "occlusion:0.3"))
    assert (plain["disturb"], other["disturb"]) == (None, "occlusion:0.3")
    assert plain["valid_scores"] != other["valid_scores"]
    with pytest.raises(UserError, match="did you mean 'blur'"):
        train(arguments(tree, tmp_path / "c.safetensors", "--disturb", "blurr:2"))


def test_a_restorer_of_one_factor_must_be_pre_trained_at_it(tree, tmp_path):
    options = arguments(tree, tmp_path / "x.safetensors", "--network", "espcn+residual", "--regime", "joint-oa")
    with pytest.raises(UserError, match=r"espcn restores by 2 only, and joint-oa pre-trains at 6; --pretrain 2 fits"):
        train(options)
    options.pretrain, options.epochs = "2", 1
    assert train(options)["regime"] == "joint-oa"


def test_a_teacher_must_have_as_many_features(tree, tmp_path):
    wide = tmp_path / "wide.safetensors"
    train(arguments(tree, wide, "--epochs", "1", "--width", "16"))
    options = arguments(tree, tmp_path / "x.safetensors", "--teacher", str(wide))
    with pytest.raises(UserError, match=r"--teacher .*wide.safetensors: has 64 features, the network to train 32"):
        train(options)


def test_a_run_goes_on_with_its_own_faces_only(tree, tmp_path):
    options = arguments(tree, tmp_path / "x.safetensors")
    interrupted(options)
    options.choose = 13
    with pytest.raises(UserError, match="belongs to a run with choose"):
        train(options)


def test_networks_of_ones_own_are_trained_scored_and_restored_with(tree, tmp_path, monkeypatch):
    class Alone(RecognitionNet):
        def __init__(self, size, outputs, width):
            super().__init__(size, outputs, widths=(width, width, width))

    module = types.ModuleType("networks_of_ours")
    module.Alone, module.Restorer = Alone, lambda width: SRCNN((width, 4), (3, 3, 3))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    out = tmp_path / "x.safetensors"
    own = ["--network", "networks_of_ours:Alone", "--epochs", "1"]
    assert train(arguments(tree, out, *own))["network"] == "networks_of_ours:Alone"
    line = ["--data", f"ferplus:{tree}", "--scales", "1", "--weights", str(out), "--device", "cpu"]
    with pytest.raises(UserError, match="runs only where the command names it"):
        evaluate.main(line)
    evaluate.main([*line, "--recognizer-arg", "network=networks_of_ours:Alone"])
    train(arguments(tree, tmp_path / "y.safetensors", *own, "--teacher", str(out)))
    with pytest.raises(UserError, match=r"its first layers are not those of twin, .*--regime mix needs none"):
        train(arguments(tree, tmp_path / "z.safetensors", *own, "--regime", "joint-2"))
    pair = ["--network", "networks_of_ours:Restorer+recognition", "--epochs", "1", "--regime", "joint-2"]
    assert train(arguments(tree, tmp_path / "z.safetensors", *pair))["pretrained"]
