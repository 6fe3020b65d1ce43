"""The RTP payload format of HEVC (RFC 7798): single NAL units, aggregation packets (AP) and fragmentation units (FU).

An aggregation packet carries NAL units of one access unit only (section 4.4.2), and there is no packet type for
several. Decoding order numbers (sprop-max-don-diff > 0) are not used.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidlink.rtp import sei
from vidlink.rtp.bits import START_CODE, split_nals
from vidlink.rtp.format import Content, PacketError, Piece, UnitParts, fragment_body, read_units
from vidlink.rtp.sps import hevc_size

if TYPE_CHECKING:
    from collections.abc import Sequence

_AP, _FU, _PACI = 48, 49, 50
_SPS, _DELIMITER, _PREFIX_SEI, _SUFFIX_SEI = 33, 35, 39, 40
_PARAMETER_SETS = (32, _SPS, 34)
_SEI_HEADER = bytes([_PREFIX_SEI << 1, 1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Hevc:
    """RFC 7798."""

    most: int = 65536
    """NAL units in one packet: only its size limits them."""
    start_code: bytes = START_CODE
    """ITU-T H.265, annex B."""
    encoding_name: str = "H265"
    """RFC 7798, section 7.2.1."""

    def sharing(self) -> Hevc:
        """There is no packet type for it."""
        return self

    def take_apart(self, unit: bytes, *, key: bool) -> UnitParts:
        """By NAL unit types (ITU-T H.265, section 7.3.1.2 and table 7-1); a key frame is an IRAP picture."""
        parameter_sets, nals = [], []
        key = reference = False
        for nal in split_nals(unit):
            kind = _type(nal)
            key |= 16 <= kind < 24
            # Below 16 the even types are sub-layer non-reference pictures.
            reference |= 16 <= kind < 32 or (kind < 16 and kind % 2 == 1)
            if kind in _PARAMETER_SETS:
                parameter_sets.append(nal)
            elif kind != _DELIMITER and not (
                kind in (_PREFIX_SEI, _SUFFIX_SEI) and nal[2] == sei.USER_DATA_UNREGISTERED
            ):
                nals.append(nal)
        return UnitParts(parameter_sets=tuple(parameter_sets), nals=tuple(nals), key=key, reference=reference)

    def with_parameter_sets(self, unit: bytes, extradata: bytes) -> bytes:
        """VPS, SPS and PPS go before it."""
        return unit if extradata in unit else extradata + unit

    def picture_size(self, parameter_set: bytes) -> tuple[int, int] | None:
        """What an SPS says."""
        return hevc_size(parameter_set) if _type(parameter_set) == _SPS else None

    def format_parameters(self, parameter_sets: Sequence[bytes]) -> list[str]:
        """None: the parameter sets come with the stream."""
        return []

    def enclose(self, picture: bytes) -> bytes:
        """A NAL unit goes as it is.

        Raises
        ------
        ValueError
            It is shorter than its header and a byte, or of a type (48-63) that means something else on the wire.
        """
        if len(picture) < 3 or _type(picture) >= _AP:
            raise ValueError(f"no HEVC NAL unit: {picture[:4]!r} ...")
        return picture

    def signal(self, parameter_sets: Sequence[bytes], side_data: bytes) -> list[bytes]:
        """Parameter sets as they are, side data in a prefix SEI NAL unit (type 39)."""
        return [*map(self.enclose, parameter_sets), *([sei.serialise(side_data, _SEI_HEADER)] if side_data else [])]

    def weigh(self, weights: bytes) -> bytes:
        """A prefix SEI NAL unit."""
        return sei.serialise(weights, _SEI_HEADER, sei.WEIGHTS_IDENTITY)

    def open(self, nal: bytes) -> tuple[Content, bytes]:
        """VPS, SPS and PPS are parameter sets, our SEI is side data, everything else a picture."""
        kind = _type(nal)
        if kind in _PARAMETER_SETS:
            return Content.PARAMETER_SET, nal
        return sei.opened(nal, 2) if kind == _PREFIX_SEI else (Content.PICTURE, nal)

    def whole_bytes(self, count: int, total: int, spread: int) -> float:
        """Single NAL unit (section 4.4.1) or aggregation packet (section 4.4.2)."""
        if spread:
            return math.inf
        return total if count == 1 else 2 + 2 * count + total

    def whole(self, nals: Sequence[bytes], offsets: Sequence[int], don: int) -> bytes:
        """Single NAL unit or aggregation packet; its header takes the lowest layer and temporal id of its NAL units."""
        if len(nals) == 1:
            return nals[0]
        headers = [int.from_bytes(nal[:2]) for nal in nals]
        forbidden = max(header & 0x8000 for header in headers)
        layer, temporal = min(header & 0x01F8 for header in headers), min(header & 0x0007 for header in headers)
        header = struct.pack(">H", forbidden | _AP << 9 | layer | temporal)
        return header + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)

    def fragment_bytes(self, size: int, room: int) -> list[int]:
        """Three bytes of header each, instead of the NAL unit's two (section 4.4.3)."""
        return [part + 3 for part in fragment_body(size - 2, room - 3, room - 3)]

    def fragments(self, nal: bytes, room: int, don: int) -> list[bytes]:
        """Fragmentation units."""
        sizes = fragment_body(len(nal) - 2, room - 3, room - 3)
        header = bytes([nal[0] & 0x81 | _FU << 1, nal[1]])
        payloads, position = [], 2
        for index, size in enumerate(sizes):
            flags = (index == 0) << 7 | (index == len(sizes) - 1) << 6
            payloads.append(header + bytes([flags | _type(nal)]) + nal[position : position + size])
            position += size
        return payloads

    def parse(self, payload: bytes) -> list[Piece]:
        """Read a single NAL unit, an aggregation packet or a fragmentation unit."""
        if len(payload) < 3:
            raise PacketError(f"HEVC payload of {len(payload)} bytes")
        kind = _type(payload)
        if kind < _AP:
            return [Piece(data=payload)]
        if kind == _AP:
            return [Piece(data=_nal(nal)) for _, nal in read_units(payload, 2, 0)]
        if kind == _FU:
            return [_fragment(payload)]
        raise PacketError(f"HEVC payload of type {kind}")


def _fragment(payload: bytes) -> Piece:
    if len(payload) < 4:
        raise PacketError(f"HEVC fragment of {len(payload)} bytes")
    start, end, kind = bool(payload[2] & 0x80), bool(payload[2] & 0x40), payload[2] & 0x3F
    if start and end:
        raise PacketError("HEVC fragment that is first and last")
    if kind >= _AP:
        raise PacketError(f"HEVC fragment of a NAL unit of type {kind}")
    header = bytes([payload[0] & 0x81 | kind << 1, payload[1]]) if start else b""
    return Piece(data=header + payload[3:], start=start, end=end)


def _type(nal: bytes) -> int:
    return nal[0] >> 1 & 0x3F


def _nal(nal: bytes) -> bytes:
    if len(nal) < 3 or _type(nal) >= _AP:
        raise PacketError(f"HEVC NAL unit of {len(nal)} bytes inside an aggregation packet")
    return nal
