"""Generated moving figures: people of sticks and capsules who jump, run, sit down, stand up, turn and walk.

A figure is a dozen joints in metres, moved by a few angles over time, seen by a pinhole camera that may follow it, in
front of a wall with things on it, in the dark. Nothing of it looks like a person up close; it moves like one, which is
what a motion-aware network learns from, and no two clips share a place, a person or a point of view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

ACTIONS = ("Jump", "Run", "Sit", "Stand", "Turn", "Walk")
"""What figures can do."""
FRAME_RATE = 15.0
"""Frames a second of a generated clip."""


@dataclass(kw_only=True)
class Posture:
    """A figure at one instant; angles in radians, forwards positive, lengths in metres."""

    place: tuple[float, float] = (0.0, 0.0)
    """Where the pelvis is on the ground."""
    lift: float = 0.0
    """How far the feet are off the ground."""
    facing: float = 0.0
    """Direction in which the figure looks; 0 is to the right of the picture, a quarter turn is away from the camera."""
    lean: float = 0.0
    """Of the trunk."""
    hips: tuple[float, float] = (0.0, 0.0)
    """Of the thighs, left and right."""
    knees: tuple[float, float] = (0.0, 0.0)
    """How far each knee is bent."""
    shoulders: tuple[float, float] = (0.0, 0.0)
    """Of the upper arms."""
    elbows: tuple[float, float] = (0.2, 0.2)
    """How far each elbow is bent."""


@dataclass(frozen=True, kw_only=True)
class _Body:
    """Measures in metres and greys of one person."""

    size: float
    thigh: float = 0.42
    shin: float = 0.44
    trunk: float = 0.52
    arm: float = 0.29
    shoulder: float = 0.19
    pelvis: float = 0.1
    greys: dict[str, float] = field(default_factory=dict)


def draw_clip(action: str, rng: np.random.Generator, *, size: tuple[int, int] = (112, 84), frames: int = 40) -> NDArray:
    """Draw one clip.

    Parameters
    ----------
    action
        One of :data:`ACTIONS`.
    rng
        Source of randomness: person, place, point of view, light.
    size
        Width and height in pixels.
    frames
        How many, at :data:`FRAME_RATE`.

    Returns
    -------
    NDArray[np.uint8]
        Luma, shape (frames, height, width).
    """
    move = _MOVES[action](rng, frames / FRAME_RATE)
    postures = [move(index / FRAME_RATE) for index in range(frames)]
    body = _Body(
        size=rng.uniform(0.85, 1.1), greys={part: rng.uniform(0.05, 1) for part in ("head", "shirt", "arms", "legs")}
    )
    camera = _Camera(rng, size, postures, follows=action in ("Run", "Walk", "Jump"))
    wall = _draw_wall(rng, size)
    logo = rng.uniform(0, 1)
    drawn = np.stack([_draw(posture, body, camera, wall, index, logo) for index, posture in enumerate(postures)])
    return _darken(drawn, rng)


def draw_clips(rng: np.random.Generator, count: int, *, size: tuple[int, int] = (112, 84)) -> tuple[list, NDArray]:
    """Draw ``count`` clips, actions in turn; returns them and the index of each one's action, shape (count,)."""
    labels = np.arange(count) % len(ACTIONS)
    return [draw_clip(ACTIONS[label], rng, size=size) for label in labels], labels


def _walk(rng: np.random.Generator, seconds: float) -> Callable[[float], Posture]:
    return _gait(rng, seconds, cadence=rng.uniform(0.75, 1.1), speed=rng.uniform(0.8, 1.6), swing=0.42, bend=0.9)


def _run(rng: np.random.Generator, seconds: float) -> Callable[[float], Posture]:
    return _gait(rng, seconds, cadence=rng.uniform(1.2, 1.7), speed=rng.uniform(2.2, 4.2), swing=0.75, bend=1.8)


def _gait(
    rng: np.random.Generator, seconds: float, *, cadence: float, speed: float, swing: float, bend: float
) -> Callable[[float], Posture]:
    """Strides a second, metres a second, swing of the thighs and bend of the knees in radians."""
    facing, start, phase = _heading(rng), rng.uniform(-0.5, 0.5), rng.uniform(0, 2 * math.pi)
    running = bend > 1.2
    swing, lean = swing * rng.uniform(0.7, 1.2), rng.uniform(0.05, 0.3) if running else rng.uniform(0, 0.08)
    arms = (1.3 if running else 0.7) * swing * rng.uniform(0.5, 1.2)
    elbow = rng.uniform(1.2, 1.8) if running else rng.uniform(0.1, 0.5)

    def at(time_s: float) -> Posture:
        turn = phase + 2 * math.pi * cadence * time_s
        way = start + speed * (time_s - seconds / 2)
        sides = (math.sin(turn), math.sin(turn + math.pi))
        return Posture(
            place=(way * math.cos(facing), way * math.sin(facing)),
            lift=(0.09 if running else 0.02) * abs(math.sin(turn)),
            facing=facing,
            lean=lean,
            hips=tuple(swing * side + 0.4 * lean for side in sides),  # type: ignore[arg-type]
            knees=tuple(0.1 + bend * max(0.0, math.cos(turn + shift)) for shift in (0.2, 0.2 + math.pi)),  # type: ignore[arg-type]
            shoulders=tuple(-arms * side for side in sides),  # type: ignore[arg-type]
            elbows=(elbow, elbow),
        )

    return at


def _jump(rng: np.random.Generator, seconds: float) -> Callable[[float], Posture]:
    period, start, facing = rng.uniform(0.8, 1.7), rng.uniform(0, 1.2), rng.uniform(0, 2 * math.pi)
    height, depth = rng.uniform(0.12, 0.5), rng.uniform(0.35, 0.9)
    ahead = rng.uniform(0.3, 1.5) if rng.random() < 0.5 else 0.0
    arms = rng.uniform(0, 2.4)
    flight = 2 * math.sqrt(2 * height / 9.81)
    crouch = period - flight

    def at(time_s: float) -> Posture:
        count, within = divmod(time_s + start, period)
        lift, bent, swing, way = 0.0, 0.0, 0.0, count * ahead * period
        if within < crouch:  # bend and push off
            bent = depth * math.sin(math.pi * within / crouch) ** 2
            swing = -0.5 * math.sin(math.pi * within / crouch)
        else:
            along = (within - crouch) / flight
            lift, swing = 4 * height * along * (1 - along), math.sin(math.pi * along)
            bent = 0.25 * depth * math.sin(math.pi * along)
            way += ahead * period * along
        return Posture(
            place=(way * math.cos(facing), way * math.sin(facing)),
            lift=lift,
            facing=facing,
            lean=0.7 * bent,
            hips=(bent, bent),
            knees=(2 * bent, 2 * bent),
            shoulders=(arms * swing, arms * swing),
            elbows=(0.3, 0.3),
        )

    return at


def _sit(rng: np.random.Generator, seconds: float) -> Callable[[float], Posture]:
    facing, takes = rng.uniform(0, 2 * math.pi), rng.uniform(0.8, 1.9)
    begins = rng.uniform(0.0, max(0.1, seconds - takes))
    deep, bow = rng.uniform(0.75, 1.05) * math.pi / 2, rng.uniform(0.3, 1.0)
    stays, back, sway = rng.uniform(-0.2, 0.3), rng.uniform(0.1, 0.4), rng.uniform(0, 0.08)
    period, turned = rng.uniform(1, 3), rng.uniform(-1.2, 1.2) if rng.random() < 0.4 else 0.0

    def at(time_s: float) -> Posture:
        along = min(1.0, max(0.0, (time_s - begins) / takes))
        down = (1 - math.cos(math.pi * along)) / 2
        reach = math.sin(math.pi * along)
        before = min(1.0, max(0.0, (time_s - begins + 0.9) / 0.9))  # turns round in front of the chair
        angle = facing + turned * (1 - before)
        idle = sway * math.sin(2 * math.pi * time_s / period)
        return Posture(
            place=(-back * down * math.cos(facing), -back * down * math.sin(facing)),
            facing=angle,
            lean=bow * reach + stays * down + idle,
            hips=(deep * down, deep * down),
            knees=(deep * down, deep * down),
            shoulders=(0.6 * reach + 0.5 * down, 0.5 * reach + 0.5 * down),
            elbows=(0.3 + 0.7 * down, 0.3 + 0.7 * down),
        )

    return at


def _stand(rng: np.random.Generator, seconds: float) -> Callable[[float], Posture]:
    sits = _sit(rng, seconds)
    return lambda time_s: sits(seconds - time_s)


def _turn(rng: np.random.Generator, seconds: float) -> Callable[[float], Posture]:
    way = rng.choice([-1, 1]) * rng.uniform(math.pi / 2, 2 * math.pi)
    takes = min(seconds, rng.uniform(0.8, 2.6))
    begins, facing = rng.uniform(0, seconds - takes), rng.uniform(0, 2 * math.pi)
    cadence, step = rng.uniform(0.8, 1.6), rng.uniform(0.05, 0.3)

    def at(time_s: float) -> Posture:
        along = min(1.0, max(0.0, (time_s - begins) / takes))
        moving = math.sin(math.pi * along) ** 0.5
        turn = 2 * math.pi * cadence * time_s
        return Posture(
            place=(0.04 * math.sin(turn) * moving, 0.04 * math.cos(turn) * moving),
            facing=facing + way * (along - math.sin(2 * math.pi * along) / (2 * math.pi)),
            hips=(step * moving * math.sin(turn), -step * moving * math.sin(turn)),
            knees=tuple(2 * step * moving * max(0.0, side * math.cos(turn)) for side in (1, -1)),  # type: ignore[arg-type]
            shoulders=(-0.5 * step * moving * math.sin(turn), 0.5 * step * moving * math.sin(turn)),
        )

    return at


def _heading(rng: np.random.Generator) -> float:
    """Across the picture or along it, a little off."""
    return rng.integers(4) * math.pi / 2 + rng.normal(0, 0.35)


_MOVES = {"Jump": _jump, "Run": _run, "Sit": _sit, "Stand": _stand, "Turn": _turn, "Walk": _walk}


class _Camera:
    """A pinhole camera at some distance that may follow the figure with a delay, and shakes a little."""

    def __init__(
        self, rng: np.random.Generator, size: tuple[int, int], postures: list[Posture], *, follows: bool
    ) -> None:
        self.width, self.height = size
        way = np.array([posture.place for posture in postures])
        distance = rng.uniform(2.2, 6.5) + max(0.0, -way[:, 1].min())
        share = rng.uniform(0.4, 1.3)  # height of the figure in the picture; above 1 it is cut off
        self.distance, self.eye = distance, rng.uniform(0.8, 1.7)
        self.focal = share * self.height * distance / 1.75
        pan = rng.uniform(0.2, 1.0) if follows and rng.random() < 0.6 else 0.0
        target = pan * way[:, 0] * self.focal / distance
        shake = cv2.GaussianBlur(rng.normal(0, 1, (len(way), 2)), (1, 9), 2.0) * rng.choice([0.0, 0.5, 2.0])
        self.pan = cv2.GaussianBlur(target[:, None], (1, 9), 2.5)[:, 0] + shake[:, 0]
        self.tilt = shake[:, 1] + (rng.normal(0, 0.08) + (share - 1) * rng.uniform(-0.3, 0.5)) * self.height
        self.offset = rng.normal(0, 0.08) * self.width

    def project(self, points: Vector, frame: int) -> tuple[Vector, Vector]:
        """Pixels of points (n, 3) in metres (right, away, up), and pixels a metre at each."""
        scale = self.focal / np.maximum(self.distance + points[:, 1], 0.4)
        x = self.width / 2 + self.offset + points[:, 0] * scale - self.pan[frame]
        y = self.height * 0.52 + (self.eye - points[:, 2]) * scale - (self.eye - 0.9) * self.focal / self.distance
        return np.column_stack([x, y + self.tilt[frame]]), scale


def _joints(posture: Posture, body: _Body) -> dict[str, Vector]:
    """Joints in metres: right, away, up."""
    ahead = np.array([math.cos(posture.facing), math.sin(posture.facing), 0.0])
    aside, up = np.array([-ahead[1], ahead[0], 0.0]), np.array([0.0, 0.0, 1.0])

    def bone(angle: float) -> Vector:  # downwards, swung forwards by the angle
        return math.sin(angle) * ahead - math.cos(angle) * up

    joints: dict[str, Vector] = {}
    reach = []
    for hip, knee in zip(posture.hips, posture.knees, strict=True):
        reach.append(body.thigh * math.cos(hip) + body.shin * math.cos(hip - knee))
    pelvis = np.array([*posture.place, max(reach) + posture.lift])
    chest = pelvis + body.trunk * (math.sin(posture.lean) * ahead + math.cos(posture.lean) * up)
    joints["pelvis"], joints["chest"] = pelvis, chest
    joints["head"] = chest + 0.24 * (math.sin(0.5 * posture.lean) * ahead + math.cos(0.5 * posture.lean) * up)
    joints["face"] = joints["head"] + 0.07 * ahead
    joints["logo"] = 0.35 * pelvis + 0.65 * chest + 0.1 * ahead
    for side, sign, hip, knee, shoulder, elbow in zip(
        "lr", (1, -1), posture.hips, posture.knees, posture.shoulders, posture.elbows, strict=True
    ):
        joints[f"hip_{side}"] = pelvis + sign * body.pelvis * aside
        joints[f"knee_{side}"] = joints[f"hip_{side}"] + body.thigh * bone(hip)
        joints[f"foot_{side}"] = joints[f"knee_{side}"] + body.shin * bone(hip - knee)
        joints[f"shoulder_{side}"] = chest + sign * body.shoulder * aside
        joints[f"elbow_{side}"] = joints[f"shoulder_{side}"] + body.arm * bone(shoulder)
        joints[f"hand_{side}"] = joints[f"elbow_{side}"] + body.arm * bone(shoulder + elbow)
    return {name: body.size * (point - pelvis * [1, 1, 0]) + pelvis * [1, 1, 0] for name, point in joints.items()}


_LIMBS = (
    ("legs", "hip", "knee", 0.15),
    ("legs", "knee", "foot", 0.11),
    ("arms", "shoulder", "elbow", 0.09),
    ("arms", "elbow", "hand", 0.08),
)
_SHIFT = 4
"""Bits of a pixel that OpenCV draws with."""


def _draw(posture: Posture, body: _Body, camera: _Camera, wall: NDArray, frame: int, logo: float) -> NDArray:
    """One picture, float32 within 0..1."""
    height, width = camera.height, camera.width
    left = round((wall.shape[1] - width) / 2 + camera.pan[frame])
    top = round((wall.shape[0] - height) / 2 - camera.tilt[frame])
    left, top = min(max(left, 0), wall.shape[1] - width), min(max(top, 0), wall.shape[0] - height)
    picture = wall[top : top + height, left : left + width].copy()
    joints = _joints(posture, body)
    names = list(joints)
    pixels, scale = camera.project(np.stack([joints[name] for name in names]), frame)
    fixed = (pixels.clip(-4000, 4000) * 2**_SHIFT).astype(int).tolist()
    at = dict(zip(names, map(tuple, fixed), strict=True))
    metre = dict(zip(names, scale, strict=True))
    depth = {side: joints[f"shoulder_{side}"][1] for side in "lr"}
    far, near = sorted("lr", key=lambda side: -depth[side])

    def limbs(side: str, shade: float) -> None:
        for part, one, other, thick in _LIMBS:
            wide = max(1, round(thick * metre[f"{one}_{side}"]))
            ends = at[f"{one}_{side}"], at[f"{other}_{side}"]
            cv2.line(picture, *ends, body.greys[part] * shade, wide, cv2.LINE_AA, _SHIFT)

    limbs(far, 0.75)
    corners = [at[name] for name in ("shoulder_l", "shoulder_r", "hip_r", "hip_l")]
    wide = max(1, round(0.2 * metre["chest"]))
    cv2.line(picture, at["chest"], at["pelvis"], body.greys["shirt"], wide, cv2.LINE_AA, _SHIFT)
    cv2.fillPoly(picture, [np.array(corners, np.int32)], body.greys["shirt"], cv2.LINE_AA, _SHIFT)
    dot = max(1, round(0.05 * metre["chest"] * 2**_SHIFT))
    if joints["logo"][1] < joints["chest"][1] * 0.35 + joints["pelvis"][1] * 0.65:
        cv2.circle(picture, at["logo"], dot, logo, -1, cv2.LINE_AA, _SHIFT)
    radius = max(1, round(0.11 * metre["head"] * 2**_SHIFT))
    cv2.circle(picture, at["head"], radius, 0.3 * body.greys["head"], -1, cv2.LINE_AA, _SHIFT)
    if joints["face"][1] < joints["head"][1] + 0.03:
        cv2.circle(picture, at["face"], int(radius * 0.75), body.greys["head"], -1, cv2.LINE_AA, _SHIFT)
    limbs(near, 1.0)
    return picture


def _draw_wall(rng: np.random.Generator, size: tuple[int, int]) -> NDArray:
    """A wall and a floor with things on them, larger than the picture so that the camera can pan."""
    width, height = size[0] * 4, size[1] * 2
    coarse = rng.random((3 + rng.integers(4), 5 + rng.integers(8))).astype(np.float32)
    wall = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    wall = wall * rng.uniform(0, 0.5) + rng.uniform(0, 0.5)
    if rng.random() < 0.4:
        wall += 0.15 * rng.random() * np.sin(np.arange(width, dtype=np.float32) * 2 * math.pi / rng.uniform(3, 12))
    for _ in range(rng.integers(0, 24)):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = (int(rng.integers(4, limit)) for limit in (width // 8, height // 3))
        cv2.rectangle(wall, (x, y), (x + w, y + h), rng.uniform(0, 1), -1 if rng.random() < 0.6 else 1)
    floor = int(height * rng.uniform(0.55, 0.9))
    wall[floor:] = 0.6 * wall[floor:] + 0.4 * rng.random()
    return wall.astype(np.float32)


def _darken(drawn: NDArray, rng: np.random.Generator) -> NDArray:
    """Little light, sensor noise, 8 bits."""
    light = math.exp(rng.uniform(math.log(0.06), math.log(0.6)))
    noisy = 255 * light * np.clip(drawn, 0, 1) ** rng.uniform(1, 1.8) + rng.uniform(0, 14)
    noisy = noisy + rng.normal(0, rng.uniform(0.2, 2.0), drawn.shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)
