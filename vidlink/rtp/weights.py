"""Weights of a restorer as they travel with the pictures that they restore.

A message has one byte of format, one of noise, then the weights by an adaptive range coder
(:mod:`vidlink.rtp.adaptive`), and 16 bits of check sum. Of each class of pixels it tells how fine its weights are, and
these in whole steps; a class of pixels that are left as they are takes a bit or less.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.rtp.adaptive import Reader, Writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMAT = 0x57
FINEST = 10
"""A step is 1 / 2^n; n is at most this."""
_FINENESS = 1
"""Context of how fine a class is; those of weights follow it."""
_NOISE_UNIT, _OCTAVE = 0.25, 16


class Damaged(ValueError):
    """The bytes are no message, or not all of one."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Weights:
    """What restores the pictures of one group."""

    levels: NDArray[np.int64]
    """Weights in steps, shape (classes, features)."""
    fineness: NDArray[np.int64]
    """Of each class the step as a power of 1/2, from 1 to :data:`FINEST`; 0 where pixels are left as they are, shape
    (classes,)."""
    noise: int
    """How far pixels are off, on a logarithmic scale: :attr:`noise_levels`."""

    @property
    def noise_levels(self) -> float:
        """About how far pixels are off, in levels of luma."""
        return noise_levels(self.noise)

    @property
    def values(self) -> NDArray[np.float32]:
        """The weights, shape (classes, features)."""
        return (self.levels * 0.5 ** self.fineness[:, None]).astype(np.float32)


def noise_of(levels: float) -> int:
    """Noise in levels of luma on the scale of :attr:`Weights.noise`.

    Examples
    --------
    >>> noise_of(0.25), noise_of(4.0), noise_of(1e9)
    (0, 64, 255)
    """
    return int(np.clip(np.rint(_OCTAVE * np.log2(max(levels, 1e-6) / _NOISE_UNIT)), 0, 255))


def noise_levels(noise: int) -> float:
    """The inverse of :func:`noise_of`."""
    return float(_NOISE_UNIT * 2 ** (noise / _OCTAVE))


def serialise(weights: Weights) -> bytes:
    """The message of a group's weights."""
    writer = Writer()
    before = np.zeros(weights.levels.shape[1], np.int64)
    last = 0
    for fineness, levels in zip(weights.fineness.tolist(), weights.levels, strict=True):
        writer.write(_difference(fineness, last), _FINENESS)
        if fineness:
            last = fineness
            for place, level in enumerate(levels.tolist()):
                writer.write(level, _context(place, int(before[place])))
            before = levels
    body = bytes([_FORMAT, weights.noise]) + writer.bytes()
    return body + _check(body)


def parse(data: bytes, shape: tuple[int, int]) -> Weights:
    """Read a message of weights for so many classes and features.

    Raises
    ------
    Damaged
        It is none, or its bytes are not those that were sent.
    """
    if len(data) < 4 or data[0] != _FORMAT or _check(data[:-2]) != data[-2:]:
        raise Damaged(f"{len(data)} bytes are no weights, or not all of them")
    reader = Reader(data[2:-2])
    fineness, levels = np.zeros(shape[0], np.int64), np.zeros(shape, np.int64)
    before, last = levels[0], 0
    for number in range(shape[0]):
        told = reader.read(_FINENESS)
        fineness[number] = _told(told, last)
        if not 0 <= fineness[number] <= FINEST:
            raise Damaged(f"weights in steps of 1 / 2^{fineness[number]}")
        if fineness[number]:
            last = int(fineness[number])
            levels[number] = [reader.read(_context(place, int(before[place]))) for place in range(shape[1])]
            before = levels[number]
    return Weights(levels=levels, fineness=fineness, noise=data[1])


def _difference(fineness: int, last: int) -> int:
    """How fine a class is, told by the class before: 0 where its pixels are left as they are."""
    if not fineness:
        return 0
    step = fineness - last
    return step if step < 0 else step + 1


def _told(difference: int, last: int) -> int:
    """The inverse of :func:`_difference`."""
    if not difference:
        return 0
    return last + (difference if difference < 0 else difference - 1)


def _context(place: int, before: int) -> int:
    """Which weights are alike: those of one feature whose weight in the class before is about as large."""
    return _FINENESS + 1 + 3 * (place % 2) + min(abs(before), 2)


def _check(body: bytes) -> bytes:
    return (zlib.crc32(body) & 0xFFFF).to_bytes(2)
