"""Side data in a NAL unit: the SEI message user_data_unregistered (ITU-T H.264 and H.265, annex D)."""

from __future__ import annotations

import re
from uuid import UUID

from vidlink.rtp.format import Content

IDENTITY = UUID("6a1c9a52-3f5e-4d0b-9c57-76696c696e6b").bytes
"""Names vidlink's side data among all user data, 16 bytes."""

WEIGHTS_IDENTITY = UUID("0d2f3a6c-58d1-4f0e-8b6c-7765696768ff").bytes
"""Names weights of a restorer, 16 bytes."""

LEAST_BYTES = 16
"""Shorter side data is filled up: Wireshark (4.0 for one) reads so much of any user data and calls less malformed."""

USER_DATA_UNREGISTERED = 5
"""Type of the SEI message. x264 and x265 advertise themselves in one, too."""
_STOP = 0x80
_NEEDS_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_ESCAPED = re.compile(rb"\x00\x00\x03")


def escape(payload: bytes) -> bytes:
    """Insert emulation prevention bytes (ITU-T H.264, section 7.4.1.1), so that no start code can appear.

    Examples
    --------
    >>> escape(bytes.fromhex("25000001")).hex()  # 00 00 01 would be a start code
    '2500000301'
    """
    escaped = _NEEDS_ESCAPE.sub(b"\x00\x00\x03", payload)
    return escaped + b"\x03" if escaped.endswith(b"\x00") else escaped


def unescape(payload: bytes) -> bytes:
    """Take emulation prevention bytes out again."""
    return _ESCAPED.sub(b"\x00\x00", payload)


def serialise(side_data: bytes, nal_header: bytes, identity: bytes = IDENTITY) -> bytes:
    """The SEI NAL unit that carries ``side_data``, with ``nal_header`` before it.

    The side data is closed by a byte 0x80 and filled up with zeros.
    """
    body = identity + (side_data + bytes([_STOP])).ljust(LEAST_BYTES, b"\0")
    header = bytes([USER_DATA_UNREGISTERED]) + b"\xff" * (len(body) // 255) + bytes([len(body) % 255])
    return nal_header + escape(header + body + bytes([_STOP]))


def parse(nal: bytes, header_bytes: int, identity: bytes = IDENTITY) -> bytes | None:
    """The side data in an SEI NAL unit, or None where it carries something else.

    Parameters
    ----------
    nal
        The NAL unit.
    header_bytes
        Length of its header: 1 in H.264, 2 in HEVC.
    identity
        What it must be named as.
    """
    message = unescape(nal[header_bytes:])
    if not message or message[0] != USER_DATA_UNREGISTERED:
        return None
    position, size = 1, 0
    while position < len(message) and message[position] == 0xFF:
        size += 255
        position += 1
    if position == len(message):
        return None
    size += message[position]
    body = message[position + 1 : position + 1 + size]
    if len(body) < size or not body.startswith(identity):
        return None
    side_data = body[len(identity) :].rstrip(b"\0")
    return side_data[:-1] if side_data.endswith(bytes([_STOP])) else None


def opened(nal: bytes, header_bytes: int) -> tuple[Content, bytes]:
    """What an SEI NAL unit is to us: side data, weights, or else part of a picture."""
    for content, identity in ((Content.SIDE_DATA, IDENTITY), (Content.WEIGHTS, WEIGHTS_IDENTITY)):
        found = parse(nal, header_bytes, identity)
        if found is not None:
            return content, found
    return Content.PICTURE, nal
