"""A U-shaped denoiser: noise is estimated at three sizes, and taken away.

After Liu et al., "When image denoising meets high-level vision tasks: a deep learning approach", IJCAI 2018, arXiv
1706.04284: features are contracted twice and expanded again, each size has modules of convolutions beside a short cut,
features of like size are added, and the result is the noise (a residual). Theirs has 64 to 128 channels and batch
normalisation; ours has fewer and none, so that a picture is restored alike alone and in a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

GRID = 4
"""Sides are padded to a multiple of so many pixels, and cut again."""


class Module(nn.Module):
    """Two 3x3 convolutions beside a short cut.

    Parameters
    ----------
    width
        Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, padding_mode="replicate")
        self.second = nn.Conv2d(width, width, 3, padding=1, padding_mode="replicate")

    def forward(self, features: Tensor) -> Tensor:
        """Shape (n, width, h, w), and back."""
        return functional.relu(self.second(functional.relu(self.first(features))) + features)


class Denoiser(nn.Module):
    """Noisy pictures in, clean ones of the same size out; untrained, it changes nothing.

    Parameters
    ----------
    width
        Channels at full size; they double each time the size halves.
    channels
        Channels of the pictures.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(self, width: int = 16, *, channels: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1, padding_mode="replicate")
        self.fine, self.finer = Module(width), Module(width)
        self.middle, self.middle_again = Module(2 * width), Module(2 * width)
        self.coarse = Module(4 * width)
        self.down, self.down_again = nn.Conv2d(width, 2 * width, 2, 2), nn.Conv2d(2 * width, 4 * width, 2, 2)
        self.up_first, self.up = (
            nn.ConvTranspose2d(4 * width, 2 * width, 2, 2),
            nn.ConvTranspose2d(2 * width, width, 2, 2),
        )
        self.last = nn.Conv2d(width, channels, 3, padding=1, padding_mode="replicate")
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        self.channels = width

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The network without its last layer: shape (n, c, h, w) within [0, 1] to (n, channels, h, w).

        ``scale`` is for networks that know the scale factor; this one does not.
        """
        height, width = pictures.shape[-2:]
        padded = functional.pad(pictures, (0, -width % GRID, 0, -height % GRID), mode="replicate")
        fine = self.fine(functional.relu(self.first(padded - 0.5)))
        middle = self.middle(functional.relu(self.down(fine)))
        coarse = self.coarse(functional.relu(self.down_again(middle)))
        middle = self.middle_again(functional.relu(self.up_first(coarse)) + middle)
        return self.finer(functional.relu(self.up(middle)) + fine)[..., :height, :width]

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Restore: shape (n, c, h, w), within [0, 1], and back; may leave [0, 1] a little."""
        return pictures + self.last(self.features(pictures)).to(pictures.dtype)
