"""What a network for pictures answers: what is lost by a wrong answer, and how good answers are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from vidlink.labels.maps import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Answers(ABC):
    """Answers of one kind to pictures."""

    main: str
    """The score that is looked at first."""

    @abstractmethod
    def loss(self, outputs: Tensor, labels: Any) -> Tensor:
        """What is to be made small, a scalar.

        Parameters
        ----------
        outputs
            What the network gives.
        labels
            What is known, as :func:`~vidlink.training.scenes.vary_scene` gives it, in pixels of the network's picture.
        """

    @abstractmethod
    def decide(self, outputs: Tensor, size: tuple[int, int]) -> list[Any]:
        """The answers in ``outputs``, one a picture, in the form of labels for pictures of ``size`` (width, height).

        Of boxes the score comes before the class: (k, 6).
        """

    @abstractmethod
    def scores(self, found: Sequence[Any], labels: Any) -> dict[str, float | None]:
        """How good answers are, by name."""


def by_index(name: str, values: Any) -> dict[str, float | None]:
    """Scores of the classes as ``name_0`` and so on; None where a class does not occur."""
    return {f"{name}_{index}": None if np.isnan(each) else float(each) for index, each in enumerate(values)}


class ClassAnswers(Answers):
    """One class a picture.

    Parameters
    ----------
    smoothing
        Share of the target that is spread over all classes (C. Szegedy et al., CVPR 2016, arXiv 1512.00567).
    """

    main = "accuracy"

    def __init__(self, smoothing: float = 0.1) -> None:
        self.smoothing = smoothing

    def loss(self, outputs: Tensor, labels: Any) -> Tensor:
        """Cross-entropy with smoothed labels."""
        return functional.cross_entropy(outputs.float(), labels, label_smoothing=self.smoothing)

    def decide(self, outputs: Tensor, size: tuple[int, int]) -> list[Any]:
        """Index of the likeliest class."""
        decided: list[Any] = outputs.argmax(1).tolist()
        return decided

    def scores(self, found: Sequence[Any], labels: Any) -> dict[str, float | None]:
        """Share of right answers."""
        return {"accuracy": float(np.mean(np.asarray(found) == np.asarray(labels)))}


class MapAnswers(Answers):
    """A class for every pixel.

    The loss is cross-entropy, rare classes weighing more (by the square root of how rare), plus one minus the mean soft
    intersection over union of the classes in the batch (M. Rahman and Y. Wang, "Optimizing intersection-over-union in
    deep neural networks for image segmentation", ISVC 2016).

    Parameters
    ----------
    maps
        Label maps of the pictures to learn from, shape (n, height, width).
    classes
        How many classes there are.
    """

    main = "miou"

    def __init__(self, maps: Any, classes: int) -> None:
        self.classes = classes
        counts = np.bincount(np.ravel(maps), minlength=256)[:classes].astype(float)
        rarity = np.sqrt(counts.sum() / np.maximum(counts, 1) / classes)
        self.weights = torch.from_numpy(np.clip(rarity, 0.3, 5.0).astype(np.float32))

    def loss(self, outputs: Tensor, labels: Any) -> Tensor:
        """Shapes (n, classes, rows, columns) and (n, h, w); the labels are taken at the outputs' size."""
        outputs = outputs.float()
        wanted = functional.interpolate(labels[:, None].float(), outputs.shape[-2:], mode="nearest")[:, 0].long()
        known = wanted != UNLABELLED
        weights = self.weights.to(outputs)
        loss = functional.cross_entropy(outputs, wanted, weight=weights, ignore_index=UNLABELLED)
        share = outputs.softmax(1) * known[:, None]
        truth = functional.one_hot(wanted.where(known, 0), self.classes).permute(0, 3, 1, 2) * known[:, None]
        both = (share * truth).sum((0, 2, 3))
        either = share.sum((0, 2, 3)) + truth.sum((0, 2, 3)) - both
        there = truth.sum((0, 2, 3)) > 0
        return loss + (1 - ((both + 1) / (either + 1))[there]).mean() if bool(there.any()) else 0.0 * outputs.sum()

    def decide(self, outputs: Tensor, size: tuple[int, int]) -> list[Any]:
        """The likeliest class of each pixel, the scores interpolated to the picture's size."""
        wider = functional.interpolate(outputs.float(), size[::-1], mode="bilinear", align_corners=False)
        return list(wider.argmax(1).to(torch.uint8).cpu().numpy())

    def scores(self, found: Sequence[Any], labels: Any) -> dict[str, float | None]:
        """The mean intersection over union over all pixels, and that of each class as ``iou_0`` and so on."""
        from vidlink.scores.segmentation import class_iou, confusion, mean_iou, pixel_accuracy

        matrix = np.zeros((self.classes, self.classes), np.int64)
        for said, label in zip(found, labels, strict=True):
            matrix += confusion(said, np.where(label == UNLABELLED, -1, label.astype(np.int64)), self.classes)
        by_class = by_index("iou", class_iou(matrix))
        return {"miou": mean_iou(matrix), "pixels": pixel_accuracy(matrix), **by_class}
