"""Our activity network: a restorer for dark, coarse pictures, the motion in them, and what it adds up to over time.

What somebody does is in how they move, not in what they wear and where: so the recognizer sees no picture at all, only
flow and change between neighbouring pictures, after "Optical flow guided feature" (Sun et al., CVPR 2018), which takes
spatial gradients and temporal differences of features for a stand-in of flow. Here gradients and differences of the
restored pictures are solved for the flow itself (:mod:`vidlink.nets.flow`), which is differentiable, so that the
restorer in front learns from the classes behind it, as in the joint networks for faces.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from vidlink.nets.flow import optical_flow

if TYPE_CHECKING:
    from torch import Tensor

HEIGHT, WIDTH = 48, 64
"""Size of the pictures in pixels."""
FRAMES, FRAME_RATE = 16, 8.0
"""Pictures in a window, and how many a second."""


class Restorer(nn.Module):
    """Light and detail for dark, coarse pictures: a learned gamma, contrast normalisation, a small residual network.

    Parameters
    ----------
    width
        Channels; 0 leaves the residual network out.
    """

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.tensor(math.log(0.5)))
        self.residual = None
        if width:
            last = nn.Conv2d(width, 1, 3, padding=1)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]
            self.residual = nn.Sequential(
                nn.Conv2d(1, width, 3, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(width, width, 3, padding=1),
                nn.ReLU(inplace=True),
                last,
            )

    def brighten(self, windows: Tensor) -> Tensor:
        """Gamma, then a mean of 0 and a standard deviation of 1 over each window, shape (n, frames, h, w)."""
        bright = (windows + 1 / 255) ** self.gamma.exp()
        mean = bright.mean(dim=(1, 2, 3), keepdim=True)
        deviation = bright.std(dim=(1, 2, 3), keepdim=True, correction=0)
        return (bright - mean) / (deviation + 0.02)

    def forward(self, windows: Tensor) -> Tensor:
        """Restore windows of luma within [0, 1], shape (n, frames, h, w); the same shape."""
        bright = self.brighten(windows)
        if self.residual is None:
            return bright
        pictures = bright.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
        return bright + self.residual(pictures).float()[:, 0].reshape(bright.shape)


class ActivityNet(nn.Module):
    """Windows of luma in, scores of classes out.

    Parameters
    ----------
    classes
        How many.
    restorer
        Channels of the restorer; 0 leaves all but its gamma out.
    widths
        Channels of the layers that look at each moment.
    features
        Channels of the layers that look along time.
    dropout
        Share of features left out in training.
    """

    def __init__(
        self,
        classes: int,
        *,
        restorer: int = 6,
        widths: tuple[int, ...] = (24, 48, 96),
        features: int = 128,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        self.restorer = Restorer(restorer)
        first, *others = widths
        layers: list[nn.Module] = [
            nn.Conv2d(6, first, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        ]
        before = first
        for width in others:
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(2, ceil_mode=True)]
            before = width
        self.moment = nn.Sequential(*layers)
        self.time = nn.Sequential(
            nn.Dropout(dropout),
            nn.Conv1d(2 * before, features, 3, padding=1, bias=False),
            nn.BatchNorm1d(features),
            nn.ReLU(inplace=True),
            nn.Conv1d(features, features, 3, padding=2, dilation=2, bias=False),
            nn.BatchNorm1d(features),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * features, classes))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, windows: Tensor) -> Tensor:
        """Recognize windows of luma within [0, 1], shape (n, frames, 48, 64); returns scores, shape (n, classes)."""
        count, frames = windows.shape[:2]
        motion = self.motion(self.restorer(windows)).contiguous(memory_format=torch.channels_last)
        seen = self.moment(motion).float()
        seen = torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], 1).reshape(count, frames - 1, -1)
        along = self.time(seen.transpose(1, 2)).float()
        return self.head(torch.cat([along.mean(dim=2), along.amax(dim=2)], 1))

    @staticmethod
    def motion(restored: Tensor) -> Tensor:
        """What moves, for each pair of neighbouring pictures.

        Parameters
        ----------
        restored
            Shape (n, frames, height, width).

        Returns
        -------
        Tensor
            Shape (n * (frames - 1), 6, height / 2, width / 2): flow less that of the camera (the median), its length,
            and of what changed: how much, how much of it no motion explains, and which way.
        """
        height, width = restored.shape[-2:]
        with torch.autocast(restored.device.type, enabled=False):
            first = restored[:, :-1].reshape(-1, 1, height, width).float()
            second = restored[:, 1:].reshape(-1, 1, height, width).float()
            flow, change, residue = optical_flow(first, second)
            flow = flow - flow.flatten(2).median(dim=2).values[:, :, None, None]
            length = (flow.square().sum(dim=1, keepdim=True) + 1e-6).sqrt()
            moves = torch.cat([flow, length], 1).clamp(-4, 4)
            return torch.cat([moves, torch.cat([change.abs(), residue.abs(), change], 1).clamp(-3, 3)], 1)
