"""How probable latents are: a scale hyperprior, slice after slice.

J. Ballé et al., "Variational image compression with a scale hyperprior", ICLR 2018: a few latents of latents, sent
first, say how large the others will be. D. Minnen and S. Singh, "Channel-wise autoregressive entropy models for learned
image compression", ICIP 2020: the channels are coded in slices, and what a slice turned out to be says more of the
next. Values follow Laplace distributions around 0 of :data:`TABLES` scales, in geometric order.

Nothing here looks at other pictures, so that a picture can be decoded whatever became of those before it; and what is
decoded depends on whole numbers only (:mod:`vidlink.nets.dvc.fixed`).
"""

from __future__ import annotations

import math
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

TABLES = 64
"""Scales of distributions."""
SMALLEST, LARGEST = 0.04, 60.0
"""The least and the largest scale."""
RATIO = math.log(LARGEST / SMALLEST) / (TABLES - 1)
MOST = 127
"""Latents beyond are cut to it."""
ACTIVE = 8.0
"""Larger magnitudes say no more about the next slice."""
STEP = 16.0
"""Tables that one unit of a network's output stands for."""
BEST, WORST, ANCHORS = 20.0, 50.0, 6
"""Range of the quality knob, and how many values of it have vectors of their own; those between are interpolated."""


def scale_of(table: Tensor) -> Tensor:
    """Scale of the distribution of (fractional) number ``table``."""
    return SMALLEST * torch.exp(RATIO * table.clamp(0, TABLES - 1))


def bits_of(values: Tensor, scale: Tensor) -> Tensor:
    """Bits of values, each an interval of length 1 about it, under Laplace distributions of these scales."""
    size = values.abs()
    outside = 0.5 * torch.exp(-(size - 0.5).clamp(min=0) / scale) * -torch.expm1(-1 / scale)
    inner = size.clamp(max=0.5)
    inside = 1 - 0.5 * (torch.exp((inner - 0.5) / scale) + torch.exp(-(inner + 0.5) / scale))
    return -torch.log2(torch.where(size >= 0.5, outside, inside).clamp(min=2**-22))


def rounded(values: Tensor, offset: float = 0.5) -> Tensor:
    """Round towards zero from ``1 - offset`` of a step on; gradients pass as if nothing was done."""
    whole = (values.sign() * (values.abs() + offset).floor()).clamp(-MOST, MOST)
    return values + (whole - values).detach()


class ByQuality(nn.Module):
    """A vector for each of :data:`ANCHORS` values of the quality knob, interpolated between them.

    Parameters
    ----------
    start
        Shape (anchors, channels).
    """

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(start.clone())

    def forward(self, quality: Tensor) -> Tensor:
        """Vectors for quality values of shape (n,), shape (n, channels, 1, 1)."""
        place = ((quality - BEST) / (WORST - BEST) * (ANCHORS - 1)).clamp(0, ANCHORS - 1)
        low = place.floor().clamp(max=ANCHORS - 2).long()
        share = (place - low)[:, None]
        return ((1 - share) * self.table[low] + share * self.table[low + 1])[:, :, None, None]


def anchors() -> Tensor:
    """The values of the quality knob that have vectors of their own, shape (anchors,)."""
    return torch.linspace(BEST, WORST, ANCHORS)


class Hyperprior(nn.Module):
    """The probabilities of one kind of latents.

    Parameters
    ----------
    slices
        Channels of each slice.
    halvings
        How often the size is halved on the way to the hyperprior's own latents.
    width
        Channels of features.
    own
        Channels of the hyperprior's own latents.
    """

    def __init__(self, slices: tuple[int, ...], halvings: int, *, width: int = 24, own: int = 8) -> None:
        super().__init__()
        channels = sum(slices)
        self.slices, self.own = slices, own
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 1), nn.LeakyReLU(0.1, inplace=True)]
        for _ in range(halvings):
            layers += [nn.Conv2d(width, width, 3, stride=2, padding=1), nn.LeakyReLU(0.1, inplace=True)]
        self.encode = nn.Sequential(*layers, nn.Conv2d(width, own, 1))
        self.decode = nn.ModuleList(
            nn.Conv2d(own if step == 0 else width, width, 3, padding=1) for step in range(halvings)
        )
        before = [0, *accumulate(slices)][:-1]
        self.look = nn.ModuleList(nn.Conv2d(width + known, 32, 3, padding=1) for known in before)
        self.tell = nn.ModuleList(nn.Conv2d(32, count, 1) for count in slices)
        for parameter in self.tell.parameters():
            nn.init.zeros_(parameter)
        usual = torch.linspace(30, 8, ANCHORS)[:, None].expand(-1, channels) / STEP
        self.usual = ByQuality(usual)
        self.own_tables = nn.Parameter(torch.full((own,), 24.0 / STEP))

    def forward(self, latents: Tensor, quality: Tensor, offset: float = 0.4) -> tuple[Tensor, Tensor, Tensor]:
        """What is decoded of latents, and what that costs.

        The bits teach the probabilities from the rounded values, and the latents by noise in place of rounding, through
        which gradients pass.

        Parameters
        ----------
        latents
            In units of the quantizer's step, shape (n, channels, h, w).
        quality
            Value of the knob, shape (n,).
        offset
            Of the rounding, see :func:`rounded`.

        Returns
        -------
        decoded : Tensor
            Rounded latents, as shaped.
        bits : Tensor
            For each of the n, shape (n,): what its rounded values cost. Its gradient is that of both.
        plain : Tensor
            The same without gradient.
        """
        own = self.encode(latents.abs().clamp(max=4 * ACTIVE))
        own_scale = scale_of(STEP * self.own_tables)[None, :, None, None]
        sent = rounded(own)
        values = rounded(latents, offset)
        noisy = latents + torch.rand_like(latents) - 0.5
        features = self.features(sent)
        tables = torch.cat([self.tables_of(features, values, part, quality) for part in range(len(self.slices))], 1)
        scale = scale_of(tables)
        teach = bits_of(own + torch.rand_like(own) - 0.5, own_scale).flatten(1).sum(1)
        exact = bits_of(values.detach(), scale).flatten(1).sum(1)
        smooth = bits_of(noisy, scale.detach()).flatten(1).sum(1)
        plain = (exact + bits_of(sent, own_scale).flatten(1).sum(1)).detach()
        bits = teach + exact + smooth - (teach + smooth).detach() + bits_of(sent, own_scale).detach().flatten(1).sum(1)
        return values, bits, plain

    def features(self, sent: Tensor) -> Tensor:
        """What the hyperprior's own latents say, at the size of the latents, shape (n, width, h, w)."""
        for layer in self.decode:
            sent = functional.relu(layer(functional.interpolate(sent, scale_factor=2, mode="nearest")))
        return sent

    def tables_of(self, features: Tensor, values: Tensor, part: int, quality: Tensor) -> Tensor:
        """(Fractional) numbers of the tables of a slice, from the values of those before it."""
        start = sum(self.slices[:part])
        known = values[:, :start].abs().clamp(max=ACTIVE)
        seen = functional.relu(self.look[part](torch.cat([features, known], 1)))
        usual = self.usual(quality)[:, start : start + self.slices[part]]
        return STEP * (self.tell[part](seen) + usual)
