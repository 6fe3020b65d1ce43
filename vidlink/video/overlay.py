"""What a recognizer saw, drawn into pictures: classes of pixels as tints, boxes with their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from vidlink.video.screen import Lazy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Overlay = Callable[[av.VideoFrame], av.VideoFrame]

_TINT = 0.45
"""How much of a tinted pixel is the tint."""
_GOLDEN = 0.61803398875
_YUV = np.array([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]])
"""From red, green and blue within 0 to 255 to Y, Cb and Cr in limited range, ITU-R BT.601."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def colour_of(number: int) -> tuple[int, int, int]:
    """Red, green and blue of a class by its number, within 0 to 255: hues that lie far apart.

    Examples
    --------
    >>> colour_of(0), colour_of(1)
    ((230, 57, 57), (57, 108, 230))
    """
    hue, value = (_GOLDEN * number) % 1.0, (0.9, 0.65)[number // 5 % 2]
    sector, part = divmod(6 * hue, 1)
    high, low = value, 0.25 * value
    rising, falling = low + (high - low) * part, high - (high - low) * part
    red, green, blue = (
        (high, rising, low), (falling, high, low), (low, high, rising),
        (low, falling, high), (rising, low, high), (high, low, falling),
    )[int(sector) % 6]  # fmt: skip
    return round(255 * red), round(255 * green), round(255 * blue)


def tint(numbers: NDArray[np.uint8]) -> Overlay:
    """Tint each pixel by its class.

    Parameters
    ----------
    numbers
        Of classes, shape (rows, columns) of any size: it covers the whole picture.
    """

    def draw(picture: av.VideoFrame) -> av.VideoFrame:
        drawn, planes = _copy(picture)
        table = _planes_of(range(int(numbers.max(initial=0)) + 1))
        for plane, values in zip(planes, table.T, strict=True):
            size = plane.shape[1], plane.shape[0]
            tints = values[cv2.resize(numbers, size, interpolation=cv2.INTER_NEAREST_EXACT)]
            plane[:] = np.round((1 - _TINT) * plane + _TINT * tints).astype(np.uint8)
        return drawn

    return draw


def outline(boxes: NDArray[np.float64], names: Sequence[str]) -> Overlay:
    """Draw boxes with names.

    Parameters
    ----------
    boxes
        Left, upper, right, lower edge as shares of the picture's width and height, and number of the class, which
        says the colour, shape (k, 5).
    names
        What stands at each box, k texts.
    """

    def draw(picture: av.VideoFrame) -> av.VideoFrame:
        drawn, planes = _copy(picture)
        height, width = planes[0].shape
        thick = max(1, round(max(height, width) / 320))
        letters = max(0.3, max(height, width) / 1000)
        for (left, upper, right, lower, number), name in zip(boxes, names, strict=True):
            colour = _planes_of([int(number)])[0]
            corners = (left * width, upper * height), (right * width, lower * height)
            for plane, value, half in zip(planes, colour, (1, 2, 2), strict=True):
                (x, y), (u, v) = ((round(a / half), round(b / half)) for a, b in corners)
                u, v = min(u, plane.shape[1] - 1), min(v, plane.shape[0] - 1)  # at the picture's edge, within it
                cv2.rectangle(plane, (x, y), (u, v), int(value), max(1, round(thick / half)))
            _write(planes, name, corners[0], colour, letters)
        return drawn

    return draw


def _write(
    planes: Sequence[NDArray[np.uint8]], name: str, corner: tuple[float, float], colour: NDArray, letters: float
) -> None:
    """A name on a plate of its colour, above a corner where there is room."""
    (wide, tall), below = cv2.getTextSize(name, _FONT, letters, 1)
    x = int(np.clip(corner[0], 0, max(0, planes[0].shape[1] - wide)))
    y = int(corner[1]) if corner[1] >= tall + below else int(corner[1]) + tall + below
    for plane, value, half in zip(planes, colour, (1, 2, 2), strict=True):
        plate = (x // half, (y - tall - below) // half), ((x + wide) // half, y // half)
        cv2.rectangle(plane, *plate, int(value), cv2.FILLED)
    ink = 16 if colour[0] > 125 else 235
    cv2.putText(planes[0], name, (x, y - below // 2 - 1), _FONT, letters, ink, 1, cv2.LINE_AA)


def _planes_of(numbers: Sequence[int] | range) -> NDArray[np.float64]:
    """Y, Cb and Cr of classes, shape (classes, 3)."""
    colours = np.array([colour_of(number) for number in numbers], float)
    return colours @ _YUV.T + (16, 128, 128)


def _copy(picture: av.VideoFrame) -> tuple[av.VideoFrame, list[NDArray[np.uint8]]]:
    """A copy of a ``yuv420p`` picture, and its planes to draw into."""
    drawn = av.VideoFrame(picture.width, picture.height, "yuv420p")
    drawn.pts = picture.pts
    if picture.time_base is not None:
        drawn.time_base = picture.time_base
    drawn.colorspace, drawn.color_range = picture.colorspace, picture.color_range
    planes = []
    for ours, theirs in zip(drawn.planes, picture.planes, strict=True):
        ours_rows, rows = (
            np.frombuffer(memoryview(p), np.uint8).reshape(p.height, p.line_size) for p in (ours, theirs)
        )
        ours_rows[:, : ours.width] = rows[:, : ours.width]
        planes.append(ours_rows[:, : ours.width])
    return drawn, planes


class Painted(Lazy):
    """Pictures with something drawn into them.

    Parameters
    ----------
    pictures
        ``yuv420p`` each.
    overlays
        What is drawn into each; None for nothing.
    """

    def __init__(self, pictures: Sequence[av.VideoFrame], overlays: Sequence[Overlay | None]) -> None:
        super().__init__(len(pictures))
        self._pictures, self._overlays = pictures, overlays

    def make(self, slot: int) -> av.VideoFrame:
        """A picture with what is drawn into it."""
        picture, overlay = self._pictures[slot], self._overlays[slot]
        return picture if overlay is None else overlay(picture)
