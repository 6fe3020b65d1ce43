"""Boxes from label maps: one about each connected region of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST_SIDE = 6
"""Smallest width and height of a box in pixels; smaller regions are specks of larger things, or too far away."""


def boxes_of(found: NDArray[np.uint8], classes: Sequence[int], *, least_side: int = LEAST_SIDE) -> NDArray[np.float32]:
    """Boxes about the connected regions (eight neighbours) of some classes.

    Parameters
    ----------
    found
        Class of each pixel, shape (height, width).
    classes
        The classes that are looked for, by their values in the map.
    least_side
        Regions that are less wide or less high, in pixels, have no box.

    Returns
    -------
    NDArray
        Left, upper, right and lower edge in pixels, and position in ``classes``, shape (k, 5). The edges of a region of
        one pixel are one apart.

    Examples
    --------
    >>> road = np.zeros((20, 30), np.uint8)
    >>> road[5:15, 3:10] = 8
    >>> boxes_of(road, (8, 9))
    array([[ 3.,  5., 10., 15.,  0.]], dtype=float32)
    """
    import cv2

    rows = []
    for index, value in enumerate(classes):
        count, _, about, _ = cv2.connectedComponentsWithStats((found == value).astype(np.uint8), connectivity=8)
        for left, top, width, height, _ in about[1:count].tolist():
            if width >= least_side and height >= least_side:
                rows.append((left, top, left + width, top + height, index))
    return np.array(rows, np.float32).reshape(-1, 5)
