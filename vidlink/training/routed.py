"""What all learners of networks that choose a path for each patch share: settings, seeds, optimizer, log."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from vidlink.training.learner import Learner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from vidlink.training.learner import Row
    from vidlink.training.loop import Training
    from vidlink.training.patch_pool import PatchPool


@dataclass(frozen=True, kw_only=True)
class RoutedSettings:
    """Everything that decides what such a network learns; a checkpoint resumes only under the same."""

    network: str
    """``classsr`` or ``path-restore``."""
    data: str
    """What it learns from, without the path."""
    scales: tuple[float, float]
    """Least and largest scale factor."""
    codec: str
    """Recipe by which some of the clips are coded."""
    quality: tuple[float, float]
    """Best and worst value of its knob."""
    patches: int
    """How many are cut out, once."""
    steps: int
    """Steps of gradient descent in the longest stage."""
    batch: int
    """Patches a step."""
    learning_rate: float
    """Peak of the one-cycle schedule of the longest stage."""
    each: int = 100
    """Steps from one row of the log, and one checkpoint, to the next."""
    seed: int = 0
    """Seed of weights and patches."""


class StageLearner(Learner):
    """One stage; an epoch is ``settings.each`` steps.

    Parameters
    ----------
    network
        What learns.
    pool
        What it learns from.
    settings
        What decides the result.
    stage
        Its number, which its seed is made from.
    share
        Its steps, as a share of ``settings.steps``.
    device
        Where to compute.
    """

    unit = "step"

    def __init__(
        self,
        network: nn.Module,
        pool: PatchPool,
        settings: RoutedSettings,
        *,
        stage: int,
        share: float = 1.0,
        device: torch.device,
    ) -> None:
        self.network, self.pool, self.settings, self.device = network.to(device), pool, settings, device
        self.stage, self.all_steps = stage, max(1, round(settings.steps * share))
        self.epochs, self.learning_rate = math.ceil(self.all_steps / settings.each), settings.learning_rate
        self.noted: dict[str, list[float]] = {}
        self.optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)

    def steps(self, epoch: int) -> int:
        """So many as are left, at most ``settings.each``."""
        return min(self.settings.each, self.all_steps - epoch * self.settings.each)

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return (self.settings.seed * 101 + self.stage) * 1_000_003 + epoch * self.settings.each

    def begin(self) -> None:
        """Get ready for an epoch."""
        self.network.train()
        self.noted = {}

    def note(self, **values: float) -> None:
        """Remember numbers whose means the log has."""
        for name, value in values.items():
            self.noted.setdefault(name, []).append(value)

    def row(self, epoch: int, step: int, loss: float, scores: Row) -> Row:
        """Steps done, loss, and means of what was noted."""
        means = {name: float(f"{sum(values) / len(values):.4g}") for name, values in self.noted.items()}
        return {"step": step, "loss": float(f"{loss:.4g}"), **means, **scores}


def learned(run: Training, learner: StageLearner, name: str) -> dict[str, Tensor]:
    """The weights that a stage ends with, which the network has afterwards; a stage that is done is not repeated."""

    def fit() -> dict[str, Any]:
        run.fit(learner, name)
        return {"weights": {key: tensor.detach().clone() for key, tensor in learner.network.state_dict().items()}}

    weights: dict[str, Tensor] = run.stage(name, fit)["weights"]
    learner.network.load_state_dict(weights)
    return weights


def freeze(parameters: Iterable[nn.Parameter], frozen: bool = True) -> None:
    """Say whether parameters learn."""
    for parameter in parameters:
        parameter.requires_grad_(not frozen)
