"""What travels: the plain records that sender, channel and receiver pass on.

The three rooms never import each other's insides. They share these records and meet in
:mod:`vidlink.simulate`. Every record is frozen and built by keyword.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    from numpy.typing import NDArray

CLOCK = Fraction(1, 90_000)
"""Time base of coding, the RTP video clock in seconds (RFC 3551, section 5): the source's own times survive on it."""
Bytes: TypeAlias = bytes
IPV4_UDP_RTP_BYTES = 20 + 8 + 12
"""Header bytes of a packet without options: IPv4 (RFC 791), UDP (RFC 768), RTP (RFC 3550, section 5.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """One video as it will be read: what is known before its frames are decoded."""

    name: str
    """What to call it in tables: the path as given, or the name of a built-in clip."""
    width: int
    """HR width in pixels, after rotation."""
    height: int
    """HR height in pixels, after rotation."""
    frame_rate: Fraction
    """Nominal frames a second; the true times are in each segment."""
    pixel_format: str
    """Pixel format of the source. Segments are 8-bit ``yuv420p`` whatever it is."""
    seconds: float | None
    """Duration in seconds as the container states it, or None where it states none."""
    notes: tuple[str, ...] = ()
    """What was done to the source on the way in (rotated, deinterlaced, ...), a sentence each."""
    cut_from: tuple[int, int] | None = None
    """Width and height in pixels of the source's frames, where only a window about a face is coded (then ``width`` and
    ``height`` are the window's); None where frames are coded whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A run of consecutive frames coded as one closed GOP: the unit of adaptation."""

    index: int
    """Position in the clip, from 0."""
    first_frame: int
    """Index of the first frame in the clip."""
    frames: tuple[av.VideoFrame, ...]
    """HR pictures, ``yuv420p``, in presentation order, with their time as ``pts`` on :data:`CLOCK`. They are shared:
    nobody may change them."""
    times_s: NDArray[np.float64]
    """Presentation time of each frame in seconds, shape (n,); the clip's first frame is at 0."""
    duration_s: float
    """Seconds from the first frame to the first frame of the next segment."""
    last: bool = False
    """Whether the clip ends with this segment."""
    side_data: bytes = b""
    """The face track along which its frames were cut; empty where frames are whole, or no face was found."""

    @property
    def start_s(self) -> float:
        """Presentation time of the first frame in seconds."""
        return float(self.times_s[0])

    @property
    def end_s(self) -> float:
        """Presentation time at which the next segment starts, in seconds."""
        return self.start_s + self.duration_s


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Rung:
    """One way to code a segment."""

    scale: float
    """HR side / LR side, at least 1, the same for both sides."""
    frame_divisor: int = 1
    """Every n-th frame of the source is coded."""
    quality: float
    """Value of the codec's quality knob (CRF for x264)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessUnit:
    """One coded picture."""

    frame: int
    """Index of the source frame in the clip (presentation order)."""
    time_s: float
    """Presentation time in seconds, as in :class:`Segment`."""
    nals: tuple[bytes, ...]
    """NAL units without start codes; for codecs without NAL units one entry, the whole unit."""
    key: bool
    """Whether decoding can start here (IDR, key frame)."""
    reference: bool
    """Whether later pictures may be predicted from this one (``nal_ref_idc`` > 0 in H.264)."""
    recovery: int | None = None
    """Where an intra-refresh cycle starts with this picture: how many pictures later it is complete, and decoding that
    began here is right (the recovery point SEI of ITU-T H.264, section D.2.8)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodedSegment:
    """A segment coded at one rung."""

    index: int
    """Index of the segment."""
    rung: Rung
    """How it was coded."""
    payload: str
    """Payload format: ``h264``, ``hevc`` or ``generic``."""
    width: int
    """LR width in pixels, even."""
    height: int
    """LR height in pixels, even."""
    parameter_sets: tuple[bytes, ...]
    """SPS, PPS (and VPS) without start codes; empty for codecs that carry them in the key frame."""
    side_data: bytes
    """What travels beside the pictures (face boxes), as opaque bytes; may be empty."""
    units: tuple[AccessUnit, ...]
    """Access units in decoding order."""
    start_s: float
    """Start of the segment in seconds."""
    duration_s: float
    """Duration of the segment in seconds."""

    @property
    def payload_bits(self) -> int:
        """NAL unit bytes x 8: parameter sets, side data and pictures, without any packet header."""
        return self.signalled_bits + 8 * sum(len(nal) for unit in self.units for nal in unit.nals)

    @property
    def signalled_bits(self) -> int:
        """Of these the bits of parameter sets and side data."""
        return 8 * (sum(len(nal) for nal in self.parameter_sets) + len(self.side_data))


class Kind(IntEnum):
    """What a packet carries."""

    VIDEO = 0
    """NAL units of pictures."""
    PARAMETERS = 1
    """Parameter sets and side data of a segment: signalled reliably, never lost, but on the wire and counted."""
    PARITY = 2
    """Forward error correction."""
    RETRANSMISSION = 3
    """A packet sent again."""


class Fate(IntEnum):
    """What became of a packet."""

    PENDING = 0
    """Not sent yet."""
    DELIVERED = 1
    """Arrived."""
    LOST = 2
    """Lost on the way."""
    DROPPED = 3
    """Dropped by a full queue."""
    DISCARDED = 4
    """Never sent: its time had passed before its turn came at the sender. It counts nowhere as bits on the wire."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Packets:
    """A table of packets, one row a packet, one NumPy column each, in order of sending."""

    sequence: NDArray[np.int64]
    """Sequence number, not wrapped; the RTP header carries its lower 16 bits."""
    frame: NDArray[np.int64]
    """Source frame of the first access unit in the packet; -1 where there is none."""
    unit: NDArray[np.int64]
    """First access unit in the packet, counted in decoding order over the whole stream; -1 where there is none."""
    unit_count: NDArray[np.int64]
    """Consecutive access units (decoding order) of which the packet carries a part or all; 0 where there is none."""
    segment: NDArray[np.int64]
    """Index of the segment."""
    bytes: NDArray[np.int64]
    """Bytes on the wire: IPv4, UDP and RTP headers and the payload."""
    kind: NDArray[np.uint8]
    """:class:`Kind`."""
    send_s: NDArray[np.float64]
    """When the first bit leaves the sender, in seconds on the sender's clock."""
    data: Sequence[Bytes]
    """The RTP packets themselves, header and payload (no IPv4 and UDP headers)."""
    arrival_s: NDArray[np.float64]
    """When the last bit arrives, in seconds; NaN where it never does. Filled in by the channel."""
    fate: NDArray[np.uint8]
    """:class:`Fate`. Filled in by the channel."""

    def __len__(self) -> int:
        """Number of packets."""
        return len(self.sequence)

    def take(self, rows: NDArray) -> Self:
        """The packets at ``rows`` (indices or a mask), in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        columns = {name: getattr(self, name)[rows] for name in PACKET_COLUMNS}
        return replace(self, **columns, data=[self.data[row] for row in rows.tolist()])


PACKET_COLUMNS = ("sequence", "frame", "unit", "unit_count", "segment", "bytes", "kind", "send_s", "arrival_s", "fate")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Report:
    """What the receiver tells the sender about packets, a row each.

    The content is that of transport-wide congestion control feedback: arrival times, and what is missing
    (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).
    """

    made_s: float
    """When the receiver made it, in seconds."""
    number: NDArray[np.int64]
    """Which packet: its place in the order of sending, copies and parity counted too, rising, shape (n,)."""
    arrival_s: NDArray[np.float64]
    """When its last bit arrived in seconds, in steps of 250 microseconds; NaN where it is missing, shape (n,)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Carried:
    """The packets of one segment at the far end of the channel, beside what they were made from."""

    segment: Segment
    """The source: which frames there must be a reception for."""
    coded: CodedSegment
    """What was sent."""
    packets: Packets
    """All its packets, copies and parity too, after repair."""
    recovered: NDArray[np.bool_]
    """Rows that the channel lost and that repair brought back, shape (packets,)."""
    doubled: NDArray[np.bool_]
    """Rows that the sender never sent: second arrivals of the packet before, which the channel duplicated, shape
    (packets,)."""


class Status(StrEnum):
    """What the receiver has of one source frame."""

    OK = "ok"
    """Everything arrived, and so did everything it is predicted from."""
    CONCEALED = "concealed"
    """Some of its slices were lost and filled in."""
    DRIFTING = "drifting"
    """It arrived whole but is predicted from damage."""
    FROZEN = "frozen"
    """Nothing of it could be shown in time: the last picture is held."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reception:
    """What the receiver has of one source frame: exactly one for every source frame, whatever was lost."""

    frame: int
    """Index of the source frame."""
    time_s: float
    """Presentation time in seconds."""
    picture: av.VideoFrame | None
    """The LR picture on show at that time, ``yuv420p``; None before anything was ever decoded (a grey screen)."""
    status: Status
    """How it came about."""
    late_s: float
    """Seconds by which its last packet missed the playout deadline; 0 where it was in time, NaN where it was lost."""
    scale: float
    """Scale factor of the picture on show."""
    quality: float
    """Quality (the codec's knob) of the picture on show."""
