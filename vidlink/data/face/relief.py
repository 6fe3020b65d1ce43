"""The shape of a face as a height field, and how a lamp lights it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.face.geometry import bump, ramp

if TYPE_CHECKING:
    from vidlink.data.face.geometry import Face, Field, Patch


def relief(face: Face) -> Field:
    """Height field of the face towards the viewer."""
    identity, actions, mouth = face.identity, face.actions, face.mouth
    height = 1.75 * face.near
    side, v = face.left_right, face.v

    def add(amount: float, at: tuple[float, float], spread: tuple[float, float]) -> None:
        """Add a bump on both sides (one if its ``at`` is the middle)."""
        reach = at[0] + 2 * spread[0]
        where = face.patch(-reach, reach, at[1] - 2 * spread[1], at[1] + 2 * spread[1])
        across = (side[where] - at[0]) * (1 / spread[0])
        down = (v[where] - at[1]) * (1 / spread[1])
        height[where] += amount * bump(across * across + down * down)

    lowered = 0.12 * actions.frown - 0.15 * actions.outer_brow
    add(0.16, (0.75, -0.55 + lowered), (0.7, 0.28))  # brow ridge
    add(-0.26, (0.95, -0.08), (0.55, 0.4))  # eye sockets
    add(0.2, (1.0, 0.0), (0.42, 0.3))  # eyeballs under the lids
    add(-0.12, (0.42, 0.1), (0.22, 0.4))  # beside the bridge of the nose
    add(0.06 * actions.frown, (0.0, -0.5), (0.25, 0.3))
    add(0.2 + 0.18 * actions.cheeks, (1.2, 1.2 - 0.25 * actions.cheeks), (0.6, 0.55))
    add(-0.08, (1.75, 1.9), (0.5, 0.7))  # hollow of the cheek
    add(0.2, (0.0, identity.mouth), (0.9, 0.8))
    add(0.16, (0.0, face.chin - 0.5), (0.5, 0.4))
    add(-0.1, (0.0, mouth.bottom + 0.14), (0.6, 0.15))  # between lip and chin
    add(0.05 * identity.age, (0.95, 0.45), (0.35, 0.14))  # bags under the eyes
    _nose(face, height)
    fold = 0.3 * identity.age + 0.9 * actions.smile + 0.7 * actions.nose_wrinkle + 0.5 * actions.upper_lip
    where, distance, window = nasolabial(face)
    cheek = ramp((distance + 0.07) * (1 / 0.14)) * bump((distance * (1 / 0.5)) ** 2)
    height[where] += 0.09 * min(fold, 1.5) * cheek * window
    _lips(face, height)
    return height


def _nose(face: Face, height: Field) -> None:
    """Bridge, tip and wings of the nose."""
    length, wing = face.identity.nose_length, face.identity.nose_width
    where = face.patch(-1.1, 1.1, -0.5, length + 0.5)
    side, v = face.left_right[where], face.v[where]
    along = np.minimum(np.maximum((v + 0.4) * (1 / (length + 0.4)), 0), 1.2)
    across = side / (0.2 + 0.16 * along)
    end = 1 - ramp((v - (length - 0.04)) * (1 / 0.3))
    part = (0.12 + 0.42 * along) * ramp(along * 3) * bump(across * across) * end
    across, down = side * (1 / 0.27), (v - (length - 0.02)) * (1 / 0.24)
    part += 0.16 * bump(across * across + down * down)
    across, down = (side - 0.72 * wing) * (1 / 0.17), (v - (length + 0.04)) * (1 / 0.19)
    part += 0.2 * bump(across * across + down * down)
    height[where] += part


def nasolabial(face: Face) -> tuple[Patch, Field, Field]:
    """Find the fold from the nose to beside the mouth: patch, distance outwards from it, extent."""
    identity, mouth = face.identity, face.mouth
    start, stop = identity.nose_length - 0.12, mouth.corner + 0.12
    where = face.patch(-1.9, 1.9, start - 0.3, stop + 0.4)
    along = (face.v[where] - start) * (1 / (stop - start))
    inner, outer = identity.nose_width + 0.06, mouth.half_width + 0.24
    distance = face.left_right[where] - (inner + (outer - inner) * along * (1.35 - 0.35 * along))
    return where, distance, ramp((along + 0.15) * 3) * ramp((1.2 - along) * 3)


def _lips(face: Face, height: Field) -> None:
    """Add the fullness of both lips."""
    mouth = face.mouth
    for outer, inner, fullness in (
        (mouth.upper_outer, mouth.upper_inner, 0.05),
        (mouth.lower_outer, mouth.lower_inner, 0.09),
    ):
        half = np.abs(outer - inner) * 0.5 + 0.03
        across = (mouth.v - 0.5 * (outer + inner)) / half
        height[mouth.patch] += fullness * bump(across * across) * mouth.inside


def light(face: Face, height: Field) -> Field:
    """Brightness of each point under one lamp and light from everywhere, about 1 where the lamp shines squarely."""
    identity = face.identity
    slope_x, slope_y = np.zeros_like(height), np.zeros_like(height)
    scale = 0.5 / face.pixel
    slope_x[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * scale
    slope_y[1:-1] = (height[2:] - height[:-2]) * scale
    x, y, z = identity.light
    length = math.sqrt(x * x + y * y + z * z)
    facing = (z - x * slope_x - y * slope_y) / (length * np.sqrt(1 + slope_x * slope_x + slope_y * slope_y))
    lamp = np.maximum(facing, 0)
    shade = np.sqrt(identity.ambient * 0.75 + (1.05 - identity.ambient) * lamp)
    _shadows(face, shade)
    return shade


def _shadows(face: Face, shade: Field) -> None:
    """Darken what the lamp cannot reach: eye sockets, below the nose, below the lower lip."""
    identity, mouth = face.identity, face.mouth
    away = -0.25 * identity.light[0]
    frown = face.actions.frown
    for amount, u, v, wide, high in (
        (0.2 + 0.15 * frown, 0.85, -0.28, 0.5, 0.22),
        (0.16 + 0.1 * frown, 0.5, -0.05, 0.22, 0.35),
        (0.12, 0.95, 0.36, 0.45, 0.12),
    ):
        where = face.patch(-u - 2 * wide, u + 2 * wide, v - 2 * high, v + 2 * high)
        across, down = (face.left_right[where] - u) * (1 / wide), (face.v[where] - v) * (1 / high)
        shade[where] *= 1 - amount * bump(across * across + down * down)
    for amount, u, v, wide, high in (
        (0.38, away, identity.nose_length + 0.3, 0.42, 0.2),
        (0.22, 0.5 * away, mouth.bottom + 0.1, 0.5, 0.13),
    ):
        where = face.patch(u - 2 * wide, u + 2 * wide, v - 2 * high, v + 2 * high)
        across, down = (face.u[where] - u) * (1 / wide), (face.v[where] - v) * (1 / high)
        shade[where] *= 1 - amount * bump(across * across + down * down)
