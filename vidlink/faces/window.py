"""A small window about the last place of a face, in which detectors look for it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SIDE = 128
"""Pixels of a window's side; the face, where it has not moved, takes half of it."""


class Window:
    """A square about a box, twice as large as its longer side, brought to 128x128 pixels.

    Parameters
    ----------
    picture
        Luma, shape (height, width). What is outside of it is its edge, drawn on.
    box
        x, y, width, height, in its pixels.
    """

    def __init__(self, picture: NDArray[np.uint8], box: ArrayLike) -> None:
        x, y, width, height = np.asarray(box, float)
        side = max(2, round(2 * max(width, height)))
        self._left, self._top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
        self._factor = side / SIDE
        self.box = np.array([x - self._left, y - self._top, width, height]) / self._factor
        """The box in pixels of the window."""
        rows, columns = (
            np.clip(np.arange(start, start + side), 0, length - 1)
            for start, length in zip((self._top, self._left), picture.shape, strict=True)
        )
        square = picture[rows[:, None], columns]
        shrinks = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        self.picture: NDArray[np.uint8] = cv2.resize(square, (SIDE, SIDE), interpolation=shrinks).astype(np.uint8)
        """Luma, shape (128, 128)."""

    def turned(self, degrees: float) -> NDArray[np.uint8]:
        """The window turned counter-clockwise about its centre."""
        turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), degrees, 1.0)
        turned = cv2.warpAffine(self.picture, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        return turned.astype(np.uint8, copy=False)

    def outside(self, box: ArrayLike, degrees: float = 0.0) -> NDArray[np.float64]:
        """A box of the window, or of the window turned, in pixels of the picture: its centre is turned back.

        Examples
        --------
        >>> window = Window(np.zeros((240, 320), np.uint8), [100, 80, 40, 40])
        >>> window.outside(window.box).tolist()
        [100.0, 80.0, 40.0, 40.0]
        """
        x, y, width, height = np.asarray(box, float)
        back = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), -degrees, 1.0)
        middle = back @ [x + width / 2, y + height / 2, 1.0]
        size = np.array([width, height])
        corner = np.array([self._left, self._top]) + (middle - size / 2) * self._factor
        return np.concatenate([corner, size * self._factor])
