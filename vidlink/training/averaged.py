"""A learner that keeps a moving average of its weights, and whose early layers tune slower than the others, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from vidlink.training.learner import Learner

if TYPE_CHECKING:
    from typing import Protocol

    from torch import Tensor

    class Settings(Protocol):
        """What of its settings such a learner is told."""

        @property
        def average(self) -> float:
            """Decay a step of the average."""

        @property
        def encoder_rate(self) -> float:
            """Learning rate of the encoder as a share of that of the rest; 0 freezes it."""

        @property
        def seed(self) -> int:
            """Seed of the run."""


class AveragedLearner(Learner):
    """Keeps the average; a network has an ``encoder``, which is its early layers."""

    network: Any
    settings: Settings
    device: torch.device
    average: dict[str, Tensor]
    """The averaged weights."""

    def start_average(self) -> None:
        """Begin with the weights as they are."""
        self.average = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return self.settings.seed * 100_003 + epoch

    def begin(self) -> None:
        """Get ready for an epoch; statistics of a frozen encoder stay as they are."""
        self.network.train()
        if not self.settings.encoder_rate:
            self.network.encoder.eval()

    def after_step(self, step: int) -> None:
        """Move the average of the weights."""
        decay = min(self.settings.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, tensor in self.network.state_dict().items():
                if tensor.is_floating_point():
                    self.average[name].lerp_(tensor, 1 - decay)
                else:
                    self.average[name].copy_(tensor)

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights."""
        return self.average

    def state(self) -> dict[str, Any]:
        """The averaged weights."""
        return {"average": self.average}

    def load(self, state: dict[str, Any]) -> None:
        """Take back the averaged weights."""
        self.average = {name: tensor.to(self.device) for name, tensor in state["average"].items()}
