"""Coded segments become RTP packets: RFC 6184 for H.264, RFC 7798 for HEVC, vidlink's own fragments for the rest.

Small NAL units share a packet up to the MTU, large ones are split. Where several pictures may share a packet
(``aggregate_s`` > 0, which saves 40 bytes of headers a picture at low rates) H.264 goes in the interleaved mode; HEVC
has no packet type for it, so there the setting changes nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vidlink import rtp
from vidlink.errors import UserError
from vidlink.settings import LARGEST_MTU, SMALLEST_MTU
from vidlink.types import CLOCK_HZ, IPV4_UDP_RTP_BYTES, RTP_BYTES, CodedSegment, Fate, Kind, Packets

if TYPE_CHECKING:
    from collections.abc import Sequence


class Packetizer:
    """Turns the segments of one stream into packets, in order.

    Parameters
    ----------
    mtu
        Largest IPv4 datagram in bytes, headers included.
    aggregate_s
        NAL units whose presentation times differ by at most this many seconds may share a packet; 0 keeps pictures
        apart.
    header_bytes
        IPv4, UDP and RTP header bytes counted for each packet: 40, or fewer where the channel compresses headers. The
        MTU limits the uncompressed packet.
    ssrc, payload_type
        Of the RTP stream.
    rng
        Draws the first sequence number and timestamp, as RFC 3550 asks; without it both are 0.

    Raises
    ------
    UserError
        The MTU leaves no room for a payload, or is larger than a datagram; a negative waiting time.
    """

    sequence_offset: int
    """Sequence number of the first packet of the stream; ``Packets.sequence`` counts on from here without wrapping."""
    timestamp_offset: int
    """RTP timestamp of presentation time 0."""

    def __init__(
        self,
        *,
        mtu: int = 1500,
        aggregate_s: float = 0.0,
        header_bytes: int = IPV4_UDP_RTP_BYTES,
        ssrc: int = rtp.VIDEO_SSRC,
        payload_type: int = rtp.VIDEO_PAYLOAD_TYPE,
        rng: np.random.Generator | None = None,
    ) -> None:
        _check(mtu, aggregate_s)
        self.mtu, self.aggregate_s, self.header_bytes = mtu, aggregate_s, header_bytes
        self.ssrc, self.payload_type = ssrc, payload_type
        self.sequence_offset = 0 if rng is None else int(rng.integers(1 << 16))
        self.timestamp_offset = 0 if rng is None else int(rng.integers(1 << 32))
        self._sequence = self.sequence_offset
        self._unit = 0
        self._don = 0

    def packetize(self, coded: CodedSegment) -> Packets:
        """The packets of one segment.

        The first packets (:attr:`Kind.PARAMETERS`) carry parameter sets and side data, where there are any. Weights
        (:attr:`Kind.WEIGHTS`) have packets of their own, which follow these, and once more the key picture where they
        are sent twice. ``send_s`` is nominal: the segment is sent once it has been captured whole, its packets evenly
        over its duration.
        """
        layout, load = _layout(coded, self.mtu, self.aggregate_s)
        data: list[bytes] = []
        rows: list[tuple[int, int, int, Kind]] = []
        for planned in layout:
            nals, ticks = load.nals[planned.first : planned.stop], load.ticks[planned.first : planned.stop]
            earliest, don = min(ticks), self._don + planned.first
            if len(planned.sizes) > 1:
                payloads = load.format.fragments(nals[0], self.mtu - IPV4_UDP_RTP_BYTES, don)
            else:
                payloads = [load.format.whole(nals, [tick - earliest for tick in ticks], don)]
            first, last = load.units[planned.first], load.units[planned.stop - 1]
            ends_unit = first >= 0 and (planned.stop == len(load.units) or load.units[planned.stop] != last)
            for index, payload in enumerate(payloads):
                header = rtp.Header(
                    sequence=self._sequence + len(data),
                    timestamp=self.timestamp_offset + earliest,
                    ssrc=self.ssrc,
                    payload_type=self.payload_type,
                    marker=ends_unit and index == len(payloads) - 1,
                )
                data.append(rtp.serialise(header, payload))
                if first >= 0:
                    rows.append((coded.units[first].frame, self._unit + first, last - first + 1, Kind.VIDEO))
                else:
                    rows.append((-1, -1, 0, Kind.WEIGHTS if first == _WEIGHTS else Kind.PARAMETERS))
        packets = self._table(coded, data, rows)
        self._sequence += len(data)
        self._unit += len(coded.units)
        self._don += len(load.nals)
        return packets

    def _table(self, coded: CodedSegment, data: list[bytes], rows: list[tuple[int, int, int, Kind]]) -> Packets:
        count = len(data)
        columns = np.array(rows, dtype=np.int64).reshape(count, 4)
        lengths = np.fromiter(map(len, data), dtype=np.int64, count=count)
        even = np.arange(count) / max(count, 1)
        return Packets(
            sequence=self._sequence + np.arange(count, dtype=np.int64),
            frame=columns[:, 0],
            unit=columns[:, 1],
            unit_count=columns[:, 2],
            segment=np.full(count, coded.index, dtype=np.int64),
            bytes=lengths - RTP_BYTES + self.header_bytes,
            kind=columns[:, 3].astype(np.uint8),
            send_s=coded.start_s + coded.duration_s * (1 + even),
            data=data,
            arrival_s=np.full(count, np.nan),
            fate=np.full(count, Fate.PENDING, dtype=np.uint8),
        )


def wire_bits(
    coded: CodedSegment, *, mtu: int = 1500, aggregate_s: float = 0.0, header_bytes: int = IPV4_UDP_RTP_BYTES
) -> int:
    """Bits on the wire that :meth:`Packetizer.packetize` makes of a segment, without making them.

    Parameters
    ----------
    coded
        The segment.
    mtu, aggregate_s, header_bytes
        As for :class:`Packetizer`.

    Raises
    ------
    UserError
        As :class:`Packetizer`.
    """
    sizes, _ = packet_sizes(coded, mtu=mtu, aggregate_s=aggregate_s)
    return 8 * (header_bytes * len(sizes) + sum(sizes))


def packet_sizes(coded: CodedSegment, *, mtu: int, aggregate_s: float) -> tuple[list[int], list[int]]:
    """What a segment's packets will be, without making them.

    Returns
    -------
    tuple of two lists
        RTP payload bytes of each packet; and its first access unit, counted in the segment, negative where there is
        none.

    Raises
    ------
    UserError
        As :class:`Packetizer`.
    """
    _check(mtu, aggregate_s)
    layout, load = _layout(coded, mtu, aggregate_s)
    sizes = [size for planned in layout for size in planned.sizes]
    return sizes, [load.units[planned.first] for planned in layout for _ in planned.sizes]


_SIGNALLED, _WEIGHTS = -1, -2
"""What stands for the access unit of a NAL unit that is part of none."""


class _Load(NamedTuple):
    """The NAL units of a segment, in order of sending."""

    format: rtp.PayloadFormat
    nals: list[bytes]
    ticks: list[int]
    """Presentation time of each, in RTP ticks."""
    units: list[int]
    """Access unit of each, counted in the segment; -1 for parameter sets and side data, -2 for weights."""


class _Planned(NamedTuple):
    """NAL units ``first`` to ``stop`` in one packet, or one NAL unit in fragments."""

    first: int
    stop: int
    sizes: list[int]
    """Payload bytes of the packet, or of each fragment."""


def _layout(coded: CodedSegment, mtu: int, aggregate_s: float) -> tuple[list[_Planned], _Load]:
    """Which NAL units share a packet and which are split."""
    payload = rtp.payload_format(coded.payload, interleaved=aggregate_s > 0)
    nals = payload.signal(coded.parameter_sets, coded.side_data)
    signalled = len(nals)
    opening = coded.units[0].time_s if coded.units else coded.start_s
    ticks, units = [round(CLOCK_HZ * opening)] * signalled, [_SIGNALLED] * signalled
    runs = [signalled]

    def weigh(messages: Sequence[bytes]) -> None:
        nals.extend(map(payload.weigh, messages))
        ticks.extend([round(CLOCK_HZ * opening)] * len(messages))
        units.extend([_WEIGHTS] * len(messages))
        runs.append(len(nals))

    weigh(coded.weights[:1])
    for index, unit in enumerate(coded.units):
        if index == 1 and len(coded.weights) > 1:
            runs.append(len(nals))
            weigh(coded.weights[1:])
        tick = round(CLOCK_HZ * unit.time_s)
        for nal in unit.nals:
            nals.append(payload.enclose(nal))
            ticks.append(tick)
            units.append(index)
    room, wait = mtu - IPV4_UDP_RTP_BYTES, round(CLOCK_HZ * aggregate_s)
    sizes = list(map(len, nals))
    layout = _share(payload, sizes, ticks, range(signalled), room, 0)
    for start, stop in pairwise([*runs, len(nals)]):
        layout += _share(payload, sizes, ticks, range(start, stop), room, wait)
    return layout, _Load(payload, nals, ticks, units)


def _share(
    payload: rtp.PayloadFormat, sizes: Sequence[int], ticks: Sequence[int], rows: range, room: int, wait: int
) -> list[_Planned]:
    """Greedily put neighbours into one packet while they fit ``room`` bytes and lie within ``wait`` ticks."""
    layout: list[_Planned] = []
    first, total, filled, low, high = rows.start, 0, 0, 0, 0
    for row in rows:
        size, tick = sizes[row], ticks[row]
        count = row - first
        if count:
            lower, higher = min(low, tick), max(high, tick)
            if higher - lower <= wait and count < payload.most:
                joined = payload.whole_bytes(count + 1, total + size, higher - lower)
                if joined <= room:
                    total, filled, low, high = total + size, int(joined), lower, higher
                    continue
            layout.append(_Planned(first, row, [filled]))
        alone = payload.whole_bytes(1, size, 0)
        if alone <= room:
            first, total, filled, low, high = row, size, int(alone), tick, tick
        else:
            layout.append(_Planned(row, row + 1, payload.fragment_bytes(size, room)))
            first = row + 1
    if first < rows.stop:
        layout.append(_Planned(first, rows.stop, [filled]))
    return layout


def _check(mtu: int, aggregate_s: float) -> None:
    if not SMALLEST_MTU <= mtu <= LARGEST_MTU:
        raise UserError(
            f"MTU {mtu}: must be {SMALLEST_MTU} to {LARGEST_MTU} bytes, of which {IPV4_UDP_RTP_BYTES} are headers"
        )
    if not 0 <= aggregate_s < np.inf:
        raise UserError(f"aggregation time {aggregate_s}: must be 0 or more seconds")
