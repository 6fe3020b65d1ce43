"""FSRCNN: features at a fraction of the size, few channels in between, and a deconvolution to full size.

Dong et al., "Accelerating the super-resolution convolutional neural network", ECCV 2016, arXiv 1608.00367:
a 5x5 convolution to d channels, 1x1 to 12, four 3x3 of 12, 1x1 back to d, and a 9x9 deconvolution.

What differs from the paper: pictures come in upsampled by bicubic interpolation and are folded four by four into
channels, so that one network serves every scale factor at the cost of a network that works at LR with a factor of 4. It
is told the scale factor and the quantization. It sees how pixels differ from what is around them, gives the difference
from the interpolated picture, and has a short cut beside the layers in between: so it learns in fewer steps. And the
deconvolution is 12x12, computed as a 3x3 convolution whose channels are the pixels of a cell, which is faster.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidlink.nets.patchwork import CELL

AROUND = 2
"""Cells around a patch that the first convolution sees."""
SHRUNK, MAPPINGS = 12, 4
"""Channels in between, and how many convolutions they have."""
RECTIFIED = 0.1
"""Slope of the rectifiers below zero, in the beginning."""
DETAIL = 8.0
"""By so much the difference from the mean of the cells around is multiplied, which is what counts, and small."""
QP_RANGE = 51.0
"""Largest QP of H.264 and H.265."""
KNOWN = 3
"""Numbers that :func:`known_of` gives."""


def known_of(scale: Tensor, qp: Tensor) -> Tensor:
    """What is known of pictures: octaves of the scale factor, QP, and whether the QP is not known.

    Parameters
    ----------
    scale
        Scale factors, shape (n,).
    qp
        Mean quantization parameters, shape (n,): 0 where nothing was coded, NaN where not known.

    Returns
    -------
    Tensor
        Shape (n, 3).
    """
    unknown = qp.isnan()
    level = torch.where(unknown, 0.0, qp / QP_RANGE)
    return torch.stack([scale.clamp(min=1).log2() - 1.5, level, unknown.to(level)], 1)


class FSRCNN(nn.Module):
    """Upsampled pictures in, what they lack out; untrained, that is nothing.

    Parameters
    ----------
    width
        Channels of the first and the last layer, d in the paper.
    """

    def __init__(self, width: int = 56) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Conv2d(CELL * CELL, width, 2 * AROUND + 1)
        self.known = nn.Linear(KNOWN, width)
        self.first_rectifier = nn.PReLU(width, init=RECTIFIED)
        self.shrink = nn.Sequential(nn.Conv2d(width, SHRUNK, 1), nn.PReLU(SHRUNK, init=RECTIFIED))
        layers: list[nn.Module] = []
        for _ in range(MAPPINGS):
            convolution = nn.Conv2d(SHRUNK, SHRUNK, 3, padding=1, padding_mode="replicate")
            layers += [convolution, nn.PReLU(SHRUNK, init=RECTIFIED)]
        self.mapping = nn.Sequential(*layers)
        self.expand = nn.Sequential(nn.Conv2d(SHRUNK, width, 1), nn.PReLU(width, init=RECTIFIED))
        self.last = nn.Conv2d(width, CELL * CELL, 3)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):  # as the paper; with PyTorch's own, little comes out of seven layers
                nn.init.kaiming_normal_(layer.weight, RECTIFIED)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, patches: Tensor, known: Tensor) -> Tensor:
        """What patches lack.

        Parameters
        ----------
        patches
            With :data:`AROUND` cells around each, shape (n, 1, h + 16, w + 16), within [0, 1]; whole cells.
        known
            Shape (n, 3), of :func:`known_of`.

        Returns
        -------
        Tensor
            Shape (n, 1, h, w).
        """
        folded = functional.pixel_unshuffle(patches, CELL).contiguous(memory_format=torch.channels_last)
        smooth = functional.avg_pool2d(folded.mean(dim=1, keepdim=True), 3, 1, 1, count_include_pad=False)
        features = self.first_rectifier(self.first(DETAIL * (folded - smooth)) + self.known(known)[:, :, None, None])
        shrunk = self.shrink(features)
        mapped = shrunk + self.mapping(shrunk)
        # The last layer reaches one cell further than the patch.
        around = functional.pad(mapped, (1, 1, 1, 1), mode="replicate")
        return functional.pixel_shuffle(self.last(self.expand(around)), CELL)

    def work(self, height: int, width: int) -> int:
        """Multiply-adds for a patch of so many cells."""
        inner = CELL**2 * ((2 * AROUND + 1) ** 2 + 9) * self.width + self.width * SHRUNK + MAPPINGS * 9 * SHRUNK**2
        outer = SHRUNK * self.width
        return height * width * inner + (height + 2) * (width + 2) * outer + KNOWN * self.width
