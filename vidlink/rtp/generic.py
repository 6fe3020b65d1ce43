"""vidlink's own fragmentation for codecs whose payload format is not built yet (VP9, AV1). No standard; named as such.

A packet opens with one byte: first fragment (0x80), last fragment (0x40), aggregate (0x20), and in the two lowest bits
what the unit is: picture (0), parameter set (1), side data (2), weights of a restorer (3). The rest is the unit or a
fragment of it. In an aggregate each unit follows as 16 bits of size, 24 bits of time after the packet's timestamp, one
byte of what it is, and the unit; the size counts the last two.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidlink.rtp.format import Content, PacketError, Piece, UnitParts, fragment_body, read_units

if TYPE_CHECKING:
    from collections.abc import Sequence

_START, _END, _AGGREGATE, _CONTENT = 0x80, 0x40, 0x20, 0x03
_CONTENTS = (Content.PICTURE, Content.PARAMETER_SET, Content.SIDE_DATA, Content.WEIGHTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Generic:
    """A unit with one byte before it that says what it is counts as a NAL unit."""

    most: int = 65536
    """Units in one packet: only its size limits them."""
    start_code: bytes = b""
    """A unit is given to the decoder as it is."""
    encoding_name: None = None
    """No player knows it."""

    def sharing(self) -> Generic:
        """Its packets may always carry units of several pictures."""
        return self

    def take_apart(self, unit: bytes, *, key: bool) -> UnitParts:
        """The whole unit; whether it is a key frame is the encoder's word, and all may be predicted from."""
        return UnitParts(parameter_sets=(), nals=(unit,), key=key, reference=True)

    def with_parameter_sets(self, unit: bytes, extradata: bytes) -> bytes:
        """The unit: a key frame carries what it needs."""
        return unit

    def picture_size(self, parameter_set: bytes) -> tuple[int, int] | None:
        """Not read."""
        return None

    def format_parameters(self, parameter_sets: Sequence[bytes]) -> list[str]:
        """None."""
        return []

    def enclose(self, picture: bytes) -> bytes:
        """A byte 0 and the unit.

        Raises
        ------
        ValueError
            The unit is empty.
        """
        if not picture:
            raise ValueError("a coded unit of no bytes")
        return b"\x00" + picture

    def signal(self, parameter_sets: Sequence[bytes], side_data: bytes) -> list[bytes]:
        """Parameter sets and side data, each with its byte before it."""
        return [*(b"\x01" + each for each in parameter_sets if each), *([b"\x02" + side_data] if side_data else [])]

    def weigh(self, weights: bytes) -> bytes:
        """A byte 3 and the message."""
        return b"\x03" + weights

    def open(self, nal: bytes) -> tuple[Content, bytes]:
        """What the first byte says, and the rest."""
        return _CONTENTS[nal[0]], nal[1:]

    def whole_bytes(self, count: int, total: int, spread: int) -> float:
        """The unit with its byte; several with six bytes more each."""
        if spread > 0xFFFFFF:
            return math.inf
        return total if count == 1 else 1 + 5 * count + total

    def whole(self, nals: Sequence[bytes], offsets: Sequence[int], don: int) -> bytes:
        """One unit, or an aggregate."""
        if len(nals) == 1:
            return bytes([_START | _END | nals[0][0]]) + nals[0][1:]
        entries = (
            struct.pack(">H", len(nal)) + offset.to_bytes(3) + nal for nal, offset in zip(nals, offsets, strict=True)
        )
        return bytes([_START | _END | _AGGREGATE]) + b"".join(entries)

    def fragment_bytes(self, size: int, room: int) -> list[int]:
        """One byte of header each, instead of the unit's own."""
        return [part + 1 for part in fragment_body(size - 1, room - 1, room - 1)]

    def fragments(self, nal: bytes, room: int, don: int) -> list[bytes]:
        """Fragments, each with what the unit is."""
        sizes = fragment_body(len(nal) - 1, room - 1, room - 1)
        payloads, position = [], 1
        for index, size in enumerate(sizes):
            flags = _START * (index == 0) | _END * (index == len(sizes) - 1)
            payloads.append(bytes([flags | nal[0]]) + nal[position : position + size])
            position += size
        return payloads

    def parse(self, payload: bytes) -> list[Piece]:
        """Read a unit, an aggregate or a fragment."""
        if len(payload) < 2:
            raise PacketError(f"generic payload of {len(payload)} bytes")
        flags = payload[0]
        start, end = bool(flags & _START), bool(flags & _END)
        if flags & ~(_START | _END | _AGGREGATE | _CONTENT):
            raise PacketError(f"generic payload with flags {flags:#04x}")
        if not flags & _AGGREGATE:
            return [Piece(data=(bytes([flags & _CONTENT]) if start else b"") + payload[1:], start=start, end=end)]
        entries = read_units(payload, 1, 3)
        if any(len(nal) < 2 or nal[0] >= len(_CONTENTS) for _, nal in entries):
            raise PacketError("generic aggregate with a malformed unit")
        return [Piece(data=nal, offset=int.from_bytes(header)) for header, nal in entries]
