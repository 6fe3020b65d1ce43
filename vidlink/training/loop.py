"""The training loop: epochs, validation, checkpoints from which a killed run resumes to the same result."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from vidlink.errors import UserError
from vidlink.files.whole import write_whole
from vidlink.labels.affect import AFFECT
from vidlink.nets.precision import computes_bfloat16
from vidlink.scores.metrics import score_table
from vidlink.training.batches import Batch, Batches
from vidlink.training.checkpoint import load_checkpoint, save_checkpoint
from vidlink.training.degrade import Degradation, downsample_and_back
from vidlink.training.disturb import parse_mix
from vidlink.training.objective import affect_loss, feature_distance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor, nn

    from vidlink.data.face_set import FaceSet
    from vidlink.training.coded import Coding


@dataclass(frozen=True, kw_only=True)
class AffectSettings:
    """Everything that decides what a run learns; a checkpoint resumes only under the same."""

    regime: str
    """Name of the regime."""
    network: str = ""
    """Name of the network."""
    width: int = 0
    """Its width."""
    data: str
    """Spec of the training data."""
    split: dict[str, str] = field(default_factory=lambda: {"train": "train", "valid": "valid"})
    """Its splits, to learn from and to validate on."""
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
    disturb: str | None = None
    """What goes wrong before the link, as :func:`~vidlink.training.disturb.parse_mix` reads it; None for nothing."""
    seed: int = 0
    """Seed of weights, order, degradations and dropout."""
    start: str = ""
    """Digest of the weights to start from; empty for random ones."""
    encoder_rate: float = 1.0
    """Learning rate of the network's encoder as a share of that of the rest; 0 freezes it."""
    pretrained: str = ""
    """What super-resolution pre-trained the encoder: data, factor and epochs; empty for nothing."""
    coded: float = 0.0
    """Share of the pictures that go through a real codec."""
    codec: str = ""
    """Name of that codec."""
    teacher: str = ""
    """Digest of the teacher's weights; empty for none."""
    distil: float = 0.0
    """Weight of the distance between the network's features and the teacher's."""
    patience: int = 0
    """Epochs without a better validation score after which training stops; 0 to go on to the end."""


GLANCE = 1200
"""So many faces, or up to twice as many, are looked at after each epoch; the scores at the end are of all of them."""


class Training:
    """One run: a network, its faces and its state, epoch by epoch.

    Parameters
    ----------
    network
        Takes (n, 1, side, side) within [0, 1] and scale factors, gives valence, arousal and logits of the emotions. It
        has ``encoder``, ``features`` and ``head`` (:mod:`vidlink.nets.build`).
    faces
        To learn from.
    settings
        What decides the result.
    degradation
        What the pictures go through.
    generated
        Faces to mix in; needed where ``settings.generated`` is not 0.
    coding
        What a share of the pictures goes through besides downsampling; None for nothing.
    teacher
        Sees the pristine pictures; its features are what the network's should be like. Needed where
        ``settings.distil`` is not 0.
    device
        Where to compute.
    """

    def __init__(
        self,
        network: nn.Module,
        faces: FaceSet,
        settings: AffectSettings,
        degradation: Degradation,
        *,
        generated: FaceSet | None = None,
        coding: Coding | None = None,
        teacher: nn.Module | None = None,
        device: torch.device,
    ) -> None:
        self.settings, self.degradation, self.device = settings, degradation, device
        self.batches = Batches(
            faces,
            degradation,
            size=settings.batch,
            generated=generated,
            share=settings.generated,
            disturb=parse_mix(settings.disturb) if settings.disturb else None,
            coding=coding,
            device=device,
        )
        self.network: Any = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.teacher: Any = teacher.to(device).eval().requires_grad_(False) if teacher is not None else None
        self.average = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.best: dict[str, Any] = {"score": -math.inf, "epoch": 0, "weights": self.average}
        self.steps = self.batches.steps
        self.optimizer = torch.optim.AdamW(self._groups(), lr=1e-3, weight_decay=settings.weight_decay)
        self.half = computes_bfloat16(device)
        self.epoch = 0
        self.log: list[dict[str, float]] = []
        if device.type == "cuda":
            self.network.compile()

    def _groups(self) -> list[dict[str, Any]]:
        """Parameters of the encoder, and the others, each with its share of the learning rate."""
        encoder = list(self.network.encoder.parameters())
        ours = {id(parameter) for parameter in encoder}
        rest = [parameter for parameter in self.network.parameters() if id(parameter) not in ours]
        if not self.settings.encoder_rate:
            self.network.encoder.requires_grad_(False)
            return [{"params": rest, "share": 1.0}]
        return [{"params": encoder, "share": self.settings.encoder_rate}, {"params": rest, "share": 1.0}]

    def state(self) -> dict[str, Any]:
        """Everything needed to go on after the last finished epoch."""
        return {
            "settings": asdict(self.settings),
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "average": self.average,
            "best": self.best,
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
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.log = state["epoch"], state["log"]
        return True

    def run(self, valid: FaceSet, checkpoint: Path, *, quiet: bool = False) -> Iterator[dict[str, float]]:
        """Train to the last epoch; after each epoch save the checkpoint and yield the epoch's row of the log.

        ``best`` holds the averaged weights of the epoch with the best validation score.

        Raises
        ------
        UserError
            Where the loss is no longer finite: it names the step and the last good checkpoint.
        """
        total = self.settings.epochs * self.steps
        with tqdm(total=total, initial=self.epoch * self.steps, unit="step", disable=quiet) as bar:
            while self.epoch < self.settings.epochs and not self._is_stuck():
                loss = self._train_epoch(bar, checkpoint)
                self.epoch += 1
                scores = self.validate(valid.take(np.arange(0, len(valid), max(1, len(valid) // GLANCE))))
                row = {"epoch": self.epoch, "loss": round(loss, 5), **scores}
                self.log.append(row)
                score = float(np.mean([value for name, value in scores.items() if "_ccc_" in name]))
                if score > self.best["score"]:
                    weights = {name: tensor.clone() for name, tensor in self.average.items()}
                    self.best = {"score": score, "epoch": self.epoch, "weights": weights}
                save_checkpoint(checkpoint, self.state())
                bar.set_postfix_str(f"epoch {self.epoch}, " + _summary(row))
                yield row

    def _is_stuck(self) -> bool:
        """Whether the last epochs, as many as the patience, brought nothing."""
        return 0 < self.settings.patience <= self.epoch - self.best["epoch"]

    def _train_epoch(self, bar: tqdm, checkpoint: Path) -> float:
        # Both generators start afresh each epoch, so that resuming needs no state of theirs.
        generator = torch.Generator().manual_seed(self.settings.seed * 100_003 + self.epoch)
        self.network.train()
        if not self.settings.encoder_rate:
            self.network.encoder.eval()
        losses: list[float] = []
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.settings.seed * 100_003 + self.epoch)
            for batch in self.batches.epoch(generator):
                loss = self._step(batch, self.epoch * self.steps + len(losses))
                if not np.isfinite(loss):
                    step = self.epoch * self.steps + len(losses) + 1
                    kept = checkpoint if checkpoint.exists() else "none yet"
                    raise UserError(f"the loss is {loss} at step {step}; last good checkpoint: {kept}")
                losses.append(loss)
                bar.update()
        return float(np.mean(losses))

    def _step(self, batch: Batch, step: int) -> float:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            features = self.network.features(batch.pictures, batch.scales)
            outputs = self.network.head(features)
        loss = affect_loss(outputs, batch.affect, batch.distribution, batch.scales)
        if self.teacher is not None:
            with torch.no_grad(), torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
                wanted = self.teacher.features(batch.pristine)
            loss = loss + self.settings.distil * feature_distance(features, wanted)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        rate = one_cycle(step / (self.settings.epochs * self.steps), self.settings.learning_rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        self.optimizer.step()
        decay = min(self.settings.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, tensor in self.network.state_dict().items():
                if tensor.is_floating_point():
                    self.average[name].lerp_(tensor, 1 - decay)
                else:
                    self.average[name].copy_(tensor)
        return float(loss.detach())

    def validate(
        self, faces: FaceSet, scales: tuple[float, ...] = (), weights: dict[str, Tensor] | None = None
    ) -> dict[str, float]:
        """CC and CCC at a few scale factors, keyed ``valence_ccc_s3`` and so on.

        Parameters
        ----------
        faces
            To validate on.
        scales
            Scale factors; by default the ends of the range that is trained, and its middle.
        weights
            By default the averaged ones.
        """
        least, largest = self.degradation.scales
        scales = scales or tuple(sorted({least, round(math.sqrt(least * largest) * 2) / 2, largest}))
        trained = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(weights or self.average)
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
                outputs.append(self.network(pictures, pictures.new_full((len(pictures),), scale))[:, : len(AFFECT)])
        return torch.cat(outputs).float().cpu().numpy()


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
