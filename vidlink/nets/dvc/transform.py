"""Between pictures and latents: block transforms that start as the discrete cosine transform and learn on.

An auto-encoder that starts from random weights needs days of training before it codes as well as the cosine transform
(Ahmed et al., IEEE Trans. Computers, 1974) does from the beginning. So the linear part of each encoder and decoder here
is a strided convolution with that transform's basis, and a small network beside it, which starts at nothing, adds what
a linear transform cannot do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def cosine_basis(size: int) -> Tensor:
    """The orthonormal two-dimensional basis, lowest frequencies first, shape (size * size, 1, size, size)."""
    place = torch.arange(size, dtype=torch.float64)
    rows = torch.cos(math.pi / size * (place + 0.5) * place[:, None]) * math.sqrt(2 / size)
    rows[0] /= math.sqrt(2)
    order = sorted(((v, u) for v in range(size) for u in range(size)), key=lambda at: (sum(at), max(at), at))
    return torch.stack([rows[v][:, None] * rows[u][None, :] for v, u in order]).float()[:, None]


class BlockTransform(nn.Module):
    """Blocks of one plane to so many coefficients and back.

    Parameters
    ----------
    size
        Side of a block in pixels.
    kept
        Coefficients that are kept, the lowest frequencies.
    """

    def __init__(self, size: int, kept: int) -> None:
        super().__init__()
        basis = cosine_basis(size)[:kept]
        self.size, self.kept = size, kept
        self.forwards, self.backwards = nn.Parameter(basis.clone()), nn.Parameter(basis.clone())

    def analyse(self, planes: Tensor) -> Tensor:
        """Shape (n, planes, h, w) to (n, planes * kept, h / size, w / size)."""
        count, _, height, width = planes.shape
        single = planes.reshape(-1, 1, height, width)
        found = functional.conv2d(single, self.forwards, stride=self.size)
        return found.reshape(count, -1, *found.shape[-2:])

    def synthesize(self, latents: Tensor) -> Tensor:
        """The way back: shape (n, planes * kept, h, w) to (n, planes, h * size, w * size)."""
        count, _, height, width = latents.shape
        single = latents.reshape(-1, self.kept, height, width)
        made = functional.conv_transpose2d(single, self.backwards, stride=self.size)
        return made.reshape(count, -1, *made.shape[-2:])


class ResidualTransform(nn.Module):
    """Luma and chroma residuals to latents at an eighth of luma's size and back, lowest frequencies first."""

    channels = 96
    """Of the latents: 64 of luma, 16 of each chroma plane."""
    slices = (6, 21, 69)
    """Channels that are coded one after another: the first of luma; more of luma and the first of chroma; the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.luma, self.chroma = BlockTransform(8, 64), BlockTransform(4, 16)
        first, second = [*range(6)], [*range(6, 21), *range(64, 67), *range(80, 83)]
        order = first + second + sorted(set(range(96)) - {*first, *second})
        self.order, self.back = order, sorted(range(96), key=order.__getitem__)

    def analyse(self, luma: Tensor, chroma: Tensor) -> Tensor:
        """Shapes (n, 1, h, w) and (n, 2, h / 2, w / 2) to (n, 96, h / 8, w / 8)."""
        return torch.cat([self.luma.analyse(luma), self.chroma.analyse(chroma)], 1)[:, self.order]

    def synthesize(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Latents back to luma and chroma."""
        sorted_back = latents[:, self.back]
        return self.luma.synthesize(sorted_back[:, :64]), self.chroma.synthesize(sorted_back[:, 64:])


class AddedLatents(nn.Sequential):
    """What a network adds to latents at an eighth or a sixteenth of the size of its input; nothing at the start.

    Parameters
    ----------
    before, after
        Channels of input and latents.
    halvings
        How often the size is halved.
    """

    def __init__(self, before: int, after: int, halvings: int) -> None:
        layers: list[nn.Module] = []
        for step in range(halvings):
            layers += [nn.Conv2d(before, 24 + 8 * step, 3, stride=2, padding=1), nn.LeakyReLU(0.1, inplace=True)]
            before = 24 + 8 * step
        last = nn.Conv2d(before, after, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        super().__init__(*layers, last)


class Enhance(nn.Module):
    """What a network adds to folded pictures (:func:`fold`), from planes of that size; nothing at the start.

    Parameters
    ----------
    before
        Channels of input.
    after
        Channels of what is added.
    width
        Channels in between.
    """

    def __init__(self, before: int, after: int = 6, width: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, 16, 3, padding=1)
        self.down = nn.Conv2d(16, width, 3, stride=2, padding=1)
        self.inner = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(4))
        self.up = nn.Conv2d(width, 64, 1)
        self.last = nn.Conv2d(16, after, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, planes: Tensor) -> Tensor:
        """Shape (n, before, h, w), sides even, to (n, after, h, w)."""
        fine = functional.leaky_relu(self.first(planes), 0.1)
        coarse = functional.leaky_relu(self.down(fine), 0.1)
        for one, other in zip(self.inner[::2], self.inner[1::2], strict=True):
            coarse = coarse + other(functional.leaky_relu(one(coarse), 0.1))
        up = functional.pixel_shuffle(self.up(functional.leaky_relu(coarse, 0.1)), 2)
        return self.last(functional.leaky_relu(fine + up, 0.1))  # type: ignore[no-any-return]


def fold(luma: Tensor, chroma: Tensor) -> Tensor:
    """Both as planes of half of luma's size: shapes (n, 1, h, w) and (n, 2, h / 2, w / 2) to (n, 6, h / 2, w / 2)."""
    return torch.cat([functional.pixel_unshuffle(luma, 2), chroma], 1)


def unfold(planes: Tensor) -> tuple[Tensor, Tensor]:
    """The way back."""
    return functional.pixel_shuffle(planes[:, :4], 2), planes[:, 4:]
