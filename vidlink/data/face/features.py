"""What is painted on the relief: skin, brows, eyes, lips, teeth, hair, and the body below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.face.geometry import bump, noise, ramp
from vidlink.data.face.relief import nasolabial

if TYPE_CHECKING:
    from vidlink.data.face.geometry import Face, Field, Patch


WHOLE = (slice(None), slice(None))
"""A patch that is the whole layer."""


def paint(layer: Field, where: Patch, mask: Field, colour: Field) -> None:
    """Blend a colour (channels, 1 or rows, 1 or columns) into a patch of a layer (channels, rows, columns)."""
    part = layer[:, where[0], where[1]]
    part += mask * (colour - part)


def line(distance: Field, width: float) -> Field:
    """Draw a soft line where the distance is 0; ``width`` is its half width."""
    distance = distance * (1 / width)
    return bump(distance * distance)


def skin(face: Face) -> Field:
    """Colour of the unlit skin with its blotches, folds, beard and lips, shape (channels, rows, columns)."""
    identity, actions = face.identity, face.actions
    layer = np.empty_like(face.picture)
    layer[:] = face.tone(identity.skin)
    offset_x, offset_y = identity.texture
    grain = noise(face.u * 22 + (offset_x + 1024), face.v * 22 + (offset_y + 1024))
    blotches = noise(face.u * 5 + (offset_y + 1024), face.v * 5 + (offset_x + 1024))
    layer *= 1 + (0.02 + 0.03 * identity.age) * grain + 0.035 * blotches
    red, green, blue = identity.skin
    flush = face.tone((red, green * 0.78, blue * 0.76))
    for u, v, wide, amount in ((1.25, 1.1, 0.6, 0.4), (0.0, identity.nose_length, 0.35, 0.35)):
        where = face.patch(-u - 2 * wide, u + 2 * wide, v - 2 * wide, v + 2 * wide)
        away = ((face.left_right[where] - u) * (1 / wide)) ** 2 + ((face.v[where] - v) * (1 / wide)) ** 2
        paint(layer, where, amount * bump(away), flush)
    _beard(face, layer, grain)
    dark = face.tone((red * 0.5, green * 0.42, blue * 0.4))
    where, distance, window = nasolabial(face)
    fold = 0.25 * identity.age + 0.45 * actions.smile + 0.45 * actions.nose_wrinkle + 0.3 * actions.upper_lip
    paint(layer, where, min(fold, 0.6) * line(distance, 0.13) * window, dark)
    _wrinkles(face, layer, dark)
    _nostrils(face, layer)
    _lip_paint(face, layer)
    return layer


def _beard(face: Face, layer: Field, grain: Field) -> None:
    identity, mouth = face.identity, face.mouth
    if identity.beard == 0:
        return
    where = face.patch(-2.4, 2.4, 0.6, face.chin + 0.1)
    side, v = face.left_right[where], face.v[where]
    edge = mouth.corner - 0.35 - 0.35 * ramp((side - 1.0) * 1.2) * 4 * (side - 1.0)
    mask = ramp((v - edge) * 3) * (0.75 + 0.4 * grain[where])
    upper = ramp((v - identity.nose_length - 0.3) * 5) * ramp((1.1 - side) * 4)
    mask = np.minimum(np.maximum(np.maximum(mask, upper * (0.8 + 0.4 * grain[where])), 0), 1)
    paint(layer, where, 0.85 * identity.beard * mask, face.tone(identity.hair))


def _wrinkles(face: Face, layer: Field, dark: Field) -> None:
    """Lines of the forehead, between the brows, on the nose and at the eyes."""
    identity, actions = face.identity, face.actions
    strength = 0.35 + 0.65 * identity.age
    raised = strength * min(1.0, 0.6 * actions.inner_brow + 0.5 * actions.outer_brow)
    if raised > 0.05:
        where = face.patch(-1.4, 1.4, -2.0, -1.0)
        side, v = face.left_right[where], face.v[where]
        wave = 0.08 * bump(((side - 0.7) * 2) ** 2) - 0.12 * actions.inner_brow * bump((side * 1.5) ** 2)
        fade = ramp((1.45 - side) * 1.5)
        for height in (-1.2, -1.47, -1.75):
            paint(layer, where, 0.4 * raised * line(v - height + wave, 0.05) * fade, dark)
    if actions.frown > 0.05:
        where = face.patch(-0.4, 0.4, -1.1, -0.2)
        side, v = face.left_right[where], face.v[where]
        furrow = line(side - 0.15 + 0.08 * (v + 0.6), 0.06) * bump(((v + 0.6) * 2.8) ** 2)
        paint(layer, where, 0.7 * strength * min(actions.frown, 1) * furrow, dark)
    pinch = actions.nose_wrinkle
    if pinch > 0.05:
        where = face.patch(-0.6, 0.6, -0.3, 0.8)
        side, v = face.left_right[where], face.v[where]
        for height in (-0.05, 0.18):
            paint(layer, where, 0.45 * pinch * line(v - height - 0.5 * side, 0.06) * ramp((0.5 - side) * 4), dark)
    crow = strength * min(1.0, 0.9 * actions.cheeks + 0.3 * actions.squint)
    if crow > 0.05:
        where = face.patch(-2.0, 2.0, -0.4, 0.6)
        side, v = face.left_right[where], face.v[where]
        fade = ramp((side - 1.45) * 5) * ramp((1.95 - side) * 4)
        for slope in (-0.5, 0.0, 0.45):
            paint(layer, where, 0.4 * crow * line(v - 0.02 - slope * (side - 1.35), 0.035) * fade, dark)


def _nostrils(face: Face, layer: Field) -> None:
    identity = face.identity
    base = identity.nose_length + 0.15 - 0.06 * face.actions.nose_wrinkle
    where = face.patch(-0.7, 0.7, base - 0.3, base + 0.3)
    side, v = face.left_right[where], face.v[where]
    hole = bump(((side - 0.45 * identity.nose_width) * (1 / 0.15)) ** 2 + ((v - base) * (1 / 0.07)) ** 2)
    wing = bump(((side - 1.02 * identity.nose_width) * (1 / 0.06)) ** 2 + ((v - base + 0.12) * (1 / 0.16)) ** 2)
    red, green, blue = identity.skin
    paint(layer, where, np.maximum(0.85 * hole, 0.4 * wing), face.tone((red * 0.25, green * 0.16, blue * 0.15)))


def _lip_paint(face: Face, layer: Field) -> None:
    mouth = face.mouth
    soft = 1 / max(0.05, 1.2 * face.pixel)
    mask = ramp((mouth.v - mouth.upper_outer) * soft + 0.5) * ramp((mouth.lower_outer - mouth.v) * soft + 0.5)
    mask *= ramp(mouth.inside * 8)
    paint(layer, mouth.patch, 0.85 * mask, face.tone(face.identity.lips))
    upper = mask * ramp((mouth.upper_inner - mouth.v) * soft + 0.5)
    red, green, blue = face.identity.lips
    paint(layer, mouth.patch, 0.3 * upper, face.tone((red * 0.6, green * 0.5, blue * 0.5)))


def brows(face: Face, layer: Field) -> None:
    """Both eyebrows: raised and lowered, at the inner and the outer end."""
    identity, actions = face.identity, face.actions
    lowest, highest = -identity.brow_height + 0.5, -identity.brow_height - 0.8
    where = face.patch(-1.9, 1.9, highest, lowest)
    side, v = face.left_right[where], face.v[where]
    inner = 0.42 - 0.14 * actions.frown
    along = np.minimum(np.maximum((side - inner) * (1 / (1.68 - inner)), -0.5), 1.5)
    rest = 1 - along
    middle = -identity.brow_height + 0.06 - 0.62 * along * (1.2 - along)
    middle += actions.frown * (0.3 * rest + 0.05) - actions.inner_brow * (0.42 * rest * rest + 0.1 * rest - 0.04)
    middle -= actions.outer_brow * (0.1 + 0.9 * along * (1.15 - along))
    thick = identity.brow_thickness * (1 - 0.65 * along * along)
    soft = max(0.06, 1.2 * face.pixel)
    mask = ramp((thick - np.abs(v - middle)) * (1 / soft) + 0.5) * ramp(along * 6 + 0.5) * ramp((1 - along) * 5)
    strands = noise(face.u[where] * 40 + v * 18 + 1024, v * 10 + 1024)
    red, green, blue = identity.hair
    paint(layer, where, mask * (0.78 + 0.2 * strands), face.tone((red * 0.8, green * 0.8, blue * 0.8)))


def eyes(face: Face, layer: Field, shade: Field) -> None:
    """Both eyes: lids, lashes, eyeballs; painted on the lit face."""
    identity, actions, pose = face.identity, face.actions, face.pose
    size = identity.eye_size
    shut = min(1.0, max(0.0, 0.85 * actions.droop))
    shut = shut + (1 - shut) * pose.blink
    upper = 0.195 * (1 + 0.85 * actions.wide_lids - 0.3 * actions.squint - 0.3 * actions.cheeks - 0.2 * actions.frown)
    lower = 0.14 * (1 + 0.3 * actions.wide_lids - 0.45 * actions.squint - 0.55 * actions.cheeks)
    upper = upper * (1 - shut) - 0.9 * lower * shut
    tilt = 0.06 - 0.12 * actions.inner_brow * actions.mouth_down
    soft = 1 / max(0.04, 1.2 * face.pixel)
    red, green, blue = identity.skin
    dark = face.tone((red * 0.32, green * 0.24, blue * 0.23))
    lash = face.tone((34.0, 26.0, 24.0))
    gaze_x, gaze_y = pose.gaze
    for sign in (-1, 1):
        where = face.patch(sign - 0.8, sign + 0.8, -0.75, 0.75)
        across = (face.u[where] * sign - 1) * (1 / size)
        down = face.v[where] * (1 / size) + tilt * across
        square = (across * (1 / 0.52)) ** 2
        lid = np.maximum(1 - square, 0)
        lid = lid * (1.25 - 0.25 * lid)
        top, bottom = -upper * lid, lower * lid
        crease = line(down - top * 0.9 + (0.13 + 0.1 * max(upper, 0)) * lid, 0.05) * ramp((1.25 - square) * 4)
        paint(layer, where, 0.5 * (1 - 0.6 * shut) * crease, dark)
        bag = line(down - bottom - 0.17, 0.06) * ramp((1 - square) * 2)
        paint(layer, where, (0.12 + 0.2 * identity.age + 0.3 * actions.cheeks) * bag, dark)
        opening = ramp((down - top) * soft + 0.5) * ramp((bottom - down) * soft + 0.5) * ramp(lid * 6)
        glow = 0.25 + 0.75 * np.minimum(shade[where], 1.1)
        glow = glow * (0.6 + 0.4 * ramp((down - top) * 5))
        ball = np.empty((len(layer), *glow.shape), np.float32)
        ball[:] = face.tone((224.0, 217.0, 212.0))
        centre_x, centre_y = (0.24 * gaze_x * sign) / size, 0.1 * gaze_y - 0.03
        away = np.sqrt((across - centre_x) ** 2 + (down - centre_y) ** 2)
        paint(ball, WHOLE, ramp((0.225 - away) * soft + 0.5), face.tone((30.0, 24.0, 22.0)))
        paint(ball, WHOLE, 0.9 * ramp((0.19 - away) * soft + 0.5), face.tone(identity.iris))
        paint(ball, WHOLE, ramp((0.095 - away) * soft + 0.5), face.tone((10.0, 9.0, 9.0)))
        ball *= glow
        spark = bump(((across - centre_x - 0.08 * sign * identity.light[0]) * 15) ** 2 + ((down + 0.09) * 15) ** 2)
        paint(ball, WHOLE, 0.9 * spark, face.tone((250.0, 250.0, 250.0)))
        paint(layer, where, opening, ball)
        rim = ramp((1.2 - square) * 5)
        paint(layer, where, 0.85 * line(down - top, max(0.055, 0.8 * face.pixel)) * rim, lash)
        paint(layer, where, 0.35 * (1 - shut) * line(down - bottom, max(0.035, 0.7 * face.pixel)) * rim, dark)


def mouth_interior(face: Face, layer: Field) -> None:
    """Paint the line between closed lips, or teeth and tongue between open ones; for the lit face."""
    actions, mouth = face.actions, face.mouth
    soft = 1 / max(0.05, 1.2 * face.pixel)
    v = mouth.v
    red, green, blue = face.identity.skin
    dark = face.tone((red * 0.26, green * 0.14, blue * 0.13))
    width = 0.045 + 0.02 * actions.lip_press
    if mouth.open < 0.08:
        paint(layer, mouth.patch, 0.75 * line(v - mouth.middle, width) * ramp(mouth.inside * 6), dark)
    aside = np.abs(mouth.u) - mouth.half_width
    corner = bump((aside * (1 / 0.1)) ** 2 + ((v - mouth.corner) * (1 / 0.08)) ** 2)
    paint(layer, mouth.patch, (0.35 + 0.2 * actions.smile + 0.2 * actions.mouth_down) * corner, dark)
    if mouth.open < 0.08:
        return
    opening = ramp((v - mouth.upper_inner) * soft + 0.5) * ramp((mouth.lower_inner - v) * soft + 0.5)
    opening *= ramp(mouth.inside * 10)
    inner = np.empty((len(layer), *v.shape), np.float32)
    inner[:] = face.tone((58.0, 20.0, 20.0))
    tongue = bump((mouth.u * (1 / 0.42)) ** 2 + ((v - mouth.lower_inner + 0.05) * (1 / 0.25)) ** 2)
    paint(inner, WHOLE, 0.8 * tongue, face.tone((150.0, 70.0, 70.0)))
    curved = 1 - 0.35 * (mouth.u * (1 / mouth.half_width)) ** 2
    across = np.abs(mouth.u) * (1 / 0.2)
    gaps = 1 - 0.3 * line(across - np.floor(across + 0.5), 0.12) * min(max(1.6 - 8 * face.pixel, 0.0), 1.0)
    ivory = face.tone((232.0, 224.0, 208.0)) * (curved * gaps)
    show = min(1.0, 0.35 + actions.smile + actions.upper_lip + 0.5 * actions.lip_stretch)
    edge = ramp((0.88 * mouth.half_width - np.abs(mouth.u)) * 6)
    upper = ramp((mouth.upper_inner + 0.26 * show - v) * soft + 0.5) * edge
    paint(inner, WHOLE, min(1.0, 0.3 + show) * upper, ivory)
    bare = min(1.0, 0.9 * actions.lip_stretch + 0.9 * actions.upper_lip)
    if bare > 0.05:
        lower = ramp((v - mouth.lower_inner + 0.2 * bare) * soft + 0.5) * edge
        paint(inner, WHOLE, bare * lower, ivory * 0.85)
    paint(layer, mouth.patch, opening, inner)
