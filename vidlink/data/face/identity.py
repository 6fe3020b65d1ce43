"""Who is drawn, and how the head is held.

One unit of length is half the distance between the eyes. The origin lies between them, x to the right, y down.
The default proportions follow Farkas, "Anthropometry of the Head and Face" (1994): with eyes 63 mm apart, one unit
is 31.5 mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Colour = tuple[float, float, float]
"""Red, green, blue, each from 0 to 255."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whose face it is and how it is lit. Lengths in units of half the distance between the eyes."""

    skin: Colour = (214.0, 170.0, 146.0)
    """Skin, RGB from 0 to 255."""
    lips: Colour = (176.0, 98.0, 92.0)
    """Lips, RGB."""
    hair: Colour = (58.0, 42.0, 34.0)
    """Hair and brows, RGB."""
    iris: Colour = (92.0, 70.0, 48.0)
    """Iris, RGB."""
    clothes: Colour = (60.0, 74.0, 98.0)
    """Clothes, RGB."""
    half_width: float = 2.12
    """Half the width of the face at the cheekbones."""
    chin: float = 3.42
    """From the eyes to the tip of the chin, mouth closed."""
    jaw: float = 0.3
    """How square the jaw is, from 0 (oval) to 1."""
    hairline: float = -1.9
    """Height of the hairline (negative: above the eyes); above -2.6 and rising to the crown the face is bald."""
    long_hair: float = 0.0
    """From 0 (short) to 1 (down to the shoulders)."""
    hair_volume: float = 0.35
    """How far the hair stands off the skull."""
    fringe: float = 0.8
    """Where the hair is parted and how aslant it falls, from -1 to 1; 0 is the middle."""
    brow_thickness: float = 0.12
    """Half the thickness of the brows."""
    brow_height: float = 0.61
    """Height of the brows above the eyes."""
    eye_size: float = 1.0
    """Size of the eyes, 1 is usual."""
    nose_width: float = 0.5
    """Half the width of the nose."""
    nose_length: float = 1.2
    """From the eyes to the tip of the nose."""
    mouth: float = 2.2
    """From the eyes to the line between the lips."""
    mouth_width: float = 0.88
    """Half the width of the relaxed mouth."""
    lip_thickness: float = 0.2
    """Thickness of each lip."""
    age: float = 0.2
    """Depth of folds and wrinkles, from 0 to 1."""
    beard: float = 0.0
    """Beard and moustache, from 0 (shaved) to 1 (full)."""
    light: tuple[float, float, float] = (-0.4, -0.45, 0.8)
    """Direction to the light: right, down, towards the viewer."""
    ambient: float = 0.35
    """Share of the light that comes from everywhere."""
    texture: tuple[int, int] = (0, 0)
    """Where in the noise tile the skin is taken from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pose:
    """Where the head is, where it looks, and whether the eyes are shut."""

    x: float
    """Column of the point between the eyes, in pixels."""
    y: float
    """Row of the point between the eyes, in pixels."""
    size: float
    """Half the distance between the eyes, in pixels."""
    roll: float = 0.0
    """Rotation in the picture, in radians, clockwise."""
    yaw: float = 0.0
    """Sine of the turn to the right."""
    pitch: float = 0.0
    """Sine of the nod (positive: down)."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Where the eyes look, right and down, from -1 to 1."""
    blink: float = 0.0
    """How far the lids are shut on top of the expression, from 0 to 1."""


def random_identity(rng: np.random.Generator) -> Identity:
    """Draw a person and a light.

    Parameters
    ----------
    rng
        Source of randomness.

    Returns
    -------
    Identity
        Skin from very dark to very fair, any age, with and without hair and beard, lit from anywhere in front.
    """

    def between(low: float, high: float) -> float:
        return float(low + (high - low) * rng.random())

    depth = rng.random()
    brightness = 0.5 + 0.5 * depth
    skin = (235 * brightness, (150 + 45 * depth) * brightness, (110 + 60 * depth) * brightness)
    redness = between(0.5, 0.95)
    hair_tone = between(0.3, 1.0) if rng.random() < 0.5 else between(1.0, 3.8) * (0.4 + 0.6 * depth)
    man = rng.random() < 0.5
    return Identity(
        skin=skin,
        lips=(skin[0] * between(0.7, 0.95), skin[1] * redness * 0.8, skin[2] * redness * 0.85),
        hair=(52 * hair_tone, 42 * hair_tone, 36 * hair_tone),
        iris=(between(30, 130), between(30, 120), between(25, 130)),
        clothes=(between(15, 235), between(15, 235), between(15, 235)),
        half_width=between(1.9, 2.35),
        chin=between(3.2, 3.75),
        jaw=between(0.2, 0.9) if man else between(0.0, 0.5),
        hairline=-4.5 if man and rng.random() < 0.2 else between(-2.5, -1.3),
        long_hair=0.0 if man else float(rng.random() < 0.7),
        hair_volume=between(0.08, 0.6),
        fringe=between(-1, 1),
        brow_thickness=between(0.08, 0.16) if man else between(0.05, 0.11),
        brow_height=between(0.48, 0.75),
        eye_size=between(0.82, 1.25),
        nose_width=between(0.4, 0.65),
        nose_length=between(1.05, 1.4),
        mouth=between(2.05, 2.4),
        mouth_width=between(0.7, 0.98),
        lip_thickness=between(0.1, 0.3),
        age=between(0, 1),
        beard=between(0.2, 1) if man and rng.random() < 0.35 else 0.0,
        light=(between(-0.9, 0.9), between(-0.8, 0.15), between(0.5, 1.1)),
        ambient=between(0.2, 0.6),
        texture=(int(rng.integers(256)), int(rng.integers(256))),
    )
