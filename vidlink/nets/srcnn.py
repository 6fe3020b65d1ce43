"""SRCNN: three convolutions restore a picture that bicubic interpolation has brought to its full size.

Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", IEEE TPAMI 38 (2016), arXiv 1501.00092, the
9-5-5 variant: convolutions 9x9-64, 5x5-32 and 5x5-1. As in Kim et al., CVPR 2016, arXiv 1511.04587, the last one gives
the difference from the interpolated picture, and layers are padded (here by the edge), so that size is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class SRCNN(nn.Module):
    """Bicubic-upsampled pictures in, restored pictures of the same size out; untrained, it changes nothing.

    Parameters
    ----------
    widths
        Channels of the first two convolutions.
    kernels
        Sides of the three convolutions in pixels, odd.
    channels
        Channels of the pictures: 1, luma, in the paper.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(
        self, widths: Sequence[int] = (64, 32), kernels: Sequence[int] = (9, 5, 5), *, channels: int = 1
    ) -> None:
        super().__init__()
        (first, second), (extraction, mapping, reconstruction) = widths, kernels
        self.layers = nn.Sequential(
            nn.Conv2d(channels, first, extraction, padding="same", padding_mode="replicate"),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, second, mapping, padding="same", padding_mode="replicate"),
            nn.ReLU(inplace=True),
        )
        self.last = nn.Conv2d(second, channels, reconstruction, padding="same", padding_mode="replicate")
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    @classmethod
    def one_by_one(cls, *, channels: int = 1) -> SRCNN:
        """The 9-1-5 variant, with a third of the weights."""
        return cls(kernels=(9, 1, 5), channels=channels)

    @property
    def channels(self) -> int:
        """Channels of :meth:`features`."""
        return self.last.in_channels

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The network without its last layer: shape (n, c, h, w) within [0, 1] to (n, channels, h, w).

        ``scale`` is for networks that know the scale factor; this one does not.
        """
        return self.layers(pictures)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Restore.

        Parameters
        ----------
        pictures
            Shape (n, c, h, w), within [0, 1].
        scale
            Not used.

        Returns
        -------
        Tensor
            The same shape; may leave [0, 1] a little.
        """
        return pictures + self.last(self.features(pictures)).to(pictures.dtype)
