"""Batches of faces: drawn, varied, degraded, and some of them coded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from vidlink.training.coded import code
from vidlink.training.degrade import degrade, draw_scales, vary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from vidlink.data.face_set import FaceSet
    from vidlink.training.coded import Coding
    from vidlink.training.degrade import Degradation
    from vidlink.training.disturb import Mix


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one step sees; n pictures."""

    pristine: Tensor
    """Varied, neither disturbed nor degraded, shape (n, 1, side, side), within [0, 1]."""
    pictures: Tensor
    """The same, disturbed and degraded."""
    scales: Tensor
    """Scale factor of each, shape (n,)."""
    affect: Tensor
    """Valence and arousal, shape (n, 2)."""
    distribution: Tensor
    """Share of the votes for each emotion, shape (n, 8); NaN rows where nobody voted."""


class Batches:
    """Draws the batches of an epoch.

    Parameters
    ----------
    faces
        Each is seen once an epoch, but for what is left over at the end.
    degradation
        What the pictures go through.
    size
        Pictures a batch.
    generated, share
        More faces, and their share of each batch.
    disturb
        What goes wrong with them before that; None for nothing.
    coding
        What some pictures go through in place of downsampling alone; None for nothing.
    device
        Where the batches go.
    """

    def __init__(
        self,
        faces: FaceSet,
        degradation: Degradation,
        *,
        size: int,
        generated: FaceSet | None = None,
        share: float = 0.0,
        disturb: Mix | None = None,
        coding: Coding | None = None,
        device: torch.device,
    ) -> None:
        self.faces, self.generated, self.degradation, self.coding = faces, generated, degradation, coding
        self.disturb, self.device = disturb, device
        self.from_generated = round(size * share) if generated is not None else 0
        self.from_faces = min(size - self.from_generated, len(faces))
        self.steps = max(1, len(faces) // (size - self.from_generated))

    def epoch(self, generator: Generator) -> Iterator[Batch]:
        """The batches of one epoch, all chance from ``generator``, which is on the CPU."""
        order = torch.randperm(len(self.faces), generator=generator).numpy()
        for step in range(self.steps):
            parts = [self.faces.take(order[step * self.from_faces : (step + 1) * self.from_faces])]
            if self.generated is not None and self.from_generated:
                rows = torch.randint(len(self.generated), (self.from_generated,), generator=generator).numpy()
                parts.append(self.generated.take(rows))
            images = torch.from_numpy(np.concatenate([part.images for part in parts]))
            pristine = vary(images.to(self.device)[:, None].float() / 255, self.degradation, generator)
            source = self.disturb(pristine, generator) if self.disturb else pristine
            pictures, scales = self._degraded(source, generator)
            affect = torch.from_numpy(np.concatenate([part.affect for part in parts]))
            distribution = torch.from_numpy(np.concatenate([part.distribution for part in parts]))
            yield Batch(
                pristine=pristine.contiguous(memory_format=torch.channels_last),
                pictures=pictures.contiguous(memory_format=torch.channels_last),
                scales=scales,
                affect=affect.to(self.device),
                distribution=distribution.to(self.device),
            )

    def _degraded(self, source: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Downsample each picture by a factor of its own; where there is a codec, whole groups share one and a GOP."""
        pictures, scales = degrade(source, self.degradation, generator)
        if self.coding is None:
            return pictures, scales
        for start in range(0, len(source), self.coding.group):
            if float(torch.rand((), generator=generator)) < self.coding.share:
                group = slice(start, start + self.coding.group)
                scale = float(draw_scales(1, self.degradation, generator))
                pictures[group], _ = code(source[group], scale, self.coding, generator)
                scales[group] = scale
        return pictures, scales
