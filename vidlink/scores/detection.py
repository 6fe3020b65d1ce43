"""How well boxes agree: AP, mAP50 and mAP as in COCO.

Average precision of a class is the area under its curve of precision over recall, read at 101 recalls; boxes are taken
by falling score, and each takes the label of its class that it overlaps most, if by at least the threshold in
intersection over union. mAP50 is the mean over classes at 0.5; mAP that over 0.5, 0.55 ... 0.95, too (Lin et al.,
"Microsoft COCO", ECCV 2014). The classes are those that occur in the labels. At most 100 boxes a frame count.

It is computed by COCO's own ``pycocotools``, from the extra ``vidlink[detection]``. ``torchmetrics`` calls the same
functions, but cannot be used where torchvision is missing or does not go with the PyTorch that is installed.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vidlink.errors import UserError
from vidlink.recognizers.spatial import MOST_BOXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SMALLEST, _LARGEST = 0, 1e10


class Precision(NamedTuple):
    """Average precision over all frames."""

    map50: float | None
    """Mean over classes at an intersection over union of 0.5; None without any label."""
    map: float | None
    """Mean over classes and over 0.5, 0.55 ... 0.95."""
    by_class: NDArray[np.float64]
    """At 0.5, shape (classes,); NaN of classes without a label."""


def need_pycocotools() -> None:
    """Raise :class:`UserError` where what scores boxes is not installed."""
    try:
        import pycocotools.cocoeval  # noqa: F401
    except ImportError as error:
        raise UserError("boxes are scored by pycocotools: pip install 'vidlink[detection]'") from error


def average_precision(found: Sequence[NDArray[Any]], labels: Sequence[NDArray[Any]], classes: int) -> Precision:
    """AP over frames.

    Parameters
    ----------
    found
        For each frame a row a box, shape (k, 6): left, upper, right, lower edge, score, number of the class.
    labels
        For each frame a row a box, shape (m, 5): the edges, and the number of the class.
    classes
        How many classes there are.

    Raises
    ------
    ValueError
        The two are of different numbers of frames.
    UserError
        pycocotools is not installed.

    Examples
    --------
    >>> label = np.array([[10.0, 10, 20, 20, 0]])
    >>> found = np.array([[10.0, 10, 20, 20, 0.9, 0], [50, 50, 60, 60, 0.8, 0]])
    >>> round(average_precision([found], [label], 1).map50, 6)
    1.0
    """
    if len(found) != len(labels):
        raise ValueError(f"{len(found) = }, {len(labels) = }: expected equal numbers of frames")
    nothing = np.full(classes, np.nan)
    if not any(len(each) for each in labels):
        return Precision(None, None, nothing)
    need_pycocotools()
    precision = _precision(found, labels, classes)[:, :, :, 0, 0]  # thresholds, recalls, classes
    known = precision[0, 0] > -1
    by_class = np.where(known, precision[0].mean(axis=0), np.nan)
    return Precision(float(by_class[known].mean()), float(precision[:, :, known].mean()), by_class)


def _precision(found: Sequence[Any], labels: Sequence[Any], classes: int) -> NDArray[np.float64]:
    """COCO's table of precision, -1 where a class has no label, shape (10, 101, classes, 1, 1)."""
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):  # it talks
        truth, boxes = _coco(labels, classes), _coco(found, classes)
        judge = COCOeval(truth, boxes, iouType="bbox")
        judge.params.maxDets = [MOST_BOXES]
        judge.params.areaRng, judge.params.areaRngLbl = [[_SMALLEST, _LARGEST]], ["all"]
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"]


def _coco(frames: Sequence[NDArray[np.float64]], classes: int) -> Any:
    """Boxes as COCO's own object holds them; those of labels have no score."""
    from pycocotools.coco import COCO

    made = COCO()
    boxes: list[dict[str, Any]] = []
    for image, rows in enumerate(frames):
        for row in np.asarray(rows, float).tolist():
            left, upper, right, lower = row[:4]
            side = [left, upper, right - left, lower - upper]
            each = {"id": len(boxes) + 1, "image_id": image, "category_id": int(row[-1]), "bbox": side}
            boxes.append(each | {"area": side[2] * side[3], "iscrowd": 0} | ({"score": row[4]} if len(row) > 5 else {}))
    made.dataset = {
        "images": [{"id": image} for image in range(len(frames))],
        "categories": [{"id": number} for number in range(classes)],
        "annotations": boxes,
    }
    made.createIndex()
    return made


def overlaps(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of each box with each other.

    Parameters
    ----------
    first, second
        Left, upper, right and lower edge in the first columns, shapes (n, >= 4) and (m, >= 4).

    Returns
    -------
    NDArray
        Shape (n, m).

    Examples
    --------
    >>> overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    left_top = np.maximum(first[:, None, :2], second[None, :, :2])
    right_bottom = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    shared = np.clip(right_bottom - left_top, 0, None).prod(axis=2)
    areas = [np.clip(each[:, 2:4] - each[:, :2], 0, None).prod(axis=1) for each in (first, second)]
    either = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
