"""Lost packets come back: from retransmissions, and from parity by solving the erasure code for the missing bytes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink import rtp
from vidlink.rtp import erasure, parity
from vidlink.types import Fate, Kind

if TYPE_CHECKING:
    from vidlink.types import Packets


@dataclass(slots=True)
class _Block:
    """One block of a code as far as its parity arrived."""

    base: int
    """Sequence number of the first source, not wrapped."""
    first: parity.Parity
    """The parity packet of the block that arrived first."""
    symbols: dict[int, tuple[float, bytes]] = field(default_factory=dict)
    """Arrival time and parity symbol by place in the block, where parity comes after the sources."""


@dataclass(slots=True)
class _Stock:
    """What arrived: arrival time and RTP packet by sequence number, and blocks by what tells them apart."""

    media: dict[int, tuple[float, bytes]] = field(default_factory=dict)
    blocks: dict[tuple[int, int, int], _Block] = field(default_factory=dict)


def repair(packets: Packets) -> Packets:
    """What the receiver has once it has used every copy and every parity packet that was delivered.

    What is found comes from the bytes of delivered packets alone, and from what the session description says of the
    stream of video. The other rows say where to enter it; nobody reads their bytes.

    Parameters
    ----------
    packets
        What came out of the channel: whole segments, with the retransmissions of their packets, in any order.

    Returns
    -------
    Packets
        The same rows. Lost or dropped video packets that could be had are delivered: with the bytes found, and as
        arrival time the moment at which a copy, or as many packets of the block as it has sources, had arrived.
    """
    media = np.isin(packets.kind, (Kind.VIDEO, Kind.PARAMETERS, Kind.WEIGHTS))
    if media.all() or not media.any():
        return packets
    first = int(np.flatnonzero(media)[0])
    stock = _sort(packets, near=int(packets.sequence[first]))
    found: dict[int, tuple[float, bytes]] = {}
    for sequence, (arrival, data) in [*stock.media.items(), *_solutions(stock)]:
        if sequence not in found or arrival < found[sequence][0]:
            found[sequence] = (arrival, data)
    return _fill(packets, found)


def _sort(packets: Packets, near: int) -> _Stock:
    """Read what was delivered, in order of arrival; packets that are malformed are left out."""
    stock = _Stock()
    rows = np.flatnonzero(packets.fate == Fate.DELIVERED)
    for row in rows[np.argsort(packets.arrival_s[rows], kind="stable")].tolist():
        arrival, data, kind = float(packets.arrival_s[row]), packets.data[row], packets.kind[row]
        try:
            header, payload = rtp.parse(data)
            if kind == Kind.PARITY:
                read = parity.parse_parity(payload)
                base = rtp.unwrap(read.base, near, 16)
                block = stock.blocks.setdefault((base, read.stride, read.sources), _Block(base, read))
                block.symbols.setdefault(read.sources + read.place, (arrival, read.symbol))
                continue
            if kind == Kind.RETRANSMISSION:
                header, payload = rtp.original(header, payload)
                header = replace(header, ssrc=rtp.VIDEO_SSRC, payload_type=rtp.VIDEO_PAYLOAD_TYPE)
                data = rtp.serialise(header, payload)
        except rtp.PacketError:
            continue
        near = rtp.unwrap(header.sequence, near, 16)
        stock.media.setdefault(near, (arrival, data))
    return stock


def _solutions(stock: _Stock) -> list[tuple[int, tuple[float, bytes]]]:
    """Packets that parity gives back, by sequence number: arrival time of what it took, and RTP packet."""
    solutions = []
    for block in stock.blocks.values():
        sources, width = block.first.sources, len(block.first.symbol)
        symbols = {place: each for place, each in block.symbols.items() if len(each[1]) == width}
        for place in range(sources):
            packet = stock.media.get(block.base + place * block.first.stride)
            if packet is not None and len(symbol := parity.symbol_of(packet[1])) <= width:
                symbols[place] = (packet[0], symbol.ljust(width, b"\0"))
        earliest = sorted(symbols, key=lambda place: symbols[place][0])[:sources]
        known = {place: np.frombuffer(symbols[place][1], dtype=np.uint8) for place in earliest}
        solved = erasure.decode(known, sources, block.first.count, width)
        for place, bytes_found in (solved or {}).items():
            sequence = block.base + place * block.first.stride
            try:
                data = parity.packet_from(bytes_found.tobytes(), sequence=sequence, ssrc=rtp.VIDEO_SSRC)
            except rtp.PacketError:
                continue
            solutions.append((sequence, (max(symbols[each][0] for each in earliest), data)))
    return solutions


def _fill(packets: Packets, found: dict[int, tuple[float, bytes]]) -> Packets:
    """Enter what was found in the rows of video packets that did not arrive."""
    arrival_s, fate, data = packets.arrival_s.copy(), packets.fate.copy(), list(packets.data)
    for row in np.flatnonzero(
        np.isin(packets.kind, (Kind.VIDEO, Kind.WEIGHTS)) & (packets.fate != Fate.DELIVERED)
    ).tolist():
        sequence = int(packets.sequence[row])
        if sequence in found:
            arrival_s[row], data[row] = found[sequence]
            fate[row] = Fate.DELIVERED
    return replace(packets, arrival_s=arrival_s, fate=fate, data=data)
