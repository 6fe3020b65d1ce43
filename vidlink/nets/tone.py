"""Tone adjustment that depends on the picture: a curve for all of it, then a small correction of each pixel.

After Xu et al., "Toward RAW object detection: a new benchmark and a new model", CVPR 2023, where a light network
in front of a detector brings dark pictures of high dynamic range to where the detector sees, first as a whole and then
pixel by pixel, and learns from the detector. Here the curve is ``sum over k of w_k min(g x, 1)^(gamma_k)``: it rises
everywhere, and a thumbnail of the picture decides the gain g and the shares w of five powers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

POWERS = (1.0, 1 / 2, 1 / 4, 1 / 8, 2.0)
"""Exponents of the curve; the first one changes nothing."""
THUMBNAIL = 16
"""Side of what the curve is decided by, in pixels."""
STEP = 1 / 255
"""Least value whose power is taken: the slope of a root at 0 is infinite."""


class ToneNet(nn.Module):
    """Dark pictures in, bright ones of the same size out; untrained, it changes next to nothing.

    Parameters
    ----------
    width
        Channels of the correction of pixels.
    channels
        Channels of the pictures; all have one curve.
    """

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""

    def __init__(self, width: int = 16, *, channels: int = 1) -> None:
        super().__init__()
        self.channels = width
        self.decide = nn.Sequential(
            nn.Conv2d(channels, 16, 3, 2, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 1 + len(POWERS)),
        )
        decision: nn.Linear = self.decide[-1]  # type: ignore[assignment]
        nn.init.zeros_(decision.weight)
        with torch.no_grad():
            decision.bias.copy_(torch.tensor([0.0, 6.0, *[0.0] * (len(POWERS) - 1)]))  # the power of one

        def layer(before: int, after: int) -> nn.Conv2d:
            return nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate")

        self.correct = nn.Sequential(
            layer(2 * channels, width), nn.ReLU(inplace=True), layer(width, width), nn.ReLU(inplace=True)
        )
        last = layer(width, channels)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.last: nn.Module = last

    def curve(self, pictures: Tensor) -> Tensor:
        """The pictures with one curve for each: shape (n, c, h, w), within [0, 1], and back."""
        thumbnails = functional.adaptive_avg_pool2d(pictures, THUMBNAIL)
        decided = self.decide((thumbnails + STEP).log2() / 4 + 1).float()  # about -1 (black) to 1 (white)
        gain, shares = torch.exp(decided[:, :1].clamp(0, math.log(64))), decided[:, 1:].softmax(dim=1)
        bright = (pictures.float() * gain[:, :, None, None]).clamp(STEP, 1)
        curves = torch.stack([bright**power for power in POWERS], 1)
        return (curves * shares[:, :, None, None, None]).sum(dim=1)

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """The network without its last layer: shape (n, c, h, w) within [0, 1] to (n, channels, h, w).

        ``scale`` is for networks that know the scale factor; this one does not.
        """
        return self._seen(pictures)[1]

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Restore: shape (n, c, h, w), within [0, 1], and back; may leave [0, 1] a little."""
        bright, features = self._seen(pictures)
        return (bright + self.last(features)).to(pictures.dtype)

    def _seen(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        bright = self.curve(pictures)
        return bright, self.correct(torch.cat([bright, pictures], 1) - 0.5)
