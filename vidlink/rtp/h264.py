"""The RTP payload format of H.264 (RFC 6184), in the non-interleaved and the interleaved mode.

Non-interleaved (packetization-mode 1, section 6.3): single NAL units, STAP-A for several NAL units of one picture,
FU-A. Interleaved (packetization-mode 2, section 6.4): NAL units of several pictures share a packet. The standard's way
to say when each belongs is MTAP16 or MTAP24; STAP-B where the picture is one; FU-B and FU-A for fragments (table 3).
"""

from __future__ import annotations

import base64
import math
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vidlink.rtp import sei
from vidlink.rtp.bits import START_CODE, Bits, split_nals
from vidlink.rtp.format import Content, PacketError, Piece, UnitParts, fragment_body, read_units
from vidlink.rtp.sps import h264_size

if TYPE_CHECKING:
    from collections.abc import Sequence

_STAP_A, _STAP_B, _MTAP16, _MTAP24, _FU_A, _FU_B = 24, 25, 26, 27, 28, 29
_IDR, _SEI, _SPS, _PPS, _DELIMITER = 5, 6, 7, 8, 9
_PARAMETER_SETS = (_SPS, _PPS, 13, 15)
_RECOVERY_POINT = 6
"""Type of SEI message (ITU-T H.264, section D.1)."""
_LARGEST_OFFSET = {16: 0xFFFF, 24: 0xFFFFFF}


@dataclass(frozen=True, kw_only=True, slots=True)
class H264:
    """RFC 6184. ``interleaved`` chooses what is written; every packet type of both modes is read."""

    interleaved: bool = False
    """Packetization mode 2 instead of 1."""
    most: int = 256
    """NAL units in one packet: a decoding order number difference has 8 bits."""
    start_code: bytes = START_CODE
    """ITU-T H.264, annex B."""
    encoding_name: str = "H264"
    """RFC 6184, section 8.2.1."""

    def sharing(self) -> H264:
        """The interleaved mode."""
        return replace(self, interleaved=True)

    def take_apart(self, unit: bytes, *, key: bool) -> UnitParts:
        """By NAL unit types (ITU-T H.264, section 7.3.1 and table 7-1); a key frame is an IDR picture."""
        parameter_sets, nals = [], []
        key = reference = False
        recovery = None
        for nal in split_nals(unit):
            kind = nal[0] & 0x1F
            key |= kind == _IDR
            reference |= 1 <= kind <= _IDR and nal[0] & 0x60 != 0
            if kind == _SEI and nal[1] == _RECOVERY_POINT:
                recovery = Bits(nal[3:]).golomb()
            if kind in (_SPS, _PPS):
                parameter_sets.append(nal)
            elif kind != _DELIMITER and not (kind == _SEI and nal[1] == sei.USER_DATA_UNREGISTERED):
                nals.append(nal)
        return UnitParts(
            parameter_sets=tuple(parameter_sets), nals=tuple(nals), key=key, reference=reference, recovery=recovery
        )

    def with_parameter_sets(self, unit: bytes, extradata: bytes) -> bytes:
        """SPS and PPS go before it."""
        return unit if extradata in unit else extradata + unit

    def picture_size(self, parameter_set: bytes) -> tuple[int, int] | None:
        """What an SPS says."""
        return h264_size(parameter_set) if parameter_set[0] & 0x1F == _SPS else None

    def format_parameters(self, parameter_sets: Sequence[bytes]) -> list[str]:
        """Packetization mode, and parameter sets so that decoding can start at once (RFC 6184, section 8.1)."""
        parameters = [f"packetization-mode={2 if self.interleaved else 1}"]
        if parameter_sets:
            sets = ",".join(base64.b64encode(each).decode() for each in parameter_sets)
            parameters.append(f"sprop-parameter-sets={sets}")
        return parameters

    def enclose(self, picture: bytes) -> bytes:
        """A NAL unit goes as it is.

        Raises
        ------
        ValueError
            It is empty, or of a type (0, 24-31) that means something else on the wire.
        """
        if not picture or not 1 <= picture[0] & 0x1F <= 23:
            raise ValueError(f"no H.264 NAL unit: {picture[:4]!r} ...")
        return picture

    def signal(self, parameter_sets: Sequence[bytes], side_data: bytes) -> list[bytes]:
        """Parameter sets as they are, side data in an SEI NAL unit (type 6)."""
        return [*map(self.enclose, parameter_sets), *([sei.serialise(side_data, bytes([_SEI]))] if side_data else [])]

    def weigh(self, weights: bytes) -> bytes:
        """An SEI NAL unit."""
        return sei.serialise(weights, bytes([_SEI]), sei.WEIGHTS_IDENTITY)

    def open(self, nal: bytes) -> tuple[Content, bytes]:
        """SPS, PPS and their extensions are parameter sets, our SEI is side data or weights, the rest a picture."""
        kind = nal[0] & 0x1F
        if kind in _PARAMETER_SETS:
            return Content.PARAMETER_SET, nal
        return sei.opened(nal, 1) if kind == _SEI else (Content.PICTURE, nal)

    def whole_bytes(self, count: int, total: int, spread: int) -> float:
        """Single NAL unit or STAP-A (section 5.7.1); interleaved STAP-B, MTAP16 or MTAP24 (section 5.7.2)."""
        if not self.interleaved:
            if spread:
                return math.inf
            return total if count == 1 else 1 + 2 * count + total
        if spread > _LARGEST_OFFSET[24]:
            return math.inf
        entry = 2 if spread == 0 else 5 if spread <= _LARGEST_OFFSET[16] else 6
        return 3 + entry * count + total

    def whole(self, nals: Sequence[bytes], offsets: Sequence[int], don: int) -> bytes:
        """Single NAL unit, STAP-A, STAP-B, MTAP16 or MTAP24, whichever :meth:`whole_bytes` counts."""
        if not self.interleaved:
            if len(nals) == 1:
                return nals[0]
            return _aggregation_header(nals, _STAP_A) + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)
        number = struct.pack(">H", don & 0xFFFF)
        latest = max(offsets)
        if latest == 0:
            entries = b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)
            return _aggregation_header(nals, _STAP_B) + number + entries
        size, kind = (2, _MTAP16) if latest <= _LARGEST_OFFSET[16] else (3, _MTAP24)
        entries = b"".join(
            struct.pack(">HB", len(nal), index) + offset.to_bytes(size) + nal
            for index, (nal, offset) in enumerate(zip(nals, offsets, strict=True))
        )
        return _aggregation_header(nals, kind) + number + entries

    def fragment_bytes(self, size: int, room: int) -> list[int]:
        """FU-A adds two bytes to its share of the NAL unit without its header, FU-B four (section 5.8)."""
        first = 4 if self.interleaved else 2
        sizes = fragment_body(size - 1, room - first, room - 2)
        return [sizes[0] + first, *(later + 2 for later in sizes[1:])]

    def fragments(self, nal: bytes, room: int, don: int) -> list[bytes]:
        """FU-A; interleaved FU-B, which carries the decoding order number, and then FU-A."""
        first = struct.pack(">H", don & 0xFFFF) if self.interleaved else b""
        sizes = fragment_body(len(nal) - 1, room - 2 - len(first), room - 2)
        payloads, position = [], 1
        for index, size in enumerate(sizes):
            kind = _FU_B if self.interleaved and index == 0 else _FU_A
            flags = (index == 0) << 7 | (index == len(sizes) - 1) << 6
            header = bytes([nal[0] & 0xE0 | kind, flags | nal[0] & 0x1F])
            payloads.append(header + (first if index == 0 else b"") + nal[position : position + size])
            position += size
        return payloads

    def parse(self, payload: bytes) -> list[Piece]:
        """Read any packet type of table 1."""
        if not payload:
            raise PacketError("H.264 payload of no bytes")
        kind = payload[0] & 0x1F
        if 1 <= kind <= 23:
            return [Piece(data=payload)]
        if kind == _STAP_A:
            return [Piece(data=_nal(nal)) for _, nal in read_units(payload, 1, 0)]
        if kind == _STAP_B:
            don = _number(payload, 1)
            entries = read_units(payload, 3, 0)
            return [Piece(data=_nal(nal), don=don + index & 0xFFFF) for index, (_, nal) in enumerate(entries)]
        if kind in (_MTAP16, _MTAP24):
            don = _number(payload, 1)
            return [
                Piece(data=_nal(nal), don=don + header[0] & 0xFFFF, offset=int.from_bytes(header[1:]))
                for header, nal in read_units(payload, 3, 3 if kind == _MTAP16 else 4)
            ]
        if kind in (_FU_A, _FU_B):
            return [_fragment(payload, numbered=kind == _FU_B)]
        raise PacketError(f"H.264 payload of type {kind}")


def _aggregation_header(nals: Sequence[bytes], kind: int) -> bytes:
    """Forbidden bit: any of the NAL units'; reference indication: their highest (section 5.7)."""
    forbidden = max(nal[0] & 0x80 for nal in nals)
    return bytes([forbidden | max(nal[0] & 0x60 for nal in nals) | kind])


def _fragment(payload: bytes, *, numbered: bool) -> Piece:
    body = 4 if numbered else 2
    if len(payload) <= body:
        raise PacketError(f"H.264 fragment of {len(payload)} bytes")
    start, end = bool(payload[1] & 0x80), bool(payload[1] & 0x40)
    if start and end:
        raise PacketError("H.264 fragment that is first and last")
    if numbered and not start:
        raise PacketError("H.264 fragment FU-B that is not first")
    nal = bytes([payload[0] & 0xE0 | payload[1] & 0x1F]) if start else b""
    if start:
        _nal(nal)
    return Piece(data=nal + payload[body:], start=start, end=end, don=_number(payload, 2) if numbered else None)


def _number(payload: bytes, position: int) -> int:
    if len(payload) < position + 2:
        raise PacketError("H.264 payload ends inside its decoding order number")
    return int.from_bytes(payload[position : position + 2])


def _nal(nal: bytes) -> bytes:
    if not 1 <= nal[0] & 0x1F <= 23:
        raise PacketError(f"H.264 NAL unit of type {nal[0] & 0x1F} inside a packet")
    return nal
