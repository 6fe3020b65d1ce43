"""Few small numbers as few bytes: an adaptive binary range coder.

The arithmetic is that of LZMA (I. Pavlov, "LZMA specification", 2015): 32 bits of range and probabilities of 11 bits.
These come from counts, which learn fast, since there are only hundreds of numbers. Both ends count alike, so nothing
but the bits travels.
"""

from __future__ import annotations

_TOP = 1 << 24
_ONE = 1 << 11
_LEAST = 16
_MOST_SEEN = 256
_UNARY, _LONGEST = 8, 16
MOST = 1 << 15
"""Largest size of a number."""


class _Model:
    """How likely a bit is 0, in one context: by how often it was (Krichevsky and Trofimov, 1981)."""

    __slots__ = ("seen", "zeros")

    def __init__(self) -> None:
        self.zeros, self.seen = 0, 0

    @property
    def zero(self) -> int:
        """The probability in units of 1 / 2^11, never 0 nor 1."""
        return min(max((2 * self.zeros + 1) * _ONE // (2 * self.seen + 2), _LEAST), _ONE - _LEAST)

    def learn(self, bit: int) -> None:
        """Count a bit; what was long ago counts less."""
        self.zeros, self.seen = self.zeros + (not bit), self.seen + 1
        if self.seen == _MOST_SEEN:
            self.zeros, self.seen = self.zeros // 2, self.seen // 2


class _Numbers:
    """How a number is told in bits, the same way at both ends: zero or not, sign, size in unary and beyond."""

    def __init__(self) -> None:
        self._models: dict[tuple[int, int], _Model] = {}

    def code(self, bit: int, model: _Model | None) -> int:
        """Write a bit, or read one; without a model both values are as likely."""
        raise NotImplementedError

    def _told(self, value: int | None, context: int) -> int:
        """Tell a number (None: hear one)."""
        size = abs(value or 0)
        if not self.code(int(size > 0), self._model(context, 0)):
            return 0
        negative = self.code(int((value or 0) < 0), None)
        found = 1
        while found < _UNARY and self.code(int(size > found), self._model(context, found)):
            found += 1
        if found == _UNARY:  # larger ones by the length of what is left, and its digits (Exp-Golomb)
            rest, length = size - _UNARY + 1, 1
            while length < _LONGEST and self.code(int(rest >> length > 0), self._model(context, _UNARY + length)):
                length += 1
            found += 1 << (length - 1)
            for place in range(length - 2, -1, -1):
                found += self.code(rest >> place & 1, None) << place
            found -= 1
        return -found if negative else found

    def _model(self, context: int, place: int) -> _Model:
        return self._models.setdefault((context, place), _Model())


class Writer(_Numbers):
    """Takes numbers, gives bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._low, self._range = 0, (1 << 32) - 1
        self._digits: list[int] = []

    def write(self, value: int, context: int = 0) -> None:
        """Add a number, at most :data:`MOST` in size; those of one context are alike."""
        self._told(value, context)

    def code(self, bit: int, model: _Model | None) -> int:
        """Narrow the range to the part of this bit."""
        bound = self._range >> 1 if model is None else (self._range >> 11) * model.zero
        if bit:
            self._low += bound
            self._range -= bound
        else:
            self._range = bound
        if model is not None:
            model.learn(bit)
        while self._range < _TOP:
            self._digits.append(self._low >> 24)
            self._low = (self._low & (_TOP - 1)) << 8
            self._range <<= 8
        return bit

    def bytes(self) -> bytes:
        """All of it, as short as it can be: zeros at the end are left out."""
        # The number within the range that has the most zeros behind it.
        for bits in range(32, -1, -1):
            end = (self._low + (1 << bits) - 1) >> bits << bits
            if end < self._low + self._range:
                break
        digits = [
            *self._digits,
            *((end >> shift) & 0x1FF if shift == 24 else (end >> shift) & 0xFF for shift in (24, 16, 8, 0)),
        ]
        for place in range(len(digits) - 1, 0, -1):  # carries
            digits[place - 1] += digits[place] >> 8
            digits[place] &= 0xFF
        return bytes(digits).rstrip(b"\0")


class Reader(_Numbers):
    """Takes what :meth:`Writer.bytes` gave; after the end there are zeros."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data, self._place = data, 4
        self._range = (1 << 32) - 1
        self._value = int.from_bytes(data[:4].ljust(4, b"\0"))

    def read(self, context: int = 0) -> int:
        """The next number."""
        return self._told(None, context)

    def code(self, bit: int, model: _Model | None) -> int:
        """Find out in which part of the range the bytes lie."""
        bound = self._range >> 1 if model is None else (self._range >> 11) * model.zero
        found = int(self._value >= bound)
        if found:
            self._value -= bound
            self._range -= bound
        else:
            self._range = bound
        if model is not None:
            model.learn(found)
        while self._range < _TOP:
            digit = self._data[self._place] if self._place < len(self._data) else 0
            self._place += 1
            self._value = (self._value << 8 | digit) & 0xFFFFFFFF
            self._range <<= 8
        return found
