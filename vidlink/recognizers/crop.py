"""From a picture and a face box to the picture that a recognizer wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.video.pictures import resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.faces.tracks import Box
    from vidlink.recognizers.recognizer import Wants

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in luma, ITU-R BT.601."""


def bring_to(wants: Wants, picture: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8]:
    """Crop, convert and resize one picture.

    Parameters
    ----------
    wants
        What the recognizer wants.
    picture
        Luma (height, width) or RGB (height, width, 3).
    box
        Face in pixels; None for the whole picture. It is widened by the margin and made a
        square about its centre; what lies outside the picture repeats its edge.

    Returns
    -------
    NDArray
        Shape (channels, height, width).

    Raises
    ------
    ValueError
        If the picture has another shape, or the box no area.
    """
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise ValueError(f"{picture.shape = }: expected (height, width) or (height, width, 3)")
    if wants.colour == "luma" and picture.ndim == 3:
        picture = np.round(picture @ LUMA).astype(np.uint8)
    elif wants.colour == "rgb" and picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    if box is not None:
        picture = crop_square(picture, box, wants.margin)
    picture = resize(picture, wants.width, wants.height)
    return picture[None] if picture.ndim == 2 else np.ascontiguousarray(picture.transpose(2, 0, 1))


def enlarged(wants: Wants, boxes: Sequence[Box | None]) -> NDArray[np.float64]:
    """By how much :func:`bring_to` enlarges what is in each of n boxes, shape (n,); 1 where there is no box."""
    return np.array([1.0 if box is None else wants.width / _side(box, wants.margin) for box in boxes])


def crop_square(picture: NDArray[np.uint8], box: Box, margin: float = 0.0) -> NDArray[np.uint8]:
    """Cut out the square about a box, edges replicated where it leaves the picture.

    Parameters
    ----------
    picture
        Shape (height, width) or (height, width, 3).
    box
        In pixels; fractions are rounded.
    margin
        Added on each side, as a share of the box's longer side.
    """
    x, y, width, height = box
    side = _side(box, margin)
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    height_here, width_here = picture.shape[:2]
    if left >= 0 and top >= 0 and left + side <= width_here and top + side <= height_here:
        return picture[top : top + side, left : left + side]
    rows = np.clip(np.arange(top, top + side), 0, height_here - 1)
    columns = np.clip(np.arange(left, left + side), 0, width_here - 1)
    return picture[rows[:, None], columns[None, :]]


def _side(box: Box, margin: float) -> int:
    """Side of the square about a box, in pixels."""
    if not (min(box[2:]) > 0 and np.isfinite(list(box)).all()):
        raise ValueError(f"{box = }: expected a position and a positive size in pixels")
    return max(1, round(max(box[2:]) * (1 + 2 * margin)))
