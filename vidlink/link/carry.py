"""A segment at the far end: what crosses the wire goes one way, the ledger another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.receiver.repair import repair
from vidlink.types import Carried, Fate, Kind, Ledger, Packets, Sample, SegmentIndex, Wire

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.types import CodedSegment, Segment


def carried_segment(segment: Segment, coded: CodedSegment, arrived: dict[int, list[Packets]]) -> Carried:
    """A segment with what became of its packets, once these are complete; they are taken out of ``arrived``."""
    raw = Packets.join(arrived.pop(coded.index))
    # The receiver repairs from what it has: it is not given the bytes of what was lost, but the ledger keeps them.
    there = (raw.fate == Fate.DELIVERED).tolist()
    repaired = repair(replace(raw, data=[data if has else b"" for data, has in zip(raw.data, there, strict=True)]))
    packets = replace(repaired, data=[has or data for has, data in zip(repaired.data, raw.data, strict=True)])
    ledger = Ledger(
        segment=segment,
        coded=coded,
        packets=packets,
        recovered=(raw.fate != Fate.DELIVERED) & (packets.fate == Fate.DELIVERED),
        doubled=_doubled(raw),
    )
    return Carried(wire=wire_of(ledger), ledger=ledger)


def wire_of(ledger: Ledger) -> Wire:
    """What of a segment crosses the wire."""
    arrived = ledger.packets.take(ledger.packets.fate == Fate.DELIVERED)
    count = len(arrived)
    blank = np.full(count, -1, dtype=np.int64)
    packets = replace(
        arrived,
        frame=blank,
        unit=blank,
        unit_count=np.zeros(count, dtype=np.int64),
        send_s=np.full(count, np.nan),
    )
    return Wire(index=_index(ledger), packets=packets)


def _index(ledger: Ledger) -> SegmentIndex:
    segment, coded = ledger.segment, ledger.coded
    samples = tuple(
        Sample(
            frame=unit.frame,
            time_s=unit.time_s,
            bytes=sum(map(len, unit.nals)),
            key=unit.key,
            recovery=unit.recovery,
            sent_s=sent_s,
        )
        for unit, sent_s in zip(coded.units, _sent_s(ledger.packets, len(coded.units)).tolist(), strict=True)
    )
    return SegmentIndex(
        index=segment.index,
        first_frame=segment.first_frame,
        times_s=segment.times_s,
        width=coded.width,
        height=coded.height,
        colour=coded.colour,
        samples=samples,
    )


def _sent_s(packets: Packets, count: int) -> NDArray[np.float64]:
    """When the last packet of each access unit first left the sender, in seconds, shape (count,)."""
    sent_s = np.full(count, -np.inf)
    for row, units in packets.carrying():
        if packets.kind[row] == Kind.VIDEO:
            sent_s[units] = np.maximum(sent_s[units], packets.send_s[row])
    return sent_s


def _doubled(packets: Packets) -> NDArray[np.bool_]:
    """Rows that repeat the one before in everything but the arrival: the channel, not the sender, made them."""
    doubled = np.arange(len(packets)) > 0
    for column in ("sequence", "kind", "send_s"):
        values = getattr(packets, column)
        doubled[1:] &= values[1:] == values[:-1]
    return doubled
