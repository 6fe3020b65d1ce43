"""What every payload format does: aggregate small NAL units, fragment large ones, and take both apart again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class PacketError(ValueError):
    """A packet's bytes are not what the standard says."""


class Content(Enum):
    """What a NAL unit is for."""

    PICTURE = "picture"
    """Part of a coded picture."""
    PARAMETER_SET = "parameter set"
    """What a decoder must have before the first picture."""
    SIDE_DATA = "side data"
    """What the sender says beside the pictures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A NAL unit, or a fragment of one, found in a packet."""

    data: bytes
    """The whole NAL unit; the first fragment with the NAL unit's header put back before it; a later fragment alone."""
    start: bool = True
    """Whether the NAL unit begins here."""
    end: bool = True
    """Whether the NAL unit ends here."""
    don: int | None = None
    """Decoding order number, 16 bits, where the packet gives one (RFC 6184, section 5.5)."""
    offset: int = 0
    """Ticks by which the NAL unit's time is later than the packet's timestamp."""


class PayloadFormat(Protocol):
    """How NAL units become RTP payloads and back.

    A *NAL unit* here is the smallest thing that is sent whole or in fragments; formats for codecs without NAL units put
    a header before each unit and call that a NAL unit.
    """

    @property
    def most(self) -> int:
        """NAL units that fit one packet whatever their size."""
        ...

    def enclose(self, picture: bytes) -> bytes:
        """The NAL unit for what an :class:`~vidlink.types.AccessUnit` lists."""
        ...

    def signal(self, parameter_sets: Sequence[bytes], side_data: bytes) -> list[bytes]:
        """The NAL units that open a segment."""
        ...

    def open(self, nal: bytes) -> tuple[Content, bytes]:
        """What a NAL unit is, and what was enclosed in it."""
        ...

    def whole_bytes(self, count: int, total: int, spread: int) -> float:
        """Payload bytes of ``count`` whole NAL units of ``total`` bytes, infinite where they may not share a packet.

        ``spread`` is the difference of their latest and earliest time in ticks.
        """
        ...

    def whole(self, nals: Sequence[bytes], offsets: Sequence[int], don: int) -> bytes:
        """The payload of whole NAL units, ``offsets`` ticks after the packet's timestamp; ``don`` is the first's."""
        ...

    def fragment_bytes(self, size: int, room: int) -> list[int]:
        """Payload bytes of each fragment of a NAL unit of ``size`` bytes, each at most ``room``."""
        ...

    def fragments(self, nal: bytes, room: int, don: int) -> list[bytes]:
        """The payloads of the fragments of one NAL unit, each at most ``room`` bytes; ``don`` is the unit's."""
        ...

    def parse(self, payload: bytes) -> list[Piece]:
        """Take a payload apart.

        Raises
        ------
        PacketError
            It is not what the standard says.
        """
        ...


def fragment_body(size: int, first: int, later: int) -> list[int]:
    """Split ``size`` bytes into at least two runs: at most ``first`` bytes, then at most ``later`` bytes each.

    Examples
    --------
    >>> fragment_body(2500, first=1000, later=1200)
    [1000, 1200, 300]
    """
    sizes = [min(first, size - 1)]
    rest = size - sizes[0]
    sizes += [later] * (rest // later)
    if rest % later:
        sizes.append(rest % later)
    return sizes


def read_units(payload: bytes, start: int, header_bytes: int) -> list[tuple[bytes, bytes]]:
    """The entries of an aggregation packet: each a 16-bit size, ``header_bytes`` more, and that many bytes.

    Returns
    -------
    list of (bytes, bytes)
        Header after the size, and contents.

    Raises
    ------
    PacketError
        An entry is empty or longer than the packet, or there is none.
    """
    entries = []
    while start < len(payload):
        body = start + 2 + header_bytes
        size = int.from_bytes(payload[start : start + 2])
        if size == 0 or body + size > len(payload):
            raise PacketError(f"aggregation packet of {len(payload)} bytes: an entry of {size} bytes at byte {start}")
        entries.append((payload[start + 2 : body], payload[body : body + size]))
        start = body + size
    if not entries:
        raise PacketError("aggregation packet without entries")
    return entries
