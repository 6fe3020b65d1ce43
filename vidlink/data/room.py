"""The room behind the face of the built-in clip: wall, window, books, a plant and a page of text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Canvas = NDArray[np.uint8]

_SPINES = ((150, 60, 50), (60, 84, 120), (196, 170, 110), (70, 100, 72), (214, 204, 188), (110, 70, 96), (40, 44, 52))


@cache
def draw_room(height: int, width: int) -> NDArray[np.float32]:
    """Draw the room, slightly out of focus, with integer operations only.

    Parameters
    ----------
    height, width
        Size in pixels; drawn for 240 x 320 and stretched to others.

    Returns
    -------
    NDArray[np.float32]
        RGB picture, shape (height, width, 3), values from 0 to 255. Shared: not to be changed.
    """
    rng = np.random.default_rng(2017)
    room = np.empty((480, 640, 3), np.uint8)
    room[:] = (176, 166, 150)
    room[:, ::14] = (168, 157, 141)
    room[:, 1::14] = (182, 173, 158)
    _window(room)
    _books(room, rng)
    _page(room, rng)
    _plant(room, rng)
    room = np.asarray(cv2.GaussianBlur(room, (5, 5), 1.2), np.uint8)
    falloff = np.linspace(88, 118, 640).astype(np.int32)[None, :, None]  # the light comes in by the window
    speckle = rng.integers(-5, 6, (480, 640, 1))
    room = np.clip(room.astype(np.int32) * falloff // 110 + speckle, 0, 255).astype(np.uint8)
    room = room.reshape(240, 2, 320, 2, 3).astype(np.uint16).sum((1, 3)) // 4
    room = room.astype(np.uint8)
    if (height, width) != (240, 320):
        room = np.asarray(cv2.resize(room, (width, height), interpolation=cv2.INTER_LINEAR_EXACT))
    return room.astype(np.float32)


def _window(room: Canvas) -> None:
    """Draw blinds at the right edge, bright slats over a garden."""
    cv2.rectangle(room, (516, 0), (640, 300), (232, 230, 222), -1)
    cv2.rectangle(room, (526, 0), (640, 288), (150, 178, 168), -1)
    for top in range(0, 288, 18):
        cv2.rectangle(room, (526, top), (640, top + 11), (236, 238, 234), -1)
        cv2.line(room, (526, top + 12), (640, top + 12), (96, 108, 104), 1)
    cv2.line(room, (584, 0), (584, 288), (206, 208, 204), 2)
    cv2.rectangle(room, (506, 288), (640, 304), (214, 208, 198), -1)
    cv2.rectangle(room, (506, 304), (640, 309), (120, 110, 98), -1)


def _books(room: Canvas, rng: np.random.Generator) -> None:
    """Draw three shelves at the left, with lettering on the spines."""
    for base in (130, 282, 434):
        cv2.rectangle(room, (0, base - 118), (196, base), (92, 74, 58), -1)
        cv2.rectangle(room, (0, base), (204, base + 12), (134, 98, 64), -1)
        cv2.line(room, (0, base + 13), (204, base + 13), (58, 42, 30), 2)
        left = 2
        while left < 180:
            wide, high = int(rng.integers(11, 25)), int(rng.integers(74, 108))
            colour = np.array(_SPINES[rng.integers(len(_SPINES))]) * int(rng.integers(75, 115)) // 100
            spine = tuple(int(min(value, 255)) for value in colour)
            cv2.rectangle(room, (left, base - high), (left + wide - 2, base - 1), spine, -1)
            cv2.line(room, (left + wide - 2, base - high), (left + wide - 2, base - 1), (30, 26, 24), 1)
            ink = (228, 214, 160) if sum(spine) < 400 else (60, 50, 46)
            for row in range(base - high + 10, base - 24, 5):
                if rng.random() < 0.75:
                    cv2.line(room, (left + 4, row), (left + wide - 6, row + int(rng.integers(0, 2))), ink, 1)
            left += wide


def _page(room: Canvas, rng: np.random.Generator) -> None:
    """Draw a printed page pinned to the wall above the plant."""
    cv2.rectangle(room, (424, 30), (498, 134), (130, 120, 106), -1)
    cv2.rectangle(room, (420, 26), (494, 130), (240, 236, 226), -1)
    cv2.rectangle(room, (428, 34), (486, 42), (150, 40, 40), -1)
    for row in range(50, 124, 6):
        column = 428
        while column < 482:
            word = int(rng.integers(4, 13))
            cv2.line(room, (column, row), (min(column + word, 486), row), (66, 64, 70), 2)
            column += word + 4


def _plant(room: Canvas, rng: np.random.Generator) -> None:
    """Draw a plant in a pot on the window sill, and the table below."""
    cv2.rectangle(room, (450, 420), (640, 480), (118, 84, 58), -1)
    cv2.line(room, (450, 420), (640, 420), (164, 124, 88), 3)
    for _ in range(46):
        root = np.array([566 + rng.integers(-12, 13), 372 + rng.integers(-6, 7)])
        tip = root + np.array([rng.integers(-84, 70), -rng.integers(10, 130)])
        middle = (root + tip) // 2 + np.array([0, -int(rng.integers(4, 22))])
        wide = np.array([int(rng.integers(5, 11)), 5])
        leaf = np.array([root, middle - wide, tip, middle + wide], np.int32)
        green = int(rng.integers(70, 160))
        cv2.fillPoly(room, [leaf], (green * 5 // 9, green, green * 4 // 9))
        cv2.line(room, tuple(map(int, root)), tuple(map(int, tip)), (green // 3, green * 2 // 3, green // 3), 1)
    cv2.fillPoly(room, [np.array([(532, 366), (600, 366), (590, 424), (542, 424)], np.int32)], (170, 96, 66))
    cv2.rectangle(room, (528, 358), (604, 372), (190, 112, 78), -1)
