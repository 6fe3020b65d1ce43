"""Weights for a group of pictures: least squares for each class of pixels, in as few bits as they are worth.

What counts is the mean PSNR of the pictures, so each picture's squared error is divided by its own mean. The step of
each class is the one at which distortion and bits together are least, at what a bit is worth to the group; a class
whose weights are not worth their bits has none. Weights are rounded one after the other, and those that are left make
up for what rounding did (as GPTQ does: Frantar et al., ICLR 2023).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vidlink.nets.classified import CLASSES, FEATURES, Around, strips
from vidlink.rtp.weights import FINEST, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Luma = NDArray[np.uint8]

DB = 10 / math.log(10)
"""dB of a relative change."""
_RIDGE = 1e-3
_LEAST_ERROR = 0.02
"""Mean squared errors count as no less, or a picture that is all but perfect would be all that counts."""
_DEAD = 0.15
"""By so much of a step weights are rounded towards 0."""
_COARSEST = 2


class Sums(NamedTuple):
    """What least squares takes of pictures: of each class sums over its pixels, in dB of the mean PSNR."""

    products: NDArray[np.float64]
    """Of features with features, shape (CLASSES, FEATURES, FEATURES)."""
    towards: NDArray[np.float64]
    """Of features with what is to be added to the pixel, shape (CLASSES, FEATURES)."""


def sums_of(pairs: Iterable[tuple[Around, Luma]], noise: float, *, pixels: int) -> Sums:
    """Add up over pictures and what they should be.

    Parameters
    ----------
    pairs
        Each picture with its neighbours, and the original, shape (height, width).
    noise
        As for :func:`~vidlink.nets.classified.restored`.
    pixels
        Of each picture about so many are looked at, in strips that are others from picture to picture.
    """
    products, towards = np.zeros((CLASSES, FEATURES, FEATURES)), np.zeros((CLASSES, FEATURES))
    count = 0
    for number, (around, wanted) in enumerate(pairs):
        error = float(np.mean(np.square(wanted.astype(np.float32) - around.asked)))
        of = list(strips(around, noise))
        every = max(1, round(wanted.size / pixels))
        chosen = of[number % every :: every] or of
        seen = sum(classes.size for _, classes, _ in chosen)
        worth = DB / (max(error, _LEAST_ERROR) * seen)
        count += 1
        for rows, classes, features in chosen:
            order = np.argsort(classes, axis=None, kind="stable")
            ends = np.searchsorted(classes.ravel()[order], np.arange(CLASSES + 1))
            # Pixels of a class beside each other, features in columns.
            seen_of = np.stack([each.ravel()[order] for each in features], axis=1)
            missing = (wanted[rows].astype(np.float32) - around.asked[rows]).ravel()[order]
            for kind, (start, stop) in enumerate(pairwise(ends)):
                if stop > start:
                    part = seen_of[start:stop]
                    products[kind] += worth * (part.T @ part)
                    towards[kind] += worth * (part.T @ missing[start:stop])
    return Sums(products / max(count, 1), towards / max(count, 1))


def fitted(sums: Sums, noise: int, *, bit_db: float) -> tuple[Weights, float]:
    """The weights that are worth their bits.

    Parameters
    ----------
    sums
        Of the pictures.
    noise
        As :class:`~vidlink.rtp.weights.Weights` has it.
    bit_db
        What a bit is worth to the group, in dB of its mean PSNR.

    Returns
    -------
    tuple
        The weights, and what they are foretold to add, in dB.
    """
    levels, fineness = np.zeros((CLASSES, FEATURES), np.int64), np.zeros(CLASSES, np.int64)
    gained = 0.0
    for number in range(CLASSES):
        products, towards = sums.products[number], sums.towards[number]
        if not products.any():
            continue
        diagonal = np.diag(products)
        ridged = products + np.diag(_RIDGE * diagonal + 1e-9 * diagonal.max() + 1e-12)
        weights = np.linalg.solve(ridged, towards)
        if weights @ towards < bit_db * FEATURES / 2:
            continue
        onwards = np.linalg.cholesky(np.linalg.inv(ridged)).T  # what is left makes up for what was rounded
        best = 0.0
        for fine in range(_COARSEST, FINEST + 1):
            rounded = _rounded(weights, onwards, 0.5**fine)
            value = rounded * 0.5**fine
            db = float(2 * value @ towards - value @ products @ value)
            worth = db - bit_db * _bits(rounded)
            if worth > best:
                best, gain = worth, db
                levels[number], fineness[number] = rounded, fine
        gained += gain if best else 0.0
    return Weights(levels=levels, fineness=fineness, noise=noise), gained


def _rounded(weights: NDArray[np.float64], onwards: NDArray[np.float64], step: float) -> NDArray[np.int64]:
    """Weights in whole steps."""
    left = weights.copy()
    found = np.zeros(len(weights), np.int64)
    for place in range(len(weights)):
        size = abs(left[place]) / step
        found[place] = int(math.copysign(math.floor(size + 0.5 - _DEAD), left[place]))
        missing = (left[place] - found[place] * step) / onwards[place, place]
        left[place:] -= missing * onwards[place, place:]
    return found


def _bits(levels: NDArray[np.int64]) -> float:
    """About what the range coder makes of them."""
    sizes = np.abs(levels)
    return 3 + float(np.sum(np.where(sizes > 0, 2.4 + 1.6 * np.log2(np.maximum(sizes, 1)), 0.8)))
