"""Sending with retransmission: what the receiver asks for goes out again, while it can still be of use.

Retransmissions and fresh packets leave through one leaky bucket, so that together they never exceed the rate. A
retransmission goes first, but only while everything sent, the fresh packets still waiting included, stays within the
rate over the time of the segments so far: a clip never costs more than its budget. This couples all three rooms: when a
copy is sent depends on what arrived. So packets are sent in windows of a round trip, within which nothing that happens
at the receiver can matter to the sender yet.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from vidlink.rtp.retransmission import OVERHEAD_BYTES, repeat
from vidlink.types import Fate, Kind, Packets

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_SHORTEST_WINDOW_S = 0.001


class Feedback(Protocol):
    """The receiver's part, such as :class:`vidlink.receiver.nack.GapDetector`."""

    def observe(self, packets: Packets) -> None:
        """Take note of packets that came out of the channel."""
        ...

    def requests(self, until_s: float) -> list[tuple[float, int]]:
        """Seconds and sequence number of each request up to a time; each is given once."""
        ...


class _Kept(NamedTuple):
    """A packet that may be asked for."""

    packet: Packets
    useful_until_s: float


class RetransmittingSender:
    """Paces packets, sends them through a channel, and answers requests. Takes the place of ``Pacer`` and ``transmit``.

    Parameters
    ----------
    rate_bps
        Bits per second on the wire, or None for no limit.
    delay_s
        As for :class:`~vidlink.sender.pace.Pacer`.
    transmit
        The channel.
    feedback
        The receiver's part.
    one_way_s, return_s
        Least time that a packet takes to the receiver, and that a request takes back.
    deadline_s
        A copy that cannot arrive within this time after the packet was first sent is not sent.
    """

    def __init__(
        self,
        *,
        rate_bps: float | None,
        transmit: Callable[[Packets], Packets],
        feedback: Feedback,
        one_way_s: float,
        return_s: float,
        deadline_s: float,
        delay_s: float = 0.0,
    ) -> None:
        self._rate_bps, self._delay_s = rate_bps, delay_s
        self._transmit, self._feedback = transmit, feedback
        self._one_way_s, self._return_s, self._deadline_s = one_way_s, return_s, deadline_s
        self._window_s = max(one_way_s + return_s, _SHORTEST_WINDOW_S)
        self._free_s = 0.0
        self._kept: dict[int, _Kept] = {}
        self._due: list[tuple[float, int]] = []
        self._copies = 0
        self._left_bits = 0.0

    def send(self, packets: Packets, duration_s: float) -> Packets:
        """Send the packets of whole segments, as :meth:`~vidlink.sender.pace.Pacer.pace` takes them.

        Parameters
        ----------
        packets
            As they were packetized.
        duration_s
            Time of these segments: it times the rate is what they and their copies may take.

        Returns
        -------
        Packets
            Everything sent meanwhile, in order, with arrival times and fates. Copies (:attr:`Kind.RETRANSMISSION`,
            with the sequence number, frame, unit and segment of what they repeat) may belong to earlier segments, and
            copies of these packets may come with the next call, or with :meth:`finish`.
        """
        if self._rate_bps is not None:
            self._left_bits += self._rate_bps * duration_s - 8 * int(packets.bytes.sum())
        return self._run(packets, self._available(packets), finish=False)

    def finish(self) -> Packets:
        """Send the copies that are still due after the last packet, and those asked for meanwhile."""
        sent: list[Packets] = []
        known_s, useful_until_s = self._free_s, max((kept.useful_until_s for kept in self._kept.values()), default=0.0)
        while known_s <= useful_until_s:
            self._ask(known_s)
            sent.append(self._run(None, np.zeros(0), finish=True))
            known_s = max(known_s, self._free_s) + self._window_s
        return Packets.join(sent)

    def _available(self, packets: Packets) -> NDArray[np.float64]:
        if self._rate_bps is None or len(packets) == 0:
            return packets.send_s + self._delay_s
        starts = np.flatnonzero(np.diff(packets.segment, prepend=packets.segment[0] - 1))
        earliest = np.minimum.reduceat(packets.send_s, starts)
        return np.repeat(earliest, np.diff(starts, append=len(packets))) + self._delay_s

    def _run(self, packets: Packets | None, available: NDArray[np.float64], *, finish: bool) -> Packets:
        sent: list[Packets] = []
        row = 0
        while row < len(available) or (finish and self._due):
            batch: list[Packets] = []
            ends_s = np.inf
            while row < len(available) or (finish and self._due):
                fresh_s = max(self._free_s, float(available[row])) if row < len(available) else np.inf
                again_s = max(self._free_s, self._due[0][0]) if self._due else np.inf
                leaves_s = min(fresh_s, again_s)
                if leaves_s >= ends_s:
                    break
                ends_s = min(ends_s, leaves_s + self._window_s)
                if again_s <= fresh_s:
                    packet = self._again(leaves_s)
                else:
                    assert packets is not None
                    packet = self._fresh(packets, row, leaves_s)
                    row += 1
                if packet is not None:
                    batch.append(packet)
                    self._free_s = leaves_s + (8 * int(packet.bytes[0]) / self._rate_bps if self._rate_bps else 0.0)
            if batch:
                sent.append(self._transmit(Packets.join(batch)))
                self._feedback.observe(sent[-1])
                more = finish or row < len(available)
                known_until_s = ends_s if more else float(batch[-1].send_s[0])
                self._ask(known_until_s)
        self._forget()
        return Packets.join(sent)

    def _ask(self, known_until_s: float) -> None:
        """Collect the requests that no packet sent later than this can change."""
        for time_s, sequence in self._feedback.requests(known_until_s + self._one_way_s):
            heapq.heappush(self._due, (time_s + self._return_s, sequence))

    def _fresh(self, packets: Packets, row: int, leaves_s: float) -> Packets:
        packet = replace(packets.take(np.array([row])), send_s=np.array([leaves_s]))
        if packet.kind[0] in (Kind.VIDEO, Kind.WEIGHTS):
            self._kept[int(packet.sequence[0])] = _Kept(packet, leaves_s + self._deadline_s)
        return packet

    def _again(self, leaves_s: float) -> Packets | None:
        """The copy that is due next, or None where it would come too late or the budget has no room for it by now."""
        _, sequence = heapq.heappop(self._due)
        kept = self._kept.get(sequence)
        if kept is None or leaves_s + self._one_way_s > kept.useful_until_s:
            return None
        bits = 8 * (int(kept.packet.bytes[0]) + OVERHEAD_BYTES)
        if self._rate_bps is not None and bits > self._left_bits:
            return None
        self._left_bits -= bits
        data = repeat(kept.packet.data[0], sequence=self._copies)
        self._copies += 1
        return replace(
            kept.packet,
            bytes=kept.packet.bytes + OVERHEAD_BYTES,
            kind=np.array([Kind.RETRANSMISSION], dtype=np.uint8),
            send_s=np.array([leaves_s]),
            data=[data],
            arrival_s=np.array([np.nan]),
            fate=np.array([Fate.PENDING], dtype=np.uint8),
        )

    def _forget(self) -> None:
        """Let go of packets that are of no use any more."""
        self._kept = {number: kept for number, kept in self._kept.items() if kept.useful_until_s > self._free_s}
