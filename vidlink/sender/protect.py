"""Forward error correction: parity packets between a segment's own, made from their real bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vidlink import rtp
from vidlink.rtp import erasure, parity
from vidlink.sender.packetize import packet_sizes
from vidlink.types import IPV4_UDP_RTP_BYTES, CodedSegment, Fate, Kind, Packets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from vidlink.sender.fec import Fec

FIRST_PARITY = 1 << 40
"""``Packets.sequence`` of the first parity packet: their stream is numbered apart, so that no number means two
packets."""


class Protector:
    """Adds parity packets to one stream, segment after segment.

    Parameters
    ----------
    fec
        The code. Packetize with an MTU smaller by ``fec.overhead_bytes``, so that parity packets fit too.
    header_bytes
        IPv4, UDP and RTP header bytes counted for each packet.
    """

    def __init__(self, fec: Fec, *, header_bytes: int = IPV4_UDP_RTP_BYTES) -> None:
        self.fec, self.header_bytes = fec, header_bytes
        self._sequence = FIRST_PARITY

    def protect(self, packets: Packets) -> Packets:
        """The packets with parity behind each group of blocks; the rows of a segment must come in one call.

        Parity has the kind :attr:`Kind.PARITY`, no frame and no unit. Parameter sets and side data get none: they
        arrive anyway.
        """
        if self.fec.code == "none" or len(packets) == 0:
            return packets
        pieces: list[Packets] = []
        done = 0
        starts = np.flatnonzero(np.diff(packets.segment, prepend=packets.segment[0] - 1))
        for start, stop in zip(starts, [*starts[1:], len(packets)], strict=True):
            video = start + np.flatnonzero(packets.kind[start:stop] == Kind.VIDEO)
            if len(video) == 0:
                continue
            key = packets.unit[video] == packets.unit[video].min()
            for group in _groups(self.fec, key.tolist()):
                last = int(video[group.stop - 1]) + 1
                pieces.append(packets.take(np.arange(done, last)))
                blocks = [(video[group.rows(block)], count) for block, count in enumerate(group.parity)]
                pieces += self._parity(packets, blocks)
                done = last
        return Packets.join([*pieces, packets.take(np.arange(done, len(packets)))])

    def _parity(self, packets: Packets, blocks: list[tuple[NDArray[np.int64], int]]) -> list[Packets]:
        """Parity packets of blocks that alternate; so do they."""
        made: list[tuple[int, int, bytes]] = []
        last = max(int(rows[-1]) for rows, _ in blocks)
        for number, (rows, count) in enumerate(blocks):
            symbols = [parity.symbol_of(packets.data[row]) for row in rows]
            stacked = parity.stack(symbols, max(map(len, symbols)))
            base = int(packets.sequence[rows[0]])
            stride = int(packets.sequence[rows[1]]) - base if len(rows) > 1 else 1
            for place, symbol in enumerate(erasure.encode(stacked, count)):
                payload = parity.serialise_parity(
                    parity.Parity(
                        base=base, stride=stride, sources=len(rows), place=place, count=count, symbol=symbol.tobytes()
                    )
                )
                made.append((place, number, payload))
        return [self._packet(packets, last, payload) for *_, payload in sorted(made, key=lambda each: each[:2])]

    def _packet(self, packets: Packets, after: int, payload: bytes) -> Packets:
        header = rtp.Header(
            sequence=self._sequence,
            timestamp=rtp.parse(packets.data[after])[0].timestamp,
            ssrc=parity.PARITY_SSRC,
            payload_type=parity.PARITY_PAYLOAD_TYPE,
            marker=False,
        )
        row = packets.take(np.array([after]))
        packet = replace(
            row,
            sequence=np.array([self._sequence]),
            frame=np.array([-1]),
            unit=np.array([-1]),
            unit_count=np.array([0]),
            bytes=np.array([self.header_bytes + len(payload)]),
            kind=np.array([Kind.PARITY], dtype=np.uint8),
            data=[rtp.serialise(header, payload)],
            arrival_s=np.array([np.nan]),
            fate=np.array([Fate.PENDING], dtype=np.uint8),
        )
        self._sequence += 1
        return packet


def protected_wire_bits(
    coded: CodedSegment,
    *,
    fec: Fec,
    mtu: int = 1500,
    aggregate_s: float = 0.0,
    header_bytes: int = IPV4_UDP_RTP_BYTES,
) -> int:
    """Bits on the wire of a segment with its parity, without making the packets.

    Parameters
    ----------
    coded
        The segment.
    fec
        The code.
    mtu
        Largest IPv4 datagram in bytes, parity packets included: video is packetized at ``mtu - fec.overhead_bytes``.
    aggregate_s, header_bytes
        As for :class:`~vidlink.sender.packetize.Packetizer`.
    """
    sizes, units = packet_sizes(coded, mtu=mtu - fec.overhead_bytes, aggregate_s=aggregate_s)
    total = sum(sizes) + header_bytes * len(sizes)
    if fec.code != "none":
        video = [size for size, unit in zip(sizes, units, strict=True) if unit >= 0]
        for group in _groups(fec, [unit == 0 for unit in units if unit >= 0]):
            for block, count in enumerate(group.parity):
                total += count * (header_bytes + parity.OVERHEAD_BYTES + max(video[group.rows(block)]))
    return 8 * total


class _Group(NamedTuple):
    """Blocks whose packets alternate: block b has the rows ``start + b``, ``start + b + len(parity)``, ..."""

    start: int
    stop: int
    parity: list[int]
    """Parity packets of each block."""

    def rows(self, block: int) -> slice:
        return slice(self.start + block, self.stop, len(self.parity))


def _groups(fec: Fec, keys: Sequence[bool]) -> Iterator[_Group]:
    """Cut a segment's video packets, those of its key picture first, into groups of blocks."""
    size = sum(keys)
    for first, stop, key in ((0, size, True), (size, len(keys), False)):
        for start in range(first, stop, fec.k * fec.depth):
            end = min(start + fec.k * fec.depth, stop)
            blocks = -(-(end - start) // fec.k)
            counts = [fec.parity(len(range(start + block, end, blocks)), key=key) for block in range(blocks)]
            yield _Group(start, end, counts)
