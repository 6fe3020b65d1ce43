"""Super-resolution (pre-)training: a restorer learns to give back the detail that a scale factor took."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from tqdm import tqdm

from vidlink.errors import UserError
from vidlink.nets.precision import computes_bfloat16
from vidlink.training.checkpoint import load_checkpoint, save_checkpoint
from vidlink.training.loop import one_cycle
from vidlink.training.patches import Patches
from vidlink.training.restore import mean_psnr_db, score_restorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from vidlink.training import patches

    Row = dict[str, float]


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


class SuperResolution:
    """One run: a restorer, its images and its state.

    It minimises the mean squared error by Adam (Kingma and Ba, arXiv 1412.6980) along a one-cycle schedule, in bfloat16
    where the device has instructions for it: what a restorer adds to interpolation is small, so its rounding is too.

    Parameters
    ----------
    restorer
        Called with pictures and their scale factors, shapes (n, 1, h, w) and (n,). It may say that it ``takes_lr`` and
        how many pixels it lacks on each side (``shrink``).
    images
        Luma, 8 bits, shape (height, width) each.
    settings
        What decides the result.
    device
        Where to compute.

    Raises
    ------
    UserError
        Where no image is as large as a patch, or the restorer is for another scale factor.
    """

    def __init__(
        self, restorer: nn.Module, images: Sequence[NDArray[np.uint8]], settings: SRSettings, *, device: torch.device
    ) -> None:
        self.settings, self.device = settings, device
        self.restorer = restorer.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        takes_lr = getattr(restorer, "takes_lr", False)
        if takes_lr and settings.scales != (restorer.scale, restorer.scale):
            raise UserError(f"{type(restorer).__name__} for scale {restorer.scale}: cannot learn {settings.scales}")
        self.patches = Patches(images, settings.scales, settings.side, resampling=settings.resampling, lr=takes_lr)
        self.optimizer = torch.optim.Adam(self.restorer.parameters(), lr=settings.learning_rate)
        self.half = computes_bfloat16(device)
        self.step = 0
        self.log: list[Row] = []

    def state(self) -> dict[str, Any]:
        """Everything needed to go on from here."""
        return {
            "settings": asdict(self.settings),
            "step": self.step,
            "network": self.restorer.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "log": self.log,
        }

    def resume(self, checkpoint: Path) -> bool:
        """Go on from ``checkpoint`` where it exists; whether it did.

        Raises
        ------
        UserError
            Where the checkpoint is damaged or belongs to a run with other settings.
        """
        state = load_checkpoint(checkpoint, asdict(self.settings))
        if state is None:
            return False
        self.restorer.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.log = state["step"], state["log"]
        return True

    def run(
        self,
        valid: Mapping[str, NDArray[np.uint8]] | None = None,
        checkpoint: Path | None = None,
        *,
        quiet: bool = False,
    ) -> Iterator[Row]:
        """Train to the last step; every so often save the checkpoint and yield a row of the log.

        Parameters
        ----------
        valid
            Images to score on, at the largest scale factor; none by default.
        checkpoint
            Where to keep the state; nowhere by default.
        quiet
            No progress bar.

        Raises
        ------
        UserError
            Where the loss is no longer finite: it names the step and the last good checkpoint.
        """
        with tqdm(total=self.settings.steps, initial=self.step, unit="step", disable=quiet) as bar:
            while self.step < self.settings.steps:
                loss = self._train(min(self.settings.each, self.settings.steps - self.step), bar, checkpoint)
                row: Row = {"step": self.step, "loss": float(f"{loss:.4g}")}
                if valid:
                    scores = score_restorer(self.restorer, valid, self.settings.scales[1], device=self.device)
                    row["psnr_db"] = round(mean_psnr_db(scores), 3)
                self.log.append(row)
                if checkpoint is not None:
                    save_checkpoint(checkpoint, self.state())
                bar.set_postfix_str(", ".join(f"{name} {value:g}" for name, value in row.items() if name != "step"))
                yield row

    def _train(self, count: int, bar: tqdm, checkpoint: Path | None) -> float:
        # The generator starts afresh with each row of the log, so that resuming needs no state of it.
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.step)
        self.restorer.train()
        total = 0.0
        for _ in range(count):
            loss = self._step(*self.patches.draw(self.settings.batch, generator))
            if not math.isfinite(loss):
                kept = checkpoint if checkpoint is not None and checkpoint.exists() else "none yet"
                raise UserError(f"the loss is {loss} at step {self.step + 1}; last good checkpoint: {kept}")
            total += loss
            self.step += 1
            bar.update()
        return total / count

    def _step(self, given: torch.Tensor, target: torch.Tensor, scale: torch.Tensor) -> float:
        given, target, scale = (tensor.to(self.device, non_blocking=True) for tensor in (given, target, scale))
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            restored = self.restorer(given.contiguous(memory_format=torch.channels_last), scale)
        edge = (target.shape[-1] - restored.shape[-1]) // 2
        inner = target[..., edge : target.shape[-2] - edge, edge : target.shape[-1] - edge]
        loss = functional.mse_loss(restored.float(), inner)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = one_cycle(self.step / self.settings.steps, self.settings.learning_rate)
        self.optimizer.step()
        return float(loss.detach())


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
    seed: int = 0,
    device: torch.device | str = "cpu",
    quiet: bool = True,
) -> float:
    """Train a restorer in place, before it is joined to a recognizer.

    Parameters
    ----------
    restorer
        As for :class:`SuperResolution`.
    images
        Luma, 8 bits, shape (height, width) each.
    scale
        Scale factor, or the least and the largest one.
    steps, batch, side, learning_rate, resampling, seed
        As in :class:`SRSettings`; here patches lose their detail as on this project's link.
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
    run = SuperResolution(restorer, images, settings, device=torch.device(device))
    return [row["loss"] for row in run.run(quiet=quiet)][-1]
