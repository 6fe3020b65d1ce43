"""Sub-pixel super-resolution: all convolutions work at LR, and the last one's channels become the pixels between.

After Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
Network" (ESPCN), CVPR 2016, arXiv 1609.05158: convolutions 5x5-64, 3x3-32, 3x3-s^2 and a pixel shuffle. Ours adds the
result to bicubic interpolation, pads by the edge and has rectifiers: with the paper's hyperbolic tangents it learnt no
more after some hundred steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class ESPCN(nn.Module):
    """LR pictures in, pictures ``scale`` times as large out; untrained, it interpolates.

    Parameters
    ----------
    scale
        Scale factor, a whole number from 2.
    widths
        Channels of the first two convolutions.
    channels
        Channels of the pictures.

    Raises
    ------
    ValueError
        If the scale factor is no whole number from 2.
    """

    takes_lr = True
    """It takes pictures at LR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(self, scale: float, widths: Sequence[int] = (64, 32), *, channels: int = 1) -> None:
        super().__init__()
        if scale < 2 or scale != int(scale):
            raise ValueError(f"{scale = }: expected a whole number from 2")
        self.scale = int(scale)
        first, second = widths
        self.layers = nn.Sequential(
            nn.Conv2d(channels, first, 5, padding="same", padding_mode="replicate"),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, second, 3, padding="same", padding_mode="replicate"),
            nn.ReLU(inplace=True),
        )
        self.last = nn.Conv2d(second, channels * self.scale**2, 3, padding="same", padding_mode="replicate")
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    @property
    def channels(self) -> int:
        """Channels of :meth:`features`."""
        return self.last.in_channels

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The network without its last layer: shape (n, c, h, w) within [0, 1] to (n, channels, h, w), at LR.

        ``scale`` is for networks that know each picture's scale factor; this one has its own.
        """
        return self.layers(pictures)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Enlarge.

        Parameters
        ----------
        pictures
            Shape (n, c, h, w), within [0, 1].
        scale
            Not used.

        Returns
        -------
        Tensor
            Shape (n, c, scale * h, scale * w); may leave [0, 1] a little.
        """
        detail = functional.pixel_shuffle(self.last(self.features(pictures)), self.scale)
        # With antialiasing, which does nothing when enlarging, the kernel is Keys' with a = -0.5 (else a = -0.75).
        smooth = functional.interpolate(
            pictures, scale_factor=float(self.scale), mode="bicubic", align_corners=False, antialias=True
        )
        return smooth + detail.to(pictures.dtype)
