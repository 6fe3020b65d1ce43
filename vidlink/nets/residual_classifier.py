"""A small residual classifier of pictures that learns in few passes.

Residual blocks after He et al., CVPR 2016, in the shape that K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single
GPU", arXiv 2404.00498, found to learn fast: the first convolution whitens patches of 2x2 pixels and stays as the
pictures say, pooling comes early, activations are GELU, and convolutions begin as identities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

PICTURES = (1, 3)
"""Channels of pictures; others are a restorer's features."""
FLOOR = 5e-4
"""Added to the variances that whitening divides by: dark corners of the space of patches are not blown up."""


class ResidualClassifier(nn.Module):
    """Pictures of about 32x32 pixels in, scores of the classes out.

    Parameters
    ----------
    outputs
        Classes.
    channels
        Of the input: 3 for pictures in colour, 1 for luma, others for a restorer's features.
    width
        Channels of the first block; the others have four times as many.
    """

    def __init__(self, outputs: int, *, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        self.whitens = channels in PICTURES
        first = 8 * channels if self.whitens else channels
        self.first = nn.Conv2d(channels, first, 2, bias=True) if self.whitens else nn.Identity()
        self.first.requires_grad_(False)
        self.blocks = nn.Sequential(Block(first, width), Block(width, 4 * width), Block(4 * width, 4 * width))
        self.head = nn.Linear(4 * width, outputs, bias=False)

    @property
    def encoder(self) -> nn.Module:
        """The early layers: the whitening and the first block."""
        return nn.ModuleList([self.first, self.blocks[0]])

    def whiten(self, pictures: Tensor) -> None:
        """Set the first convolution to whiten patches like those of ``pictures``, shape (n, channels, h, w).

        Half of its channels are the eigenvectors of the patches' covariance, each divided by its standard deviation;
        the other half is the same with the sign turned.
        """
        if not isinstance(self.first, nn.Conv2d):
            return
        patches = nn.functional.unfold(pictures.float() - 0.5, 2).transpose(1, 2).flatten(0, 1).double()
        mean = patches.mean(0)
        values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
        rows = (vectors / (values + FLOOR).sqrt()).T
        weight, bias = torch.cat([rows, -rows]), torch.cat([-rows @ mean, rows @ mean])
        with torch.no_grad():
            self.first.weight.copy_(weight.float().reshape(self.first.weight.shape))
            self.first.bias.copy_(bias.float())  # type: ignore[union-attr]

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layer sees, shape (n, features); the scale factor is not used."""
        inner = self.first(pictures - 0.5) if self.whitens else pictures
        inner = nn.functional.gelu(inner) if self.whitens else inner
        return self.blocks(inner).amax(dim=(2, 3)) / 8  # so that the first scores are not far apart

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shape (n, channels, h, w), within [0, 1], to (n, outputs)."""
        return self.head(self.features(pictures, scale))


class Block(nn.Module):
    """A convolution that halves the size, and a residual one; both 3x3 and normalised over the batch."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.shrink = nn.Sequential(_convolution(before, after), nn.MaxPool2d(2), nn.BatchNorm2d(after), nn.GELU())
        self.residual = nn.Sequential(_convolution(after, after), nn.BatchNorm2d(after), nn.GELU())

    def forward(self, features: Tensor) -> Tensor:
        """Shape (n, before, h, w) to (n, after, h / 2, w / 2)."""
        smaller = self.shrink(features)
        return smaller + self.residual(smaller)


def _convolution(before: int, after: int) -> nn.Conv2d:
    made = nn.Conv2d(before, after, 3, 1, 1, bias=False)
    nn.init.dirac_(made.weight[:before])
    return made
