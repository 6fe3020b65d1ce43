"""A classifier in the manner of VGG: pairs of 3x3 convolutions between poolings, then fully connected layers.

K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015, arXiv
1409.1556, for pictures of 32x32: three stages in place of five, with normalisation over the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from vidlink.nets.residual_classifier import PICTURES

if TYPE_CHECKING:
    from torch import Tensor


class VGGClassifier(nn.Module):
    """Pictures of about 32x32 pixels in, scores of the classes out.

    Parameters
    ----------
    outputs
        Classes.
    channels
        Of the input: 3 for pictures in colour, 1 for luma, others for a restorer's features.
    width
        Channels of the first stage; they double with each stage.
    dropout
        Share of the hidden units left out in training.
    """

    def __init__(self, outputs: int, *, channels: int = 3, width: int = 32, dropout: float = 0.3) -> None:
        super().__init__()
        self.centres = channels in PICTURES
        layers: list[nn.Module] = []
        before = channels
        for after in (width, 2 * width, 4 * width):
            for each in (before, after):
                layers += [nn.Conv2d(each, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
            layers.append(nn.MaxPool2d(2))
            before = after
        self.layers = nn.Sequential(*layers)
        self.hidden = nn.Sequential(
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * before, 4 * width), nn.ReLU(inplace=True)
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * width, outputs))

    @property
    def encoder(self) -> nn.Module:
        """The early layers: the first stage."""
        return self.layers[:7]

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layers see, shape (n, features); the scale factor is not used."""
        return self.hidden(self.layers((pictures - 0.5) * 4 if self.centres else pictures))

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shape (n, channels, h, w), within [0, 1], to (n, outputs)."""
        return self.head(self.features(pictures, scale))
