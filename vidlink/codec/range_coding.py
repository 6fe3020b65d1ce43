"""Whole numbers to bytes and back by a range coder, that of the library ``constriction``.

R. Bamler, "Understanding entropy coding with asymmetric numeral systems (ANS): a statistician's perspective",
arXiv 2201.01741, is the paper of the library; the coder is that of G. N. N. Martin, 1979.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.nets.dvc.fixed import PRECISION, probabilities
from vidlink.nets.dvc.hyperprior import MOST

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Damaged(Exception):
    """What was read is no stream of this coder, or not all of it."""


def library() -> Any:
    """The library; raises UserError where it is not installed."""
    try:
        import constriction
    except ImportError as error:
        raise UserError(
            "codec dvc: the library constriction is not installed: pip install 'vidlink[learned]'"
        ) from error
    return constriction


@cache
def _models() -> list[Any]:
    model = library().stream.model.Categorical
    return [model(each, perfect=False) for each in probabilities()]


@cache
def prices() -> NDArray[np.float64]:
    """Bits of a value of magnitude 0 to 127 by each table, shape (tables, 128)."""
    found: NDArray[np.float64] = -np.log2(np.maximum(np.stack(probabilities())[:, MOST:], 1 / PRECISION))
    return found


def bits_of(values: NDArray[np.int64], tables: NDArray[np.int64]) -> float:
    """What :meth:`Writer.write` takes for values, about."""
    return float(prices()[tables, np.abs(values)].sum())


def cheapest(wanted: NDArray[np.float64], tables: NDArray[np.int64], worth: float) -> NDArray[np.int64]:
    """Whole values for values that are not: one of the nearest, or 0; the least squared error + worth · bits."""
    size = np.abs(wanted)
    low = np.minimum(np.floor(size), MOST)
    candidates = np.stack([low, np.minimum(low + 1, MOST), np.zeros_like(low)]).astype(np.int64)
    costs = np.square(candidates - size) + worth * prices()[tables, candidates]
    best = np.take_along_axis(candidates, costs.argmin(axis=0)[None], axis=0)[0]
    return np.where(wanted < 0, -best, best)


class Writer:
    """Takes numbers, gives bytes."""

    def __init__(self) -> None:
        self._coder = library().stream.queue.RangeEncoder()

    def write(self, values: NDArray[np.int64], tables: NDArray[np.int64]) -> None:
        """Code values from -127 to 127, each by the table of its number; both of one shape."""
        flat, numbers = values.ravel(), tables.ravel()
        order = np.argsort(numbers, kind="stable")
        for table, part in _runs(numbers[order]):
            self._coder.encode((flat[order[part]] + MOST).astype(np.int32), _models()[table])

    def bytes(self) -> bytes:
        """All of it; zeros at the end are left out."""
        return bytes(self._coder.get_compressed().astype(">u4").tobytes().rstrip(b"\x00"))


class Reader:
    """Takes what :meth:`Writer.bytes` gave; numbers are asked for in the order in which they were written."""

    def __init__(self, data: bytes) -> None:
        words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
        self._coder = library().stream.queue.RangeDecoder(words)

    def read(self, tables: NDArray[np.int64]) -> NDArray[np.int64]:
        """Values, of the shape of the numbers of their tables.

        Raises
        ------
        Damaged
            The bytes cannot be what was written.
        """
        numbers = tables.ravel()
        order = np.argsort(numbers, kind="stable")
        flat = np.empty(numbers.size, np.int64)
        try:
            for table, part in _runs(numbers[order]):
                flat[order[part]] = self._coder.decode(_models()[table], part.stop - part.start)
        except (AssertionError, ValueError, RuntimeError) as error:  # what the library raises
            raise Damaged(str(error)) from error
        return (flat - MOST).reshape(tables.shape)


def _runs(numbers: NDArray[np.int64]) -> list[tuple[int, slice]]:
    """Stretches of equal numbers in a sorted row."""
    ends = [*(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    starts = [0, *ends[:-1]]
    return [(int(numbers[start]), slice(start, end)) for start, end in zip(starts, ends, strict=True) if end > start]
