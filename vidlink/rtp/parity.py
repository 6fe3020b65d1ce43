"""Parity packets: what forward error correction puts on the wire.

Modelled on RFC 5109 (its sections 4.2 and 7.3 protect the same header fields), with vidlink's own header, because RFC
5109 knows XOR only: base sequence number (16 bits), distance between the sources' sequence numbers, number of sources,
place among the parity packets, number of parity packets (8 bits each). Parity packets are an RTP stream of their own.

What is protected of a source packet, its *symbol*, is its length, marker and payload type, timestamp and payload,
filled up with zeros to the longest of the block. The sequence number follows from the place, the rest is the same for
all packets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.rtp.format import PacketError
from vidlink.rtp.header import Header, serialise
from vidlink.types import RTP_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PARITY_SSRC = 0x76696465
PARITY_PAYLOAD_TYPE = 97

_HEADER = struct.Struct(">HBBBB")
_PROTECTED = struct.Struct(">HBI")
OVERHEAD_BYTES = _HEADER.size + _PROTECTED.size
"""Bytes by which a parity packet is longer than the longest source packet of its block."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parity:
    """One parity symbol and the block it belongs to."""

    base: int
    """Sequence number of the first source, 16 bits."""
    stride: int
    """Distance between the sequence numbers of neighbouring sources, at least 1."""
    sources: int
    """Source packets in the block, at least 1."""
    place: int
    """Which of the block's parity symbols this is."""
    count: int
    """Parity symbols in the block."""
    symbol: bytes
    """The symbol."""


def serialise_parity(parity: Parity) -> bytes:
    """The RTP payload of a parity packet."""
    header = _HEADER.pack(parity.base & 0xFFFF, parity.stride, parity.sources, parity.place, parity.count)
    return header + parity.symbol


def parse_parity(payload: bytes) -> Parity:
    """Read the RTP payload of a parity packet.

    Raises
    ------
    PacketError
        It is too short, or its numbers do not fit together.
    """
    if len(payload) < OVERHEAD_BYTES:
        raise PacketError(f"parity payload of {len(payload)} bytes")
    base, stride, sources, place, count = _HEADER.unpack_from(payload)
    if not (stride and sources and place < count and sources + count <= 255):
        raise PacketError(f"parity payload with {stride = }, {sources = }, {place = }, {count = }")
    return Parity(base=base, stride=stride, sources=sources, place=place, count=count, symbol=payload[_HEADER.size :])


def symbol_of(data: bytes) -> bytes:
    """What is protected of an RTP packet."""
    return _PROTECTED.pack(len(data) - RTP_BYTES, data[1], int.from_bytes(data[4:8])) + data[RTP_BYTES:]


def stack(symbols: Sequence[bytes], width: int) -> NDArray[np.uint8]:
    """Symbols filled up with zeros to ``width`` bytes, shape (n, width)."""
    return np.frombuffer(b"".join(symbol.ljust(width, b"\0") for symbol in symbols), dtype=np.uint8).reshape(-1, width)


def packet_from(symbol: bytes, *, sequence: int, ssrc: int) -> bytes:
    """The RTP packet that a symbol protects.

    Raises
    ------
    PacketError
        The length in the symbol is beyond its end: it was put together from wrong packets.

    Examples
    --------
    >>> packet = serialise(Header(sequence=7, timestamp=3000, ssrc=1, payload_type=96, marker=True), b"picture")
    >>> packet_from(symbol_of(packet), sequence=7, ssrc=1) == packet
    True
    """
    length, second, timestamp = _PROTECTED.unpack_from(symbol)
    if _PROTECTED.size + length > len(symbol):
        raise PacketError(f"protected packet of {length} bytes in a symbol of {len(symbol)}")
    header = Header(
        sequence=sequence, timestamp=timestamp, ssrc=ssrc, payload_type=second & 0x7F, marker=bool(second & 0x80)
    )
    return serialise(header, symbol[_PROTECTED.size : _PROTECTED.size + length])
