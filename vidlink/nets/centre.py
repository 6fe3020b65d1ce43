"""A one-stage detector: things are points, each with a size.

X. Zhou et al., "Objects as points" (CenterNet), arXiv 1904.07850: a heat map a class whose peaks are the centres of
things, and at each place the size of the thing and where in the cell its centre is. As in Z. Liu et al.,
"Training-time-friendly network for real-time object detection" (TTFNet), AAAI 2020, arXiv 1909.00700, the blobs of the
heat map are as wide and as high as the box asks, and size and offset are learned all over them: it takes fewer passes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from vidlink.nets.unet import UNetBody

if TYPE_CHECKING:
    from torch import Tensor

CELL = 4
"""Pixels a side of a cell of the heat map."""
PLACES = 4
"""Numbers at each cell beside the heat: logarithm of width and height, and offset of the centre, all in cells."""
RARE = 0.02
"""Heat that every cell begins with: things are rare."""


class CentreNet(nn.Module):
    """Pictures in, a heat map a class and four maps of size and offset out.

    Parameters
    ----------
    outputs
        Classes.
    channels
        Of the input: 3 for pictures in colour, 1 for luma, others for a restorer's features.
    width
        Channels at a quarter of the picture's size; twice as many at each smaller one, up to four times.
    fold
        Pixels a side that are folded into channels first.
    """

    def __init__(self, outputs: int, *, channels: int = 3, width: int = 32, fold: int = CELL) -> None:
        super().__init__()
        self.body = UNetBody(channels, [width, 2 * width, 4 * width, 4 * width], fold)
        self.head = _Heads(width, outputs)

    @property
    def encoder(self) -> nn.Module:
        """The early layers: those before the first pooling."""
        return self.body.first

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layers see, shape (n, width, h / fold, w / fold); the scale factor is not used."""
        return self.body(pictures)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shape (n, channels, h, w), sides multiples of ``fold``, to (n, outputs + 4, h / fold, w / fold)."""
        return self.head(self.features(pictures, scale))


class _Heads(nn.Module):
    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.heat = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(inplace=True), nn.Conv2d(width, outputs, 1))
        self.places = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(inplace=True), nn.Conv2d(width, PLACES, 1)
        )
        nn.init.constant_(self.heat[-1].bias, -math.log(1 / RARE - 1))  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([self.heat(features), self.places(features)], 1)


def find_boxes(
    maps: Tensor, cell: float, *, most: int = 100, least: float = 0.05
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Boxes from what :class:`CentreNet` gives: peaks of the heat, each with its size and offset.

    Parameters
    ----------
    maps
        Shape (n, classes + 4, rows, columns).
    cell
        Pixels a side of a cell.
    most
        Boxes a picture at the most, those with the highest scores.
    least
        Least score of a box.

    Returns
    -------
    list
        For each picture: corners (left, top, right, bottom in pixels, within the picture), shape (k, 4); scores, shape
        (k,), from the highest; indices of the classes, shape (k,).
    """
    maps = maps.float()
    heat, places = maps[:, :-PLACES].sigmoid(), maps[:, -PLACES:]
    peaks = heat * (functional.max_pool2d(heat, 3, 1, 1) == heat)
    count, classes, rows, columns = peaks.shape
    scores, flat = peaks.flatten(1).topk(min(most, classes * rows * columns))
    found = []
    for picture in range(count):
        kept = flat[picture][scores[picture] >= least]
        index, row, column = kept // (rows * columns), kept // columns % rows, kept % columns
        about = places[picture][:, row, column]
        half = about[:2].clamp(max=math.log(4.0 * max(rows, columns))).exp() / 2
        centre = torch.stack([column, row]) + 0.5 + about[2:]
        limit = maps.new_tensor([columns, rows])[:, None]
        corners = torch.cat([(centre - half).clamp(min=0).minimum(limit), (centre + half).clamp(min=0).minimum(limit)])
        real = (corners[2:] > corners[:2]).all(0)
        found.append(((corners.T * cell)[real], scores[picture][: len(kept)][real], index[real]))
    return found
