"""Generated faces: the built-in clip, and batches of small faces to train on.

Every face is drawn by :mod:`vidlink.data.face`, with valence and arousal known by construction. Nothing that touches
the pixels depends on the processor (IEEE 754 arithmetic, and OpenCV's integer filters), so that the built-in clip has
the same bytes on every machine.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidlink.data.face import Identity, Pose, draw_face, random_identity
from vidlink.data.face.expression import ACTIONS, PROTOTYPES
from vidlink.data.room import draw_room

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 240
"""Size of the built-in clip in pixels."""
FRAME_RATE = Fraction(25)
"""Frames a second of the built-in clip."""
FRAME_COUNT = 250
"""Frames of the built-in clip: ten seconds."""

_KEYS = np.array(
    [  # time in seconds, valence, arousal
        (0.0, 0.05, 0.0),
        (0.8, 0.72, 0.45),
        (1.6, 0.74, 0.52),
        (2.5, 0.46, -0.15),
        (3.5, 0.36, -0.28),
        (4.4, -0.50, -0.26),
        (5.1, -0.62, -0.26),
        (5.9, -0.52, 0.45),
        (7.2, -0.52, 0.58),
        (7.9, 0.36, 0.62),
        (8.5, 0.40, 0.65),
        (9.3, 0.05, -0.20),
        (10.0, 0.05, -0.05),
    ]
)
"""The story of the built-in clip: happy, content, sad, angry, surprised, tired."""

_HABIT = np.array([{"fearful": 0.1, "disgusted": 0.3}.get(name, 1.0) for name in PROTOTYPES])
"""The person of the built-in clip shows anger rather than fear or disgust, which lie beside it."""

_BLINKS_S = (0.36, 2.2, 3.95, 5.55, 7.55, 9.0)
"""When the lids are shut."""


def _person() -> Identity:
    """Who is seen in the built-in clip."""
    return Identity()


def builtin_track(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Valence and arousal of the built-in clip.

    Cubic Hermite curves through the key points, with the tangents of Catmull and Rom.

    Parameters
    ----------
    time_s
        Times in seconds from 0 to 10, shape (n,).

    Returns
    -------
    NDArray[np.float64]
        Valence and arousal, shape (n, 2).
    """
    times, values = _KEYS[:, 0], _KEYS[:, 1:]
    slopes = np.zeros_like(values)
    slopes[1:-1] = (values[2:] - values[:-2]) / (times[2:] - times[:-2])[:, None]
    left = np.clip(np.searchsorted(times, time_s, side="right") - 1, 0, len(times) - 2)
    step = (times[left + 1] - times[left])[:, None]
    along = (np.asarray(time_s)[:, None] - times[left][:, None]) / step
    rest = 1 - along
    start = values[left] + along * (2 * values[left] + step * slopes[left])
    end = values[left + 1] + rest * (2 * values[left + 1] - step * slopes[left + 1])
    return np.round(rest * rest * start + along * along * end, 6)


def builtin_labels() -> pd.DataFrame:
    """Label table of the built-in clip.

    Returns
    -------
    pandas.DataFrame
        Columns ``time_s``, ``valence``, ``arousal``; one row a frame.
    """
    import pandas as pd

    time_s = np.arange(FRAME_COUNT) / float(FRAME_RATE)
    track = builtin_track(time_s)
    return pd.DataFrame({"time_s": time_s, "valence": track[:, 0], "arousal": track[:, 1]})


def builtin_frame(index: int) -> NDArray[np.uint8]:
    """Draw one frame of the built-in clip.

    Parameters
    ----------
    index
        Frame, from 0 to 249.

    Returns
    -------
    NDArray[np.uint8]
        RGB picture, shape (240, 320, 3).
    """
    if not 0 <= index < FRAME_COUNT:
        raise IndexError(f"the built-in clip has frames 0 to {FRAME_COUNT - 1}, not {index}")
    time_s = index / float(FRAME_RATE)
    valence, arousal = (float(value) for value in builtin_track(np.array([time_s]))[0])

    def sway(period_s: float, phase: float) -> float:
        return round(math.sin(2 * math.pi * (time_s / period_s + phase)), 6)

    lids = max(0.0, 1 - min(abs(time_s - blink) for blink in _BLINKS_S) / 0.13)
    pose = Pose(
        x=160 + 9 * sway(5.3, 0.0) + 3 * sway(1.9, 0.3),
        y=111 + 4 * sway(3.7, 0.2) + 1.5 * sway(1.3, 0.5),
        size=23 + 1.2 * sway(7.1, 0.6),
        roll=0.07 * sway(4.3, 0.1) + 0.02 * sway(1.7, 0.4),
        yaw=0.16 * sway(4.7, 0.35) + 0.03 * sway(1.5, 0.0),
        pitch=0.07 * sway(3.1, 0.7) - 0.03,
        gaze=(0.35 * sway(3.3, 0.2), 0.2 * sway(2.6, 0.8)),
        blink=min(1.0, 1.5 * lids),
    )
    lamp = 1 + 0.06 * sway(6.1, 0.15)
    person = _person()
    person = replace(person, light=(person.light[0] + 0.12 * sway(8.3, 0.4), *person.light[1:]))
    room = draw_room(HEIGHT, WIDTH) * np.float32(lamp)
    picture = draw_face(identity=person, valence=valence, arousal=arousal, pose=pose, backdrop=room, habit=_HABIT)
    grain = np.random.default_rng(index).integers(-2, 3, (HEIGHT, WIDTH, 1), dtype=np.int16)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def builtin_clip() -> tuple[Iterator[NDArray[np.uint8]], pd.DataFrame]:
    """Draw the built-in clip: ten seconds of a face whose expression follows known tracks.

    Its identity is fixed by hand; :func:`face_batch` never draws it.

    Returns
    -------
    frames : Iterator[NDArray[np.uint8]]
        250 RGB pictures, each of shape (240, 320, 3), drawn one by one as they are asked for.
    labels : pandas.DataFrame
        Columns ``time_s``, ``valence``, ``arousal``; one row a frame.
    """
    return (builtin_frame(index) for index in range(FRAME_COUNT)), builtin_labels()


def face_batch(rng: np.random.Generator, n: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draw small grey faces of random people with random expressions, as a face detector would cut them out.

    Parameters
    ----------
    rng
        Source of randomness.
    n
        How many.

    Returns
    -------
    faces : NDArray[np.uint8]
        Grey pictures, shape (n, 48, 48).
    labels : NDArray[np.float32]
        Valence and arousal, shape (n, 2).
    """
    faces = np.empty((n, 48, 48), np.uint8)
    labels = np.empty((n, 2), np.float32)
    for index in range(n):
        labels[index] = _random_point(rng)
        faces[index] = _random_face(rng, float(labels[index, 0]), float(labels[index, 1]))
    return faces, labels


def _random_point(rng: np.random.Generator) -> tuple[float, float]:
    """Draw a point of the circumplex: half of them anywhere, half of them between two prototypes."""
    if rng.random() < 0.5:
        return rng.uniform(-0.75, 0.9), rng.uniform(-0.4, 0.75)
    places = np.array([place for place, _ in PROTOTYPES.values()])
    one, other = places[rng.integers(len(places), size=2)]
    point = one + rng.random() ** 2 * (other - one)
    return float(point[0]), float(point[1])


def _random_face(rng: np.random.Generator, valence: float, arousal: float) -> NDArray[np.uint8]:
    """Draw one grey face, shape (48, 48): random person, head, background, contrast and grain."""
    size = rng.uniform(7.6, 9.8)
    pose = Pose(
        x=23.5 + rng.uniform(-3, 3),
        y=18.5 + rng.uniform(-3, 3),
        size=size,
        roll=rng.uniform(-0.25, 0.25),
        yaw=rng.uniform(-0.35, 0.35),
        pitch=rng.uniform(-0.2, 0.2),
        gaze=(rng.uniform(-1, 1), rng.uniform(-1, 1)),
        blink=float(rng.random() < 0.04),
    )
    coarse = rng.uniform(0, 255, (4, 4)) * rng.random() + rng.uniform(0, 160)
    backdrop = cv2.resize(coarse.astype(np.float32), (48, 48), interpolation=cv2.INTER_LINEAR)
    face = draw_face(
        identity=random_identity(rng),
        valence=valence,
        arousal=arousal,
        pose=pose,
        backdrop=np.clip(backdrop, 0, 255),
        habit=rng.uniform(0.2, 1.5, len(PROTOTYPES)) ** 2,
        strength=rng.uniform(0.6, 1.3, len(ACTIONS)),
    ).astype(np.float32)
    blurred = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.3, 0.9))
    grain = rng.standard_normal((48, 48), dtype=np.float32) * np.float32(rng.uniform(0, 6))
    picture = (blurred - 128) * rng.uniform(0.7, 1.3) + 128 + rng.uniform(-35, 35) + grain
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
