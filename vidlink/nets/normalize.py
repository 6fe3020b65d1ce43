"""Contrast normalisation: what a network sees does not depend on exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 0.02
"""Smallest standard deviation (five of 255 levels) that is stretched to one: noise of a flat picture is not."""


def contrast(pictures: Tensor, floor: float = FLOOR) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each picture, shape (n, 1, 1, 1) each, with a floor under the latter.

    Parameters
    ----------
    pictures
        Shape (n, c, h, w), within [0, 1].
    floor
        Added in quadrature to the standard deviation.
    """
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    variance = pictures.var(dim=(1, 2, 3), keepdim=True, correction=0)
    return mean, (variance + floor**2).sqrt()


def normalize_contrast(pictures: Tensor, floor: float = FLOOR) -> Tensor:
    """Give each picture a mean of 0 and a standard deviation of 1.

    Parameters as in :func:`contrast`.

    Returns
    -------
    Tensor
        The same shape and type.
    """
    mean, deviation = contrast(pictures, floor)
    return (pictures - mean) / deviation
