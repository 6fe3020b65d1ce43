"""The shipped recognizer of what a person does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vidlink.nets.motion import FRAME_RATE, FRAMES, HEIGHT, WIDTH
from vidlink.nets.weights import load_activity
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from vidlink.nets.motion import ActivityNet
    from vidlink.recognizers.recognizer import Context

WEIGHTS = "activity.safetensors"
"""File of the shipped weights in ``vidlink.weights``."""


class Activity:
    """What a person does: jump, run, sit down, stand up, turn, walk (motion only, one model for every scale).

    :class:`vidlink.nets.motion.ActivityNet` on windows of two seconds of 64x48 luma, trained on generated figures and
    on clips in the dark, each degraded by a random factor.

    Parameters
    ----------
    device
        Where to compute.
    weights
        A safetensors file from ``vidlink.train --task activity``; None for the shipped weights. Its header names the
        classes.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or another network's.
    """

    name = "activity"
    task = "activity"
    wants = Wants(
        region="frame", height=HEIGHT, width=WIDTH, colour="luma", frames=FRAMES, frame_rate=FRAME_RATE, stride_s=0.5
    )

    gives: tuple[str, ...] = ()  # it has classes

    def __init__(self, *, device: torch.device | str = "cpu", weights: Path | None = None) -> None:
        self.device = torch.device(device)
        if weights is None:
            from importlib.resources import as_file, files

            with as_file(files("vidlink.weights") / WEIGHTS) as shipped:
                network, self.classes = load_activity(shipped)
        else:
            network, self.classes = load_activity(weights)
        self.network = network.to(self.device).eval()

    @classmethod
    def around(cls, network: ActivityNet, classes: Sequence[str]) -> Activity:
        """Make a recognizer of a network that is in memory."""
        made = cls.__new__(cls)
        made.device, made.classes = next(network.parameters()).device, tuple(classes)
        made.network = network.eval()
        return made

    def __call__(self, windows: Tensor, context: Context) -> Tensor:
        """Scores of the classes, shape (n, classes), of windows of shape (n, 16, 1, 48, 64)."""
        return self.network(windows[:, :, 0])
