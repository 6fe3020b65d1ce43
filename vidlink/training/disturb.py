"""What goes wrong before the sender: noise, blur, occlusion, low light, haze; and mixes of these with downsampling.

All work on batches, on the pictures' device, each picture with a strength of its own, and draw from one generator. They
come before the link's own losses, which are :mod:`vidlink.training.degrade` and :mod:`vidlink.training.coded`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from vidlink.errors import UserError, unknown
from vidlink.training.bicubic import bicubic_matrix
from vidlink.training.degrade import send

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor

    Apply = Callable[[Tensor, Tensor, Generator], Tensor]

ELECTRONS = 1000.0
"""Electrons that white gives a pixel at full light, which decides the shot noise of a dark picture."""
FAR = 10.0
"""Largest distance in a hazy picture, in distances of the nearest road."""


def gaussian_noise(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Add normal noise whose standard deviation is the strength, as a share of full scale."""
    return pictures + _column(strength) * _normal(pictures, generator)


def salt_and_pepper(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Make a share of the pixels, which is the strength, black or white; as many of each."""
    place = torch.rand(pictures.shape, generator=generator).to(pictures.device)
    half = _column(strength) / 2
    return torch.where(place < half, 0.0, torch.where(place >= 1 - half, 1.0, pictures))


def gaussian_blur(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Blur by a Gaussian whose standard deviation is the strength, in pixels; at edges by what there is of it."""
    return _line(pictures.shape[-2], strength) @ pictures @ _line(pictures.shape[-1], strength).mT


def occlusion(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Cover a rectangle of any grey, its share of the area the strength, anywhere, up to twice as long as wide.

    Zhong et al., "Random erasing data augmentation", AAAI 2020, arXiv 1708.04896.
    """
    count, height, width = len(pictures), pictures.shape[-2], pictures.shape[-1]
    drawn = torch.rand(count, 4, generator=generator).to(pictures.device)
    stretch = torch.exp2(drawn[:, 0] - 0.5)
    tall = (height * strength.sqrt() * stretch).clamp(max=height)
    wide = (height * width * strength / tall.clamp(min=1e-6)).clamp(max=width)
    tall = (height * width * strength / wide.clamp(min=1e-6)).clamp(max=height)  # what was too wide is taller
    rows = _covered(height, tall, drawn[:, 1])
    columns = _covered(width, wide, drawn[:, 2])
    return torch.where(rows[:, None, :, None] & columns[:, None, None, :], _column(drawn[:, 3]), pictures)


def low_light(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Take away a share of the light, which is the strength: darker, with the shot noise of few photons, in 8 bits.

    The variance of shot noise grows with the signal. A. Foi et al., "Practical Poissonian-Gaussian noise modeling and
    fitting for single-image raw-data", IEEE TIP 17 (2008).
    """
    dark = pictures * (1 - _column(strength))
    noisy = dark + (dark.clamp(min=0) / ELECTRONS).sqrt() * _normal(pictures, generator)
    return torch.where(_column(strength) > 0, (noisy.clamp(0, 1) * 255).round() / 255, pictures)


def haze(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Haze over a flat road: ``I t + A (1 - t)``, ``t = exp(-strength d)``, d the distance as the row says it.

    The camera looks along a flat road whose horizon is somewhere between 30 and 50 % of the height from the top. The
    bottom row is at a distance of 1, row y at (1 - horizon) / (y - horizon), and what is higher at :data:`FAR`, the sky
    too. The light A of the haze is drawn from 0.7 to 1. The model of haze is that of Narasimhan and Nayar, "Vision and
    the atmosphere", IJCV 48 (2002).
    """
    drawn = torch.rand(len(pictures), 2, generator=generator).to(pictures.device)
    horizon, light = 0.3 + 0.2 * drawn[:, :1], 0.7 + 0.3 * drawn[:, 1]
    row = (torch.arange(pictures.shape[-2], device=pictures.device) + 0.5) / pictures.shape[-2]
    distance = ((1 - horizon) / (row - horizon).clamp(min=1e-6)).clamp(max=FAR)
    clear = torch.exp(-strength[:, None] * distance)[:, None, :, None]
    return pictures * clear + _column(light) * (1 - clear)


def area(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Downsample as the sender does, by area, and back as the receiver does; the strength is the scale factor."""
    return send(pictures, strength)


def bicubic(pictures: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Downsample by antialiased bicubic interpolation and back; the strength is the scale factor."""
    both = [_there_and_back(pictures.shape[-2:], factor) for factor in strength.tolist()]
    rows, columns = (torch.stack(each).to(pictures)[:, None] for each in zip(*both, strict=True))
    return torch.where(_column(strength) > 1, rows @ pictures @ columns.mT, pictures)


class Kind(NamedTuple):
    """A kind of disturbance."""

    apply: Apply
    """Takes pictures (n, c, h, w) within [0, 1], strengths (n,) and a generator."""
    nothing: float
    """Strength that leaves a picture as it is, the least that is allowed."""
    largest: float
    """Largest strength that is allowed."""


KINDS = {
    "noise": Kind(gaussian_noise, 0.0, 1.0),
    "salt": Kind(salt_and_pepper, 0.0, 1.0),
    "blur": Kind(gaussian_blur, 0.0, 16.0),
    "occlusion": Kind(occlusion, 0.0, 1.0),
    "dark": Kind(low_light, 0.0, 0.999),
    "haze": Kind(haze, 0.0, 5.0),
    "area": Kind(area, 1.0, 16.0),
    "bicubic": Kind(bicubic, 1.0, 16.0),
}
"""All kinds by the name that a command line gives them."""


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """One kind of disturbance and how strong it is."""

    kind: str
    """A key of :data:`KINDS`."""
    strength: tuple[float, float]
    """Least and largest strength; each picture's is drawn uniformly."""
    share: float = 1.0
    """Share of the pictures that it befalls."""

    def __call__(self, pictures: Tensor, generator: Generator) -> Tensor:
        """Disturb a batch.

        Parameters
        ----------
        pictures
            Shape (n, c, h, w), within [0, 1].
        generator
            Source of all randomness; on the CPU, whatever the pictures' device.

        Returns
        -------
        Tensor
            The same shape, within [0, 1].
        """
        kind, (least, largest) = KINDS[self.kind], self.strength
        drawn = torch.rand(len(pictures), 2, generator=generator)
        strength = torch.where(drawn[:, 1] < self.share, least + (largest - least) * drawn[:, 0], kind.nothing)
        return kind.apply(pictures, strength.to(pictures.device), generator).clamp(0, 1)


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Several disturbances, one after another."""

    parts: tuple[Disturbance, ...]
    """In the order in which they happen."""

    def __call__(self, pictures: Tensor, generator: Generator) -> Tensor:
        """Disturb a batch; as :class:`Disturbance`."""
        for part in self.parts:
            pictures = part(pictures, generator)
        return pictures


def disturb_images(images: NDArray[np.uint8], mix: Mix, generator: Generator) -> NDArray[np.uint8]:
    """Disturb grey images: 8 bits in and out, shape (n, height, width)."""
    disturbed = [
        (mix(part[:, None].float() / 255, generator)[:, 0] * 255).round().byte().numpy()
        for part in torch.from_numpy(images).split(512)
    ]
    return np.concatenate(disturbed)


def parse_mix(text: str) -> Mix:
    """Parse ``KIND:STRENGTH[@SHARE],...``, for example ``noise:0-0.05,occlusion:0.3@0.5``.

    A strength is one number, or the least and the largest one with a hyphen.

    Raises
    ------
    UserError
        Where a kind is unknown or a number out of range.

    Examples
    --------
    >>> for part in parse_mix("noise:0-0.05,occlusion:0.3@0.5").parts:
    ...     print(part.kind, part.strength, part.share)
    noise (0.0, 0.05) 1.0
    occlusion (0.3, 0.3) 0.5
    """
    return Mix(parts=tuple(_parse(part.strip()) for part in text.split(",")))


def _parse(text: str) -> Disturbance:
    name, _, numbers = text.partition(":")
    if name not in KINDS:
        raise unknown("disturbance", name, KINDS)
    kind = KINDS[name]
    strength, at, share = numbers.partition("@")
    least, hyphen, largest = strength.partition("-")
    try:
        low, high, part = float(least), float(largest if hyphen else least), float(share) if at else 1.0
    except ValueError:
        low = high = part = math.nan
    if not (kind.nothing <= low <= high <= kind.largest and 0 <= part <= 1):
        raise UserError(
            f"disturbance {text!r}: expected {name}:STRENGTH or {name}:LEAST-LARGEST from {kind.nothing:g} to "
            f"{kind.largest:g}, and perhaps @SHARE of the pictures"
        )
    return Disturbance(kind=name, strength=(low, high), share=part)


def _column(values: Tensor) -> Tensor:
    """Shape (n,) to (n, 1, 1, 1)."""
    return values[:, None, None, None]


def _normal(pictures: Tensor, generator: Generator) -> Tensor:
    return torch.randn(pictures.shape, generator=generator).to(pictures.device)


def _line(side: int, deviation: Tensor) -> Tensor:
    """Weights of blurring a line of samples, each picture by its own deviation, shape (n, 1, side, side)."""
    place = torch.arange(side, device=deviation.device, dtype=torch.float32)
    distance = (place[:, None] - place[None, :]).square()
    weights = torch.exp(-distance / (2 * _column(deviation).clamp(min=1e-3).square()))
    return weights / weights.sum(dim=-1, keepdim=True)


def _covered(side: int, length: Tensor, place: Tensor) -> Tensor:
    """Which of ``side`` samples lie in a stretch of that length whose start is drawn, shape (n, side)."""
    start = place * (side - length)
    centre = torch.arange(side, device=length.device) + 0.5
    return (centre >= start[:, None]) & (centre < (start + length)[:, None])


def _there_and_back(shape: Sequence[int], factor: float) -> list[Tensor]:
    matrices = []
    for side in shape:
        small = max(1, round(side / factor))
        matrices.append(torch.from_numpy(bicubic_matrix(side, small) @ bicubic_matrix(small, side)).float())
    return matrices
