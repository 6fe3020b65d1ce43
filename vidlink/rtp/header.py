"""The RTP header (RFC 3550, section 5.1) and the unwrapping of its counters."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vidlink.rtp.format import PacketError
from vidlink.types import RTP_BYTES

VIDEO_SSRC = 0x76696431
VIDEO_PAYLOAD_TYPE = 96
"""Of the stream of video, as the session description has it; parity and retransmissions have streams of their own."""
_VERSION = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What vidlink reads and writes of an RTP header."""

    sequence: int
    """Sequence number, 16 bits."""
    timestamp: int
    """Timestamp in ticks of 1/90000 s, 32 bits."""
    ssrc: int
    """Synchronization source, 32 bits: the stream."""
    payload_type: int
    """Payload type, 7 bits."""
    marker: bool
    """Set on the last packet of an access unit."""


def serialise(header: Header, payload: bytes) -> bytes:
    """An RTP packet without CSRC list, extension and padding.

    Sequence number and timestamp may be given unwrapped; their lower 16 and 32 bits go into the packet.
    """
    first = _VERSION << 6
    second = header.marker << 7 | header.payload_type
    fields = struct.pack(">BBHII", first, second, header.sequence & 0xFFFF, header.timestamp & 0xFFFFFFFF, header.ssrc)
    return fields + payload


def parse(data: bytes) -> tuple[Header, bytes]:
    """Read an RTP packet: its header, and its payload without CSRC list, extension and padding.

    Raises
    ------
    PacketError
        It is too short for what its header announces, or of another version.

    Examples
    --------
    >>> header, payload = parse(bytes.fromhex("80e0000700000bb800000001") + b"picture")
    >>> header.sequence, header.timestamp, header.payload_type, header.marker, payload
    (7, 3000, 96, True, b'picture')
    """
    if len(data) < RTP_BYTES:
        raise PacketError(f"RTP packet of {len(data)} bytes: shorter than its header")
    first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
    if first >> 6 != _VERSION:
        raise PacketError(f"RTP version {first >> 6}: expected {_VERSION}")
    start = RTP_BYTES + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise PacketError("RTP packet ends inside its header extension")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    padding = 0
    if first & 0x20:
        padding = data[-1]
        if padding == 0:
            raise PacketError("RTP packet with padding of no bytes")
    if start + padding > len(data):
        raise PacketError(f"RTP packet of {len(data)} bytes: shorter than its header announces")
    header = Header(
        sequence=sequence, timestamp=timestamp, ssrc=ssrc, payload_type=second & 0x7F, marker=bool(second & 0x80)
    )
    return header, data[start : len(data) - padding]


def unwrap(value: int, near: int, bits: int) -> int:
    """The number nearest to ``near`` whose lower ``bits`` bits are those of ``value``.

    Examples
    --------
    >>> unwrap(2, near=65_535, bits=16), unwrap(65_534, near=65_537, bits=16)
    (65538, 65534)
    """
    half = 1 << (bits - 1)
    return near + ((value - near + half) & ((1 << bits) - 1)) - half
