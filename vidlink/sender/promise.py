"""The promise of ``--max-size``: nothing finer leaves the sender, as the coded stream itself says.

The size is read from the sequence parameter set of every segment (ITU-T H.264, section 7.3.2.1.1; ITU-T H.265, section
7.3.2.2), not from what the encoder was asked for. Codecs whose streams vidlink does not read are held to the size that
they were given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidlink.types import CodedSegment

_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
"""Profiles of H.264 whose parameter sets say the chroma format."""


class PromiseBrokenError(Exception):
    """A segment is finer than was promised: a defect, and nothing of it may be sent."""


def keep_promise(coded: CodedSegment, max_size: tuple[int, int]) -> None:
    """Refuse a segment whose pictures are larger than ``max_size``.

    Raises
    ------
    PromiseBrokenError
        The stream says so.
    """
    width, height = stream_size(coded)
    if width > max_size[0] or height > max_size[1]:
        raise PromiseBrokenError(
            f"segment {coded.index} is coded at {width}x{height}, and at most {max_size[0]}x{max_size[1]} was promised"
        )


def stream_size(coded: CodedSegment) -> tuple[int, int]:
    """Width and height in pixels that the coded stream states: the larger of several parameter sets."""
    sizes = []
    for nal in coded.parameter_sets:
        if coded.payload == "h264" and nal[0] & 0x1F == 7:
            sizes.append(h264_size(nal))
        elif coded.payload == "hevc" and nal[0] >> 1 & 0x3F == 33:
            sizes.append(hevc_size(nal))
    if not sizes:
        return coded.width, coded.height
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def h264_size(sps: bytes) -> tuple[int, int]:
    """Width and height in pixels, after cropping, of an H.264 sequence parameter set (a NAL unit, no start code)."""
    bits = Bits(sps[1:])
    profile = bits.read(8)
    bits.read(16)  # constraints, level
    bits.golomb()  # seq_parameter_set_id
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = bits.golomb()
        if chroma == 3:
            bits.read(1)
        bits.golomb(), bits.golomb(), bits.read(1)  # bit depths, transform bypass
        if bits.read(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.read(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.golomb()  # log2_max_frame_num
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.read(1), bits.golomb(), bits.golomb()
        for _ in range(bits.golomb()):
            bits.golomb()
    bits.golomb(), bits.read(1)  # reference frames, gaps
    wide, high = bits.golomb() + 1, bits.golomb() + 1
    fields = 2 - bits.read(1)
    if fields == 2:
        bits.read(1)
    bits.read(1)
    left = right = top = bottom = 0
    if bits.read(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
    unit = 1 if chroma in (0, 3) else 2
    tall = (1 if chroma in (0, 2, 3) else 2) * fields
    return 16 * wide - unit * (left + right), 16 * high * fields - tall * (top + bottom)


def hevc_size(sps: bytes) -> tuple[int, int]:
    """Width and height in pixels, after cropping, of an HEVC sequence parameter set (a NAL unit, no start code)."""
    bits = Bits(sps[2:])
    bits.read(4)
    layers = bits.read(3)
    bits.read(1)
    bits.read(88), bits.read(8)  # profile, tier, level
    present = [(bits.read(1), bits.read(1)) for _ in range(layers)]
    if layers:
        bits.read(2 * (8 - layers))
    for profile, level in present:
        bits.read(88 * profile), bits.read(8 * level)
    bits.golomb()  # sps_seq_parameter_set_id
    chroma = bits.golomb()
    if chroma == 3:
        bits.read(1)
    width, height = bits.golomb(), bits.golomb()
    if bits.read(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (top + bottom)
    return width, height


def _skip_scaling_list(bits: Bits, size: int) -> None:
    """ITU-T H.264, section 7.3.2.1.1.1."""
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.golomb()
            following = (last + (code + 1 >> 1 if code % 2 else -(code >> 1))) % 256
        last = following or last


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
