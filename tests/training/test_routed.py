"""How networks that choose a path learn: losses, classes of difficulty, reward, and the stages one after another."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from vidlink.nets.classsr import ClassSR
from vidlink.nets.fsrcnn import FSRCNN
from vidlink.nets.path_restore import PathRestore
from vidlink.training.classsr import average_loss, class_loss, inner, learn_classsr, thirds
from vidlink.training.loop import Training
from vidlink.training.patch_pool import SIDE, WINDOW, PatchPool
from vidlink.training.path_restore import PathsLearner, learn_path_restore, wander
from vidlink.training.routed import RoutedSettings

CPU = torch.device("cpu")


def settings(**how):
    given = {"network": "", "data": "", "scales": (2.0, 4.0), "codec": "", "quality": (0.0, 0.0), "patches": 0}
    return RoutedSettings(**given, **{"steps": 4, "batch": 8, "learning_rate": 2e-3, "each": 2} | how)


@pytest.fixture(scope="module")
def pool():
    """Noise that was blurred: flat windows, which are easy, and rough ones."""
    rng = np.random.default_rng(0)
    contrast = np.linspace(2, 60, 6)[:, None, None]
    target = np.clip(128 + contrast * rng.standard_normal((6, WINDOW, WINDOW)), 0, 255)
    target = np.stack([cv2.GaussianBlur(each, None, 1.0) for each in target])
    given = np.stack([cv2.GaussianBlur(each, None, 1.5) for each in target])
    known = torch.tensor([[2.0, 0.0], [3.0, 30.0], [4.0, torch.nan]]).repeat(2, 1)
    as_bytes = [torch.from_numpy(each.round().astype(np.uint8)) for each in (given, target)]
    return PatchPool(SimpleNamespace(given=as_bytes[0][:, None], target=as_bytes[1], known=known))


def test_losses_are_those_of_the_paper():
    sure, undecided = torch.eye(3), torch.full((3, 3), 1 / 3)
    assert class_loss(sure) == 0
    assert class_loss(undecided) == pytest.approx(2)
    assert average_loss(sure) == average_loss(undecided) == 0
    assert average_loss(torch.eye(3)[[0, 0, 0]]) == pytest.approx(1), "all of one class"


def test_patches_are_parts_of_the_windows_with_what_is_around_them(pool):
    numbers = torch.arange(24)
    given, target, known = pool.at(numbers)
    assert given.shape == (24, 1, SIDE + 16, SIDE + 16)
    assert torch.equal(target[3, 0], pool.target[0, 0, SIDE:, SIDE:])
    assert torch.equal(inner(given)[2, 0], pool.given[0, 0, 8 + SIDE : -8, 8 : 8 + SIDE])
    assert known[4].tolist() == pytest.approx([np.log2(3) - 1.5, 30 / 51, 0])
    assert known[8].tolist() == pytest.approx([0.5, 0, 1])
    drawn, wanted, _ = pool.patches(40, torch.Generator().manual_seed(0), of=torch.tensor([5]))
    error = (inner(drawn) - wanted).square().mean(dim=(1, 2, 3))
    assert error.max() == pytest.approx(float(error.min())), "both are turned alike"


def test_classes_go_from_easy_to_hard(pool):
    classes = thirds(FSRCNN(4), pool, 3, CPU)
    assert sorted(torch.cat(classes).tolist()) == list(range(24))
    assert set((classes[0] // 4).tolist()) == {0, 1}
    assert set((classes[2] // 4).tolist()) == {4, 5}


def test_reward_weighs_gains_by_difficulty_and_takes_a_penalty(pool):
    learner = PathsLearner(PathRestore(8, 2), pool, settings(), stage=0, device=CPU)
    learner.unit_error, learner.penalty = 2.0, 0.1
    before, after = torch.tensor([1.0, 1.0, 6.0]), torch.tensor([0.5, 0.5, 5.5])
    found = learner.reward(before, after, torch.tensor([0.0, 1.0, 1.0]))
    assert found.tolist() == pytest.approx([0.0625, -0.0375, 0.15])


def test_paths_are_drawn_patch_by_patch(pool):
    network, used = PathRestore(8, 2), []
    given, _, known = pool.windows(3, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    for finds in (False, True):
        lacking, log_chance, apart, share = wander(network, inner(given), known, finds=finds)
        assert lacking.shape == (3, 1, 2 * SIDE, 2 * SIDE)
        assert log_chance.shape == apart.shape == share.shape == (12,)
        used += share.tolist()
    assert set(used) == {0.0, 0.5, 1.0}
    assert log_chance.tolist() == pytest.approx([2 * np.log(0.5)] * 12)


@pytest.mark.parametrize(("make", "learn"), [(ClassSR, learn_classsr), (PathRestore, learn_path_restore)])
def test_stages_follow_one_another_and_a_killed_run_goes_on(pool, tmp_path, make, learn, monkeypatch):
    def run(checkpoint):
        torch.manual_seed(0)
        network = make((4, 4, 8)) if make is ClassSR else make(8, 2)
        training = Training({}, checkpoint=checkpoint, quiet=True)
        learn(network, pool, settings(), training, device=CPU)
        return network, training

    whole, training = run(None)
    stages = ["general", "simple", "medium", "complex", "classes", "classifier", "together"]
    assert list(dict.fromkeys(row["stage"] for row in training.log)) == (
        stages if make is ClassSR else ["paths", "finder"]
    )
    if make is ClassSR:
        learned = {row["stage"]: row["loss"] for row in training.log}
        assert learned["simple"] < learned["medium"] < learned["complex"]
    kept, original = [], Training._train_epoch

    def dying(self, *rest):
        if len(kept) == 3:
            raise KeyboardInterrupt
        kept.append(rest)
        return original(self, *rest)

    monkeypatch.setattr(Training, "_train_epoch", dying)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "c")
    monkeypatch.undo()
    again, _ = run(tmp_path / "c")
    expected, found = whole.state_dict(), again.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
