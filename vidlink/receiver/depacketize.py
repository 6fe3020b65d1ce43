"""RTP packets become NAL units and access units again, whatever was lost, doubled, cut or out of order."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vidlink import rtp
from vidlink.types import CLOCK_HZ, IPV4_BYTES, UDP_BYTES, Fate, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidlink.types import Packets


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedUnit:
    """What arrived of one access unit."""

    timestamp: int
    """Presentation time in ticks of 1/90000 s since the start of the stream, not wrapped."""
    time_s: float
    """The same in seconds."""
    segment: int
    """Index of the segment, from the packet table: bookkeeping, it is not on the wire."""
    nals: tuple[bytes, ...]
    """NAL units that arrived whole, in decoding order, without start codes; empty where only parameter sets did."""
    complete: bool
    """Whether the sequence numbers show that nothing is missing: none between its packets, and known neighbours."""
    parameter_sets: tuple[bytes, ...]
    """Parameter sets of the segment: its own, wherever they were in it."""
    side_data: bytes
    """Side data of the segment."""
    weights: tuple[bytes, ...]
    """Messages of weights of the segment that arrived whole."""


@dataclass(slots=True)
class _Nal:
    """A NAL unit that arrived whole, or (``data`` None) known to have arrived in part."""

    data: bytes | None
    timestamp: int
    segment: int
    first: int
    """Sequence number of the packet in which it begins."""
    last: int
    """Sequence number of the packet in which it ends."""
    don: int | None
    closes: bool
    """Whether it is the last of a packet with the marker bit."""


@dataclass(slots=True)
class _Packet:
    header: rtp.Header
    pieces: list[rtp.Piece]
    segment: int


@dataclass(slots=True)
class _Run:
    """Fragments of one NAL unit so far."""

    nal: _Nal
    parts: list[bytes] = field(default_factory=list)


class Depacketizer:
    """Reads the packets of one stream: the whole of it, or whole segments call after call.

    Sequence numbers and timestamps are taken from the packets' bytes and unwrapped in order of arrival. Malformed
    packets are left out and counted, never raised.

    Parameters
    ----------
    payload
        Payload format: its name in the table :data:`vidlink.rtp.formats.FORMATS`.
    timestamp_offset, sequence_offset
        RTP timestamp of presentation time 0 and first sequence number of the stream, as signalled by the sender.
    """

    malformed: int
    """Packets left out so far because their bytes are not what the standard says."""

    def __init__(self, *, payload: str, timestamp_offset: int = 0, sequence_offset: int = 0) -> None:
        self._format = rtp.payload_format(payload)
        self._timestamp_offset = timestamp_offset
        self._highest = self._ended = sequence_offset - 1
        self._timestamp = timestamp_offset
        self._don: int | None = None
        self.malformed = 0

    def depacketize(self, packets: Packets, *, due_s: Mapping[int, float] | None = None) -> list[ReceivedUnit]:
        """The access units of which a packet was delivered in time, in decoding order.

        Rows that were not delivered and parity packets are passed over.

        Parameters
        ----------
        packets
            What came out of the channel.
        due_s
            By timestamp, as in :attr:`ReceivedUnit.timestamp`: until when packets with a part of that picture are of
            use, in seconds. What came later than its last picture is due, or has no picture in it, is passed over. None
            for no deadline. Parameter sets may always come.
        """
        received = self._read(packets, due_s)
        before = self._ended
        order = sorted(received)
        nals = list(self._assemble(received, order))
        if order:
            self._ended = max(order[-1], before)
        if any(nal.don is not None for nal in nals):
            nals = self._decoding_order(nals)
        return self._units(nals, received, before)

    def _read(self, packets: Packets, due_s: Mapping[int, float] | None) -> dict[int, _Packet]:
        """Well-formed packets by unwrapped sequence number, the first of doubled ones."""
        rows = np.flatnonzero((packets.fate == Fate.DELIVERED) & (packets.kind != Kind.PARITY))
        rows = rows[np.argsort(packets.arrival_s[rows], kind="stable")]
        received: dict[int, _Packet] = {}
        for row in rows.tolist():
            data = packets.data[row]
            try:
                if IPV4_BYTES + UDP_BYTES + len(data) < packets.bytes[row]:
                    raise rtp.PacketError("shorter than its UDP length")
                header, payload = rtp.parse(data)
                if packets.kind[row] == Kind.RETRANSMISSION:
                    header, payload = rtp.original(header, payload)
                pieces = self._format.parse(payload)
            except rtp.PacketError:
                self.malformed += 1
                continue
            if due_s is not None and packets.kind[row] != Kind.PARAMETERS:
                stamp = rtp.unwrap(header.timestamp, self._timestamp, 32) - self._timestamp_offset
                if packets.arrival_s[row] > max(due_s.get(stamp + piece.offset, -math.inf) for piece in pieces):
                    continue
            sequence = rtp.unwrap(header.sequence, self._highest, 16)
            self._highest = max(sequence, self._highest)
            received.setdefault(sequence, _Packet(header, pieces, int(packets.segment[row])))
        return received

    def _assemble(self, received: dict[int, _Packet], order: list[int]) -> Iterator[_Nal]:
        """NAL units in order of their packets; fragments need every sequence number from first to last."""
        run: _Run | None = None
        for sequence in order:
            packet = received[sequence]
            self._timestamp = rtp.unwrap(packet.header.timestamp, self._timestamp, 32)
            for index, piece in enumerate(packet.pieces):
                closes = packet.header.marker and index == len(packet.pieces) - 1 and piece.end
                stamp = self._timestamp + piece.offset
                nal = _Nal(piece.data, stamp, packet.segment, sequence, sequence, piece.don, closes)
                joins = (
                    run is not None and not piece.start and run.nal.last == sequence - 1 and run.nal.timestamp == stamp
                )
                if run is not None and not joins:
                    yield _broken(run.nal)
                    run = None
                if run is not None:
                    run.parts.append(piece.data)
                    run.nal.last, run.nal.closes = sequence, closes
                    if piece.end:
                        run.nal.data = b"".join(run.parts)
                        yield run.nal
                        run = None
                elif piece.start and piece.end:
                    yield nal
                elif piece.start:
                    run = _Run(nal, [piece.data])
                else:
                    yield _broken(nal)
        if run is not None:
            yield _broken(run.nal)

    def _decoding_order(self, nals: list[_Nal]) -> list[_Nal]:
        """Sort by decoding order number (RFC 6184, section 5.5); what has none stays behind its predecessor."""
        keys = []
        for nal in nals:
            if nal.don is not None:
                self._don = nal.don if self._don is None else rtp.unwrap(nal.don, self._don, 16)
            keys.append(self._don if self._don is not None else -1)
        return [nals[index] for index in sorted(range(len(nals)), key=keys.__getitem__)]

    def _units(self, nals: list[_Nal], received: dict[int, _Packet], before: int) -> list[ReceivedUnit]:
        groups: dict[tuple[int, int], list[_Nal]] = {}
        signalled: dict[int, tuple[list[bytes], list[bytes], list[bytes]]] = {}
        pictures: dict[tuple[int, int], list[bytes]] = {}
        for nal in nals:
            key = (nal.segment, nal.timestamp)
            opened = None if nal.data is None else self._format.open(nal.data)
            sets, sides, weights = signalled.setdefault(nal.segment, ([], [], []))
            pictures.setdefault(key, [])
            if opened is None or opened[0] is rtp.Content.PICTURE:
                groups.setdefault(key, []).append(nal)
            if opened is not None:
                content, data = opened
                targets = {
                    rtp.Content.PICTURE: pictures[key],
                    rtp.Content.PARAMETER_SET: sets,
                    rtp.Content.SIDE_DATA: sides,
                    rtp.Content.WEIGHTS: weights,
                }
                targets[content].append(data)
        edges = _edges(nals)
        return [
            ReceivedUnit(
                timestamp=stamp - self._timestamp_offset,
                time_s=(stamp - self._timestamp_offset) / CLOCK_HZ,
                segment=segment,
                nals=tuple(found),
                complete=bool(found) and _complete(groups[segment, stamp], received, edges, before),
                parameter_sets=tuple(signalled[segment][0]),
                side_data=b"".join(signalled[segment][1]),
                weights=tuple(signalled[segment][2]),
            )
            for (segment, stamp), found in pictures.items()
        ]


def _broken(nal: _Nal) -> _Nal:
    nal.data = None
    return nal


def _edges(nals: list[_Nal]) -> dict[int, tuple[int, int]]:
    """First and last timestamp in the packet of each sequence number."""
    edges: dict[int, tuple[int, int]] = {}
    for nal in nals:
        for sequence in {nal.first, nal.last}:
            first, _ = edges.get(sequence, (nal.timestamp, nal.timestamp))
            edges[sequence] = (first, nal.timestamp)
    return edges


def _complete(nals: list[_Nal], received: dict[int, _Packet], edges: dict[int, tuple[int, int]], before: int) -> bool:
    if any(nal.data is None for nal in nals):
        return False
    first, last = min(nal.first for nal in nals), max(nal.last for nal in nals)
    if any(sequence not in received for sequence in range(first, last + 1)):
        return False
    stamp = nals[0].timestamp
    begins = edges[first][0] != stamp or first - 1 in received or before == first - 1
    ends = edges[last][1] != stamp or last + 1 in received or any(nal.closes for nal in nals)
    return begins and ends
