"""What the receiver has of every source frame: exactly one reception each, whatever was lost.

Statuses come from the packet log (what was sent, what arrived, when), never from the decoder's flags. The only thing
taken from the decoder is whether it gave a picture at all: where it gave none, the last one is held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

from vidlink.receiver.damage import follow_damage
from vidlink.receiver.decode import decode
from vidlink.receiver.depacketize import Depacketizer
from vidlink.types import Fate, Kind, Reception, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.codec.profiles import Codec
    from vidlink.types import Carried, CodedSegment, Packets


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """What arrived in time of one segment, before decoding."""

    carried: Carried
    """What was sent, and what became of its packets."""
    units: tuple[tuple[int, tuple[bytes, ...]], ...]
    """(source frame, NAL units that arrived in time) in decoding order."""
    parameter_sets: tuple[bytes, ...]
    """Parameter sets as received."""
    side_data: bytes
    """Side data as received; empty where it did not arrive."""
    status: dict[int, Status]
    """Status by coded source frame, from the packet log."""
    late_s: dict[int, float]
    """Seconds after the playout deadline by coded source frame; 0 in time, NaN lost."""
    late_packets: int
    """Packets that arrived after the playout deadline."""


class Receiver:
    """Collects packets, decodes, and holds the last picture where there is no new one.

    Parameters
    ----------
    codec
        The codec recipe, as the sender signalled it: its decoder and payload format.
    latency_s
        Seconds from the capture of a picture to the moment at which the sender has sent it, by design.
    deadline_s
        Seconds that the playout waits beyond that.
    waits
        Whether it waits longer for packets that left later than designed. Live it does not: it would fall behind.
    timestamp_offset
        RTP timestamp of presentation time 0, as signalled by the sender.
    """

    def __init__(
        self, codec: Codec, *, latency_s: float, deadline_s: float, waits: bool = True, timestamp_offset: int = 0
    ) -> None:
        self._codec, self._waits = codec, waits
        self._latency_s, self._deadline_s = latency_s, deadline_s
        self._depacketizer = Depacketizer(payload=codec.payload, timestamp_offset=timestamp_offset)
        self._units_before = 0
        self._shown: Reception | None = None

    def collect(self, carried: Carried) -> Arrival:
        """Sort out what arrived in time. Call once for each segment, in order.

        Several rows of one sequence number are copies of one packet.
        """
        coded, packets = carried.coded, carried.packets
        count = len(coded.units)
        due_s = self._due_s(coded, packets)
        in_time, sent, whole, late = self._log(packets, due_s, count)
        self._units_before += count
        # A pcap of the stream would hold 90 kHz timestamps, so that is what tells the units apart.
        frame_at = {round(unit.time_s * 90_000): unit.frame for unit in coded.units}
        received = self._depacketizer.depacketize(packets.take(in_time))
        nals = {frame_at[unit.timestamp]: unit.nals for unit in received if unit.nals and unit.timestamp in frame_at}
        states = follow_damage(coded.units, whole=whole.tolist(), present=[unit.frame in nals for unit in coded.units])
        return Arrival(
            carried=carried,
            units=tuple(
                (unit.frame, nals[unit.frame])
                for unit, state in zip(coded.units, states, strict=True)
                if unit.frame in nals and state.decodable
            ),
            parameter_sets=received[0].parameter_sets if received else (),
            side_data=received[0].side_data if received else b"",
            status={unit.frame: state.status for unit, state in zip(coded.units, states, strict=True)},
            late_packets=int(((packets.fate == Fate.DELIVERED) & ~in_time & ~carried.doubled).sum()),
            late_s={
                unit.frame: float(late[number]) if sent[number] else math.nan for number, unit in enumerate(coded.units)
            },
        )

    def decode(self, arrival: Arrival) -> dict[int, av.VideoFrame]:
        """Decode one segment; needs no order and may run in any thread."""
        coded = arrival.carried.coded
        size = coded.width, coded.height
        return decode(arrival.units, codec=self._codec, size=size, parameter_sets=arrival.parameter_sets)

    def decode_all(self, coded: CodedSegment) -> dict[int, av.VideoFrame]:
        """Decode one segment as if everything had arrived; may run in any thread."""
        units = ((unit.frame, unit.nals) for unit in coded.units)
        size = coded.width, coded.height
        return decode(units, codec=self._codec, size=size, parameter_sets=coded.parameter_sets)

    def hold(self, arrival: Arrival, pictures: dict[int, av.VideoFrame]) -> list[Reception]:
        """Exactly one reception for every source frame of a segment. Call once for each segment, in order."""
        rung = arrival.carried.coded.rung
        receptions = []
        status, late_s = Status.FROZEN, math.nan
        for slot, time_s in enumerate(arrival.carried.segment.times_s):
            frame = arrival.carried.segment.first_frame + slot
            if frame in arrival.status:
                status, late_s = arrival.status[frame], arrival.late_s[frame]
                if frame not in pictures:
                    status = Status.FROZEN
            # A frame that the sender left out on purpose shows the one before, with what became of that.
            held = self._shown
            fresh = frame in pictures and status is not Status.FROZEN
            reception = Reception(
                frame=frame,
                time_s=float(time_s),
                picture=pictures[frame] if fresh else held.picture if held else None,
                status=status,
                late_s=late_s,
                scale=rung.scale if fresh or held is None else held.scale,
                quality=rung.quality if fresh or held is None else held.quality,
            )
            self._shown = reception
            receptions.append(reception)
        return receptions

    def _due_s(self, coded: CodedSegment, packets: Packets) -> NDArray[np.float64]:
        """When each access unit must have arrived in seconds, shape (units,).

        That is the deadline after the design latency, and (where the playout waits) never less than the deadline after
        it was sent.
        """
        due_s = np.array([unit.time_s for unit in coded.units]) + self._latency_s
        if not self._waits:
            return due_s + self._deadline_s
        first_copies = packets.kind == Kind.VIDEO
        for row in np.flatnonzero(first_copies & (packets.unit_count > 0)):
            first = packets.unit[row] - self._units_before
            numbers = slice(first, first + packets.unit_count[row])
            due_s[numbers] = np.maximum(due_s[numbers], packets.send_s[row])
        return due_s + self._deadline_s

    def _log(
        self, packets: Packets, due_s: NDArray[np.float64], count: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """Read the packet log.

        Returns
        -------
        in_time, shape (packets,)
            Rows that were delivered before the deadline of the last access unit in them.
        sent, whole, shape (units,)
            Whether all packets of a unit arrived at all, and in time.
        late, shape (units,)
            Seconds by which the last of them missed the deadline, at least 0.
        """
        first = np.clip(packets.unit - self._units_before, 0, count - 1)
        last = np.clip(first + packets.unit_count - 1, 0, count - 1)
        media = packets.unit_count > 0
        arrived = packets.fate == Fate.DELIVERED
        latest = np.where(
            media, np.maximum.reduceat(np.append(due_s, -np.inf), np.c_[first, last + 1].ravel())[::2], np.inf
        )
        in_time = arrived & (packets.arrival_s <= latest)
        arrival_of: dict[int, float] = {}
        for row in np.flatnonzero(media & arrived):
            sequence = int(packets.sequence[row])
            arrival_of[sequence] = min(arrival_of.get(sequence, math.inf), float(packets.arrival_s[row]))
        timely = set(packets.sequence[in_time].tolist())
        sent, whole, late = np.ones(count, bool), np.ones(count, bool), np.zeros(count)
        for row in np.flatnonzero(media):
            sequence = int(packets.sequence[row])
            numbers = slice(first[row], last[row] + 1)
            whole[numbers] &= sequence in timely
            sent[numbers] &= sequence in arrival_of
            late[numbers] = np.maximum(late[numbers], arrival_of.get(sequence, 0.0) - due_s[numbers])
        return in_time, sent, whole, late
