"""A face drawn on a picture, from behind to front: hair, neck, clothes, ears, face, hair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.face.expression import actions_of
from vidlink.data.face.features import WHOLE, brows, eyes, mouth_interior, paint, skin
from vidlink.data.face.geometry import Face, bump, noise, ramp
from vidlink.data.face.relief import light, relief

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.data.face.geometry import Field
    from vidlink.data.face.identity import Identity, Pose


def draw_face(
    *,
    identity: Identity,
    valence: float,
    arousal: float,
    pose: Pose,
    backdrop: NDArray,
    habit: NDArray[np.float64] | None = None,
    strength: NDArray[np.float64] | None = None,
) -> NDArray[np.uint8]:
    """Draw a face with an expression in front of a backdrop.

    The face is a height field (skull, brows, nose, cheeks, lips, folds) lit by one lamp and painted with skin,
    brows, eyes, mouth and hair, all of them implicit shapes evaluated at the pixels.

    Parameters
    ----------
    identity
        Whose face.
    valence, arousal
        The expression, each from -1 to 1, see :func:`vidlink.data.face.expression.actions_of`.
    pose
        Where the head is and how it is held.
    backdrop
        What is behind: grey (height, width) or RGB (height, width, 3), values from 0 to 255. It is not changed.
    habit, strength
        A person's own way to show an expression, see :func:`vidlink.data.face.expression.actions_of`.

    Returns
    -------
    NDArray[np.uint8]
        The picture, same shape as the backdrop.
    """
    grey = backdrop.ndim == 2
    picture = np.array(backdrop[None] if grey else backdrop.transpose(2, 0, 1), np.float32, order="C")
    actions = actions_of(valence=valence, arousal=arousal, habit=habit, strength=strength)
    face = Face(identity, actions, pose, picture)
    edge = ramp((1 - np.sqrt(face.radius2)) * (identity.half_width / max(0.07, 1.5 * face.pixel)) + 0.5)
    _hair_behind(face)
    _body(face, picture)
    _ears(face)
    shade = light(face, relief(face))
    layer = skin(face)
    brows(face, layer)
    layer *= shade
    eyes(face, layer, shade)
    mouth_interior(face, layer)
    paint(face.picture, WHOLE, edge, layer)
    _hair_in_front(face)
    result = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return result[0] if grey else np.ascontiguousarray(result.transpose(1, 2, 0))


def _strands(face: Face) -> Field:
    """Colour of hair, darker and lighter by strand, with the gloss of the lamp."""
    offset = 1024 + face.identity.texture[0]
    parting = face.u + 0.9 * face.identity.fringe
    fan = parting / (0.45 + 0.3 * np.maximum(face.v + 4.4, 0))
    fine = noise(fan * 46 + offset, face.v * 5 + 0.6 * face.left_right + 1024)
    gloss = bump(((face.y + 2.7 - 0.25 * face.x * face.x) * 1.2) ** 2 + ((face.x - face.identity.light[0]) * 0.6) ** 2)
    return face.tone(face.identity.hair) * (0.78 + 0.34 * fine + 0.75 * gloss - 0.2 * bump((parting * 4) ** 2))


def _skull(face: Face, volume: float) -> Field:
    """Radius of the head with its hair: 1 on the outline of the hair."""
    across = face.x * (1 / (face.identity.half_width + 0.06 + 0.6 * volume))
    down = np.minimum(face.y + 0.3, 0) * (1 / (3.05 + 0.8 * volume))
    across *= across
    down *= down
    return np.sqrt(across * (0.85 + 0.15 * across) + down)


def _hair_behind(face: Face) -> None:
    identity = face.identity
    bald = identity.hairline < -3
    radius = _skull(face, 0.0 if bald else identity.hair_volume)
    soft = 2.2 / max(0.15, 1.5 * face.pixel)
    ragged = 0.03 * noise(face.x * 25 + 1024, face.y * 25 + 1024)
    mask = ramp((1 - radius + ragged) * soft + 0.5)
    if bald:
        mask *= ramp((face.y + 1.4) * 2)
    short = ramp((0.75 - face.y) * 1.3)
    fall = ramp((4.4 - face.y) * 0.8) * ramp((1.12 + 0.03 * face.y - radius) * soft * 0.5 + 0.5)
    mask = mask * short * (1 - identity.long_hair) + identity.long_hair * np.maximum(mask * short, fall)
    paint(face.picture, WHOLE, mask, _strands(face) * 0.62)


def _body(face: Face, picture: Field) -> None:
    """Draw neck and shoulders across the whole picture, with the shadow of the head on them."""
    identity, pose = face.identity, face.pose
    top = min(max(0, int(pose.y + 1.4 * pose.size)), picture.shape[1])
    x, y = face.upright(top, picture)
    soft = 1 / max(0.08, 1.5 * face.pixel)
    aside = np.abs(x)
    tilt = 1 - 0.1 * x * identity.light[0]
    roundness = np.sqrt(np.maximum(1.15 - (x * (1 / 1.5)) ** 2, 0.05))
    under = ramp((y - face.chin + 0.15 - 0.5 * identity.light[0] * x - 0.1 * aside) * 0.8)
    neck = face.tone(identity.skin) * (np.minimum(np.maximum(roundness * tilt, 0.2), 1.05) * (0.36 + 0.42 * under))
    across = 1.22 + 0.05 * (y - 3.3) ** 2 - aside
    where = (slice(top, None), slice(None))
    paint(picture, where, ramp(across * soft) * ramp((y - 1.7) * 3), neck)
    slope = face.identity.chin + 0.12 + 0.3 * aside + 1.2 * np.maximum(aside - 4.3, 0) ** 2
    neckline = np.sqrt((x * (1 / 1.45)) ** 2 + ((y - face.identity.chin - 0.3) * (1 / 0.75)) ** 2) - 1
    folds = 0.82 + 0.1 * noise(x * 7 + y * 4 + 1024, y * 2 + 1024) + 0.16 * roundness * ramp((2 - aside) * 0.6)
    cloth = face.tone(identity.clothes) * (folds * np.maximum(tilt, 0.4) * (1 - 0.25 * bump((neckline * 6) ** 2)))
    paint(picture, where, ramp((y - slope) * soft + 0.5) * ramp(neckline * soft + 0.5), cloth)


def _ears(face: Face) -> None:
    identity = face.identity
    if identity.long_hair > 0.5:
        return
    soft = 1 / max(0.2, 2.5 * face.pixel)
    for sign in (-1, 1):
        where = face.patch(2.15 * sign - 0.6, 2.15 * sign + 0.6, -0.7, 1.2)
        x, y = face.x[where] * sign, face.y[where]
        centre = identity.half_width * 0.99 - 0.35 * face.pose.yaw * sign
        radius = np.sqrt(((x - centre - 0.06) * (1 / 0.26)) ** 2 + ((y - 0.32 - face.pose.pitch) * (1 / 0.58)) ** 2)
        glow = 0.72 - 0.18 * sign * identity.light[0] + 0.2 * bump(((radius - 0.75) * 4) ** 2)
        paint(face.picture, where, ramp((1 - radius) * soft + 0.5), face.tone(identity.skin) * (0.9 * glow))


def _hair_in_front(face: Face) -> None:
    identity = face.identity
    bald = identity.hairline < -3
    where = face.patch(-3.0, 3.0, -4.4, 0.9 if identity.long_hair < 0.5 else 3.0)
    u, v, side = face.u[where], face.v[where], face.left_right[where]
    ragged = 0.1 * noise(u * 12 + 1024, v * 3 + 1024 + identity.texture[1])
    line = identity.hairline + 0.25 * identity.fringe * u + 0.16 * side * side + ragged
    line -= 0.5 * abs(identity.fringe) * bump(((u + 0.9 * identity.fringe) * (1 / 0.5)) ** 2)
    line += 3.2 * ramp((side - 0.76 * identity.half_width) * (3.4 / identity.half_width))
    line = np.minimum(line, 0.35 - 0.3 * ragged + 3 * identity.long_hair)
    soft = 1 / max(0.35, 1.5 * face.pixel)
    mask = ramp((line - v) * soft + 0.5)
    mask *= ramp((1 - _skull(face, 0.0 if bald else identity.hair_volume)[where]) * 8 + 0.5)
    if bald:
        mask *= ramp((v + 1.2) * 2) * ramp((side - 1.4) * 3)
    paint(face.picture, where, mask, _strands(face)[(slice(None), *where)])
