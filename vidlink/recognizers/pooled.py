"""Any image classifier as a recognizer of videos: it looks at single frames, and their scores are pooled over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from vidlink.errors import UserError, unknown
from vidlink.nets.foreign import fetch, import_torchvision, load_foreign
from vidlink.plugins import find_class, make
from vidlink.recognizers.recognizer import Wants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the channels over ImageNet, by which its classifiers normalize."""


class ImageClassifier:
    """Any image classifier frame by frame, pooled over time: model=resnet18, or model=package.module:function.

    Parameters
    ----------
    model
        A classifier of torchvision by name, or ``package.module:function``, which is called without arguments and
        returns an ``nn.Module`` from (n, 3, size, size) to (n, classes): for one of timm, a function that calls
        ``timm.create_model``.
    classes
        Names of its classes; those of ImageNet for torchvision's own.
    device
        Where to compute.
    weights
        Safetensors or a state dict; None takes what the function made, or what torchvision publishes.
    random
        Random weights for a model of torchvision, to try things out with.
    size
        Side of its pictures in pixels.
    frames, frame_rate
        Frames in a window, and how many a second.
    pool
        ``mean`` or ``max`` of the frames' scores.

    Raises
    ------
    UserError
        There is no such model, it fails, the weights are not its own, or the names are not as many as its classes.
    """

    name, task = "image-classifier", "activity"
    gives: tuple[str, ...] = ()  # it has classes

    def __init__(
        self,
        *,
        model: str = "resnet18",
        classes: tuple[str, ...] | None = None,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
        random: bool = False,
        size: int = 224,
        frames: int = 8,
        frame_rate: float = 8.0,
        pool: Literal["mean", "max"] = "mean",
    ) -> None:
        self.wants = Wants(region="frame", height=size, width=size, colour="rgb", frames=frames, frame_rate=frame_rate)
        self.device, self._pool = torch.device(device), pool
        if ":" in model:
            network, known = _make(model), None
        else:
            network, known = _torchvision(model, classes, fetched=weights is None and not random)
        if weights is not None:
            load_foreign(network, weights, model)
        self.network = network.to(self.device).eval()
        named = classes or known
        if named is None:
            raise UserError(f"recognizer 'image-classifier': name the classes of {model}: --recognizer-arg classes=a,b")
        self.classes = tuple(named)
        self._mean = torch.tensor(MEAN, device=self.device)[:, None, None]
        self._deviation = torch.tensor(DEVIATION, device=self.device)[:, None, None]

    def __call__(self, windows: Tensor, context: Context) -> Tensor:
        """Scores of the classes, shape (n, classes), of windows of shape (n, frames, 3, size, size)."""
        count, frames = windows.shape[:2]
        scores = self.network((windows.flatten(0, 1) - self._mean) / self._deviation).reshape(count, frames, -1)
        return scores.mean(dim=1) if self._pool == "mean" else scores.amax(dim=1)


def _make(model: str) -> torch.nn.Module:
    """Call ``package.module:function``."""
    made = make(find_class(model, what=f"model {model}", expected="a name"), {}, what=f"model {model}")
    if not isinstance(made, torch.nn.Module):
        raise UserError(f"model {model}: gave {type(made).__name__}, expected an nn.Module")
    return made


def _torchvision(
    model: str, classes: Sequence[str] | None, *, fetched: bool
) -> tuple[torch.nn.Module, tuple[str, ...]]:
    """Make a classifier of torchvision for these classes, or its own; returns it and their names."""
    torchvision = import_torchvision()
    names = torchvision.models.list_models(module=torchvision.models)
    if model not in names:
        raise unknown("image classifier of torchvision", model, names)
    published = torchvision.models.get_model_weights(model).DEFAULT
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        count = len(published.meta["categories"])
        if fetched and classes and len(classes) != count:
            raise UserError(
                f"recognizer 'image-classifier': {len(classes)} classes for {model}, whose published weights know "
                f"{count}; --weights names those of {len(classes)}, random=true makes some"
            )
        network = torchvision.models.get_model(model, weights=None, num_classes=len(classes or range(count)))
    if fetched:
        network.load_state_dict(fetch(published, model))
    return network, tuple(published.meta["categories"])
