"""Boxes as points with a size: what :class:`~vidlink.nets.centre.CentreNet` learns, and what is found in its maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from vidlink.nets.centre import PLACES, find_boxes
from vidlink.training.answers import Answers, by_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

SPREAD = 0.54 / 6
"""Standard deviation of a blob of heat as a share of the box's width and height (TTFNet)."""
LEAST_SPREAD = 0.5
"""The least one, in cells."""
PLACE_WEIGHT = 0.5
"""Weight of size and offset against the heat."""
LEAST_SCORE = 0.01
"""Boxes of lower scores are not looked at when scores are worked out."""


class BoxAnswers(Answers):
    """Boxes with classes and scores.

    The loss is the focal loss of H. Law and J. Deng, "CornerNet", ECCV 2018, arXiv 1808.01244, on the heat map, and the
    absolute differences of offset and of the logarithm of width and height, each box weighing the same.

    Parameters
    ----------
    classes
        How many classes there are.
    """

    main = "map50"

    def __init__(self, classes: int) -> None:
        self.classes = classes

    def loss(self, outputs: Tensor, labels: Any) -> Tensor:
        """Shape (n, classes + 4, rows, columns), and for each picture boxes (k, 5) in pixels of it.

        ``labels`` is a pair: the boxes, and width and height of the picture in pixels.
        """
        boxes, size = labels
        heat, places, weights = self.targets(boxes, size, outputs.shape[-2:])
        count = max(1, sum(len(rows) for rows in boxes))
        said = outputs.float()
        about = said[:, -PLACES:] - places.to(said)
        place = (weights.to(said) * about.abs()).sum() / count
        return _focal(said[:, :-PLACES], heat.to(said)) / count + PLACE_WEIGHT * place

    def targets(
        self, boxes: Sequence[Tensor], size: tuple[int, int], cells: Sequence[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the maps should be, and how much each place counts for size and offset.

        Returns
        -------
        heat, shape (n, classes, rows, columns)
            1 in the cell of each centre, less about it.
        places, shape (n, 4, rows, columns)
            Logarithm of width and height, offset of the centre, all in cells.
        weights, shape (n, 1, rows, columns)
            They add up to about 1 over each box.
        """
        rows, columns = cells
        count = len(boxes)
        heat = torch.zeros(count, self.classes, rows, columns)
        places, weights = torch.zeros(count, PLACES, rows, columns), torch.zeros(count, 1, rows, columns)
        across, down = torch.arange(columns) + 0.5, torch.arange(rows) + 0.5
        factors = torch.tensor([columns / size[0], rows / size[1]] * 2)
        for picture, found in enumerate(boxes):
            areas = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
            for number in areas.argsort(descending=True).tolist():  # small ones lie before large ones
                left, top, right, bottom = (found[number, :4] * factors).tolist()
                x, y, wide, high = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
                column, row = min(columns - 1, int(x)), min(rows - 1, int(y))
                blob_x = torch.exp(-((across - column - 0.5) ** 2) / (2 * max(LEAST_SPREAD, SPREAD * wide) ** 2))
                blob_y = torch.exp(-((down - row - 0.5) ** 2) / (2 * max(LEAST_SPREAD, SPREAD * high) ** 2))
                blob = blob_y[:, None] * blob_x[None]
                about = heat[picture, int(found[number, 4])]
                torch.maximum(about, blob, out=about)
                near = blob > 0.3
                weights[picture, 0][near] = (blob / blob[near].sum())[near]
                targets = (math.log(max(wide, 1e-3)), math.log(max(high, 1e-3)), x - across[None], y - down[:, None])
                for each, target in enumerate(targets):
                    places[picture, each][near] = torch.as_tensor(target).expand(rows, columns)[near]
        return heat, places, weights

    def decide(self, outputs: Tensor, size: tuple[int, int]) -> list[Any]:
        """Boxes, score and class of each peak of the heat, (k, 6)."""
        rows, columns = outputs.shape[-2:]
        factors = outputs.new_tensor([size[0] / columns, size[1] / rows] * 2)  # pictures may have another aspect
        found = find_boxes(outputs, 1.0, least=LEAST_SCORE)
        return [
            torch.cat([corners * factors, scores[:, None], classes[:, None]], 1).cpu().numpy().astype(np.float64)
            for corners, scores, classes in found
        ]

    def scores(self, found: Sequence[Any], labels: Any) -> dict[str, float | None]:
        """``map50``, ``map``, and ``ap50_0`` and so on, as COCO counts them."""
        from vidlink.scores.detection import average_precision

        counted = average_precision(found, [np.asarray(each, np.float64) for each in labels], self.classes)
        by_class = by_index("ap50", counted.by_class)
        return {"map50": counted.map50, "map": counted.map, **by_class}


def _focal(said: Tensor, heat: Tensor) -> Tensor:
    """Sum of -(1 - p)^2 log p at centres and of -(1 - y)^4 p^2 log(1 - p) elsewhere; p of logits, y the heat."""
    centre = heat >= 1
    share = said.sigmoid()
    at = (1 - share).square() * functional.logsigmoid(said)
    away = (1 - heat).pow(4) * share.square() * functional.logsigmoid(-said)
    return -torch.where(centre, at, away).sum()
