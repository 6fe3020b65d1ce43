"""The pixels of a picture in the coordinates of a face.

Only additions, multiplications, divisions and square roots touch the pixels: IEEE 754 rounds these alike on every
machine, so that a face is drawn with the same bytes everywhere.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vidlink.data.face.expression import Actions
    from vidlink.data.face.identity import Colour, Identity, Pose

Field = NDArray[Any]
"""One 32-bit number for every pixel."""
Patch = tuple[slice, slice]
"""Rows and columns of a part of the picture."""

_LUMA = (0.299, 0.587, 0.114)


def bump(squared: Field) -> Field:
    """Smooth hill of a squared distance: close to exp(-squared), and 0 from 4 on."""
    hill = np.maximum(1 - 0.25 * squared, 0)
    hill *= hill
    hill *= hill
    return hill


def ramp(x: Field) -> Field:
    """Smooth step: 0 below 0, 1 above 1."""
    x = np.minimum(np.maximum(x, 0), 1)
    return x * x * (3 - 2 * x)


@cache
def noise_tile() -> NDArray[np.float32]:
    """Make a periodic tile of noise with detail at every scale, shape (256, 256), between -1 and 1."""
    rng = np.random.default_rng(1980)
    tile = np.zeros((256, 256), np.float32)
    for side, strength in ((8, 1.0), (16, 1.0), (32, 1.0), (64, 1.2), (128, 1.3), (256, 1.0)):
        coarse = rng.integers(0, 256, (side, side)).astype(np.uint8)
        wide = cv2.resize(np.tile(coarse, (3, 3)), (768, 768), interpolation=cv2.INTER_LINEAR_EXACT)
        tile += np.float32(strength) * (wide[256:512, 256:512].astype(np.float32) - 127.5)
    return (np.clip(np.round(tile * 0.42), -127, 127) / 127).astype(np.float32)


def noise(x: Field, y: Field) -> Field:
    """Look up the noise tile at positions in its pixels (nearest)."""
    return noise_tile()[y.astype(np.int32) & 255, x.astype(np.int32) & 255]


class Face:
    """The pixels near a head in face coordinates, and the layers painted on them."""

    def __init__(self, identity: Identity, actions: Actions, pose: Pose, picture: Field) -> None:
        self.identity, self.actions, self.pose = identity, actions, pose
        size = pose.size
        height, width = picture.shape[1:]
        top, bottom = _within(pose.y - 4.9 * size, pose.y + 5.2 * size, height)
        left, right = _within(pose.x - 3.6 * size, pose.x + 3.6 * size, width)
        self.corner = (pose.x - left, pose.y - top)
        self.picture = picture[:, top:bottom, left:right]
        self.pixel = 1 / size
        self.cos, self.sin = round(math.cos(pose.roll), 6), round(math.sin(pose.roll), 6)
        columns = (np.arange(left, right, dtype=np.float32) - np.float32(pose.x)) * np.float32(self.pixel)
        rows = (np.arange(top, bottom, dtype=np.float32) - np.float32(pose.y)) * np.float32(self.pixel)
        x = self.cos * columns[None, :] + self.sin * rows[:, None]
        y = self.cos * rows[:, None] - self.sin * columns[None, :]
        self.x, self.y = x, y
        self.chin = identity.chin + 0.5 * actions.jaw_drop - 0.06 * actions.chin_raise
        self.radius2 = self._outline()
        # What is nearer to the viewer moves further when the head turns: look up where it came from.
        self.near = np.sqrt(np.maximum(1 - self.radius2 * self.radius2, 0))
        u, v = x - 1.3 * pose.yaw * self.near, y - 1.3 * pose.pitch * self.near
        tip = 0.5 * bump((u * (1 / 0.6)) ** 2 + ((v - identity.nose_length) * (1 / 0.8)) ** 2)
        self.u, self.v = u - pose.yaw * tip, v - pose.pitch * tip
        self.left_right = np.abs(self.u)
        self.mouth = Mouth(self)

    def _outline(self) -> Field:
        """Squared radius of the head: 1 on its outline."""
        below = np.maximum(self.y, 0) * (1 / self.chin)
        below *= below
        square = 0.5 * self.identity.jaw
        below *= 1 - square + square * below
        above = np.minimum(self.y + 0.2, 0) * (1 / 3.15)
        return (self.x * (1 / self.identity.half_width)) ** 2 + below + above * above

    def upright(self, top: int, picture: Field) -> tuple[Field, Field]:
        """Give the coordinates of the body, which leans with the head but does not roll, from row ``top`` down."""
        columns = (np.arange(picture.shape[2], dtype=np.float32) - np.float32(self.pose.x)) * np.float32(self.pixel)
        rows = (np.arange(top, picture.shape[1], dtype=np.float32) - np.float32(self.pose.y)) * np.float32(self.pixel)
        y = rows[:, None] + np.zeros_like(columns)[None, :]
        return columns[None, :] + self.sin * np.minimum(y, 3.5), y

    def tone(self, colour: Colour) -> Field:
        """Give a colour as (channels, 1, 1): RGB, or its luma on a grey picture."""
        if len(self.picture) == 1:
            return np.full((1, 1, 1), sum(k * c for k, c in zip(_LUMA, colour, strict=True)), np.float32)
        return np.array(colour, np.float32)[:, None, None]

    def patch(self, left: float, right: float, top: float, bottom: float) -> Patch:
        """Rows and columns that may hold this part of the face, however the head is turned."""
        margin = 0.1
        shift_x, shift_y = 1.8 * self.pose.yaw, 1.8 * self.pose.pitch
        left, right = left + min(shift_x, 0) - margin, right + max(shift_x, 0) + margin
        top, bottom = top + min(shift_y, 0) - margin, bottom + max(shift_y, 0) + margin
        corners = [(x * self.pose.size, y * self.pose.size) for x in (left, right) for y in (top, bottom)]
        columns = [self.corner[0] + self.cos * x - self.sin * y for x, y in corners]
        rows = [self.corner[1] + self.sin * x + self.cos * y for x, y in corners]
        height, width = self.x.shape
        return slice(*_within(min(rows), max(rows), height)), slice(*_within(min(columns), max(columns), width))


def _within(first: float, last: float, length: int) -> tuple[int, int]:
    """Round a range of pixels outwards and keep what lies in the picture."""
    return min(max(math.floor(first), 0), length), min(max(math.ceil(last) + 1, 0), length)


class Mouth:
    """The curves of the mouth on its own patch: where the lips begin, part and end (heights v for every pixel)."""

    def __init__(self, face: Face) -> None:
        identity, actions = face.identity, face.actions
        self.patch = face.patch(-1.35, 1.35, 1.5, face.chin)
        self.u, self.v = face.u[self.patch], face.v[self.patch]
        rounded = actions.jaw_drop * (1 - min(actions.smile, 1)) * (1 - 0.7 * min(actions.lip_stretch, 1))
        widen = 0.3 * actions.smile + 0.2 * actions.lip_stretch - 0.32 * rounded - 0.05 * actions.lip_press
        self.half_width = identity.mouth_width * (1 + widen)
        height = identity.mouth - 0.08 * actions.upper_lip - 0.06 * actions.chin_raise + 0.05 * actions.smile
        lift = 0.3 * actions.smile - 0.3 * actions.mouth_down
        square = (self.u * (1 / self.half_width)) ** 2
        inside = np.maximum(1 - square, 0)
        root = np.sqrt(inside)
        boxy = min(1.0, rounded + 0.6 * actions.upper_lip + 0.4 * actions.lip_stretch)
        open_shape = inside + boxy * (root - inside)
        self.middle = (height + 0.35 * lift) - lift * np.minimum(square, 1.5)
        self.gap = 0.2 * actions.lips_part + 0.85 * actions.jaw_drop
        upper = 0.22 * self.gap + 0.14 * actions.upper_lip * actions.lips_part + 0.05 * actions.smile
        lower = 0.78 * self.gap + 0.05 * actions.lips_part * actions.smile
        self.open = self.gap + 0.14 * actions.upper_lip * actions.lips_part
        if self.open < 0.08:
            upper = lower = 0.0
        self.upper_inner = self.middle - upper * open_shape
        self.lower_inner = self.middle + lower * open_shape
        thick = identity.lip_thickness * (1 - 0.6 * actions.lip_press) * (1 - 0.25 * actions.smile)
        thick *= 1 - 0.25 * actions.lip_stretch
        shape = 0.5 * (inside + root)
        bow = 1 - 0.25 * bump((self.u * (1 / 0.14)) ** 2)
        self.upper_outer = self.upper_inner - 0.85 * thick * shape * bow
        self.lower_outer = self.lower_inner + (1.15 * thick + 0.05 * actions.chin_raise) * shape
        self.bottom = height + 0.35 * lift + lower + 1.15 * thick
        self.corner = height - 0.65 * lift
        self.inside = inside
