"""The whole codec of pictures that are predicted from the one before.

G. Lu et al., "DVC: An end-to-end deep video compression framework", CVPR 2019: flow from the last decoded picture is
coded; that picture is warped by the decoded flow and improved by a network; what is still missing is coded; all learns
together for distortion and rate. One network serves all rates: its latents are multiplied by a vector for each value of
the quality knob (Z. Cui et al., "Asymmetric gained deep image compression with continuous rate adaptation", CVPR 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidlink.nets.dvc.hyperprior import BEST, WORST, ByQuality, Hyperprior, anchors
from vidlink.nets.dvc.motion import MotionNet, MotionTransform
from vidlink.nets.dvc.transform import AddedLatents, Enhance, ResidualTransform, fold, unfold
from vidlink.nets.flow import warp

STRIDE = 32
"""Sides of pictures are padded to multiples of it."""
Planes = tuple[Tensor, Tensor]
"""Luma within [0, 1], shape (n, 1, h, w), and chroma, shape (n, 2, h / 2, w / 2)."""


def quantizer_step(quality: Tensor) -> Tensor:
    """Step of H.264 and H.265 at a quantization parameter, for pictures within [0, 255]."""
    return torch.exp2((quality - 4) / 6)


def lagrangian(quality: Tensor) -> Tensor:
    """Squared error, of pictures within [0, 255], that a bit is worth: that of the reference encoders of H.264/5."""
    return 0.85 * torch.exp2((quality - 12) / 3)


@dataclass(frozen=True, kw_only=True)
class Coded:
    """One picture after the codec, as training sees it."""

    planes: Planes
    """What the decoder has."""
    predicted: Planes
    """What it had before the residual."""
    bits: Tensor
    """Shape (n,), with the gradients of both rates."""
    plain_bits: Tensor
    """Shape (n,), without any."""


class DVC(nn.Module):
    """Pictures predicted from the one before; called for training, its parts used by :mod:`vidlink.codec.dvc`."""

    def __init__(self) -> None:
        super().__init__()
        self.motion, self.flows, self.residuals = MotionNet(), MotionTransform(), ResidualTransform()
        self.predict, self.improve = Enhance(15), Enhance(13, width=40)
        self.added = AddedLatents(12, self.residuals.channels, 2)
        self.flow_prior = Hyperprior(self.flows.slices, 1)
        self.residual_prior = Hyperprior(self.residuals.slices, 2)
        fine = (255 / quantizer_step(anchors())).log()[:, None].expand(-1, self.residuals.channels)
        coarse = (-(anchors() - BEST) / 18 * 0.693).clone()[:, None].expand(-1, self.flows.channels)
        self.gain, self.ungain = ByQuality(fine), ByQuality(-fine)
        self.flow_gain, self.flow_ungain = ByQuality(coarse), ByQuality(-coarse)

    def forward(self, current: Planes, reference: Planes, quality: Tensor) -> Coded:
        """Code pictures, each from its reference; sides divisible by :data:`STRIDE`, quality of shape (n,)."""
        flow_values, flow_bits, flow_plain = self.flow_prior(self.flow_latents(current, reference, quality), quality)
        predicted = self.prediction(flow_values, reference, quality)
        values, bits, plain = self.residual_prior(self.residual_latents(current, predicted, quality), quality)
        planes = self.reconstruct(values, predicted, quality)
        return Coded(planes=planes, predicted=predicted, bits=flow_bits + bits, plain_bits=flow_plain + plain)

    def flow_latents(self, current: Planes, reference: Planes, quality: Tensor) -> Tensor:
        """What the encoder sends of motion, before it is rounded, shape (n, 12, h / 16, w / 16)."""
        flow = self.motion(current[0], reference[0])
        return self.flows.analyse(flow, current[0], reference[0]) * self.flow_gain(quality).exp()  # type: ignore[no-any-return]

    def prediction(self, flow_values: Tensor, reference: Planes, quality: Tensor) -> Planes:
        """The picture that the decoder expects."""
        flow = self.flows.synthesize(flow_values * self.flow_ungain(quality).exp())
        large = 2 * functional.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=False)
        warped = fold(warp_sharply(reference[0], large), warp(reference[1], flow))
        known = [warped - 0.5, 4 * (fold(*reference) - warped), flow / 8, _plane(quality, flow)]
        return unfold(warped + self.predict(torch.cat(known, 1)))

    def residual_latents(self, current: Planes, predicted: Planes, quality: Tensor) -> Tensor:
        """What the encoder sends of the rest, before it is rounded, shape (n, 96, h / 8, w / 8)."""
        rest = [one - other for one, other in zip(current, predicted, strict=True)]
        known = torch.cat([fold(*current) - 0.5, 4 * fold(*rest)], 1)
        return (self.residuals.analyse(*rest) + self.added(known)) * self.gain(quality).exp()  # type: ignore[no-any-return]

    def reconstruct(self, values: Tensor, predicted: Planes, quality: Tensor) -> Planes:
        """The decoded picture."""
        rest = fold(*self.residuals.synthesize(values * self.ungain(quality).exp()))
        before = fold(*predicted)
        known = torch.cat([before - 0.5, 4 * rest, _plane(quality, rest)], 1)
        return unfold(before + rest + self.improve(known))


def warp_sharply(pictures: Tensor, flow: Tensor) -> Tensor:
    """As :func:`~vidlink.nets.flow.warp`, by cubic interpolation."""
    height, width = pictures.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    x = (columns + flow[:, 0]) * (2 / max(1, width - 1)) - 1
    y = (rows + flow[:, 1]) * (2 / max(1, height - 1)) - 1
    grid = torch.stack([x, y], -1)
    return functional.grid_sample(pictures, grid, mode="bicubic", align_corners=True, padding_mode="border")


def _plane(quality: Tensor, like: Tensor) -> Tensor:
    """The quality as a plane, from -1 to 1."""
    level = (2 * quality - BEST - WORST) / (WORST - BEST)
    return level[:, None, None, None].expand(-1, 1, *like.shape[-2:]).to(like)
