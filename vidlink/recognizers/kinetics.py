"""torchvision's video models as recognizers of the 400 classes of Kinetics, each with its own transforms.

They are in the extra ``vidlink[torchvision]``; nothing of it is imported before one of them is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from vidlink.nets.foreign import fetch, import_torchvision, load_foreign
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context


class _Kinetics:
    """A video model of torchvision.

    Parameters
    ----------
    device
        Where to compute.
    weights
        Safetensors or a state dict; None fetches those that torchvision publishes.
    random
        Random weights, to try things out with.
    classes
        Names of the classes of ``weights``, where they are not those of Kinetics.

    Raises
    ------
    UserError
        Where torchvision is missing, or the weights are, or they are another model's.
    """

    name: str
    task = "activity"
    wants: Wants
    gives: tuple[str, ...] = ()  # it has classes

    def __init__(
        self,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
        random: bool = False,
        classes: tuple[str, ...] | None = None,
    ) -> None:
        torchvision = import_torchvision()
        published = torchvision.models.get_model_weights(self.name).DEFAULT
        self.classes = tuple(classes or published.meta["categories"])
        self.device = torch.device(device)
        self._transforms: Any = published.transforms()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = torchvision.models.get_model(self.name, weights=None, num_classes=len(self.classes))
        if weights is not None:
            load_foreign(network, weights, self.name)
        elif not random:
            network.load_state_dict(fetch(published, self.name))
        self.network = network.to(self.device).eval()

    def __call__(self, windows: Tensor, context: Context) -> Tensor:
        """Scores of the classes, shape (n, classes), of windows of shape (n, frames, 3, height, width)."""
        return self.network(self._transforms(windows))


def _wants(frames: int, frame_rate: float, height: int, width: int) -> Wants:
    return Wants(region="frame", height=height, width=width, colour="rgb", frames=frames, frame_rate=frame_rate)


class R3d18(_Kinetics):
    """torchvision's r3d_18: a 3-D ResNet, the 400 classes of Kinetics."""

    name, wants = "r3d_18", _wants(16, 15, 128, 171)


class Mc3x18(_Kinetics):
    """torchvision's mc3_18: mixed 3-D and 2-D convolutions, the 400 classes of Kinetics."""

    name, wants = "mc3_18", _wants(16, 15, 128, 171)


class R2plus1d18(_Kinetics):
    """torchvision's r2plus1d_18: space and time apart, the 400 classes of Kinetics."""

    name, wants = "r2plus1d_18", _wants(16, 15, 128, 171)


class S3d(_Kinetics):
    """torchvision's s3d: separable 3-D convolutions, the 400 classes of Kinetics."""

    name, wants = "s3d", _wants(128, 15, 256, 256)


class MvitV2S(_Kinetics):
    """torchvision's mvit_v2_s: a multiscale vision transformer, the 400 classes of Kinetics."""

    name, wants = "mvit_v2_s", _wants(16, 7.5, 256, 341)


class Swin3dT(_Kinetics):
    """torchvision's swin3d_t: a video Swin transformer, the 400 classes of Kinetics."""

    name, wants = "swin3d_t", _wants(32, 15, 256, 341)
