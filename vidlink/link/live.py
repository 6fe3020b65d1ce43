"""The link of a live stream: packets leave one by one, reports come back, and the rate follows them.

As in :mod:`vidlink.link.planned` this is the one place that holds parts of all three rooms. Time goes from event to
event: a packet leaves, or a report reaches the sender. The channel carries its state on from packet to packet, so that
nothing is known before its time: a decision at t rests on reports that arrived until t.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from vidlink.link.carry import carried_segment
from vidlink.receiver.nack import GapDetector
from vidlink.receiver.reports import ReportMaker
from vidlink.sender.live_pace import LivePacer
from vidlink.types import Fate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from vidlink.channel.channel import Channel
    from vidlink.sender.adapt import RateControl
    from vidlink.types import Carried, CodedSegment, Packets, Segment


class LiveLink:
    """Carries segments over a channel as they are captured, and tells the sender what it hears of them.

    Parameters
    ----------
    channel
        From sender to receiver.
    control
        The sender's rate control: it hears the reports.
    feedback_s
        Seconds between reports.
    playout_s
        Seconds from the capture of a picture to its playout: what cannot arrive by then is not sent.
    nack
        Whether the receiver asks for what is missing.
    """

    def __init__(
        self, channel: Channel, control: RateControl, *, feedback_s: float, playout_s: float, nack: bool = False
    ) -> None:
        self._channel, self.control = channel, control
        self._feedback_s, self._playout_s = feedback_s, playout_s
        self._pacer = LivePacer(rate_bps=control.pacing_bps, one_way_s=channel.one_way_s)
        self._reports = ReportMaker()
        self._gaps = None
        if nack:
            round_trip_s = channel.one_way_s + channel.return_delay_s
            # Asked again only once the copy should have come.
            self._gaps = GapDetector(retry_s=1.5 * round_trip_s + 0.02)
        self._now_s = 0.0
        self._made = 0
        self._number = 0
        self._arrived: dict[int, list[Packets]] = {}
        self.log: list[dict[str, float | None]] = []
        """A row for each time at which a report could reach the sender."""

    @property
    def backlog_bits(self) -> int:
        """Bits that wait at the sender now."""
        return self._pacer.backlog_bits

    @property
    def one_way_s(self) -> float:
        """Least seconds that a packet takes to the receiver."""
        return self._channel.one_way_s

    def capacity_bps(self, from_s: float, to_s: float) -> float | None:
        """Bits per second that the link can carry on average between two times, or None where it has no limit."""
        return self._channel.capacity_bps(from_s, to_s)

    def advance(self, until_s: float) -> None:
        """Let time pass up to a moment; infinite: until nothing waits any more."""
        while True:
            self._keep(self._pacer.give_up(self._now_s))
            leaves_s = self._pacer.next_s(self._now_s)
            if math.isinf(until_s) and math.isinf(leaves_s):
                return
            if not self.control.may_send(self._now_s):
                leaves_s = math.inf
            heard_s = (self._made + 1) * self._feedback_s + self._channel.return_delay_s
            if min(leaves_s, heard_s) > until_s:
                self._now_s = until_s
                return
            self._now_s = min(leaves_s, heard_s)
            if heard_s <= leaves_s:
                self._hear()
            else:
                self._send()
            self._ask_again()

    def carry(self, segments: Iterable[tuple[Segment, CodedSegment, Packets]]) -> Iterator[Carried]:
        """Send segments, in order, and yield each once nothing more of it can be under way.

        The segments must come when they are captured: whoever makes them calls :meth:`advance` first.
        """
        waiting: deque[tuple[Segment, CodedSegment]] = deque()
        for segment, coded, packets in segments:
            waiting.append((segment, coded))
            self._arrived[segment.index] = []
            self._pacer.offer(packets, self._due_s(coded, packets))
            while waiting and self._is_over(waiting[0][0]):
                yield carried_segment(*waiting.popleft(), self._arrived)
        self.advance(math.inf)
        while waiting:
            yield carried_segment(*waiting.popleft(), self._arrived)

    def _due_s(self, coded: CodedSegment, packets: Packets) -> NDArray[np.float64]:
        """When each packet must have arrived: when the last picture of which it has a part is played out."""
        times_s = np.array([unit.time_s for unit in coded.units])
        of_pictures = packets.unit_count > 0
        first = int(packets.unit[of_pictures].min())
        last = np.where(of_pictures, packets.unit + packets.unit_count - 1 - first, len(times_s) - 1)
        return times_s[last] + self._playout_s

    def _is_over(self, segment: Segment) -> bool:
        return not self._pacer.waits(segment.index) and (
            self._gaps is None or self._now_s > segment.end_s + self._playout_s
        )

    def _send(self) -> None:
        sent = self._channel.transmit(self._pacer.take(self._now_s))
        self.control.sent(self._number, send_s=self._now_s, size=int(sent.bytes[0]))
        self._reports.observe(self._number, sent.arrival_s[sent.fate == Fate.DELIVERED].tolist())
        self._number += 1
        self._keep([sent])
        if self._gaps is not None:
            self._gaps.observe(sent)

    def _ask_again(self) -> None:
        """Requests that nothing sent from now on can change any more."""
        if self._gaps is not None:
            for time_s, sequence in self._gaps.requests(self._now_s + self._channel.one_way_s):
                self._pacer.ask(time_s + self._channel.return_delay_s, sequence)

    def _hear(self) -> None:
        self._made += 1
        self.control.hear(self._now_s, self._reports.report(self._made * self._feedback_s))
        self._pacer.set_rate(self._now_s, self.control.pacing_bps)
        capacity_bps = self._channel.capacity_bps(self._now_s - self._feedback_s, self._now_s)
        self.log.append(
            {
                "time_s": round(self._now_s, 6),
                "estimate_bps": round(self.control.rate_bps, 1),
                "under_way_bits": self.control.under_way_bits(self._now_s),
                "waiting_bits": self._pacer.backlog_bits,
                "capacity_bps": None if capacity_bps is None else round(capacity_bps, 1),
            }
        )

    def _keep(self, pieces: list[Packets]) -> None:
        for piece in pieces:
            self._arrived[int(piece.segment[0])].append(piece)
