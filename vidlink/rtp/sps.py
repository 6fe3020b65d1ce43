"""The picture size in a sequence parameter set (ITU-T H.264, section 7.3.2.1.1; ITU-T H.265, section 7.3.2.2)."""

from __future__ import annotations

from vidlink.rtp.bits import Bits

_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
"""Profiles of H.264 whose parameter sets say the chroma format."""


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
