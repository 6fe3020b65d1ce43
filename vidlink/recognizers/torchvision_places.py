"""torchvision's detectors and segmenters as recognizers of boxes and of maps.

They are in the extra ``vidlink[torchvision]``; nothing of it is imported before one of them is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.nets.foreign import fetch, import_torchvision, load_foreign
from vidlink.recognizers.decode import boxes_from
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context

SPARE = "aux_classifier."
"""A second head of segmenters, which only training uses; weights may have it."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the channels over ImageNet, by which segmenters normalize; detectors do it themselves."""


class _Places:
    """What both have in common.

    Parameters
    ----------
    device
        Where to compute.
    weights
        Safetensors or a state dict; None fetches those that torchvision publishes.
    published
        Which of these, by their name there, such as ``COCO_V1``; the newest by default.
    random
        Random weights, to try things out with.
    classes
        Names of the classes of ``weights``, where they are not those of the published ones; the first is background.
    size
        Width and height of its pictures, ``640x480``.

    Raises
    ------
    UserError
        Where torchvision is missing, or the weights are, or they are another model's.
    """

    name: str
    task: str
    size: str

    def __init__(
        self,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
        published: str = "DEFAULT",
        random: bool = False,
        classes: tuple[str, ...] | None = None,
        size: str | None = None,
    ) -> None:
        torchvision = import_torchvision()
        known = torchvision.models.get_model_weights(self.name)
        if published not in known.__members__:
            raise UserError(
                f"recognizer {self.name!r}: torchvision publishes no weights {published!r}; known are "
                f"{', '.join(known.__members__)}"
            )
        names = classes or known[published].meta["categories"]
        self.names = _told_apart(names)
        width, _, height = (size or self.size).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
            raise UserError(f"recognizer {self.name!r}: size = {size!r}, expected width and height, as in 640x480")
        self.wants = Wants(region="frame", width=int(width), height=int(height), colour="rgb")
        self.device = torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = torchvision.models.get_model(
                self.name, weights=None, weights_backbone=None, num_classes=len(self.names)
            )
        self.notes: tuple[str, ...] = ()
        if weights is not None:
            load_foreign(network, weights, self.name, spare=SPARE)
        elif random:
            self.notes = (f"{self.name} has random weights: what it says means nothing",)
        else:
            if classes:
                raise UserError(
                    f"recognizer {self.name!r}: classes name those of --weights; the published ones have their own"
                )
            _load_published(network, known[published], self.name)
        self.network = network.to(self.device).eval()


class _Detector(_Places):
    task, size = "detection", "640x480"

    @property
    def boxes(self) -> tuple[str, ...]:
        """Names of the classes of things; the first is background, which no box is of."""
        return self.names

    def __call__(self, pictures: Tensor, context: Context) -> list[Tensor]:
        """Boxes in pixels of each picture, score and class, shape (k, 6)."""
        found = self.network(list(pictures))
        return boxes_from(found, count=len(pictures), classes=len(self.names))


class _Segmenter(_Places):
    task, size = "segmentation", "512x384"

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the classes of pixels."""
        return self.names

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Scores of the classes, shape (n, classes, height, width), of pictures (n, 3, height, width)."""
        mean, deviation = (torch.tensor(each, device=pictures.device)[:, None, None] for each in (MEAN, DEVIATION))
        scores: Tensor = self.network((pictures - mean) / deviation)["out"]
        return scores


def _told_apart(names: Any) -> tuple[str, ...]:
    """Names of which none stands twice: COCO has several places without a class, all called ``N/A``."""
    listed = list(names)
    return tuple(name if listed.count(name) == 1 else f"{name} {place}" for place, name in enumerate(listed))


def _load_published(network: torch.nn.Module, published: Any, name: str) -> None:
    state = fetch(published, name)
    wanted = network.state_dict().keys()
    network.load_state_dict({key: value for key, value in state.items() if key in wanted})


class SsdLite(_Detector):
    """torchvision's ssdlite320_mobilenet_v3_large: a small detector, the classes of COCO."""

    name = "ssdlite320_mobilenet_v3_large"


class Fcos(_Detector):
    """torchvision's fcos_resnet50_fpn: a one-stage detector without anchors, the classes of COCO."""

    name = "fcos_resnet50_fpn"


class RetinaNet(_Detector):
    """torchvision's retinanet_resnet50_fpn: a one-stage detector, the classes of COCO."""

    name = "retinanet_resnet50_fpn"


class FasterRcnn(_Detector):
    """torchvision's fasterrcnn_mobilenet_v3_large_fpn: a two-stage detector, the classes of COCO."""

    name = "fasterrcnn_mobilenet_v3_large_fpn"


class FasterRcnn320(_Detector):
    """torchvision's fasterrcnn_mobilenet_v3_large_320_fpn: a two-stage detector at low resolution, classes of COCO."""

    name = "fasterrcnn_mobilenet_v3_large_320_fpn"


class Lraspp(_Segmenter):
    """torchvision's lraspp_mobilenet_v3_large: a small segmenter, the classes of Pascal VOC."""

    name = "lraspp_mobilenet_v3_large"


class DeepLabMobile(_Segmenter):
    """torchvision's deeplabv3_mobilenet_v3_large: a segmenter, the classes of Pascal VOC."""

    name = "deeplabv3_mobilenet_v3_large"


class DeepLab(_Segmenter):
    """torchvision's deeplabv3_resnet50: a segmenter, the classes of Pascal VOC."""

    name = "deeplabv3_resnet50"
