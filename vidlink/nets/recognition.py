"""The paper's recognition network: three convolutions, three max-poolings, two fully connected layers.

Cheng et al., "Robust Emotion Recognition from Low Quality and Low Bit Rate Video: A Deep Learning Approach", ACII 2017,
arXiv 1709.03126: convolutions 5x5-64, 5x5-128, 5x5-256 without padding, max-pooling 2, 2 and 4 (the last one with a
stride of 4 and a ceiling), fully connected 300, dropout 0.5, output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from vidlink.errors import UserError
from vidlink.nets.normalize import normalize_contrast

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST = 36
"""Smallest side in pixels that leaves the last convolution one output."""


class RecognitionNet(nn.Module):
    """Luma in, numbers out. Contrast normalisation is part of the network.

    Parameters
    ----------
    size
        Side of the square input in pixels, at least 36: 96 in the paper, 48 for FER+.
    outputs
        Numbers given for each picture.
    channels
        Channels of the input: 1, luma, in the paper. Only luma is normalised; more are a restorer's features.
    widths
        Channels of the three convolutions.
    hidden
        Width of the hidden fully connected layer.
    dropout
        Share of its units left out in training.

    Raises
    ------
    ValueError
        If ``size`` is too small for the layers.
    """

    def __init__(
        self,
        size: int = 48,
        outputs: int = 2,
        *,
        channels: int = 1,
        widths: tuple[int, int, int] = (64, 128, 256),
        hidden: int = 300,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if size < SMALLEST:
            raise ValueError(f"{size = }: at least {SMALLEST} are needed")
        self.size, self.normalizes = size, channels == 1
        one, two, three = widths
        # Rectifying after pooling gives the same numbers from a quarter of the work.
        self.layers = nn.Sequential(
            nn.Conv2d(channels, one, 5),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Conv2d(one, two, 5),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Conv2d(two, three, 5),
            nn.MaxPool2d(4, stride=4, ceil_mode=True),
            nn.ReLU(inplace=True),
        )
        side = -(-((((size - 4) // 2) - 4) // 2 - 4) // 4)
        self.hidden = nn.Sequential(
            nn.Flatten(), nn.Linear(three * side * side, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout)
        )
        self.head = nn.Linear(hidden, outputs)

    @classmethod
    def of_width(cls, size: int, outputs: int, channels: int, width: int) -> RecognitionNet:
        """The network with so many channels after the first convolution, and twice as many after each other one.

        Raises
        ------
        UserError
            If the pictures are too small for it.
        """
        if size < SMALLEST:
            raise UserError(f"pictures of {size} pixels; it takes {SMALLEST} or more")
        return cls(size, outputs, channels=channels, widths=(width, 2 * width, 4 * width))

    @property
    def encoder(self) -> nn.Module:
        """The convolutions: what super-resolution pre-trains and regimes tune slowly or freeze."""
        return self.layers

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layer sees, shape (n, hidden); the scale factor is not used."""
        return self.hidden(self.layers(normalize_contrast(pictures) if self.normalizes else pictures))

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Recognize.

        Parameters
        ----------
        pictures
            Shape (n, channels, size, size), within [0, 1].
        scale
            Scale factors, shape (n,); not used.

        Returns
        -------
        Tensor
            Shape (n, outputs).
        """
        return self.head(self.features(pictures, scale))
