"""Where the three rooms meet on the wire: protection, pacing, channel, requests for what is missing, repair.

With retransmission the rooms are coupled: what is sent depends on what arrived. So this is the one place that holds
parts of all three.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from vidlink.channel.channel import Channel
from vidlink.link.carry import carried_segment
from vidlink.receiver.nack import GapDetector
from vidlink.sender.pace import Pacer
from vidlink.sender.retransmit import RetransmittingSender
from vidlink.types import Packets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vidlink.channel.profile import ChannelProfile
    from vidlink.types import Carried, CodedSegment, Segment


class Link:
    """Carries segments over a channel.

    Parameters
    ----------
    profile
        The channel.
    rate_bps
        What the sender lets go, in bits per second on the wire, or None.
    deadline_s
        A copy that cannot arrive within this time after its packet was first sent is not sent.
    nack
        Whether the receiver asks for what is missing.
    rng
        Source of the channel's randomness.
    """

    def __init__(
        self,
        profile: ChannelProfile,
        *,
        rate_bps: float | None,
        deadline_s: float,
        nack: bool,
        rng: np.random.Generator,
    ) -> None:
        self._channel = channel = Channel(profile, rng=rng)
        self._deadline_s = deadline_s
        self._pacer = Pacer(rate_bps=rate_bps)
        self._asked: RetransmittingSender | None = None
        if nack:
            round_trip_s = channel.one_way_s + channel.return_delay_s
            self._asked = RetransmittingSender(
                rate_bps=rate_bps,
                transmit=channel.transmit,
                # Asked again only once the copy should have come.
                feedback=GapDetector(retry_s=1.5 * round_trip_s + 0.02),
                one_way_s=channel.one_way_s,
                return_s=channel.return_delay_s,
                deadline_s=deadline_s,
            )

    def carry(self, segments: Iterable[tuple[Segment, CodedSegment, Packets]]) -> Iterator[Carried]:
        """Send segments, in order, and yield each once nothing more of it can be under way."""
        waiting: deque[tuple[Segment, CodedSegment]] = deque()
        arrived: dict[int, list[Packets]] = {}
        for segment, coded, packets in segments:
            waiting.append((segment, coded))
            if self._asked is None:
                sent = self._channel.transmit(self._pacer.pace(packets))
            else:
                sent = self._asked.send(packets, coded.duration_s)
            _sort(sent, arrived)
            last_s = float(sent.send_s[-1]) if len(sent) else -np.inf
            while waiting and (self._asked is None or self._done(arrived[waiting[0][1].index], last_s)):
                yield carried_segment(*waiting.popleft(), arrived)
        if self._asked is not None:
            _sort(self._asked.finish(), arrived)
        while waiting:
            yield carried_segment(*waiting.popleft(), arrived)

    def _done(self, pieces: list[Packets], now_s: float) -> bool:
        """Whether no copy of these packets can be sent any more."""
        return all(float(piece.send_s.max()) + self._deadline_s < now_s for piece in pieces)


def _sort(sent: Packets, arrived: dict[int, list[Packets]]) -> None:
    for segment in np.unique(sent.segment).tolist():
        arrived.setdefault(segment, []).append(sent.take(sent.segment == segment))
