"""How restorers of several pictures learn: windows of clips, and an error of every branch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from vidlink.nets.precision import computes_bfloat16
from vidlink.training.learner import Learner
from vidlink.training.sequences import Through, Windows, score_windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from vidlink.nets.temporal_sr import TemporalSR
    from vidlink.training.learner import Row

BRANCHES = 0.3
"""Weight of the branches' own errors beside that of the result."""


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """Everything that decides what a restorer learns from clips; a checkpoint resumes only under the same."""

    network: str
    """Name of the restorer."""
    width: int
    """Channels of its branches."""
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
    """Steps of gradient descent."""
    batch: int
    """Patches a step."""
    side: int
    """Side of a patch in pixels."""
    learning_rate: float
    """Peak of the one-cycle schedule."""
    still: bool = False
    """Whether the picture that is asked about stands in for its neighbours: a network of the same size that sees one
    picture."""
    each: int = 200
    """Steps from one row of the log, and one checkpoint, to the next."""
    seed: int = 0
    """Seed of weights and patches."""


class ClipLearner(Learner):
    """A restorer that learns from clips; an epoch is ``settings.each`` steps.

    It minimises the mean squared error of its result and, with less weight, that of each branch, by Adam.

    Parameters
    ----------
    network
        What learns.
    clips
        Luma by name, shape (frames, height, width) each.
    settings
        What decides the result.
    through
        What the clips go through.
    valid
        Clips to score on after each epoch, uncoded at the largest scale factor; none by default.
    windows
        Patches that were cut out before; None to cut them out.
    device
        Where to compute.

    Raises
    ------
    UserError
        Where no clip is as large or as long as a window.
    """

    clip = None
    unit = "step"

    def __init__(
        self,
        network: TemporalSR,
        clips: Mapping[str, NDArray[np.uint8]],
        settings: ClipSettings,
        through: Through,
        *,
        valid: Mapping[str, NDArray[np.uint8]] | None = None,
        windows: Windows | None = None,
        device: torch.device,
    ) -> None:
        self.settings, self.through, self.valid, self.device = settings, through, valid or {}, device
        self.epochs, self.learning_rate = math.ceil(settings.steps / settings.each), settings.learning_rate
        self.network: TemporalSR = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.windows = windows or Windows(
            list(clips.values()),
            through,
            frames=network.frames,
            count=settings.patches,
            side=settings.side,
            seed=settings.seed,
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate)
        self.half = computes_bfloat16(device)

    def steps(self, epoch: int) -> int:
        """So many as are left, at most ``settings.each``."""
        return min(self.settings.each, self.settings.steps - epoch * self.settings.each)

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return self.settings.seed * 1_000_003 + epoch * self.settings.each

    def batches(self, epoch: int, generator: Generator) -> Iterator[tuple[Tensor, ...]]:
        """Windows, targets, scale factors and QP."""
        for _ in range(self.steps(epoch)):
            given, *others = self.windows.draw(self.settings.batch, generator)
            yield (given[:, :1].expand_as(given) if self.settings.still else given, *others)

    def loss(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Mean squared error of the result, and of the branches."""
        given, target, scale, qp = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            together, *branches = self.network.estimates(given.contiguous(memory_format=torch.channels_last), scale, qp)
        own = torch.stack([functional.mse_loss(branch.float(), target) for branch in branches]).mean()
        return functional.mse_loss(together.float(), target) + BRANCHES * own

    def validate(self) -> Row:
        """Mean PSNR over the clips to score on, ten pictures of each."""
        if not self.valid:
            return {}
        rows = score_windows(
            self.network,
            self.valid,
            self.through,
            scale=self.settings.scales[1],
            frames=self.network.frames,
            count=10,
            still=self.settings.still,
        )
        return {"psnr_db": round(float(np.mean([row["psnr_db"] for row in rows])), 3)}

    def row(self, epoch: int, step: int, loss: float, scores: Row) -> Row:
        """Steps done, loss, and PSNR where there are clips to score on."""
        return {"step": step, "loss": float(f"{loss:.4g}"), **scores}
