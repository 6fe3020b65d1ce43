"""Our own networks: a restorer and a recognizer of residual blocks that know the scale factor.

Residual blocks after He et al., "Deep residual learning for image recognition", CVPR 2016; the scale factor steers each
block by a gain and an offset a channel, after Perez et al., "FiLM: visual reasoning with a general conditioning layer",
AAAI 2018. Pictures are folded two by two into channels first, so that most work is done at half their size; the
restorer's last layer unfolds them again (sub-pixel convolution, Shi et al., CVPR 2016).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidlink.errors import UserError
from vidlink.nets.normalize import contrast, normalize_contrast


class Steered(nn.Module):
    """Batch normalisation followed by a gain and an offset a channel that depend on the scale factor.

    Parameters
    ----------
    channels
        Channels of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.steer = nn.Linear(2, 2 * channels)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(self, features: Tensor, octaves: Tensor) -> Tensor:
        """Normalise and steer.

        Parameters
        ----------
        features
            Shape (n, channels, h, w).
        octaves
            Binary logarithm of the scale factor, shape (n, 1).
        """
        gain, offset = self.steer(torch.cat([octaves, octaves.square()], 1))[:, :, None, None].chunk(2, dim=1)
        return self.norm(features) * (1 + gain) + offset


class Block(nn.Module):
    """Two 3x3 convolutions beside a short cut.

    Parameters
    ----------
    before, after
        Channels coming in and going out.
    stride
        2 halves the size.
    """

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.first_norm = Steered(after)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.second_norm = Steered(after)
        self.short_cut = (
            nn.Identity()
            if stride == 1 and before == after
            else nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(before, after, 1, bias=False))
        )

    def forward(self, features: Tensor, octaves: Tensor) -> Tensor:
        """Shape (n, before, h, w) to (n, after, h / stride, w / stride)."""
        inner = torch.relu(self.first_norm(self.first(features), octaves))
        return torch.relu(self.second_norm(self.second(inner), octaves) + self.short_cut(features))


class ResidualRestorer(nn.Module):
    """Adds detail to bicubic-upsampled pictures.

    Parameters
    ----------
    width
        Channels of the features.
    blocks
        Residual blocks.
    channels
        Channels of the pictures: 1, luma, for faces.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(self, width: int = 48, blocks: int = 2, *, channels: int = 1) -> None:
        super().__init__()
        self.channels = width
        self.fold = nn.PixelUnshuffle(2)
        self.first = nn.Conv2d(4 * channels, width, 3, 1, 1)
        self.blocks = nn.ModuleList(Block(width, width) for _ in range(blocks))
        self.last = nn.Conv2d(width, 4 * channels, 3, 1, 1)
        self.unfold = nn.PixelShuffle(2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]  # it starts as bicubic interpolation

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Everything but the last layer.

        Parameters
        ----------
        pictures
            Upsampled, shape (n, channels, h, w) with even sides, within [0, 1].
        scale
            Scale factor of each picture, shape (n,); None for 1.

        Returns
        -------
        Tensor
            Shape (n, width, h / 2, w / 2).
        """
        octaves = octaves_of(scale, pictures)
        features = self.first(self.fold(normalize_contrast(pictures)))
        for block in self.blocks:
            features = block(features, octaves)
        return features

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Restore: shapes as in :meth:`features`, returns that of the pictures."""
        _, deviation = contrast(pictures)
        return pictures + deviation * self.unfold(self.last(self.features(pictures, scale))).to(pictures.dtype)


class ResidualRecognition(nn.Module):
    """From features (or luma, folded first) to numbers, by residual blocks at ever smaller sizes.

    Parameters
    ----------
    outputs
        Numbers given for each picture.
    channels
        Channels of what comes in: a restorer's features, or 1 for luma.
    width
        Channels of the widest size; they double each time the size halves.
    blocks
        Blocks at the size that comes in, at half of it and at a quarter.
    dropout
        Share of the last features left out in training.
    """

    def __init__(
        self,
        outputs: int = 2,
        *,
        channels: int = 48,
        width: int = 48,
        blocks: tuple[int, int, int] = (0, 2, 2),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, width, 3, 1, 1)) if channels == 1 else None
        before, stages = width if channels == 1 else channels, []
        for depth, count in enumerate(blocks):
            for index in range(count):
                after = width << depth
                stages.append(Block(before, after, 2 if depth and not index else 1))
                before = after
        self.blocks = nn.ModuleList(stages)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(before, outputs))

    @classmethod
    def for_size(cls, size: int, outputs: int, channels: int, width: int) -> ResidualRecognition:
        """The network for square pictures of so many pixels.

        Raises
        ------
        UserError
            If they do not suit it.
        """
        if size % 8:
            raise UserError(f"pictures of {size} pixels; it takes multiples of 8")
        return cls(outputs, channels=channels, width=width)

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shape (n, channels, h, w) to (n, features): what the last layer sees, means over the picture."""
        octaves = octaves_of(scale, pictures)
        inner = self.first(normalize_contrast(pictures)) if self.first is not None else pictures
        for block in self.blocks:
            inner = block(inner, octaves)
        return inner.mean(dim=(2, 3))

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shape (n, channels, h, w) and (n,) to (n, outputs)."""
        return self.head(self.features(pictures, scale))


def octaves_of(scale: Tensor | None, pictures: Tensor) -> Tensor:
    """Binary logarithm of the scale factors as a column, shape (n, 1); 0 where they are None."""
    if scale is None:
        return pictures.new_zeros(len(pictures), 1)
    return scale.to(pictures).clamp(min=1).log2()[:, None]
