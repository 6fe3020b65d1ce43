"""What the network that looks at single pictures sees of coded tracks and of stills, worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vidlink.nets.precision import computes_bfloat16
from vidlink.training.degrade import Degradation, degrade, vary
from vidlink.training.temporal import Looks

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from vidlink.data.face_set import FaceSet
    from vidlink.training.tracks import Tracks

_BATCH = 64


def looks_at_tracks(
    base: nn.Module, tracks: Tracks, device: torch.device, watch: Callable[[int], None] | None = None
) -> Looks:
    """What the network sees of each look; ``watch`` is told how many are done."""
    count, length = tracks.scale.shape
    pictures = torch.from_numpy(tracks.pictures).flatten(0, 1)[:, None]
    scale = torch.from_numpy(tracks.scale)
    features = _features(base, pictures, scale.flatten(), device, watch)
    return Looks(
        features=features.reshape(count, length, -1),
        affect=torch.from_numpy(tracks.affect),
        distribution=torch.from_numpy(tracks.distribution),
        scale=scale,
        qp=torch.from_numpy(tracks.qp),
        age_s=torch.from_numpy(tracks.age_s),
    )


def looks_at_stills(
    base: nn.Module, faces: FaceSet, degradation: Degradation, seed: int, device: torch.device
) -> Looks:
    """What it sees of faces that were varied and downsampled, each by a factor of its own, and never coded."""
    generator = torch.Generator().manual_seed(seed)
    source = vary(torch.from_numpy(faces.images)[:, None].float() / 255, degradation, generator)
    pictures, scale = degrade(source, degradation, generator)
    features = _features(base, (pictures * 255).round().to(torch.uint8), scale, device, None)
    return Looks(
        features=features[:, None],
        affect=torch.from_numpy(faces.affect)[:, None],
        distribution=torch.from_numpy(faces.distribution)[:, None],
        scale=scale[:, None],
        qp=torch.full((len(faces), 1), np.nan),
        age_s=torch.zeros(len(faces), 1),
    )


def _features(
    base: Any, pictures: Tensor, scale: Tensor, device: torch.device, watch: Callable[[int], None] | None
) -> Tensor:
    """Features in half precision, shape (n, features), of 8-bit pictures of shape (n, 1, side, side)."""
    base.to(device=device, memory_format=torch.channels_last).eval()
    half, parts = computes_bfloat16(device), []
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
        for some, factors in zip(pictures.split(_BATCH), scale.split(_BATCH), strict=True):
            shown = (some.to(device).float() / 255).contiguous(memory_format=torch.channels_last)
            parts.append(base.features(shown, factors.to(device)).half().cpu())
            if watch:
                watch(len(some))
    return torch.cat(parts).clone()
