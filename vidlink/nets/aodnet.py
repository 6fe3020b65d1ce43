"""AOD-Net: haze is taken away by one map that stands for transmission and light together.

Li et al., "AOD-Net: all-in-one dehazing network", ICCV 2017. A hazy picture is ``I = J t + A (1 - t)``; solved for the
clear one it is ``J = K I - K + b`` with one map K(x), which holds 1/t and A, and b = 1. Five convolutions (1x1, 3x3,
5x5, 7x7, 3x3), three channels each, estimate K, each from what those before it gave at other sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


class AODNet(nn.Module):
    """Hazy pictures in, clear ones of the same size out; untrained, it changes nothing.

    Parameters
    ----------
    features
        Channels of each of the first four convolutions: 3 in the paper.
    channels
        Channels of the pictures: 3 in the paper, 1 for luma.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(self, features: int = 3, *, channels: int = 1) -> None:
        super().__init__()

        def layer(before: int, after: int, side: int) -> nn.Conv2d:
            return nn.Conv2d(before, after, side, padding=side // 2, padding_mode="replicate")

        self.first = layer(channels, features, 1)
        self.second = layer(features, features, 3)
        self.third = layer(2 * features, features, 5)
        self.fourth = layer(2 * features, features, 7)
        self.last = layer(4 * features, channels, 3)
        nn.init.zeros_(self.last.weight)
        nn.init.ones_(self.last.bias)  # type: ignore[arg-type]  # K = 1: J = I

    @property
    def channels(self) -> int:
        """Channels of :meth:`features`."""
        return 4 * self.first.out_channels

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The network without its last layer: shape (n, c, h, w) within [0, 1] to (n, channels, h, w).

        ``scale`` is for networks that know the scale factor; this one does not.
        """
        one = functional.relu(self.first(pictures))
        two = functional.relu(self.second(one))
        three = functional.relu(self.third(torch.cat([one, two], 1)))
        four = functional.relu(self.fourth(torch.cat([two, three], 1)))
        return torch.cat([one, two, three, four], 1)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Restore: shape (n, c, h, w), within [0, 1], and back; may leave [0, 1]."""
        k = self.last(self.features(pictures)).to(pictures.dtype)
        return k * (pictures - 1) + 1
