"""Learning valence and arousal from labelled faces: batches, loss, moving average and validation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.labels.affect import AFFECT
from vidlink.nets.precision import computes_bfloat16
from vidlink.scores.metrics import score_table
from vidlink.training.averaged import AveragedLearner
from vidlink.training.batches import Batch, Batches
from vidlink.training.degrade import Degradation, downsample_and_back
from vidlink.training.disturb import parse_mix
from vidlink.training.objective import affect_loss, feature_distance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor, nn

    from vidlink.data.face_set import FaceSet
    from vidlink.training.coded import Coding
    from vidlink.training.learner import Row


@dataclass(frozen=True, kw_only=True)
class AffectSettings:
    """Everything that decides what a run learns; a checkpoint resumes only under the same."""

    regime: str
    """Name of the regime."""
    network: str = ""
    """Name of the network."""
    width: int = 0
    """Its width."""
    size: int = 48
    """Side of its pictures in pixels."""
    data: str
    """Spec of the training data."""
    split: dict[str, str] = field(default_factory=lambda: {"train": "train", "valid": "valid"})
    """Its splits, to learn from and to score on."""
    choose: int = 0
    """Faces of the first one by which the best epoch is chosen; 0 for a tenth, at most 3000."""
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


class AffectLearner(AveragedLearner):
    """A network that learns from faces; an epoch is one pass over them.

    Parameters
    ----------
    network
        Takes (n, 1, side, side) within [0, 1] and scale factors, gives valence, arousal and logits of the emotions. It
        has ``encoder``, ``features`` and ``head`` (:mod:`vidlink.nets.build`).
    faces, valid
        To learn from, and to choose the best epoch by.
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

    settings: AffectSettings

    def __init__(
        self,
        network: nn.Module,
        faces: FaceSet,
        valid: FaceSet,
        settings: AffectSettings,
        degradation: Degradation,
        *,
        generated: FaceSet | None = None,
        coding: Coding | None = None,
        teacher: nn.Module | None = None,
        device: torch.device,
    ) -> None:
        self.settings, self.degradation, self.device = settings, degradation, device
        self.epochs, self.learning_rate, self.patience = settings.epochs, settings.learning_rate, settings.patience
        self.valid = valid
        self._batches = Batches(
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
        self.start_average()
        self.optimizer = torch.optim.AdamW(self._groups(), lr=1e-3, weight_decay=settings.weight_decay)
        self.half = computes_bfloat16(device)
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

    def steps(self, epoch: int) -> int:
        """As many as the faces fill batches."""
        return self._batches.steps

    def batches(self, epoch: int, generator: Generator) -> Iterator[Batch]:
        """The batches of one pass."""
        return self._batches.epoch(generator)

    def loss(self, batch: Batch) -> Tensor:
        """:func:`~vidlink.training.objective.affect_loss`, and the distance from the teacher's features."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            features = self.network.features(batch.pictures, batch.scales)
            outputs = self.network.head(features)
        loss = affect_loss(outputs, batch.affect, batch.distribution, batch.scales)
        if self.teacher is not None:
            with torch.no_grad(), torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
                wanted = self.teacher.features(batch.pristine)
            loss = loss + self.settings.distil * feature_distance(features, wanted)
        return loss

    def validate(self) -> Row:
        """Scores on a part of the faces to validate on."""
        return self.scores(self.valid.take(np.arange(0, len(self.valid), max(1, len(self.valid) // GLANCE))))

    def score(self, scores: Row) -> float:
        """Mean CCC."""
        return float(np.mean([value for name, value in scores.items() if "_ccc_" in name]))

    def shown(self, row: Row) -> str:
        """CCC at each scale factor."""
        scales = sorted(key.removeprefix("valence_ccc_s") for key in row if key.startswith("valence_ccc_s"))
        shares = ", ".join(f"s={s}: {row[f'valence_ccc_s{s}']:.3f}/{row[f'arousal_ccc_s{s}']:.3f}" for s in scales)
        return f"epoch {row['epoch']}, {shares}"

    def scores(
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
        batch = 64 if self.device.type == "cpu" else 1024  # the activations of more do not stay in the cache
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            for start in range(0, len(faces), batch):
                pictures = torch.from_numpy(faces.images[start : start + batch]).to(self.device)[:, None].float() / 255
                lr_sides = torch.full((len(pictures),), round(pictures.shape[-1] / scale))
                pictures = downsample_and_back(pictures, lr_sides).contiguous(memory_format=torch.channels_last)
                outputs.append(self.network(pictures, pictures.new_full((len(pictures),), scale))[:, : len(AFFECT)])
        return torch.cat(outputs).float().cpu().numpy()
