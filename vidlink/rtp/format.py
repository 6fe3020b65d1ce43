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
    WEIGHTS = "weights"
    """What restores the pictures: the weights of :mod:`vidlink.rtp.weights`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitParts:
    """One coded picture in parts, as it came from an encoder."""

    parameter_sets: tuple[bytes, ...]
    """SPS, PPS (and VPS) NAL units."""
    nals: tuple[bytes, ...]
    """All other NAL units that matter to a decoder; for codecs without NAL units the whole unit."""
    key: bool
    """Whether decoding can start here: IDR in H.264, IRAP in HEVC."""
    reference: bool
    """Whether later pictures may be predicted from this one."""
    recovery: int | None = None
    """Pictures until an intra-refresh cycle that starts here is complete; None where none starts."""


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
    """How a codec's stream is read, and how its NAL units become RTP payloads and back: all that is asked of a format.

    A *NAL unit* here is the smallest thing that is sent whole or in fragments; formats for codecs without NAL units put
    a header before each unit and call that a NAL unit.
    """

    @property
    def start_code(self) -> bytes:
        """What stands before each NAL unit in the byte stream of encoders and decoders; empty where nothing does."""
        ...

    @property
    def encoding_name(self) -> str | None:
        """Name in a session description (``a=rtpmap``); None where there is none that players know."""
        ...

    @property
    def most(self) -> int:
        """NAL units that fit one packet whatever their size."""
        ...

    def sharing(self) -> PayloadFormat:
        """The same with packets that carry NAL units of several pictures; itself where it cannot say so."""
        ...

    def take_apart(self, unit: bytes, *, key: bool) -> UnitParts:
        """Take one access unit apart.

        Access unit delimiters and the encoder's own advertisement (an SEI of about 630 bytes that x264 and x265 write
        into the first unit of every encode) are left out: no decoder needs them, and at one-second segments they cost
        5 kb/s.

        Parameters
        ----------
        unit
            As the encoder gave it.
        key
            Whether the encoder marked it as a key frame. Used where the unit itself does not say: x264 marks the start
            of an intra-refresh cycle too.
        """
        ...

    def with_parameter_sets(self, unit: bytes, extradata: bytes) -> bytes:
        """A key frame's access unit with the parameter sets that its container keeps apart, unless it has them."""
        ...

    def picture_size(self, parameter_set: bytes) -> tuple[int, int] | None:
        """Width and height in pixels that a parameter set states; None where it states none.

        Raises
        ------
        ValueError
            It ends early.
        """
        ...

    def format_parameters(self, parameter_sets: Sequence[bytes]) -> list[str]:
        """What a session description says of the stream (``a=fmtp``), the parameter sets among it."""
        ...

    def enclose(self, picture: bytes) -> bytes:
        """The NAL unit for what an :class:`~vidlink.types.AccessUnit` lists."""
        ...

    def signal(self, parameter_sets: Sequence[bytes], side_data: bytes) -> list[bytes]:
        """The NAL units that open a segment."""
        ...

    def weigh(self, weights: bytes) -> bytes:
        """The NAL unit of a message of weights."""
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
