"""A restorer small enough to travel with the pictures that it restores: fixed features, a linear layer for each class.

A pixel's features are how it differs from pixels around it, and from its own place in the pictures before and after,
whole and clipped. What is added to the pixel is their weighted sum. The weights are those of the pixel's class: how
much goes on around it, and in which direction. Features and classes are the same for all clips, so the weights of a
group of pictures are the solution of a least-squares problem, found in a second, and few enough to be sent.

Classes and clipping are after the adaptive loop filter of H.266 (Karczewicz et al., "VVC in-loop filters", IEEE TCSVT
31, 2021). As super-resolution, linear filters by class are RAISR (Romano, Isidoro and Milanfar, "RAISR: rapid and
accurate image super resolution", IEEE TCI 3, 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Luma = NDArray[np.uint8]
    Plane = NDArray[np.float32]

_REACH = 4
"""Pixels that a filter sees to each side."""
AROUND = tuple(
    (down, right)
    for down in range(_REACH + 1)
    for right in range(-_REACH, _REACH + 1)
    if (down, right) > (0, 0) and down + abs(right) <= _REACH
)
"""A pixel of each pair that lies symmetrically about the pixel in question, in a diamond."""
_CROSS = ((0, 1), (0, -1), (1, 0), (-1, 0))
_CLIPS_AROUND = (1.5,)
"""Differences to neighbours are clipped here as well, in units of the noise."""
_CLIPS_IN_TIME = (1.5, 6.0)
"""And those to the pictures before and after."""
_CLIP_CROSS = 1.5
FEATURES = len(AROUND) * (1 + len(_CLIPS_AROUND)) + 2 * (len(_CLIPS_IN_TIME) + 1)
"""Weights of a class."""
_ACTIVITIES = (0.5, 1.5, 4.0, 8.0)
"""Bounds between classes of activity, in units of the noise."""
_DIRECTIONS = 5
CLASSES = _DIRECTIONS * (len(_ACTIVITIES) + 1)
"""Classes of pixels."""
_WINDOW = (7, 7)
"""Over so many pixels activity and direction are taken."""
_STRONGER, _STRONGEST = 1.5, 3.0
"""By how much the change in one direction outweighs that across it."""
ROWS = 128
"""Pictures are worked on so many rows at a time: features take many times the memory of a picture."""


class Around(NamedTuple):
    """A picture with those before and after it in the same group: luma at full size, one shape (height, width)."""

    asked: Luma
    """The picture."""
    before: Luma
    """The one shown before it; itself where there is none."""
    after: Luma
    """The one shown after it."""


def restored(pictures: Around, weights: Plane, noise: float) -> Luma:
    """The picture with what the weights add to it.

    Parameters
    ----------
    pictures
        The picture and its neighbours.
    weights
        Shape (CLASSES, FEATURES).
    noise
        About how far a pixel is off, in levels of luma: the unit of what is clipped, and of activity.
    """
    tables = np.zeros((weights.shape[1], 256), np.float32)
    tables[:, : len(weights)] = weights.T
    found = np.empty_like(pictures.asked)
    for rows, classes, features in strips(pictures, noise):
        added = pictures.asked[rows].astype(np.float32)
        for number, feature in enumerate(features):
            added += cv2.LUT(classes, tables[number]) * feature
        found[rows] = np.clip(np.floor(added + 0.5), 0, 255).astype(np.uint8)
    return found


def strips(pictures: Around, noise: float) -> Iterator[tuple[slice, NDArray[np.uint8], Iterator[Plane]]]:
    """A picture in strips of rows: which rows, the class of each pixel, and its features one by one.

    Classes and features have the shape (rows, width).
    """
    planes = [np.pad(each, _REACH, mode="edge") for each in pictures]
    height = pictures.asked.shape[0]
    classes = _classes(planes[0], noise)
    for top in range(0, height, ROWS):
        rows = slice(top, min(top + ROWS, height))
        yield rows, classes[rows], _features(*(each[top : rows.stop + 2 * _REACH] for each in planes), noise=noise)


def _features(asked: Luma, before: Luma, after: Luma, *, noise: float) -> Iterator[Plane]:
    """The features in turn; the strips of the pictures have a border."""
    strip = asked.astype(np.float32)
    centre = _at(strip, 0, 0)
    for down, right in AROUND:
        one, other = _at(strip, down, right) - centre, _at(strip, -down, -right) - centre
        yield one + other
        for clip in _CLIPS_AROUND:
            yield _clipped(one, clip * noise) + _clipped(other, clip * noise)
    for neighbour in (before, after):
        plane = neighbour.astype(np.float32)
        there = _at(plane, 0, 0) - centre
        for clip in _CLIPS_IN_TIME:
            yield _clipped(there, clip * noise)
        cross = [_clipped(_at(plane, *place) - centre, _CLIP_CROSS * noise) for place in _CROSS]
        yield cross[0] + cross[1] + cross[2] + cross[3]


def _classes(plane: Luma, noise: float) -> NDArray[np.uint8]:
    """The class of each pixel of a picture with a border, shape without the border."""
    picture = plane.astype(np.float32)
    twice = 2 * _at(picture, 0, 0)
    changes = []
    for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
        change = np.abs(twice - _at(picture, down, right) - _at(picture, -down, -right))
        changes.append(cv2.boxFilter(change, -1, _WINDOW))
    vertical, horizontal, falling, rising = changes
    straight = np.maximum(vertical, horizontal) / (np.minimum(vertical, horizontal) + 0.5)
    slanted = np.maximum(falling, rising) / (np.minimum(falling, rising) + 0.5)
    strength = np.maximum(straight, slanted)
    direction = (strength > _STRONGER).astype(np.uint8) + (strength > _STRONGEST)
    direction[(direction > 0) & (slanted > straight)] += 2
    bounds = np.float32(noise) * np.array(_ACTIVITIES, np.float32)
    activity = np.digitize(vertical + horizontal, bounds).astype(np.uint8)
    return activity * np.uint8(_DIRECTIONS) + direction


def _at(plane: Plane, down: int, right: int) -> Plane:
    """What lies so far from each pixel of a plane with a border."""
    height, width = plane.shape
    return plane[_REACH + down : height - _REACH + down, _REACH + right : width - _REACH + right]


def _clipped(plane: Plane, most: float) -> Plane:
    return np.clip(plane, -most, most)
