"""What a learner is: it gives batches, a loss and a validation; :mod:`vidlink.training.loop` does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Generator, Tensor, nn

    Row = dict[str, Any]


class Learner(ABC):
    """A network that learns something, epoch by epoch.

    An epoch is what lies between two checkpoints, and two rows of the log; it need not be one pass over the data.
    Each epoch starts with fresh seeds, so that a run that goes on needs no state of any generator.
    """

    network: nn.Module
    """What learns; its gradients are clipped together."""
    optimizer: torch.optim.Optimizer
    """A group of its parameters may have a ``share`` of the learning rate."""
    epochs: int
    """How many there are."""
    learning_rate: float
    """Peak of the one-cycle schedule over all steps."""
    clip: float | None = 5.0
    """Largest norm of the gradients; None for any."""
    patience: int = 0
    """Epochs without a better score after which learning stops; 0 to go on to the end."""
    unit: str = "epoch"
    """What messages count: epochs or steps."""

    @abstractmethod
    def steps(self, epoch: int) -> int:
        """Steps of an epoch, which are numbered from 0."""

    @abstractmethod
    def seed(self, epoch: int) -> int:
        """Seed of an epoch: of the generator that its batches come from, and of dropout."""

    @abstractmethod
    def batches(self, epoch: int, generator: Generator) -> Iterator[Any]:
        """The batches of an epoch, one a step; all chance from ``generator``, which is on the CPU."""

    @abstractmethod
    def loss(self, batch: Any) -> Tensor:
        """What is to be made small, a scalar."""

    def begin(self) -> None:
        """Get ready for an epoch."""
        self.network.train()

    def after_step(self, step: int) -> None:  # noqa: B027 (it may be left out)
        """Do what is to be done after a step of the optimizer; steps are counted from 0 over all epochs."""

    def validate(self) -> Row:
        """Scores after an epoch."""
        return {}

    def score(self, scores: Row) -> float | None:
        """How good an epoch was, larger is better; None where the last one counts."""
        return None

    def row(self, epoch: int, step: int, loss: float, scores: Row) -> Row:
        """The row of the log: epochs and steps done, mean loss of the epoch, and its scores."""
        return {"epoch": epoch, "loss": round(loss, 5), **scores}

    def shown(self, row: Row) -> str:
        """What the progress bar says of a row."""
        return ", ".join(f"{name} {value:g}" for name, value in row.items() if name != self.unit)

    def weights(self) -> dict[str, Tensor]:
        """What is kept of an epoch; tensors may change with the next step."""
        return self.network.state_dict()

    def state(self) -> dict[str, Any]:
        """What must be known to go on, beside network and optimizer."""
        return {}

    def load(self, state: dict[str, Any]) -> None:  # noqa: B027
        """Take back what :meth:`state` gave."""
