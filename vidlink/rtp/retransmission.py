"""Retransmitted packets (RFC 4588): a stream of their own, each naming the packet that it repeats."""

from __future__ import annotations

from dataclasses import replace

from vidlink.rtp.format import PacketError
from vidlink.rtp.header import Header, parse, serialise

RETRANSMISSION_SSRC = 0x76696472
RETRANSMISSION_PAYLOAD_TYPE = 98
OVERHEAD_BYTES = 2
"""Bytes by which a retransmission is longer than the packet: the original sequence number."""


def repeat(data: bytes, *, sequence: int) -> bytes:
    """The retransmission of an RTP packet (RFC 4588, section 4), itself numbered ``sequence``."""
    header, payload = parse(data)
    repeated = replace(header, sequence=sequence, ssrc=RETRANSMISSION_SSRC, payload_type=RETRANSMISSION_PAYLOAD_TYPE)
    return serialise(repeated, header.sequence.to_bytes(2) + payload)


def original(header: Header, payload: bytes) -> tuple[Header, bytes]:
    """Header and payload of the packet that was retransmitted, except for SSRC and payload type.

    Raises
    ------
    PacketError
        The payload is too short for a sequence number.

    Examples
    --------
    >>> packet = serialise(Header(sequence=7, timestamp=3000, ssrc=1, payload_type=96, marker=True), b"picture")
    >>> header, payload = original(*parse(repeat(packet, sequence=0)))
    >>> header.sequence, payload
    (7, b'picture')
    """
    if len(payload) < OVERHEAD_BYTES:
        raise PacketError(f"retransmission of {len(payload)} bytes")
    return replace(header, sequence=int.from_bytes(payload[:2])), payload[2:]
