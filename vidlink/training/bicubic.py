"""Bicubic resampling as the super-resolution literature does it, which is as MATLAB's ``imresize`` does it.

Keys' kernel with a = -0.5; when shrinking it is widened by the scale factor, which removes what the smaller grid cannot
carry; beyond its edges a picture is its own mirror image. R. Keys, "Cubic convolution interpolation for digital image
processing", IEEE Trans. ASSP 29 (1981). OpenCV's bicubic has a = -0.75, no such widening, and replicated edges.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def resize_bicubic(picture: NDArray, height: int, width: int) -> NDArray[np.float64]:
    """Resample a picture.

    Parameters
    ----------
    picture
        Shape (h, w), in any units.
    height, width
        New size in pixels.

    Returns
    -------
    NDArray
        Shape (height, width), in the same units, neither rounded nor clipped.

    Examples
    --------
    >>> ramp = np.tile(np.arange(8.0), (8, 1))
    >>> resize_bicubic(ramp, 2, 4)[0].round(2).tolist()
    [0.45, 2.49, 4.51, 6.55]
    """
    rows, columns = bicubic_matrix(height, picture.shape[0]), bicubic_matrix(width, picture.shape[1])
    return rows @ picture.astype(np.float64) @ columns.T


@lru_cache(maxsize=64)
def bicubic_matrix(after: int, before: int) -> NDArray[np.float64]:
    """Weights of resampling a line of ``before`` samples to ``after`` ones, shape (after, before); rows add up to 1."""
    ratio = after / before
    widening = max(1.0, 1 / ratio)
    centre = (np.arange(after) + 0.5) / ratio - 0.5
    reach = math.ceil(2 * widening) + 1
    taps = np.floor(centre).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    weights = keys((centre[:, None] - taps) / widening)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.mod(taps, 2 * before)
    mirrored = np.where(mirrored < before, mirrored, 2 * before - 1 - mirrored)
    matrix = np.zeros((after, before))
    np.add.at(matrix, (np.arange(after)[:, None], mirrored), weights)
    matrix.flags.writeable = False
    return matrix


def keys(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic kernel with a = -0.5: 1 at 0, 0 at every other whole number and beyond 2."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
