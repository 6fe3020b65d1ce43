"""The super-resolution twin of the recognition network: its convolutions learn detail before they learn faces.

Cheng et al., "Robust Emotion Recognition from Low Quality and Low Bit Rate Video: A Deep Learning Approach", ACII 2017,
arXiv 1709.03126: the three convolutions of :class:`~vidlink.nets.recognition.RecognitionNet` without its pooling, then
a convolution 5x5-1, none of them padded, trained on 32x32 bicubic-upsampled luma against the 16x16 centre. The three
convolutions then move over and the last one is dropped.

Two things differ from the paper. Contrast is normalised on the way in, and put back on the way out, as the convolutions
will find it in the recognizer. And the last layer gives what bicubic interpolation lacks (Kim et al., "Accurate Image
Super-Resolution Using Very Deep Convolutional Networks", CVPR 2016, arXiv 1511.04587), which is learnt in a fraction of
the steps; ``residual=False`` gives the paper's network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from vidlink.nets.normalize import contrast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class TwinNet(nn.Module):
    """Bicubic-upsampled luma in, the restored centre out.

    Parameters
    ----------
    widths
        Channels of the three convolutions, those of the recognition network.
    channels
        Channels of the pictures: 1, luma, in the paper.
    residual
        Whether the last layer gives the difference from the picture's centre.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 8
    """Pixels that the output lacks on each side."""

    def __init__(self, widths: Sequence[int] = (64, 128, 256), *, channels: int = 1, residual: bool = True) -> None:
        super().__init__()
        first, second, third = widths
        self.residual = residual
        self.layers = nn.Sequential(
            nn.Conv2d(channels, first, 5),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, second, 5),
            nn.ReLU(inplace=True),
            nn.Conv2d(second, third, 5),
            nn.ReLU(inplace=True),
        )
        self.last = nn.Conv2d(third, channels, 5)
        if residual:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    @classmethod
    def of_width(cls, width: int = 48, channels: int = 1) -> TwinNet:
        """The network with so many channels after the first convolution, and twice as many after each other one."""
        return cls((width, 2 * width, 4 * width), channels=channels)

    @property
    def channels(self) -> int:
        """Channels of :meth:`features`."""
        return self.last.in_channels

    @property
    def convolutions(self) -> tuple[nn.Conv2d, nn.Conv2d, nn.Conv2d]:
        """The three that move over to the recognition network, in order."""
        first, second, third = (layer for layer in self.layers if isinstance(layer, nn.Conv2d))
        return first, second, third

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The network without its last layer.

        Parameters
        ----------
        pictures
            Shape (n, c, h, w), within [0, 1], both sides at least 17.
        scale
            Not used: for networks that know the scale factor.

        Returns
        -------
        Tensor
            Shape (n, channels, h - 12, w - 12).
        """
        mean, deviation = contrast(pictures)
        return self.layers((pictures - mean) / deviation)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Restore the centre.

        Parameters
        ----------
        pictures
            Shape (n, c, h, w), within [0, 1], both sides at least 17.
        scale
            Not used: for networks that know the scale factor.

        Returns
        -------
        Tensor
            Shape (n, c, h - 16, w - 16), in the units of the pictures.
        """
        mean, deviation = contrast(pictures)
        detail = self.last(self.features(pictures)).to(pictures.dtype) * deviation
        edge = self.shrink
        return detail + (pictures[..., edge:-edge, edge:-edge] if self.residual else mean)
