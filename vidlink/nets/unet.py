"""A small U-Net: what is where, at several sizes, and back to the size of the picture.

O. Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015, arXiv 1505.04597.
Pictures are folded two by two into channels first, so that most work is done at half their size; convolutions are
padded and normalised over the batch.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from vidlink.nets.normalize import normalize_contrast
from vidlink.nets.residual_classifier import PICTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class UNetBody(nn.Module):
    """The way down and the way up again.

    Parameters
    ----------
    channels
        Of the input: 3 for pictures in colour, 1 for luma, others for a restorer's features.
    widths
        Channels at each size, from the largest one; each size is half of the one before.
    fold
        Pixels a side that are folded into channels first.
    """

    def __init__(self, channels: int, widths: Sequence[int], fold: int) -> None:
        super().__init__()
        self.normalizes = channels in PICTURES
        self.fold = nn.PixelUnshuffle(fold)
        self.first = _layer(channels * fold**2, widths[0])
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Sequential(_layer(a, b), _layer(b, b)) for a, b in pairs)
        self.around = nn.Sequential(nn.Linear(widths[-1], widths[-1]), nn.ReLU(inplace=True))
        self.narrow, self.up = _way_up(pairs)
        self.widths, self.channels = list(widths), widths[0]

    def forward(self, pictures: Tensor) -> Tensor:
        """Shape (n, channels, h, w) to (n, widths[0], h / fold, w / fold)."""
        return self.way_up(self.way_down(pictures))

    def another_way_up(self) -> nn.ModuleList:
        """Fresh layers for a second way up; :meth:`way_up` takes them."""
        return nn.ModuleList(_way_up(list(pairwise(self.widths))))

    def way_down(self, pictures: Tensor) -> list[Tensor]:
        """What is passed at each size, from the largest one."""
        inner = normalize_contrast(pictures) if self.normalizes else pictures
        inner = self.first(self.fold(inner))
        passed = []
        for layers in self.down:
            passed.append(inner)
            inner = layers(functional.max_pool2d(inner, 2, ceil_mode=True))
        return [*passed, inner + self.around(inner.mean(dim=(2, 3)))[:, :, None, None]]  # what the picture is of

    def way_up(self, passed: Sequence[Tensor], layers: nn.ModuleList | None = None) -> Tensor:
        """From what :meth:`way_down` gives to (n, widths[0], h / fold, w / fold), by these layers or its own."""
        narrows, ups = (self.narrow, self.up) if layers is None else layers
        *passed, inner = passed
        for narrow, layer, beside in reversed(list(zip(narrows, ups, passed, strict=True))):  # type: ignore[call-overload]
            wider = functional.interpolate(narrow(inner), beside.shape[-2:], mode="nearest")
            inner = layer(torch.cat([beside, wider], 1))
        return inner


class UNet(nn.Module):
    """Pictures in, scores of the classes for every 2x2 pixels out (``fold`` 2).

    Parameters
    ----------
    outputs
        Classes.
    channels
        Of the input: 3 for pictures in colour, 1 for luma, others for a restorer's features.
    width
        Channels at the largest size; twice as many at each smaller one, up to eight times.
    fold
        Pixels a side that are folded into channels first.
    """

    def __init__(self, outputs: int, *, channels: int = 3, width: int = 16, fold: int = 2) -> None:
        super().__init__()
        self.body = UNetBody(channels, [width, 2 * width, 4 * width, 8 * width, 8 * width], fold)
        self.head = nn.Sequential(nn.Dropout2d(0.1), nn.Conv2d(width, outputs, 1))

    @property
    def encoder(self) -> nn.Module:
        """The early layers: those before the first pooling."""
        return self.body.first

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layer sees, shape (n, width, h / fold, w / fold); the scale factor is not used."""
        return self.body(pictures)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shape (n, channels, h, w) within [0, 1], multiples of ``fold``, to (n, outputs, h / fold, w / fold)."""
        return self.head(self.features(pictures, scale))


def _way_up(pairs: Sequence[tuple[int, int]]) -> tuple[nn.ModuleList, nn.ModuleList]:
    narrow = nn.ModuleList(nn.Conv2d(b, a, 1, bias=False) for a, b in pairs)
    return narrow, nn.ModuleList(_layer(2 * a, a) for a, _ in pairs)


def _layer(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True))
