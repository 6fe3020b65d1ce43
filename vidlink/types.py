"""What travels: the plain records that sender, channel and receiver pass on.

The three rooms never import each other's insides. They share these records and meet in
:mod:`vidlink.simulate`. Every record is frozen and built by keyword.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import av
    from numpy.typing import NDArray

CLOCK_HZ = 90_000
"""Ticks a second of the clock of RTP video, and of coding here (RFC 3551, section 5)."""
CLOCK = Fraction(1, CLOCK_HZ)
"""The same as a time base: seconds a tick. The source's own times survive on it."""
Bytes: TypeAlias = bytes
IPV4_BYTES = 20
"""Header of an IPv4 datagram without options (RFC 791, section 3.1)."""
UDP_BYTES = 8
"""Header of a UDP datagram (RFC 768)."""
RTP_BYTES = 12
"""Header of an RTP packet without CSRC list and extension (RFC 3550, section 5.1)."""
IPV4_UDP_RTP_BYTES = IPV4_BYTES + UDP_BYTES + RTP_BYTES
"""Header bytes of a packet."""


Picture: TypeAlias = "av.VideoFrame | Callable[[], av.VideoFrame]"
"""A picture, or what fetches it from where it waits: large ones wait on disk, see :mod:`vidlink.video.park`."""
NOT_STATED = 2
"""What a source that does not say has for each part of its colour (ITU-T H.273)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Colour:
    """What the numbers of ``yuv420p`` pictures mean, as code points of ITU-T H.273. Their range is limited, always."""

    matrix: int = NOT_STATED
    """Matrix coefficients: 1 for BT.709, 5 and 6 for BT.601. Where it is not stated, BT.601 is used."""
    primaries: int = NOT_STATED
    """Colour primaries. They are handed on; nothing is converted by them."""
    transfer: int = NOT_STATED
    """Transfer characteristics. They are handed on."""


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
    """Pixel format of the source. Segments are 8-bit ``yuv420p`` in limited range whatever it is."""
    colour: Colour = Colour()
    """What the numbers of its segments mean: what the source states, or else nothing."""
    seconds: float | None
    """Duration in seconds as the container states it, or None where it states none."""
    notes: tuple[str, ...] = ()
    """What was done to the source on the way in (rotated, deinterlaced, ...), a sentence each."""
    cut_from: tuple[int, int] | None = None
    """Width and height in pixels of the source's frames, where only a window about a face is coded (then ``width`` and
    ``height`` are the window's); None where frames are coded whole."""


@dataclass(frozen=True, kw_only=True, slots=True, weakref_slot=True)
class Segment:
    """A run of consecutive frames coded as one closed GOP: the unit of adaptation."""

    index: int
    """Position in the clip, from 0."""
    first_frame: int
    """Index of the first frame in the clip."""
    frames: Sequence[av.VideoFrame]
    """HR pictures, ``yuv420p``, in presentation order, with their time as ``pts`` on :data:`CLOCK`. They are shared:
    nobody may change them."""
    times_s: NDArray[np.float64]
    """Presentation time of each frame in seconds, shape (n,); the clip's first frame is at 0."""
    duration_s: float
    """Seconds from the first frame to the first frame of the next segment."""
    last: bool = False
    """Whether the clip ends with this segment."""
    new_scene: bool = False
    """Whether it follows a cut; known only where segments were cut by scenes."""
    side_data: bytes = b""
    """The face track along which its frames were cut; empty where frames are whole, or no face was found."""
    features: NDArray[np.float32] | None = None
    """What tells its frames apart, a row a frame, shape (n, features): frames are alike as far as their rows are near
    each other. A rung that leaves frames out codes those that stand best for the others by this measure; None for every
    n-th frame."""
    interest: NDArray[np.float32] | None = None
    """How much the far end's answer depends on each part of its pictures, shape (rows, columns), from 0 to 1: the less
    it does, the more coarsely that part is coded. None for all alike."""
    parts: tuple[Segment, ...] = ()
    """Where several segments were joined into one closed GOP (see :mod:`vidlink.sender.groups`): these, in order, each
    with its own index and side data; empty where it was captured as it is."""

    @property
    def each(self) -> tuple[Segment, ...]:
        """The segments as they were captured: its parts, or itself."""
        return self.parts or (self,)

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
    """One frame of the source in so many is coded."""
    quality: float
    """Value of the codec's quality knob (CRF for x264)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessUnit:
    """One coded picture."""

    frame: int
    """Index of the source frame from which it is shown, in the clip (presentation order). Where frames are left out the
    picture may be that of a frame a little later, see :mod:`vidlink.sender.moments`."""
    time_s: float
    """Presentation time in seconds: that of this frame in :class:`Segment`."""
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
    """Payload format: its name in the table :data:`vidlink.rtp.formats.FORMATS`."""
    width: int
    """LR width in pixels, even."""
    height: int
    """LR height in pixels, even."""
    parameter_sets: tuple[bytes, ...]
    """SPS, PPS (and VPS) without start codes; empty for codecs that carry them in the key frame."""
    side_data: bytes
    """What travels beside the pictures (face boxes), as opaque bytes; may be empty."""
    weights: tuple[bytes, ...] = ()
    """What restores its pictures, see :mod:`vidlink.rtp.weights`: one message, or the same several times; empty where
    they are not restored."""
    units: tuple[AccessUnit, ...]
    """Access units in decoding order."""
    start_s: float
    """Start of the segment in seconds."""
    duration_s: float
    """Duration of the segment in seconds."""
    colour: Colour = Colour()
    """What the numbers of its pictures mean. It is signalled, since not every stream can say it."""

    @property
    def payload_bits(self) -> int:
        """NAL unit bytes x 8: parameter sets, side data, weights and pictures, without any packet header."""
        return self.signalled_bits + 8 * sum(len(nal) for unit in self.units for nal in unit.nals)

    @property
    def signalled_bits(self) -> int:
        """Of these the bits of parameter sets, side data and weights."""
        return 8 * (sum(len(nal) for nal in self.parameter_sets) + len(self.side_data)) + self.weights_bits

    @property
    def weights_bits(self) -> int:
        """Of these the bits of weights, each time that they are sent."""
        return 8 * sum(map(len, self.weights))


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
    WEIGHTS = 4
    """Weights of a restorer for the segment's pictures."""


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

    def carrying(self) -> Iterator[tuple[int, slice]]:
        """Each row that carries a part of access units, and which: counted from the first unit in the table."""
        rows = np.flatnonzero(self.unit_count > 0)
        first = self.unit[rows].min() if len(rows) else 0
        starts = self.unit[rows] - first
        stops = starts + self.unit_count[rows]
        for row, start, stop in zip(rows.tolist(), starts.tolist(), stops.tolist(), strict=True):
            yield row, slice(start, stop)

    @classmethod
    def join(cls, pieces: Sequence[Self]) -> Self:
        """Tables of packets one after the other; no tables give a table of no packets."""
        columns = {
            name: np.concatenate([getattr(piece, name) for piece in pieces]) if pieces else np.zeros(0, dtype=kind)
            for name, kind in PACKET_COLUMNS.items()
        }
        return cls(**columns, data=[data for piece in pieces for data in piece.data])


PACKET_COLUMNS = {
    "sequence": np.int64,
    "frame": np.int64,
    "unit": np.int64,
    "unit_count": np.int64,
    "segment": np.int64,
    "bytes": np.int64,
    "kind": np.uint8,
    "send_s": np.float64,
    "arrival_s": np.float64,
    "fate": np.uint8,
}
"""The columns of :class:`Packets` that are arrays, with their types."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What is signalled of one coded picture, whether it arrives or not: a sample of a movie fragment.

    The fields are those that a track fragment (ISO/IEC 14496-12, boxes ``trun``, ``sgpd`` and ``prft``) has for it.
    """

    frame: int
    """Index of the source frame: the place of its time among :attr:`SegmentIndex.times_s`, counted over the clip."""
    time_s: float
    """Presentation time in seconds (composition time)."""
    bytes: int
    """Size of its NAL units (``sample_size``)."""
    key: bool
    """Whether decoding can start here (``sample_is_non_sync_sample`` not set)."""
    recovery: int | None
    """Pictures until decoding that began here is right (``roll_distance``); None where it cannot begin here."""
    sent_s: float
    """When the last packet with a part of it first left the sender, in seconds (the producer's reference time)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SegmentIndex:
    """What is signalled of a segment beside its packets.

    It stands for the header of a movie fragment (``moof``), which goes where the parameter sets go: reliably, ahead of
    the pictures. It is not counted as bits on the wire. A receiver of a bare RTP stream would have to infer it: times
    from RTP timestamps, the start of decoding from NAL unit types and recovery point SEI, sizes from gaps in sequence
    numbers. What no receiver could know is not in it: which pictures others are predicted from, which packets were
    sent, how the segment was coded.
    """

    index: int
    """Position of the segment in the clip, from 0."""
    first_frame: int
    """Index of its first source frame in the clip."""
    times_s: NDArray[np.float64]
    """Presentation time in seconds of each source frame, coded or not, shape (n,): when there is to be a picture on
    show, as the frame rate of the session tells it."""
    width: int
    """LR width in pixels."""
    height: int
    """LR height in pixels."""
    colour: Colour = Colour()
    """What the numbers of its pictures mean (``colr``)."""
    samples: tuple[Sample, ...]
    """Its coded pictures, in decoding order."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Wire:
    """What the receiver gets of one segment: nothing else crosses."""

    index: SegmentIndex
    """What is signalled reliably."""
    packets: Packets
    """The packets that arrived, copies, doubles and parity too, and those that repair brought back, each at the time at
    which it was there. Of these a receiver has the bytes, the arrival, the stream (:attr:`Kind`), and what the bytes
    say. The sender's columns are blank: ``frame`` and ``unit`` are -1, ``unit_count`` is 0, ``send_s`` is NaN."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ledger:
    """What was sent of one segment and what became of it. It goes to the scores; no receiver sees it."""

    segment: Segment
    """The source: which frames there must be a reception for, and how they look."""
    coded: CodedSegment
    """What was sent."""
    packets: Packets
    """The packet log: all its packets, copies and parity too, after repair."""
    recovered: NDArray[np.bool_]
    """Rows that the channel lost and that repair brought back, shape (packets,)."""
    doubled: NDArray[np.bool_]
    """Rows that the sender never sent: second arrivals of the packet before, which the channel duplicated, shape
    (packets,)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Carried:
    """One segment at the far end of the channel. Its two halves go different ways."""

    wire: Wire
    """To the receiver."""
    ledger: Ledger
    """To the scores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the receiver shows at the time of one source frame."""

    frame: int
    """Index of the source frame."""
    picture: Picture | None
    """The LR picture on show at that time, ``yuv420p``; None before anything was ever decoded (a grey screen)."""
    fresh: bool
    """Whether the picture is this frame's own; otherwise the last one is held."""
    of: int | None = None
    """Source frame that the picture is of; None before anything was ever decoded."""
    qp: float = math.nan
    """Mean QP of the picture, if the decoder says it, else NaN."""


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
    """What the receiver has of one source frame: exactly one for every source frame, whatever was lost.

    What is on show is the receiver's doing; how it came about is read from the packet log, for the tables.
    """

    frame: int
    """Index of the source frame."""
    time_s: float
    """Presentation time in seconds."""
    picture: Picture | None
    """The LR picture on show at that time, ``yuv420p``; None before anything was ever decoded (a grey screen)."""
    status: Status
    """How it came about."""
    late_s: float
    """Seconds by which its last packet missed the playout deadline; 0 where it was in time, NaN where it was lost."""
    scale: float
    """Scale factor of the picture on show."""
    quality: float
    """Quality (the codec's knob) of the picture on show."""
    age_s: float = 0.0
    """Seconds since the picture on show was taken: 0 where it is this frame's own, NaN on a grey screen."""
    qp: float = math.nan
    """Mean QP of the picture on show, if the decoder says it, else NaN."""
