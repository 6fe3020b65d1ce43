"""Pictures of a training set, varied with their labels: mirrored, zoomed, shifted, in other light and colours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Generator, Tensor

LEAST_LEFT = 0.35
"""Share of a box that must still be in the picture for it to count."""
LEAST_SIDE = 3.0
"""Pixels of width and of height that must be left of it."""


@dataclass(frozen=True, kw_only=True)
class Variation:
    """How pictures vary; each draw is uniform."""

    zoom: tuple[float, float] = (0.9, 1.8)
    """Least and largest zoom, log-uniform."""
    contrast: tuple[float, float] = (0.7, 1.3)
    """Least and largest contrast."""
    brightness: float = 0.12
    """Largest change of brightness, as a share of full scale."""
    tint: float = 0.06
    """Largest change of one colour against the others, as a share of full scale."""
    pixels: int = 0
    """Where it is not 0: in place of zoom, contrast, brightness and tint a shift by whole pixels, at most so many."""


def vary_scene(
    pictures: Tensor,
    labels: Any,
    form: str,
    settings: Variation,
    generator: Generator,
    size: tuple[int, int] | None = None,
) -> tuple[Tensor, Any]:
    """Vary pictures and what is known of them alike.

    Parameters
    ----------
    pictures
        Shape (n, 3, h, w), within [0, 1].
    labels
        By ``form``: ``labels`` (n,); ``maps`` (n, h, w), 8 bits; ``boxes`` a list of (k, 5): edges in pixels and class.
    form
        Which of them.
    settings
        What to draw from.
    generator
        Source of all randomness; on the CPU.
    size
        Width and height in pixels of what comes back; None for that of the pictures. With whole-pixel shifts it is not
        looked at.

    Returns
    -------
    pictures, labels
        As they came, but for the size; boxes stay in pixels of the pictures. Those of which little is left are gone.
    """
    count = len(pictures)
    mirror = torch.rand(count, generator=generator) < 0.5
    if settings.pixels:
        return _shifted(pictures, mirror, settings.pixels, generator), labels

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    zoom = torch.exp(draw(math.log(settings.zoom[0]), math.log(settings.zoom[1]), count))
    room = (1 - 1 / zoom).abs()
    place = draw(-1, 1, count, 2) * room[:, None]
    along = torch.where(mirror, -1.0, 1.0) / zoom
    affine = torch.zeros(count, 2, 3)
    affine[:, 0, 0], affine[:, 1, 1], affine[:, :, 2] = along, 1 / zoom, place
    shape = [*pictures.shape[:2], *(size[::-1] if size else pictures.shape[-2:])]
    grid = functional.affine_grid(affine.to(pictures), shape, align_corners=False)
    varied = functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)
    gain, offset = (
        draw(*settings.contrast, count, 1, 1, 1),
        draw(-settings.brightness, settings.brightness, count, 1, 1, 1),
    )
    tint = draw(-settings.tint, settings.tint, count, 3, 1, 1)
    varied = ((varied - 0.5) * gain.to(varied) + 0.5 + (offset + tint).to(varied)).clamp(0, 1)
    if form == "maps":
        labels = functional.grid_sample(
            labels[:, None].to(pictures), grid, mode="nearest", padding_mode="border", align_corners=False
        )[:, 0].to(torch.uint8)
    elif form == "boxes":
        labels = [_moved(rows, affine[row], pictures.shape[-2:]) for row, rows in enumerate(labels)]
    return varied, labels


def _shifted(pictures: Tensor, mirror: Tensor, most: int, generator: Generator) -> Tensor:
    """Mirror pictures, and shift them by whole pixels; what comes in is mirrored at the edge."""
    count, _, height, width = pictures.shape
    drawn = torch.randint(-most, most + 1, (2, count, 1), generator=generator)
    rows, columns = torch.arange(height) + drawn[0], torch.arange(width) + drawn[1]
    rows = height - 1 - (height - 1 - rows.abs()).abs()
    columns = width - 1 - (width - 1 - columns.abs()).abs()
    columns = torch.where(mirror[:, None], columns.flip(1), columns)
    which = torch.arange(count)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _moved(rows: Tensor, affine: Tensor, size: torch.Size) -> Tensor:
    """Boxes after the picture was sampled at ``affine`` of its places."""
    height, width = size
    sides = torch.tensor([width, height], dtype=torch.float32)
    normal = rows[:, :4].reshape(-1, 2, 2) * 2 / sides - 1
    moved = (normal - affine[:, 2]) / affine.diagonal()
    pixels = (moved + 1) / 2 * sides
    low, high = pixels.amin(1), pixels.amax(1)
    left, right = low.clamp(min=0).minimum(sides), high.clamp(min=0).minimum(sides)
    share = (right - left).prod(1) / (high - low).prod(1).clamp(min=1e-6)
    kept = (share >= LEAST_LEFT) & (right - left >= LEAST_SIDE).all(1)
    return torch.cat([left, right, rows[:, 4:]], 1)[kept]
