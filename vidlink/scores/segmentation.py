"""How well maps of classes agree: confusion of pixels, intersection over union, mIoU.

Of a class the intersection over union is ``tp / (tp + fp + fn)`` over all pixels of all frames together (Everingham et
al., "The PASCAL visual object classes challenge", IJCV 88, 2010); mIoU is its mean over the classes that occur in
either map, as in ``torchmetrics``. Pixels without a label do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def confusion(said: ArrayLike, labels: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count pixels by what they are and what was said of them.

    Parameters
    ----------
    said
        Numbers of classes, from 0, of any shape.
    labels
        The same shape; -1 where there is no label.
    classes
        How many there are.

    Returns
    -------
    NDArray
        Rows are labels, columns what was said, shape (classes, classes).

    Examples
    --------
    >>> confusion([[0, 1], [1, 1]], [[0, 0], [1, -1]], 2).tolist()
    [[1, 1], [0, 1]]
    """
    x, y = np.asarray(said, np.int64).ravel(), np.asarray(labels, np.int64).ravel()
    known = y >= 0
    return np.bincount(y[known] * classes + x[known], minlength=classes**2).reshape(classes, classes)


def class_iou(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union of each class, shape (classes,); NaN where it occurs in neither map."""
    both = np.diag(matrix).astype(float)
    either = matrix.sum(axis=0) + matrix.sum(axis=1) - both
    return np.divide(both, either, out=np.full(len(both), np.nan), where=either > 0)


def mean_iou(matrix: NDArray[np.int64]) -> float | None:
    """Mean of :func:`class_iou` over the classes that occur; None where no pixel counts.

    Examples
    --------
    >>> mean_iou(np.array([[3, 1], [0, 4]]))
    0.775
    """
    found = class_iou(matrix)
    return None if np.isnan(found).all() else float(np.nanmean(found))


def pixel_accuracy(matrix: NDArray[np.int64]) -> float | None:
    """Share of pixels of which the right thing was said; None where none counts."""
    count = int(matrix.sum())
    return float(np.trace(matrix) / count) if count else None
