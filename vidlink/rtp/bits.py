"""Byte streams of NAL units, and their contents bit by bit."""

from __future__ import annotations

import re

START_CODE = b"\x00\x00\x00\x01"
"""Before each NAL unit of a byte stream (ITU-T H.264 and H.265, annex B)."""
_SHORT_START_CODE = re.compile(rb"\x00\x00\x01")


def split_nals(data: bytes) -> list[bytes]:
    """Split a byte stream (ITU-T H.264, annex B) into NAL units without start codes."""
    starts = [match.start() for match in _SHORT_START_CODE.finditer(data)]
    ends = [*starts, len(data)][1:]
    return [data[start + 3 : end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True)]


class Bits:
    """Reads a raw byte sequence payload bit by bit, emulation prevention bytes taken out."""

    def __init__(self, data: bytes) -> None:
        data = data.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def read(self, count: int) -> int:
        """The next ``count`` bits as an unsigned number."""
        if count > self._left:
            raise ValueError("the parameter set ends early")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """The next unsigned Exp-Golomb code (ITU-T H.264, section 9.1)."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)
