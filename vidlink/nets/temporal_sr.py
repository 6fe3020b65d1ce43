"""Several pictures make one: estimates from one, three and five pictures, weighted pixel by pixel.

Liu et al., "Robust video super-resolution with learned temporal dynamics", ICCV 2017: the pictures around are aligned
to the one that is asked about; each branch makes an estimate from a different number of them; another branch looks at
all and says at each pixel how far each estimate is to be trusted. Where motion is small, many pictures help; where
alignment fails, one picture is safer.

Three things differ from the paper. Pictures come in upsampled by bicubic interpolation and are folded four by four into
channels, so that one network serves every scale factor at the cost of a network that works at LR; it is told the factor
and the quantization. Pictures are aligned by dense flow (:mod:`vidlink.nets.flow`), not by one shift a picture. And all
parts learn at once, the branches from the target as well, where the paper trains the branches first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidlink.nets.flow import optical_flow, warp

FOLD = 4
"""Sides of the blocks of pixels that become channels."""
KNOWN = 3
"""Planes beside the pictures: octaves of the scale factor, QP, and whether the QP is not known."""
QP_RANGE = 51.0
"""Largest QP of H.264 and H.265."""


class Estimator(nn.Sequential):
    """Four 3x3 convolutions at a quarter of the size, edges replicated.

    Parameters
    ----------
    before, width, after
        Channels coming in, in between and going out.
    """

    def __init__(self, before: int, width: int, after: int) -> None:
        def layer(channels: int, out: int) -> nn.Conv2d:
            return nn.Conv2d(channels, out, 3, padding=1, padding_mode="replicate")

        last = layer(width, after)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        super().__init__(
            layer(before, width), nn.ReLU(inplace=True), layer(width, width), nn.ReLU(inplace=True),
            layer(width, width), nn.ReLU(inplace=True), last,
        )  # fmt: skip


class TemporalSR(nn.Module):
    """Upsampled pictures in, one restored picture out; untrained, it changes nothing.

    Parameters
    ----------
    width
        Channels of each branch.
    looks
        Pictures that each branch looks at, the nearest ones.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(self, width: int = 32, looks: tuple[int, ...] = (1, 3, 5)) -> None:
        super().__init__()
        self.looks, self.frames = looks, max(looks)
        cells = FOLD * FOLD
        self.branches = nn.ModuleList(Estimator(count * cells + KNOWN, width, cells) for count in looks)
        self.trust = Estimator(self.frames * cells + KNOWN, width, len(looks) * cells)

    @classmethod
    def of_width(cls, width: int = 32) -> TemporalSR:
        """The network with so many channels in each branch."""
        return cls(width)

    def forward(self, pictures: Tensor, scale: Tensor | None = None, qp: Tensor | None = None) -> Tensor:
        """Restore the first picture of each window.

        Parameters
        ----------
        pictures
            Aligned to the first one (:func:`align`), the nearest in time first, shape (n, frames, h, w), within [0, 1].
        scale
            Scale factors, shape (n,); None for 1.
        qp
            Mean quantization parameters, shape (n,): 0 where nothing was coded, NaN where not known, as is None.

        Returns
        -------
        Tensor
            Shape (n, 1, h, w); may leave [0, 1] a little.
        """
        return self.estimates(pictures, scale, qp)[0]

    def estimates(self, pictures: Tensor, scale: Tensor | None = None, qp: Tensor | None = None) -> list[Tensor]:
        """The result and after it the estimate of each branch, shape (n, 1, h, w) each; parameters as for a call."""
        height, width = pictures.shape[-2:]
        padded = functional.pad(pictures, (0, -width % FOLD, 0, -height % FOLD), mode="replicate")
        asked = padded[:, :1]
        # What the others have beside the asked picture is small, and is what counts.
        given = torch.cat([asked - 0.5, 4 * (padded[:, 1:] - asked)], 1)
        folded = functional.pixel_unshuffle(given, FOLD)
        known = self._known(folded, scale, qp)
        cells = FOLD * FOLD
        details = [
            functional.pixel_shuffle(branch(torch.cat([folded[:, : count * cells], known], 1)), FOLD)
            for count, branch in zip(self.looks, self.branches, strict=True)
        ]
        trust = functional.pixel_shuffle(self.trust(torch.cat([folded, known], 1)), FOLD).float().softmax(dim=1)
        each = torch.cat(details, 1).float()
        together = (each * trust).sum(dim=1, keepdim=True)
        details = [together, *each.split(1, dim=1)]
        return [(asked + detail)[..., :height, :width] for detail in details]

    @staticmethod
    def _known(folded: Tensor, scale: Tensor | None, qp: Tensor | None) -> Tensor:
        """What is known of the pictures, as planes of shape (n, 3, h, w)."""
        count = len(folded)
        octaves = folded.new_zeros(count) if scale is None else scale.to(folded).clamp(min=1).log2()
        level = folded.new_full((count,), torch.nan) if qp is None else qp.to(folded)
        unknown = level.isnan()
        columns = [octaves, torch.where(unknown, 0.0, level / QP_RANGE), unknown.to(folded)]
        return torch.stack(columns, 1)[:, :, None, None].expand(-1, -1, *folded.shape[-2:])


def align(pictures: Tensor, levels: int = 5) -> Tensor:
    """Bring all pictures of a window to where things are in the first one.

    Parameters
    ----------
    pictures
        Shape (frames, h, w), within [0, 1].
    levels
        Sizes at which flow is sought; fewer where a picture is small.

    Returns
    -------
    Tensor
        The same shape; the first picture as it was.
    """
    others = pictures[1:, None]
    side = min(pictures.shape[-2:])
    levels = min(levels, max(0, side.bit_length() - 4))
    if not len(others) or not levels:
        return pictures
    asked = pictures[:1, None].expand_as(others)
    deviation = pictures[0].std() + 1e-3
    flow, _, _ = optical_flow(asked / deviation, others / deviation, levels)
    flow = 2 * functional.interpolate(flow, size=pictures.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat([pictures[:1], warp(others, flow)[:, 0]])
