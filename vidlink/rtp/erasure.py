"""Systematic erasure codes over GF(256): any k of a block's n symbols give the k source symbols back.

The code is the Reed-Solomon code of :mod:`reedsolo` (generator roots 1, a, a^2, ... with a = 2 modulo 0x11d), applied
to the bytes at the same place of all packets. With one parity symbol it is the XOR of the sources. ``reedsolo``
computes one column of bytes at a time; here its generator becomes a matrix, and all columns are done together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from vidlink.units import LARGEST_BLOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@lru_cache(maxsize=1)
def _products() -> NDArray[np.uint8]:
    """Products of all pairs of field elements, shape (256, 256)."""
    import reedsolo

    logarithms, powers, _ = reedsolo.init_tables(0x11D)
    logs, exps = np.array(logarithms, dtype=np.int64), np.array(powers[:255], dtype=np.uint8)
    products = exps[(logs[:, None] + logs[None, :]) % 255]
    products[0, :] = products[:, 0] = 0
    return products


@lru_cache(maxsize=256)
def parity_matrix(sources: int, parity: int) -> NDArray[np.uint8]:
    """How much of each source is in each parity symbol, shape (parity, sources).

    Raises
    ------
    ValueError
        There is no source, or the block is longer than 255 symbols.
    """
    if sources < 1 or parity < 0 or sources + parity > LARGEST_BLOCK:
        raise ValueError(f"{sources = }, {parity = }: a block has 1 to {LARGEST_BLOCK} symbols")
    if parity == 0:
        return np.zeros((0, sources), dtype=np.uint8)
    import reedsolo

    codec = reedsolo.RSCodec(parity)
    words = [codec.encode(bytes(row)) for row in np.eye(sources, dtype=np.uint8)]
    return np.array([list(word[sources:]) for word in words], dtype=np.uint8).T.copy()


def _combine(matrix: NDArray[np.uint8], symbols: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The product of a matrix, shape (m, k), and symbols, shape (k, bytes): shape (m, bytes)."""
    result = np.zeros((len(matrix), symbols.shape[1]), dtype=np.uint8)
    products = _products()
    for column, symbol in zip(matrix.T, symbols, strict=True):
        result ^= products[column[:, None], symbol[None, :]]
    return result


def encode(symbols: NDArray[np.uint8], parity: int) -> NDArray[np.uint8]:
    """Parity symbols of source symbols.

    Parameters
    ----------
    symbols
        Sources, shape (k, bytes).
    parity
        How many to make; k + parity is at most 255.

    Returns
    -------
    array of uint8
        Shape (parity, bytes).

    Examples
    --------
    Two parity symbols bring back any two symbols:

    >>> sources = np.frombuffer(b"one" b"two" b"six", np.uint8).reshape(3, 3)
    >>> parity = encode(sources, 2)
    >>> found = decode({1: sources[1], 3: parity[0], 4: parity[1]}, sources=3, parity=2, width=3)
    >>> {place: bytes(symbol) for place, symbol in found.items()}
    {0: b'one', 2: b'six'}
    """
    return _combine(parity_matrix(len(symbols), parity), symbols)


def decode(
    known: Mapping[int, NDArray[np.uint8]], sources: int, parity: int, width: int
) -> dict[int, NDArray[np.uint8]] | None:
    """Missing source symbols.

    Parameters
    ----------
    known
        Symbols at hand by their place in the block, sources first, then parity; each of shape (width,).
    sources, parity, width
        Of the whole block.

    Returns
    -------
    dict or None
        The missing sources by place; None where fewer than ``sources`` symbols are at hand.
    """
    missing = [place for place in range(sources) if place not in known]
    helpers = [place - sources for place in sorted(known) if place >= sources][: len(missing)]
    if len(helpers) < len(missing):
        return None
    if not missing:
        return {}
    matrix = parity_matrix(sources, parity)
    present = [place for place in range(sources) if place in known]
    rest = np.array([known[sources + row] for row in helpers], dtype=np.uint8).reshape(len(helpers), width)
    if present:
        rest = rest ^ _combine(matrix[np.ix_(helpers, present)], np.array([known[place] for place in present]))
    solved = _combine(_inverse(matrix[np.ix_(helpers, missing)]), rest)
    return dict(zip(missing, solved, strict=True))


def _inverse(matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Inverse by Gauss-Jordan elimination; every square part of a Reed-Solomon parity matrix has one."""
    products, size = _products(), len(matrix)
    work = np.concatenate((matrix, np.eye(size, dtype=np.uint8)), axis=1)
    for column in range(size):
        pivot = column + int(np.flatnonzero(work[column:, column])[0])
        work[[column, pivot]] = work[[pivot, column]]
        reciprocal = int(np.flatnonzero(products[work[column, column]] == 1)[0])
        work[column] = products[reciprocal, work[column]]
        for row in range(size):
            if row != column and work[row, column]:
                work[row] ^= products[work[row, column], work[column]]
    return work[:, size:]
