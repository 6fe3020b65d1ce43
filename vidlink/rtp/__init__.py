"""The wire format: RTP (RFC 3550) and the payload formats, parse and serialise side by side."""

from vidlink.rtp.format import Content, PacketError, PayloadFormat, Piece
from vidlink.rtp.formats import payload_format
from vidlink.rtp.header import CLOCK_HZ, HEADER_BYTES, Header, parse, serialise, unwrap
from vidlink.rtp.retransmission import original, repeat

__all__ = [
    "CLOCK_HZ",
    "HEADER_BYTES",
    "Content",
    "Header",
    "PacketError",
    "PayloadFormat",
    "Piece",
    "original",
    "parse",
    "payload_format",
    "repeat",
    "serialise",
    "unwrap",
]
