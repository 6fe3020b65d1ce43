"""Training windows: a stretch of a clip, moved, mirrored, sped up, darkened, sent through a random low resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.nets.motion import FRAME_RATE, FRAMES, HEIGHT, WIDTH
from vidlink.video.pictures import resize

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKWARDS = {"sit": "stand", "stand": "sit", "jump": "jump", "turn": "turn"}
"""What an action is when time runs backwards; others are left as they are."""


@dataclass(frozen=True, kw_only=True)
class Variation:
    """How training windows differ from the clips that they are cut from; draws are uniform unless said otherwise."""

    scales: tuple[float, float] = (1.0, 20.0)
    """Least and largest scale factor, log-uniform."""
    pristine: float = 0.2
    """Share of windows at the least one."""
    shifted: bool = True
    """Whether each is a differently shifted and scaled version of its clip before it is made coarse (inverse
    super-resolution: Ryoo, Rothrock, Fleming and Yang, "Privacy-preserving human activity recognition from extreme low
    resolution", AAAI 2017)."""
    zoom: tuple[float, float] = (0.7, 1.0)
    """Least and largest side of the part that is looked at, as a share of the clip's, log-uniform."""
    speed: float = 0.3
    """Largest change of speed, as the logarithm of a factor."""
    gain: tuple[float, float] = (0.6, 2.0)
    """Least and largest factor of brightness."""
    offset: float = 4.0
    """Largest change of brightness in 8-bit levels."""
    noise: float = 3.0
    """Largest standard deviation of noise in 8-bit levels."""


def draw_window(
    clip: NDArray[np.uint8],
    frame_rate: float,
    width: int,
    label: str,
    variation: Variation,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
    """Cut one training window.

    Parameters
    ----------
    clip
        Luma, shape (frames, height, width), as it is held in memory.
    frame_rate
        Its frames a second.
    width
        Width of the source in pixels: what scale factors are of.
    label
        What is done in it.
    variation
        What to draw from.
    rng
        Source of all randomness.

    Returns
    -------
    coarse, pristine : NDArray[np.float32]
        The window after and before it was degraded, shape (16, 48, 64), within [0, 255].
    label : str
        Its class: another one where time was turned round.
    """
    rate = FRAME_RATE * math.exp(rng.uniform(-variation.speed, variation.speed))
    span = (FRAMES - 1) * frame_rate / rate
    slack = len(clip) - 1 - span
    window = clip[positions(rng.uniform(min(0.0, slack), max(0.0, slack)), rate, frame_rate, len(clip))]
    if label.casefold() in BACKWARDS and rng.random() < 0.5:
        window, label = window[::-1], _like(BACKWARDS[label.casefold()], label)
    if rng.random() < 0.5:
        window = window[:, :, ::-1]
    if variation.shifted:
        window = _shifted(window, variation, rng)
    least, largest = variation.scales
    scale = least if rng.random() < variation.pristine else math.exp(rng.uniform(math.log(least), math.log(largest)))
    coarse = make_coarse(window, width / scale).astype(np.float32)
    sigma, gain = rng.uniform(0, variation.noise), rng.uniform(*variation.gain)
    coarse = coarse * np.float32(gain) + np.float32(rng.uniform(-variation.offset, variation.offset))
    coarse += rng.standard_normal(coarse.shape, dtype=np.float32) * np.float32(sigma)
    return coarse.clip(0, 255), make_coarse(window, float(width)).astype(np.float32), label


def positions(start: float, rate: float, frame_rate: float, count: int) -> NDArray[np.int64]:
    """Frames of a window that starts at frame ``start`` of a clip of ``count``, first and last held, shape (16,)."""
    wanted = np.round(start + np.arange(FRAMES) * frame_rate / rate).astype(np.int64)
    return wanted.clip(0, count - 1)


def make_coarse(window: NDArray[np.uint8], width: float) -> NDArray[np.uint8]:
    """Send a window through pictures of so many pixels across: area down, 8 bits, bicubic up to 64x48."""
    lr = max(2, round(width)), max(2, round(width * window.shape[1] / window.shape[2]))
    small = [resize(picture, *lr) if lr[0] < picture.shape[1] else picture for picture in window]
    return np.stack([resize(picture, WIDTH, HEIGHT) for picture in small])


def _shifted(window: NDArray[np.uint8], variation: Variation, rng: np.random.Generator) -> NDArray[np.uint8]:
    low, high = (math.log(side) for side in variation.zoom)
    share = math.exp(rng.uniform(low, high))
    height, width = (max(2, round(side * share)) for side in window.shape[1:])
    top, left = rng.integers(window.shape[1] - height + 1), rng.integers(window.shape[2] - width + 1)
    return window[:, top : top + height, left : left + width]


def _like(word: str, model: str) -> str:
    """A word in the capitals of another."""
    return word.capitalize() if model[:1].isupper() else word
