"""The wire format: RTP (RFC 3550) and the payload formats, parse and serialise side by side."""

from vidlink.rtp.format import Content, PacketError, PayloadFormat, Piece, UnitParts
from vidlink.rtp.formats import payload_format
from vidlink.rtp.header import VIDEO_PAYLOAD_TYPE, VIDEO_SSRC, Header, parse, serialise, unwrap
from vidlink.rtp.retransmission import original, repeat

__all__ = [
    "VIDEO_PAYLOAD_TYPE",
    "VIDEO_SSRC",
    "Content",
    "Header",
    "PacketError",
    "PayloadFormat",
    "Piece",
    "UnitParts",
    "original",
    "parse",
    "payload_format",
    "repeat",
    "serialise",
    "unwrap",
]
