"""The training loop: epochs, validation, checkpoints from which a killed run resumes to the same result."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from vidlink.data.faces import AFFECT
from vidlink.errors import UserError
from vidlink.metrics import score_table
from vidlink.training.checkpoint import load_checkpoint, save_checkpoint, write_whole
from vidlink.training.degrade import Degradation, degrade, downsample_and_back, vary
from vidlink.training.objective import affect_loss

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor, nn

    from vidlink.data.faces import FaceSet


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides what a run learns; a checkpoint resumes only under the same."""

    regime: str
    """Name of the regime."""
    data: str
    """Spec of the training data."""
    epochs: int
    """Times each face is seen."""
    batch: int = 256
    """Faces a step."""
    learning_rate: float = 1e-3
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.02
    """Decoupled weight decay of AdamW."""
    average: float = 0.998
    """Decay a step of the moving average of the weights, which is what is kept."""
    generated: float = 0.0
    """Share of generated faces in each batch."""
    seed: int = 0
    """Seed of weights, order, degradations and dropout."""
    start: str = ""
    """Digest of the weights to start from; empty for random ones."""


class Training:
    """One run: a network, its faces and its state, epoch by epoch.

    Parameters
    ----------
    network
        Takes (n, 1, side, side) within [0, 1], gives valence, arousal and logits of the emotions.
    faces
        To learn from.
    settings
        What decides the result.
    degradation
        What the pictures go through.
    generated
        Faces to mix in; needed where ``settings.generated`` is not 0.
    device
        Where to compute.
    """

    def __init__(
        self,
        network: nn.Module,
        faces: FaceSet,
        settings: Settings,
        degradation: Degradation,
        *,
        generated: FaceSet | None = None,
        device: torch.device,
    ) -> None:
        self.settings, self.degradation, self.device = settings, degradation, device
        self.faces, self.generated = faces, generated
        self.network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.from_generated = round(settings.batch * settings.generated) if generated is not None else 0
        self.steps = max(1, len(faces) // (settings.batch - self.from_generated))
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=settings.weight_decay)
        self.half = computes_bfloat16(device)
        self.epoch = 0
        self.log: list[dict[str, float]] = []

    def state(self) -> dict[str, Any]:
        """Everything needed to go on after the last finished epoch."""
        return {
            "settings": asdict(self.settings),
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "average": self.average,
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
        self.network.load_state_dict(state["network"])
        self.average = {name: tensor.to(self.device) for name, tensor in state["average"].items()}
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.log = state["epoch"], state["log"]
        return True

    def run(self, valid: FaceSet, checkpoint: Path, *, quiet: bool = False) -> Iterator[dict[str, float]]:
        """Train to the last epoch; after each epoch save the checkpoint and yield the epoch's row of the log.

        Raises
        ------
        UserError
            Where the loss is no longer finite: it names the step and the last good checkpoint.
        """
        total = self.settings.epochs * self.steps
        with tqdm(total=total, initial=self.epoch * self.steps, unit="step", disable=quiet) as bar:
            while self.epoch < self.settings.epochs:
                loss = self._train_epoch(bar, checkpoint)
                self.epoch += 1
                row = {"epoch": self.epoch, "loss": round(loss, 5), **self.validate(valid)}
                self.log.append(row)
                save_checkpoint(checkpoint, self.state())
                bar.set_postfix_str(f"epoch {self.epoch}, " + _summary(row))
                yield row

    def _train_epoch(self, bar: tqdm, checkpoint: Path) -> float:
        # Both generators start afresh each epoch, so that resuming needs no state of theirs.
        generator = torch.Generator().manual_seed(self.settings.seed * 100_003 + self.epoch)
        self.network.train()
        losses: list[float] = []
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.settings.seed * 100_003 + self.epoch)
            for pictures, affect, distribution in self._batches(generator):
                loss = self._step(pictures, affect, distribution, self.epoch * self.steps + len(losses))
                if not np.isfinite(loss):
                    step = self.epoch * self.steps + len(losses) + 1
                    kept = checkpoint if checkpoint.exists() else "none yet"
                    raise UserError(f"the loss is {loss} at step {step}; last good checkpoint: {kept}")
                losses.append(loss)
                bar.update()
        return float(np.mean(losses))

    def _batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        order = torch.randperm(len(self.faces), generator=generator).numpy()
        real = min(self.settings.batch - self.from_generated, len(self.faces))
        for step in range(self.steps):
            parts = [self.faces.take(order[step * real : (step + 1) * real])]
            if self.generated is not None and self.from_generated:
                rows = torch.randint(len(self.generated), (self.from_generated,), generator=generator).numpy()
                parts.append(self.generated.take(rows))
            images = torch.from_numpy(np.concatenate([part.images for part in parts]))
            pictures = images.to(self.device)[:, None].float() / 255
            pictures = degrade(vary(pictures, self.degradation, generator), self.degradation, generator)
            affect = torch.from_numpy(np.concatenate([part.affect for part in parts]))
            distribution = torch.from_numpy(np.concatenate([part.distribution for part in parts]))
            yield pictures, affect.to(self.device), distribution.to(self.device)

    def _step(self, pictures: Tensor, affect: Tensor, distribution: Tensor, step: int) -> float:
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            outputs = self.network(pictures)
        loss = affect_loss(outputs, affect, distribution)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        for group in self.optimizer.param_groups:
            group["lr"] = one_cycle(step / (self.settings.epochs * self.steps), self.settings.learning_rate)
        self.optimizer.step()
        decay = min(self.settings.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, tensor in self.network.state_dict().items():
                self.average[name].lerp_(tensor, 1 - decay)
        return float(loss.detach())

    def validate(self, faces: FaceSet, scales: tuple[float, ...] = (1.0, 3.0, 6.0)) -> dict[str, float]:
        """CC and CCC of the averaged weights at a few scale factors, keyed ``valence_ccc_s3`` and so on."""
        trained = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        self.network.eval()
        scores = {}
        for scale in scales:
            table = score_table(AFFECT, self._predict(faces, scale), faces.affect)
            for score in ("cc", "ccc"):
                for dimension in AFFECT:
                    scores[f"{dimension}_{score}_s{scale:g}"] = round(table[score][dimension] or 0.0, 5)
        self.network.load_state_dict(trained)
        return scores

    def _predict(self, faces: FaceSet, scale: float) -> np.ndarray:
        outputs = []
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            for start in range(0, len(faces), 512):
                pictures = torch.from_numpy(faces.images[start : start + 512]).to(self.device)[:, None].float() / 255
                lr_sides = torch.full((len(pictures),), round(pictures.shape[-1] / scale))
                pictures = downsample_and_back(pictures, lr_sides).contiguous(memory_format=torch.channels_last)
                outputs.append(self.network(pictures)[:, : len(AFFECT)].float().cpu().numpy())
        return np.concatenate(outputs)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16, which needs no loss scaling.

    With them and channels last, a step on a CPU takes about a quarter of the time that float32 takes.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and supported is not None and bool(supported())


def one_cycle(progress: float, peak: float, warm_up: float = 0.2) -> float:
    """Learning rate after a share of the run: up to the peak and down to nothing, along cosines.

    L. N. Smith and N. Topin, "Super-convergence", arXiv 1708.07120.

    Parameters
    ----------
    progress
        Share of the run that is done, from 0 to 1.
    peak
        Largest rate.
    warm_up
        Share of the run until the peak; it starts at a 25th of it.
    """
    if progress < warm_up:
        low, high, along = peak / 25, peak, progress / warm_up
    else:
        low, high, along = 0.0, peak, (1 - progress) / (1 - warm_up)
    return low + (high - low) * (1 - math.cos(math.pi * along)) / 2


def save_log(path: Path, log: list[dict[str, float]]) -> None:
    """Save one row an epoch as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(log[0]) if log else ["epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(log)
    write_whole(path, lambda partial: partial.write_text(text.getvalue(), encoding="utf-8"))


def _summary(row: dict[str, float]) -> str:
    scales = sorted(key.removeprefix("valence_ccc_s") for key in row if key.startswith("valence_ccc_s"))
    return ", ".join(f"s={s}: {row[f'valence_ccc_s{s}']:.3f}/{row[f'arousal_ccc_s{s}']:.3f}" for s in scales)
