"""Where things moved: optical flow, refined by small networks, and its way through a few latents a block.

A. Ranjan and M. J. Black, "Optical flow estimation using a spatial pyramid network", CVPR 2017: at each size a small
network sees one picture, the other one warped by the flow so far, and that flow, and adds to it. Here the flow begins
as that of Lucas and Kanade (:mod:`vidlink.nets.flow`), which needs no training, and two sizes are refined.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidlink.nets.dvc.transform import AddedLatents, BlockTransform, Enhance
from vidlink.nets.flow import optical_flow, warp


class Refine(nn.Sequential):
    """What is added to the flow at one size; nothing at the start."""

    def __init__(self) -> None:
        last = nn.Conv2d(16, 2, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        super().__init__(
            nn.Conv2d(4, 16, 3, padding=1), nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(16, 16, 3, padding=1), nn.LeakyReLU(0.1, inplace=True), last,
        )  # fmt: skip


class MotionNet(nn.Module):
    """Flow between two pictures at half of their size."""

    def __init__(self) -> None:
        super().__init__()
        self.coarse, self.fine = Refine(), Refine()

    def forward(self, current: Tensor, reference: Tensor) -> Tensor:
        """Flow by which :func:`~vidlink.nets.flow.warp` fetches the current picture out of the reference.

        Parameters
        ----------
        current, reference
            Luma within [0, 1], shape (n, 1, h, w), sides divisible by 4.

        Returns
        -------
        Tensor
            Right and down in pixels of the half size, shape (n, 2, h / 2, w / 2).
        """
        with torch.no_grad():
            deviation = current.std(dim=(1, 2, 3), keepdim=True) + 0.02
            levels = min(6, max(2, min(current.shape[-2:]).bit_length() - 3))
            # It gives flow at half of what it is given, and pictures that are doubled so are halved to what they were.
            # Flow that is sought at the full size, too, predicts by 0.6 dB better.
            large = [each.repeat_interleave(2, 2).repeat_interleave(2, 3) / deviation for each in (current, reference)]
            flow = functional.avg_pool2d(optical_flow(large[0], large[1], levels)[0], 2) / 2
        one, other = (functional.avg_pool2d(each, 2) for each in (current, reference))
        small = functional.avg_pool2d(flow, 2) / 2
        small = small + self._step(self.coarse, functional.avg_pool2d(one, 2), functional.avg_pool2d(other, 2), small)
        added = small - functional.avg_pool2d(flow, 2) / 2
        flow = flow + 2 * functional.interpolate(added, scale_factor=2, mode="bilinear", align_corners=False)
        return flow + self._step(self.fine, one, other, flow)

    @staticmethod
    def _step(network: nn.Module, one: Tensor, other: Tensor, flow: Tensor) -> Tensor:
        known = torch.cat([one - 0.5, 4 * (warp(other, flow) - one), flow], 1)
        return network(known)  # type: ignore[no-any-return]


class MotionTransform(nn.Module):
    """Flow at half of the picture's size to latents at a sixteenth and back."""

    kept = 6
    """Coefficients of each block and direction."""
    channels = 2 * kept
    slices = (channels,)

    def __init__(self) -> None:
        super().__init__()
        self.blocks = BlockTransform(8, self.kept)
        self.added = AddedLatents(5, self.channels, 3)
        self.smooth = Enhance(2, 2, 16)

    def analyse(self, flow: Tensor, current: Tensor, reference: Tensor) -> Tensor:
        """Latents, shape (n, 12, h / 16, w / 16), of flow and pictures as :class:`MotionNet` has them."""
        one, other = (functional.avg_pool2d(each, 2) for each in (current, reference))
        missed = warp(other, flow) - one
        known = torch.cat([flow, one - 0.5, 4 * missed, 4 * (other - one)], 1)
        return self.blocks.analyse(flow) + self.added(known)  # type: ignore[no-any-return]

    def synthesize(self, latents: Tensor) -> Tensor:
        """Flow at half of the picture's size."""
        flow = self.blocks.synthesize(latents)
        return flow + self.smooth(flow)  # type: ignore[no-any-return]
