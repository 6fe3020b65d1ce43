"""The ladder: the sizes at which a clip can be coded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence


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
