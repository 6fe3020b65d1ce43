"""From valence and arousal to what the muscles of a drawn face do.

Emotions lie on a circle in the plane of valence and arousal (Russell, "A circumplex model of affect",
J. Pers. Soc. Psychol. 39, 1980). A dozen prototypes are placed in that plane, the basic emotions where Russell and
Mehrabian ("Evidence for a three-factor theory of emotions", J. Res. Pers. 11, 1977) found them. Each has the facial
action units that Ekman and Friesen's Facial Action Coding System (1978) and its investigator's guide list for it.
Between the prototypes the actions are interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Actions:
    """Strength of each facial action, from 0 (relaxed) to about 1 (full); the number is its FACS action unit."""

    inner_brow: float = 0.0
    """AU 1, inner brow raiser."""
    outer_brow: float = 0.0
    """AU 2, outer brow raiser."""
    frown: float = 0.0
    """AU 4, brow lowerer."""
    wide_lids: float = 0.0
    """AU 5, upper lid raiser."""
    cheeks: float = 0.0
    """AU 6, cheek raiser."""
    squint: float = 0.0
    """AU 7, lid tightener."""
    nose_wrinkle: float = 0.0
    """AU 9, nose wrinkler."""
    upper_lip: float = 0.0
    """AU 10, upper lip raiser."""
    smile: float = 0.0
    """AU 12, lip corner puller."""
    mouth_down: float = 0.0
    """AU 15, lip corner depressor."""
    chin_raise: float = 0.0
    """AU 17, chin raiser."""
    lip_stretch: float = 0.0
    """AU 20, lip stretcher."""
    lip_press: float = 0.0
    """AU 24, lip pressor."""
    lips_part: float = 0.0
    """AU 25, lips part."""
    jaw_drop: float = 0.0
    """AU 26 and 27, jaw drop and mouth stretch."""
    droop: float = 0.0
    """AU 43, lids drooping; 1 is closed."""


ACTIONS = tuple(Actions.__dataclass_fields__)
"""Names of the actions, in the order of the columns of the prototype table."""

PROTOTYPES: dict[str, tuple[tuple[float, float], dict[str, float]]] = {
    "neutral": ((0.0, 0.0), {}),
    "happy": ((0.81, 0.51), {"cheeks": 0.9, "smile": 1.0, "lips_part": 0.8, "jaw_drop": 0.2, "squint": 0.4}),
    "pleased": ((0.45, 0.15), {"cheeks": 0.5, "smile": 0.8, "lips_part": 0.5}),
    "content": ((0.45, -0.3), {"cheeks": 0.4, "smile": 0.75, "lip_stretch": 0.3, "droop": 0.55}),
    "elated": (
        (0.65, 0.8),
        {"inner_brow": 0.6, "outer_brow": 0.7, "wide_lids": 0.5, "cheeks": 0.5, "smile": 0.9, "lips_part": 1.0}
        | {"jaw_drop": 0.75},
    ),
    "surprised": (
        (0.40, 0.67),
        {"inner_brow": 1.0, "outer_brow": 1.0, "wide_lids": 1.0, "lips_part": 0.4, "jaw_drop": 1.0, "smile": 0.05},
    ),
    "alert": ((0.1, 0.4), {"inner_brow": 0.6, "outer_brow": 0.6, "wide_lids": 0.7, "lips_part": 0.4, "jaw_drop": 0.3}),
    "angry": (
        (-0.51, 0.59),
        {"frown": 1.0, "cheeks": 0.3, "squint": 0.8, "nose_wrinkle": 0.7, "upper_lip": 0.9, "mouth_down": 0.8}
        | {"lip_stretch": 0.5, "lips_part": 1.0, "jaw_drop": 0.75},
    ),
    "stern": ((-0.35, 0.25), {"frown": 0.8, "squint": 0.5, "lip_press": 0.8, "mouth_down": 0.4, "chin_raise": 0.3}),
    "fearful": (
        (-0.64, 0.60),
        {"inner_brow": 1.0, "outer_brow": 0.4, "frown": 0.6, "wide_lids": 1.0, "lip_stretch": 0.9, "lips_part": 0.7}
        | {"jaw_drop": 0.45, "mouth_down": 0.3},
    ),
    "disgusted": (
        (-0.60, 0.35),
        {"frown": 0.8, "squint": 0.8, "nose_wrinkle": 1.0, "upper_lip": 1.0, "mouth_down": 0.5, "chin_raise": 0.5}
        | {"lips_part": 0.2},
    ),
    "sad": (
        (-0.63, -0.27),
        {"inner_brow": 1.1, "frown": 0.7, "squint": 0.3, "upper_lip": 0.25, "mouth_down": 1.0, "chin_raise": 0.7}
        | {"lip_stretch": 0.3, "droop": 0.45},
    ),
    "tired": ((-0.1, -0.5), {"droop": 0.75, "inner_brow": 0.2, "mouth_down": 0.2}),
}
"""Prototype expressions: (valence, arousal) and the actions that differ from 0."""

_PLACES = np.array([place for place, _ in PROTOTYPES.values()])
_STRENGTHS = np.array([[strengths.get(name, 0.0) for name in ACTIONS] for _, strengths in PROTOTYPES.values()])


def actions_of(
    *,
    valence: float,
    arousal: float,
    habit: NDArray[np.float64] | None = None,
    strength: NDArray[np.float64] | None = None,
) -> Actions:
    """Actions of a face at a point of the circumplex.

    Shepard's interpolation between the prototypes, weight ``habit / (distance^2 + 0.015)^2``. It needs no
    transcendental function, so that it gives the same bits everywhere.

    Parameters
    ----------
    valence, arousal
        The point, each from -1 to 1.
    habit
        How much a person leans to each prototype, shape (13,); all 1 where not given.
    strength
        Factor on each action, shape (16,); all 1 where not given.

    Returns
    -------
    Actions
        The strength of each action.
    """
    weights = np.ones(len(_PLACES)) if habit is None else habit
    distance = (_PLACES[:, 0] - valence) ** 2 + (_PLACES[:, 1] - arousal) ** 2
    weights = weights / (distance + 0.015) ** 2
    blend = np.zeros(len(ACTIONS))
    total = 0.0
    for weight, row in zip(weights, _STRENGTHS, strict=True):  # one after another: sums in a fixed order
        blend = blend + weight * row
        total += float(weight)
    blend = blend / total
    if strength is not None:
        blend = blend * strength
    return Actions(**{name: float(value) for name, value in zip(ACTIONS, blend, strict=True)})
