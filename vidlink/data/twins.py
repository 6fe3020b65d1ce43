"""Faces that two splits of a set share: the same picture, nearly the same, or its mirror image.

Of FER+ 279 validation faces are in the training split pixel for pixel, and about a hundred more nearly so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.data.face_set import FaceSet

SIDE = 24
"""Faces are compared at this size in pixels."""
ALIKE = 0.97
"""Least correlation of their pixels at which two faces count as the same."""
_ROWS = 2048


def twins_of(faces: FaceSet, others: FaceSet, alike: float = ALIKE) -> NDArray[np.bool_]:
    """Which faces are, mirrored or not, in another set as well.

    Parameters
    ----------
    faces
        n faces.
    others
        To look for them in.
    alike
        Least correlation.

    Returns
    -------
    NDArray
        Shape (n,).
    """
    rows, wanted = _standardized(faces.images), _standardized(others.images)
    either = np.concatenate([wanted, _standardized(others.images[:, :, ::-1])])
    nearest = [(rows[k : k + _ROWS] @ either.T).max(axis=1, initial=-1.0) for k in range(0, len(rows), _ROWS)]
    return np.concatenate([np.empty(0, np.float32), *nearest]) >= alike


def _standardized(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Small pictures as rows of mean 0 and length 1, shape (n, pixels); a flat one has length 0."""
    small = [cv2.resize(np.ascontiguousarray(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in images]
    rows = np.array(small, np.float32).reshape(len(images), SIDE * SIDE)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
