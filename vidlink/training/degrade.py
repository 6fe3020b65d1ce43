"""What a thin link does to pictures, seeded and on whole batches.

Downsampling by area and bicubic upsampling are linear and separable: for a picture ``X``, ``U D X D' U'`` with small
matrices ``D`` (LR x HR) and ``U`` (HR x LR). Each picture of a batch has its own factor, and a batch costs four batched
matrix products.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """How training pictures are degraded; each draw is uniform unless said otherwise."""

    scales: tuple[float, float] = (1.0, 6.0)
    """Least and largest scale factor."""
    pristine: float = 0.2
    """Share of pictures whose factor is exactly the least."""
    noise: float = 0.03
    """Largest standard deviation of sensor noise, as a share of full scale."""
    rotation: float = 9.0
    """Largest rotation in degrees."""
    zoom: tuple[float, float] = (0.86, 1.18)
    """Least and largest zoom, log-uniform: face boxes are looser or tighter than the training crops."""
    shift: float = 0.05
    """Largest shift, as a share of the side."""
    contrast: tuple[float, float] = (0.6, 1.25)
    """Least and largest contrast."""
    brightness: float = 0.15
    """Largest change of brightness, as a share of full scale."""


@lru_cache(maxsize=256)
def area_matrix(lr: int, hr: int) -> Tensor:
    """Weights of area downsampling: each LR sample is the mean of the HR interval that it covers, shape (lr, hr)."""
    edges = torch.arange(lr + 1, dtype=torch.float64) * hr / lr
    position = torch.arange(hr, dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], position + 1) - torch.maximum(edges[:-1, None], position)
    return (overlap.clamp(min=0) * lr / hr).float()


@lru_cache(maxsize=256)
def cubic_matrix(hr: int, lr: int, a: float = -0.75) -> Tensor:
    """Weights of bicubic upsampling with replicated edges, shape (hr, lr).

    R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29 (1981), with the
    parameter ``a`` of OpenCV.
    """
    centre = (torch.arange(hr, dtype=torch.float64) + 0.5) * lr / hr - 0.5
    base = centre.floor()
    weights = torch.zeros(hr, lr, dtype=torch.float64)
    for tap in range(-1, 3):
        x = (centre - base - tap).abs()
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        column = (base + tap).clamp(0, lr - 1).long()
        weights.scatter_add_(1, column[:, None], torch.where(x <= 1, near, far)[:, None])
    return weights.float()


@lru_cache(maxsize=8)
def _operators(side: int) -> tuple[Tensor, Tensor]:
    """Down and up matrices for every LR size up to ``side``, padded to ``side`` (LR edges replicated)."""
    down, up = torch.zeros(side + 1, side, side), torch.zeros(side + 1, side, side)
    for lr in range(1, side + 1):
        down[lr] = area_matrix(lr, side)[torch.arange(side).clamp(max=lr - 1)]
        up[lr, :, :lr] = cubic_matrix(side, lr)
    return down, up


def downsample_and_back(pictures: Tensor, lr_sides: Tensor) -> Tensor:
    """Send each picture through its own LR size: area down, rounded to 8 bits, bicubic up.

    Parameters
    ----------
    pictures
        Square luma, shape (n, 1, side, side), within [0, 1].
    lr_sides
        LR side of each picture in pixels, shape (n,), integers from 1 to ``side``.

    Returns
    -------
    Tensor
        Shape (n, 1, side, side), within [0, 1].
    """
    side = pictures.shape[-1]
    all_down, all_up = (matrix.to(pictures.device) for matrix in _operators(side))
    down, up = all_down[lr_sides], all_up[lr_sides]
    small = down @ pictures[:, 0] @ down.mT
    small = (small.clamp(0, 1) * 255).round() / 255
    return (up @ small @ up.mT).clamp(0, 1)[:, None]


def send(pictures: Tensor, scales: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Send pictures of any shape through their own scale factors, and bring them to the size that a network wants.

    As :func:`downsample_and_back`: area down, rounded to 8 bits, bicubic up; then area down to ``size``.

    Parameters
    ----------
    pictures
        Shape (n, c, h, w), within [0, 1].
    scales
        Scale factor of each, at least 1, shape (n,).
    size
        Width and height in pixels, at most those of the pictures; None for theirs.

    Returns
    -------
    Tensor
        Shape (n, c, height, width), within [0, 1].
    """
    hr = pictures.shape[-2:]
    wanted = (size[1], size[0]) if size else (hr[0], hr[1])
    sent = pictures.new_empty(*pictures.shape[:2], *wanted)
    groups: dict[tuple[int, ...], list[int]] = {}
    for row, scale in enumerate(scales.tolist()):
        groups.setdefault(tuple(max(1, round(side / scale)) for side in hr), []).append(row)
    for lr, rows in groups.items():
        some = pictures if len(rows) == len(pictures) else pictures[rows]
        if lr != tuple(hr):
            down, across = (area_matrix(small, side).to(pictures) for small, side in zip(lr, hr, strict=True))
            some = ((down @ some @ across.T).clamp(0, 1) * 255).round() / 255
        ways = [_up_and_down(side, small, out) for side, small, out in zip(hr, lr, wanted, strict=True)]
        if ways[0] is not None:
            some = ways[0].to(pictures) @ some
        if ways[1] is not None:
            some = some @ ways[1].to(pictures).T
        sent[rows] = some.clamp(0, 1)
    return sent


@lru_cache(maxsize=1024)
def _up_and_down(hr: int, lr: int, wanted: int) -> Tensor | None:
    """Weights of bicubic upsampling from LR to HR and area downsampling from there, (wanted, lr); None for nothing."""
    if lr == hr == wanted:
        return None
    up = cubic_matrix(hr, lr) if lr < hr else torch.eye(hr)
    return area_matrix(wanted, hr) @ up if wanted < hr else up


def draw_scales(count: int, settings: Degradation, generator: Generator) -> Tensor:
    """Scale factors of ``count`` pictures, shape (count,)."""
    least, largest = settings.scales
    scales = least + (largest - least) * torch.rand(count, generator=generator)
    return torch.where(torch.rand(count, generator=generator) < settings.pristine, least, scales)


def degrade(pictures: Tensor, settings: Degradation, generator: Generator) -> tuple[Tensor, Tensor]:
    """Degrade each picture by a factor of its own.

    Parameters
    ----------
    pictures
        Square luma, shape (n, 1, side, side), within [0, 1].
    settings
        What to draw from.
    generator
        Source of all randomness; on the CPU, whatever the pictures' device.

    Returns
    -------
    pictures
        The same shape, within [0, 1].
    scales
        The factor of each, shape (n,).
    """
    scales = draw_scales(len(pictures), settings, generator)
    lr_sides = (pictures.shape[-1] / scales).round().clamp(1, pictures.shape[-1]).long()
    return downsample_and_back(pictures, lr_sides.to(pictures.device)), scales.to(pictures.device)


def vary(pictures: Tensor, settings: Degradation, generator: Generator) -> Tensor:
    """Vary pose, face box, light and noise, as cameras and face detectors do, before any downsampling.

    Parameters as in :func:`degrade`; returns pictures of the same shape, within [0, 1].
    """
    count, device = len(pictures), pictures.device

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    angle = torch.deg2rad(draw(-settings.rotation, settings.rotation))
    size = torch.exp(draw(math.log(settings.zoom[0]), math.log(settings.zoom[1])))
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    right, down = draw(-2 * settings.shift, 2 * settings.shift), draw(-2 * settings.shift, 2 * settings.shift)
    cos, sin = angle.cos() / size, angle.sin() / size
    affine = torch.stack([torch.stack([cos * mirror, -sin, right], 1), torch.stack([sin * mirror, cos, down], 1)], 1)
    grid = functional.affine_grid(affine.to(device), list(pictures.shape), align_corners=False)
    varied = functional.grid_sample(pictures, grid, mode="bicubic", padding_mode="border", align_corners=False)
    gain = draw(*settings.contrast).to(device)[:, None, None, None]
    offset = draw(-settings.brightness, settings.brightness).to(device)[:, None, None, None]
    sigma = (draw(0, settings.noise) * (torch.rand(count, generator=generator) < 0.5)).to(device)[:, None, None, None]
    noise = torch.randn(pictures.shape, generator=generator).to(device) * sigma
    return ((varied - 0.5) * gain + 0.5 + offset + noise).clamp(0, 1)
