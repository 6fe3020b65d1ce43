"""Segmentation and denoising that boost each other in turn.

After Xu et al., "Synergy between semantic segmentation and image denoising via alternate boosting", ACM TOMM 19 (2023),
arXiv 2102.12095: blocks one behind the other; each estimates a map of classes from what has been denoised so far, and
denoises with that map. Ours are small: the denoiser works at half the size, the map has a quarter of it, and tells each
feature of the denoiser how much of it is wanted where, by a gain and an offset (Wang et al., "Recovering realistic
texture in image super-resolution by deep spatial feature transform", CVPR 2018).

Trained by ``--task sr`` alone, the maps are whatever helps to denoise; held against label maps (:meth:`BoostNet.each`),
they are the classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

FOLD, GRID = 2, 4
"""Pixels of the picture a side that one place of the denoiser, and of a map, stands for."""


def _layer(before: int, after: int, stride: int = 1, reach: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, reach, reach, padding_mode="replicate")


class Block(nn.Module):
    """One turn: a map of classes, then a denoised picture.

    Parameters
    ----------
    width
        Channels.
    classes
        Classes of the map.
    channels
        Channels of the pictures.
    """

    def __init__(self, width: int, classes: int, channels: int) -> None:
        super().__init__()
        cells = FOLD * FOLD
        self.see = nn.Sequential(
            _layer(channels * cells, width, 2), nn.ReLU(inplace=True), _layer(width, width, reach=2),
            nn.ReLU(inplace=True), _layer(width, width, reach=4), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.segment = nn.Conv2d(width, classes, 1)
        self.enter = _layer(2 * channels * cells, width)
        self.steer = nn.Conv2d(classes, 2 * width, 1)
        self.inner = _layer(width, width)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)  # type: ignore[arg-type]

    def features(self, noisy: Tensor, denoised: Tensor) -> tuple[Tensor, Tensor]:
        """Folded pictures, shape (n, c, h, w) each, to the scores of classes and the features of the denoiser."""
        scores = self.segment(self.see(denoised))
        steered = self.steer(scores.softmax(dim=1))
        size = noisy.shape[-2:]
        gain, offset = functional.interpolate(steered, size, mode="bilinear", align_corners=False).chunk(2, dim=1)
        entered = functional.relu(self.enter(torch.cat([noisy, denoised], 1)))
        return scores, functional.relu(self.inner(entered * (1 + gain) + offset))


class BoostNet(nn.Module):
    """Noisy pictures in, clean ones of the same size out; untrained, it changes nothing.

    Parameters
    ----------
    width
        Channels of each block.
    blocks
        How many, 1 to 3.
    classes
        Classes of the maps.
    channels
        Channels of the pictures.

    Raises
    ------
    ValueError
        There are to be no blocks, or more than three.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(self, width: int = 32, blocks: int = 3, classes: int = 11, *, channels: int = 1) -> None:
        super().__init__()
        if not 1 <= blocks <= 3:
            raise ValueError(f"{blocks = }: expected 1 to 3")
        self.blocks: Any = nn.ModuleList(Block(width, classes, channels) for _ in range(blocks))
        self.channels = width
        cells = channels * FOLD * FOLD
        self.turns: Any = nn.ModuleList(_layer(width, cells) for _ in range(blocks - 1))
        self.last: Any = _layer(width, cells)
        for layer in (*self.turns, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def each(self, pictures: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What each block gives.

        Parameters
        ----------
        pictures
            Shape (n, c, h, w), within [0, 1].

        Returns
        -------
        list
            Scores of classes, shape (n, classes, h / 4, w / 4), sides rounded up, and the picture denoised so far,
            shape (n, c, h, w).
        """
        height, width = pictures.shape[-2:]
        noisy = denoised = self._folded(pictures)
        given = []
        for block, last in zip(self.blocks, (*self.turns, self.last), strict=True):
            scores, features = block.features(noisy, denoised)
            denoised = noisy + last(features)
            given.append((scores, functional.pixel_shuffle(denoised + 0.5, FOLD)[..., :height, :width]))
        return given

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layer of the last block sees, shape (n, channels, h / 2, w / 2).

        ``scale`` is for networks that know the scale factor; this one does not.
        """
        noisy = denoised = self._folded(pictures)
        for block, last in zip(self.blocks, self.turns, strict=False):
            denoised = noisy + last(block.features(noisy, denoised)[1])
        return self.blocks[-1].features(noisy, denoised)[1]

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Restore: shape (n, c, h, w), within [0, 1], and back; may leave [0, 1] a little."""
        return self.each(pictures)[-1][1].to(pictures.dtype)

    @staticmethod
    def _folded(pictures: Tensor) -> Tensor:
        height, width = pictures.shape[-2:]
        padded = functional.pad(pictures, (0, -width % GRID, 0, -height % GRID), mode="replicate")
        return functional.pixel_unshuffle(padded - 0.5, FOLD)
