"""How far something is: a line now and then where there is no terminal, in runs, sweeps and trainings alike."""

import time

import pytest
import torch

from vidlink import progress
from vidlink.progress import Progress, counted
from vidlink.training.learner import Learner
from vidlink.training.loop import Training


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(progress, "EVERY_S", 0.02)


def test_a_line_comes_again_and_again_even_while_one_item_takes_long(often, capfd):
    with Progress(4, "segment", stage="send") as bar:
        bar.update()
        bar.note("loss 0.5")
        time.sleep(0.3)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("vidlink: send: 1 of 4 segments, ") and line.endswith("loss 0.5") for line in lines[1:])


def test_items_are_counted(often, capfd):
    for item in counted([1, 2], "clip", total=2):
        time.sleep(0.1 * item)
    assert "vidlink: 1 of 2 clips" in capfd.readouterr().err


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_said_within_half_a_minute(quiet, capfd):
    assert list(counted([1, 2], "clip", quiet=quiet)) == [1, 2]
    assert capfd.readouterr().err == ""


class Slow(Learner):
    """One step that takes its time."""

    epochs, learning_rate = 1, 0.1

    def __init__(self):
        self.network = torch.nn.Linear(1, 1)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.1)

    def steps(self, epoch):
        return 1

    def seed(self, epoch):
        return epoch

    def batches(self, epoch, generator):
        yield torch.ones(1, 1)

    def loss(self, batch):
        time.sleep(0.3)
        return self.network(batch).sum()


def test_a_training_says_how_far_it_is(often, capfd):
    Training({}).fit(Slow(), name="grow")
    assert "vidlink: grow: 0 of 1 step" in capfd.readouterr().err
