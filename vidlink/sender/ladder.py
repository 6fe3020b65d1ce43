"""The ladder: the sizes at which a clip can be coded."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.settings import Settings
    from vidlink.types import Clip

_SAME_RATE = Fraction(1001, 1000)
"""30 frames a second and 30000/1001 are one rate for those who ask for either."""


def coded_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """LR width and height in pixels for an HR picture at a scale factor: the nearest even numbers, at least 2.

    Examples
    --------
    >>> coded_size(640, 360, 1.5), coded_size(640, 360, 6)
    ((426, 240), (106, 60))
    """
    return max(2, 2 * round(width / scale / 2)), max(2, 2 * round(height / scale / 2))


def reach(scales: Sequence[float], width: int, height: int, max_size: tuple[int, int]) -> tuple[float, ...]:
    """The factors, and the least one that keeps a clip within ``max_size`` where none of them does.

    Examples
    --------
    >>> reach((1.0, 2.0), 640, 360, max_size=(160, 120))
    (1.0, 2.0, 4.0)
    """
    least = max(width / max_size[0], height / max_size[1], 1.0)
    while any(side > limit for side, limit in zip(coded_size(width, height, least), max_size, strict=True)):
        least *= 1.02  # sides are even, and may be rounded up
        if least > max(width, height):
            return tuple(scales)
    return tuple(scales) if max(scales) >= least else (*scales, round(least, 4))


def fit(settings: Settings, clip: Clip) -> tuple[Settings, list[str]]:
    """Settings whose size in pixels and frames a second are the scale factor and frame divisor of one clip.

    Returns
    -------
    tuple
        The settings, and a sentence for each that the clip does not have exactly.

    Raises
    ------
    UserError
        The size or the rate is larger than the clip's.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from vidlink.settings import Settings
    >>> from vidlink.types import Clip
    >>> clip = Clip(name="a", width=640, height=360, frame_rate=Fraction(25), pixel_format="yuv420p", seconds=1.0)
    >>> made, notes = fit(Settings(bitrate_bps="64k", size="320x240", fps=15), clip)
    >>> made.scale, made.divisors
    (2.0, (2,))
    >>> notes[1]
    '--fps 15: every 2nd frame of 25 a second is sent, which is 12.5'
    """
    changes: dict[str, Any] = {}
    notes = []
    if settings.size:
        width, height = settings.size
        scale = max(clip.width / width, clip.height / height)
        if scale < 1:
            raise UserError(
                f"--size {width}x{height}: larger than the clip, which is {clip.width}x{clip.height}; give that or less"
            )
        sent = coded_size(clip.width, clip.height, scale)
        if sent != settings.size:
            notes.append(
                f"--size {width}x{height}: pictures of {clip.width}x{clip.height} are sent at {sent[0]}x{sent[1]}, "
                "which keeps their aspect ratio"
            )
        changes |= {"size": None, "scale": scale}
    if settings.fps:
        rate = float(clip.frame_rate)
        if settings.fps > clip.frame_rate * _SAME_RATE:
            raise UserError(
                f"--fps {float(settings.fps):g}: more than the clip has, which is {rate:g} a second; give that or less"
            )
        divisor = max(1, math.ceil(clip.frame_rate / (settings.fps * _SAME_RATE)))
        if divisor * settings.fps != clip.frame_rate:
            which = f"every {_ordinal(divisor)} frame" if divisor > 1 else "every frame"
            notes.append(
                f"--fps {float(settings.fps):g}: {which} of {rate:g} a second is sent, which is {rate / divisor:g}"
            )
        changes |= {"fps": None, "divisors": (divisor,)}
    return (replace(settings, **changes) if changes else settings), notes


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def usable_scales(
    scales: Sequence[float],
    width: int,
    height: int,
    *,
    min_side: int,
    max_size: tuple[int, int] | None = None,
    chosen: bool = False,
) -> tuple[float, ...]:
    """Keep the factors at which both LR sides are at least ``min_side`` and within ``max_size``.

    Parameters
    ----------
    scales
        Scale factors, each at least 1.
    width, height
        HR size in pixels.
    min_side
        Smallest side in pixels that the codec takes.
    max_size
        Largest width and height in pixels that may be sent, if there is such a promise.
    chosen
        Whether the user chose the factors: then none may make pictures too small for the codec.

    Raises
    ------
    UserError
        No factor is left, or a chosen one makes pictures that are too small.

    Examples
    --------
    >>> usable_scales((1, 2, 4, 8), 176, 144, min_side=32)
    (1, 2, 4)
    >>> usable_scales((1, 2, 4, 8), 176, 144, min_side=32, max_size=(100, 100))
    (2, 4)
    """
    usable, too_small = [], []
    for scale in scales:
        lr_width, lr_height = coded_size(width, height, scale)
        if min(lr_width, lr_height) < min_side:
            too_small.append(scale)
            continue
        if max_size and (lr_width > max_size[0] or lr_height > max_size[1]):
            continue
        usable.append(scale)
    if usable and too_small and chosen:
        lr_width, lr_height = coded_size(width, height, too_small[0])
        raise UserError(
            f"--scales: {too_small[0]:g} makes {lr_width}x{lr_height} of {width}x{height}; a coded side must be at "
            f"least {min_side} pixels, so the largest factor is {math.floor(100 * min(width, height) / min_side) / 100}"
        )
    if usable:
        return tuple(usable)
    limit = f" and at most {max_size[0]}x{max_size[1]}" if max_size else ""
    raise UserError(
        f"frames of {width}x{height} fit no rung of the ladder {', '.join(f'{scale:g}' for scale in scales)}: "
        f"a coded side must be at least {min_side} pixels{limit}"
    )
