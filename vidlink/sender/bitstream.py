"""Take one coded picture apart: parameter sets, the slices, and whether others are predicted from it.

H.264: ITU-T H.264, section 7.3.1 and table 7-1. HEVC: ITU-T H.265, section 7.3.1.2 and table 7-1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_START_CODE = re.compile(rb"\x00\x00\x01")
_SEI_USER_DATA_UNREGISTERED = 5
_SEI_RECOVERY_POINT = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitParts:
    """One coded picture in parts."""

    parameter_sets: tuple[bytes, ...]
    """SPS, PPS (and VPS) NAL units."""
    nals: tuple[bytes, ...]
    """All other NAL units that matter to a decoder; for codecs without NAL units the whole unit."""
    key: bool
    """Whether decoding can start here: IDR in H.264, IRAP in HEVC."""
    reference: bool
    """Whether later pictures may be predicted from this one."""
    recovery: int | None = None
    """Pictures until an intra-refresh cycle that starts here is complete; None where none starts."""


def split_nals(data: bytes) -> list[bytes]:
    """Split a byte stream (ITU-T H.264, annex B) into NAL units without start codes."""
    starts = [match.start() for match in _START_CODE.finditer(data)]
    ends = [*starts, len(data)][1:]
    return [data[start + 3 : end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True)]


def split_unit(data: bytes, payload: str, *, key: bool) -> UnitParts:
    """Take one access unit apart.

    Access unit delimiters and the encoder's own advertisement (an SEI of about 630 bytes that x264 and x265 write
    into the first unit of every encode) are left out: no decoder needs them, and at one-second segments they cost
    5 kb/s.

    Parameters
    ----------
    data
        The unit as the encoder gave it.
    payload
        ``h264``, ``hevc`` or ``generic``.
    key
        Whether the encoder marked it as a key frame. Used for codecs without NAL units only: x264 marks the start of an
        intra-refresh cycle too.
    """
    if payload == "generic":
        return UnitParts(parameter_sets=(), nals=(data,), key=key, reference=True)
    parameter_sets, nals = [], []
    key = reference = False
    recovery = None
    parameters: tuple[int, ...]
    sei: tuple[int, ...]
    for nal in split_nals(data):
        if payload == "h264":
            kind = nal[0] & 0x1F
            parameters, delimiter, sei, header = (7, 8), 9, (6,), 1
            key |= kind == 5
            reference |= 1 <= kind <= 5 and nal[0] & 0x60 != 0
        else:
            kind = nal[0] >> 1 & 0x3F
            parameters, delimiter, sei, header = (32, 33, 34), 35, (39, 40), 2
            # Below 16 the even types are sub-layer non-reference pictures.
            key |= 16 <= kind < 24
            reference |= 16 <= kind < 32 or (kind < 16 and kind % 2 == 1)
        if payload == "h264" and kind in sei and nal[header] == _SEI_RECOVERY_POINT:
            recovery = _exp_golomb(nal[header + 2 :])
        if kind in parameters:
            parameter_sets.append(nal)
        elif kind == delimiter or (kind in sei and nal[header] == _SEI_USER_DATA_UNREGISTERED):
            continue
        else:
            nals.append(nal)
    return UnitParts(
        parameter_sets=tuple(parameter_sets), nals=tuple(nals), key=key, reference=reference, recovery=recovery
    )


def _exp_golomb(data: bytes) -> int:
    """The unsigned Exp-Golomb code at the start of some bytes (ITU-T H.264, section 9.1)."""
    bits = "".join(f"{byte:08b}" for byte in data)
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1], 2) - 1
