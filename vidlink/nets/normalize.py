"""Contrast normalisation: what a network sees does not depend on exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 0.02
"""Smallest standard deviation (five of 255 levels) that is stretched to one: noise of a flat picture is not."""


def normalize_contrast(pictures: Tensor, floor: float = FLOOR) -> Tensor:
    """Give each picture a mean of 0 and a standard deviation of 1.

    Parameters
    ----------
    pictures
        Shape (n, c, h, w), within [0, 1].
    floor
        Added in quadrature to the standard deviation.

    Returns
    -------
    Tensor
        The same shape and type.
    """
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    variance = pictures.var(dim=(1, 2, 3), keepdim=True, correction=0)
    return (pictures - mean) / (variance + floor**2).sqrt()
