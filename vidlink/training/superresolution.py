"""Super-resolution (pre-)training: a restorer learns to give back the detail that a scale factor took."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from vidlink.errors import UserError
from vidlink.nets.precision import computes_bfloat16
from vidlink.training.learner import Learner
from vidlink.training.loop import Training
from vidlink.training.patches import Patches
from vidlink.training.restore import mean_psnr_db, score_restorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor, nn

    from vidlink.training import patches
    from vidlink.training.disturb import Mix
    from vidlink.training.learner import Row


@dataclass(frozen=True, kw_only=True)
class SRSettings:
    """Everything that decides what a restorer learns; a checkpoint resumes only under the same."""

    network: str
    """Name of the restorer."""
    width: int = 0
    """Channels of its first layer, where they can be chosen; else 0."""
    data: str
    """What it learns from, without the path."""
    scales: tuple[float, float]
    """Least and largest scale factor."""
    resampling: patches.Resampling = "literature"
    """How patches lose their detail."""
    disturb: str = ""
    """What goes wrong before that, as :func:`~vidlink.training.disturb.parse_mix` reads it; empty for nothing."""
    steps: int = 20_000
    """Steps of gradient descent."""
    batch: int = 32
    """Patches a step."""
    side: int = 48
    """Side of a HR patch in pixels."""
    learning_rate: float = 1e-3
    """Peak of the one-cycle schedule."""
    each: int = 500
    """Steps from one row of the log, and one checkpoint, to the next."""
    seed: int = 0
    """Seed of weights and patches."""


class RestorerLearner(Learner):
    """A restorer that learns from images; an epoch is ``settings.each`` steps.

    It minimises the mean squared error by Adam (Kingma and Ba, arXiv 1412.6980), in bfloat16 where the device has
    instructions for it: what a restorer adds to interpolation is small, so its rounding is too.

    Parameters
    ----------
    restorer
        Called with pictures and their scale factors, shapes (n, 1, h, w) and (n,). It may say that it ``takes_lr`` and
        how many pixels it lacks on each side (``shrink``).
    images
        Luma, 8 bits, shape (height, width) each.
    settings
        What decides the result.
    valid
        Images to score on after each epoch, at the largest scale factor; none by default.
    device
        Where to compute.
    disturb
        What goes wrong before the patches lose detail.

    Raises
    ------
    UserError
        Where no image is as large as a patch, or the restorer is for another scale factor.
    """

    clip = None
    unit = "step"

    def __init__(
        self,
        restorer: nn.Module,
        images: Sequence[NDArray[np.uint8]],
        settings: SRSettings,
        *,
        valid: Mapping[str, NDArray[np.uint8]] | None = None,
        device: torch.device,
        disturb: Mix | None = None,
    ) -> None:
        self.settings, self.valid, self.device, self.disturb = settings, valid, device, disturb
        self.epochs, self.learning_rate = math.ceil(settings.steps / settings.each), settings.learning_rate
        self.network = restorer.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        takes_lr = getattr(restorer, "takes_lr", False)
        if takes_lr and settings.scales != (restorer.scale, restorer.scale):
            raise UserError(f"{type(restorer).__name__} for scale {restorer.scale}: cannot learn {settings.scales}")
        self.patches = Patches(
            images, settings.scales, settings.side, resampling=settings.resampling, lr=takes_lr, disturb=disturb
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate)
        self.half = computes_bfloat16(device)

    def steps(self, epoch: int) -> int:
        """So many as are left, at most ``settings.each``."""
        return min(self.settings.each, self.settings.steps - epoch * self.settings.each)

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return self.settings.seed * 1_000_003 + epoch * self.settings.each

    def batches(self, epoch: int, generator: Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Patches as the restorer gets them, as it should give them, and their scale factors."""
        for _ in range(self.steps(epoch)):
            yield self.patches.draw(self.settings.batch, generator)

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Mean squared error, without the edges that the restorer takes off."""
        given, target, scale = (tensor.to(self.device, non_blocking=True) for tensor in batch)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            restored = self.network(given.contiguous(memory_format=torch.channels_last), scale)
        edge = (target.shape[-1] - restored.shape[-1]) // 2
        inner = target[..., edge : target.shape[-2] - edge, edge : target.shape[-1] - edge]
        return functional.mse_loss(restored.float(), inner)

    def validate(self) -> Row:
        """Mean PSNR over the images to score on."""
        if not self.valid:
            return {}
        largest = self.settings.scales[1]
        scores = score_restorer(self.network, self.valid, largest, device=self.device, disturb=self.disturb)
        return {"psnr_db": round(mean_psnr_db(scores), 3)}

    def row(self, epoch: int, step: int, loss: float, scores: Row) -> Row:
        """Steps done, mean squared error, and PSNR where there are images to score on."""
        return {"step": step, "loss": float(f"{loss:.4g}"), **scores}


def pretrain(
    restorer: nn.Module,
    images: Sequence[NDArray[np.uint8]],
    scale: float | tuple[float, float],
    *,
    steps: int = 4000,
    batch: int = 32,
    side: int = 48,
    learning_rate: float = 1e-3,
    resampling: patches.Resampling = "link",
    disturb: Mix | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    quiet: bool = True,
) -> float:
    """Train a restorer in place, before it is joined to a recognizer.

    Parameters
    ----------
    restorer
        As for :class:`RestorerLearner`.
    images
        Luma, 8 bits, shape (height, width) each.
    scale
        Scale factor, or the least and the largest one.
    steps, batch, side, learning_rate, resampling, seed
        As in :class:`SRSettings`; here patches lose their detail as on this project's link.
    disturb
        What goes wrong before that; None for nothing.
    device
        Where to compute; the restorer stays there.
    quiet
        No progress bar.

    Returns
    -------
    float
        Mean squared error over the last steps, of pixels within [0, 1].

    Raises
    ------
    UserError
        Where no image is as large as a patch, or the loss is no longer finite.
    """
    settings = SRSettings(
        network=type(restorer).__name__,
        data="",
        scales=scale if isinstance(scale, tuple) else (scale, scale),
        resampling=resampling,
        steps=steps,
        batch=batch,
        side=side,
        learning_rate=learning_rate,
        seed=seed,
    )
    learner = RestorerLearner(restorer, images, settings, device=torch.device(device), disturb=disturb)
    run = Training({}, device=learner.device, quiet=quiet)
    run.fit(learner)
    return float(run.log[-1]["loss"])
