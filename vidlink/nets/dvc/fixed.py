"""A hyperprior in whole numbers: what must come out the same on both ends, whatever computes it.

J. Ballé et al., "Integer networks for data compression with latent-variable models", ICLR 2019: a decoder whose
probabilities differ from the encoder's in the last bit reads nonsense from there on, and floating point differs from
one processor, library or number of threads to the next. Here weights and features are whole numbers, held in float64
and far below 2 ** 53, so that sums are exact in any order. Pictures are computed in float32: there a difference is no
more than one of rounding.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from vidlink.nets.dvc.hyperprior import ACTIVE, ANCHORS, BEST, LARGEST, MOST, SMALLEST, STEP, TABLES, WORST

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from vidlink.nets.dvc.hyperprior import Hyperprior

FRACTION = 256
"""Units of a feature in 1."""
WEIGHT = 4096
"""Units of a weight in 1."""
LARGEST_FEATURE = 2.0**20
PRECISION = 2**24
"""Units of a probability in 1."""


class FixedConvolution:
    """A convolution with stride 1 over features in whole numbers, padded by zeros."""

    def __init__(self, layer: nn.Conv2d) -> None:
        weight = (layer.weight.detach().double() * WEIGHT).round()
        self.side = weight.shape[-1]
        self.weight = weight.flatten(1)
        assert layer.bias is not None
        self.bias = (layer.bias.detach().double() * WEIGHT * FRACTION).round()[:, None]

    def __call__(self, features: Tensor) -> Tensor:
        """Shape (before, h, w) to (after, h, w)."""
        _, height, width = features.shape
        if self.side == 1:
            columns = features.flatten(1)
        else:
            columns = functional.unfold(features[None], self.side, padding=self.side // 2)[0]
        sums = self.weight @ columns + self.bias
        return (sums / WEIGHT + 0.5).floor().reshape(-1, height, width)


class FixedPrior:
    """The numbers of the tables of one picture's latents.

    Parameters
    ----------
    prior
        The trained network.
    """

    def __init__(self, prior: Hyperprior) -> None:
        self.slices, self.own = prior.slices, prior.own
        self.decode = [FixedConvolution(layer) for layer in prior.decode]  # type: ignore[arg-type]
        self.look = [FixedConvolution(layer) for layer in prior.look]  # type: ignore[arg-type]
        self.tell = [FixedConvolution(layer) for layer in prior.tell]  # type: ignore[arg-type]
        self.usual = prior.usual.table.detach().double().numpy()
        own = (prior.own_tables.detach().double() * STEP + 0.5).floor()
        self.own_tables = own.clamp(0, TABLES - 1).to(torch.int64).numpy()

    def features(self, sent: Tensor) -> Tensor:
        """What the hyperprior's own latents say: whole numbers, shape (own, h, w), to (width, larger h, larger w)."""
        known = sent.double() * FRACTION
        for layer in self.decode:
            known = known.repeat_interleave(2, 1).repeat_interleave(2, 2)
            known = layer(known).clamp(0, LARGEST_FEATURE)
        return known

    def tables_of(self, features: Tensor, values: Tensor, part: int, quality: float) -> NDArray[np.int64]:
        """Numbers of the tables of a slice, from the whole values of those before it; shape (channels, h, w)."""
        start = sum(self.slices[:part])
        known = values[:start].double().abs().clamp(max=ACTIVE) * FRACTION
        seen = self.look[part](torch.cat([features, known])).clamp(0, LARGEST_FEATURE)
        told = self.tell[part](seen).numpy() + self._usual(quality)[start : start + self.slices[part], None, None]
        tables: NDArray[np.int64] = np.floor(told * (STEP / FRACTION) + 0.5).clip(0, TABLES - 1).astype(np.int64)
        return tables

    def _usual(self, quality: float) -> NDArray[np.float64]:
        place = min(max((quality - BEST) / (WORST - BEST) * (ANCHORS - 1), 0.0), float(ANCHORS - 1))
        low = min(int(place), ANCHORS - 2)
        share = place - low
        found: NDArray[np.float64] = np.rint(((1 - share) * self.usual[low] + share * self.usual[low + 1]) * FRACTION)
        return found


@cache
def probabilities() -> tuple[NDArray[np.float64], ...]:
    """For each table the probabilities of -127 to 127 in units of 2 ** -24, computed in decimals: nowhere different."""
    found = []
    with localcontext(Context(prec=30)):
        ratio = ((Decimal(LARGEST) / Decimal(SMALLEST)).ln() / (TABLES - 1)).exp()
        scale = Decimal(SMALLEST)
        for _ in range(TABLES):
            half, falls = (Decimal("-0.5") / scale).exp(), (-1 / scale).exp()
            side, each = [], half * (1 - falls) / (2 * falls) if falls > Decimal("1e-25") else Decimal(0)
            for _ in range(MOST):
                each *= falls
                side.append(int((each * PRECISION).to_integral_value()))
            middle = int(((1 - half) * PRECISION).to_integral_value())
            found.append(np.array([*reversed(side), middle, *side], np.float64) / PRECISION)
            scale *= ratio
    return tuple(found)
