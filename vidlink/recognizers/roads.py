"""Recognizers of road scenes: what is where, and which pixel is what; also of other weights for pictures."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from vidlink.nets.centre import find_boxes
from vidlink.nets.pictures import PictureNetwork, Task, load_for_pictures
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from vidlink.recognizers.recognizer import Context

LEAST_SCORE = 0.05
"""Boxes of lower scores are not given."""
THRESHOLD = 0.3
"""Score from which a box counts as found: then about as many are found as there are things in a picture."""


def load_shipped(task: Task, weights: Path | None, own: str = "") -> tuple[PictureNetwork, nn.Module]:
    """The network of a weights file, or of the weights for road scenes.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or another task's.
    """
    if weights is not None:
        return load_for_pictures(weights, task, own=own)
    with as_file(files("vidlink.weights") / f"road-{task}.safetensors") as shipped:
        return load_for_pictures(shipped, task)


class _Roads:
    """What both have in common; the parameters of both.

    Parameters
    ----------
    device
        Where to compute.
    weights
        A safetensors file from ``vidlink.train``; None for the shipped weights. Its header names the classes.
    network
        The class of the network, ``package.module:Class``, where the weights are of one that is code of your own.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or another task's.
    """

    task: Any

    def __init__(self, *, device: torch.device | str = "cpu", weights: Path | None = None, network: str = "") -> None:
        self.device = torch.device(device)
        about, module = load_shipped(self.task, weights, network)
        self.names = about.classes
        self.network = module.to(device=self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.wants = Wants(region="frame", width=about.size[0], height=about.size[1], colour="rgb")

    def _outputs(self, pictures: Tensor, context: Context) -> Tensor:
        scales = torch.from_numpy(context.scale).to(pictures)
        found: Tensor = self.network(pictures.contiguous(memory_format=torch.channels_last), scales)
        return found.float()


class RoadSegmentation(_Roads):
    """Which pixel is what in a road scene: eleven classes of CamVid (U-Net, trained by vidlink)."""

    name = "road-segmentation"
    task = "segmentation"

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the classes of pixels."""
        return self.names

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Scores of each class, shape (n, classes, height, width), of pictures (n, 3, height, width)."""
        outputs = self._outputs(pictures, context)
        return functional.interpolate(outputs, pictures.shape[-2:], mode="bilinear", align_corners=False)


class RoadDetection(_Roads):
    """Where cars, pedestrians and bicyclists are in a road scene (centre points, trained by vidlink)."""

    name = "road-detection"
    task = "detection"
    threshold = THRESHOLD

    @property
    def boxes(self) -> tuple[str, ...]:
        """Names of the classes of things."""
        return self.names

    def __call__(self, pictures: Tensor, context: Context) -> list[Tensor]:
        """Boxes in pixels of each picture, score and class, shape (k, 6)."""
        outputs = self._outputs(pictures, context)
        found = find_boxes(outputs, pictures.shape[-1] / outputs.shape[-1], least=LEAST_SCORE)
        return [torch.cat([corners, scores[:, None], index[:, None]], 1) for corners, scores, index in found]
