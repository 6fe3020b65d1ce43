"""Batches of labelled pictures that a thin link has gone over, and all that decides what is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.training.degrade import Degradation, draw_scales, send
from vidlink.training.scenes import Variation, vary_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from vidlink.data.picture_set import Held
    from vidlink.training.coded import Coding
    from vidlink.training.disturb import Mix


@dataclass(frozen=True, kw_only=True)
class PictureSettings:
    """Everything that decides what a run learns; a checkpoint resumes only under the same."""

    task: str
    """Name of the task."""
    regime: str
    """Name of the regime."""
    network: str
    """Name of the network."""
    width: int
    """Its width."""
    size: tuple[int, int]
    """Width and height of its pictures in pixels."""
    data: str
    """Spec of the training data, without the path."""
    valid: str
    """The same of the data to validate on, or the share that is held out."""
    epochs: int
    """Times each picture is seen."""
    batch: int
    """Pictures a step."""
    learning_rate: float
    """Peak of the one-cycle schedule."""
    optimizer: str
    """``sgd`` (momentum 0.9, Nesterov) or ``adamw``."""
    weight_decay: float
    """Of SGD added to the gradient, of AdamW decoupled."""
    average: float = 0.99
    """Decay a step of the moving average of the weights, which is what is kept."""
    encoder_rate: float = 1.0
    """Learning rate of the network's encoder as a share of that of the rest; 0 freezes it."""
    loss: str = "recognition"
    """What is learned from, as :func:`~vidlink.training.losses.parse_loss` reads it."""
    recognizer_rate: float = 1.0
    """Learning rate of what follows the encoder as a share; 0 freezes it."""
    restorer_width: int | None = None
    """Channels of the restorer's first layer; None for its default."""
    teacher: str = ""
    """Digest of the teacher's weights; empty for none."""
    pretrained: str = ""
    """What super-resolution pre-trained the encoder: factor and epochs; empty for nothing."""
    start: str = ""
    """Digests of the weights to start from; empty for random ones."""
    coded: float = 0.0
    """Share of the pictures that go through a real codec."""
    codec: str = ""
    """Name of that codec."""
    disturb: str | None = None
    """What goes wrong before the link; None for nothing."""
    seed: int = 0
    """Seed of weights, order, degradations and dropout."""


@dataclass(frozen=True, kw_only=True)
class SceneBatch:
    """What one step sees; n pictures of the network's size."""

    pristine: Tensor
    """Varied, neither disturbed nor degraded, shape (n, 3, height, width), within [0, 1]."""
    pictures: Tensor
    """The same, disturbed and degraded."""
    scales: Tensor
    """Scale factor of each, shape (n,)."""
    labels: Any
    """What is known of them: (n,), (n, h, w), or boxes with the size of the picture that they count in."""


class SceneBatches:
    """Draws batches of pictures.

    Parameters
    ----------
    held
        The pictures; each is seen once an epoch, but for what is left over at the end.
    settings
        Size of the network's pictures, and of a batch.
    variation, degradation
        What they go through.
    disturb
        What goes wrong with them before the link; None for nothing.
    coding
        What some go through in place of downsampling alone; None for nothing.
    device
        Where the batches go.
    """

    def __init__(
        self,
        held: Held,
        settings: PictureSettings,
        variation: Variation,
        degradation: Degradation,
        *,
        disturb: Mix | None = None,
        coding: Coding | None = None,
        device: torch.device,
    ) -> None:
        self.held, self.settings, self.variation, self.degradation = held, settings, variation, degradation
        self.disturb, self.coding, self.device = disturb, coding, device
        self.count = min(settings.batch, len(held))
        self.steps = max(1, len(held) // self.count)
        plain = degradation.scales == (1.0, 1.0) and coding is None and disturb is None
        # Where nothing happens at HR, all work is done at the network's size.
        self._varied_size = settings.size if plain else held.images.shape[2:0:-1]

    def epoch(self, generator: Generator) -> Iterator[SceneBatch]:
        """The batches of one epoch, all chance from ``generator``, which is on the CPU."""
        order = torch.randperm(len(self.held), generator=generator).numpy()
        size = self.settings.size
        for step in range(self.steps):
            rows = order[step * self.count : (step + 1) * self.count]
            images = as_pictures(self.held.images[rows], self.device)
            varied, labels = vary_scene(
                images, self._labels(rows), self.held.form, self.variation, generator, self._varied_size
            )
            source = self.disturb(varied, generator) if self.disturb else varied
            scales = draw_scales(len(rows), self.degradation, generator)
            pictures = send(source, scales, size)
            if self.coding is not None:
                self._code(source, pictures, scales, generator)
            yield SceneBatch(
                pristine=send(varied, torch.ones(len(rows)), size).contiguous(memory_format=torch.channels_last),
                pictures=pictures.contiguous(memory_format=torch.channels_last),
                scales=scales.to(self.device),
                labels=labels,
            )

    def _labels(self, rows: Any) -> Any:
        if self.held.form == "boxes":
            return [torch.from_numpy(self.held.labels[row].astype(np.float32)) for row in rows]
        return torch.from_numpy(self.held.labels[rows])

    def _code(self, source: Tensor, pictures: Tensor, scales: Tensor, generator: Generator) -> None:
        """Send groups through a real codec; a group shares a factor and a GOP."""
        from vidlink.training.coded_scenes import code_scenes

        coding: Any = self.coding
        for start in range(0, len(source), coding.group):
            if float(torch.rand((), generator=generator)) < coding.share:
                group = slice(start, start + coding.group)
                scale = float(draw_scales(1, self.degradation, generator))
                coded = code_scenes(source[group], scale, coding, generator)
                pictures[group], scales[group] = send(coded, torch.ones(len(coded)), self.settings.size), scale


def as_pictures(images: Any, device: torch.device) -> Tensor:
    """8-bit pictures (n, h, w, 3) as (n, 3, h, w) within [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 255
