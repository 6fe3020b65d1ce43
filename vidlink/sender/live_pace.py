"""When packets of a live stream leave: at a rate that changes, copies first, and none that comes too late."""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vidlink.rtp.retransmission import OVERHEAD_BYTES, repeat
from vidlink.types import Fate, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.types import Packets


class _Waiting(NamedTuple):
    """A packet before its turn, or one that may be asked for again."""

    packet: Packets
    due_s: float


class LivePacer:
    """A leaky bucket whose rate may change at any time. One packet is taken from it at a time.

    A packet that cannot arrive in time is given up, and with it what is left of its segment: the pictures after it are
    predicted from it. Parameter sets and side data are always sent.

    Parameters
    ----------
    rate_bps
        Bits per second on the wire.
    one_way_s
        Least seconds that a packet takes to the receiver.
    """

    def __init__(self, *, rate_bps: float, one_way_s: float) -> None:
        self._rate_bps, self._one_way_s = rate_bps, one_way_s
        self._free_s = 0.0
        self._fresh: deque[_Waiting] = deque()
        self._asked: list[tuple[float, int]] = []
        self._kept: dict[int, _Waiting] = {}
        self._copies = 0

    @property
    def backlog_bits(self) -> int:
        """Bits that wait."""
        return 8 * sum(int(waiting.packet.bytes[0]) for waiting in self._fresh)

    def waits(self, segment: int) -> bool:
        """Whether something of a segment has not left yet."""
        return any(waiting.packet.segment[0] == segment for waiting in self._fresh)

    def set_rate(self, now_s: float, rate_bps: float) -> None:
        """Go on at another rate."""
        self._free_s = now_s + max(self._free_s - now_s, 0.0) * self._rate_bps / rate_bps
        self._rate_bps = rate_bps

    def offer(self, packets: Packets, due_s: NDArray[np.float64]) -> None:
        """Take in packets that may leave from now on, and when each must have arrived, in seconds, shape (packets,)."""
        for row, due in enumerate(due_s.tolist()):
            self._fresh.append(_Waiting(packets.take(np.array([row])), due))

    def ask(self, time_s: float, sequence: int) -> None:
        """Take in a request for a packet that reaches the sender at a time."""
        heapq.heappush(self._asked, (time_s, sequence))

    def give_up(self, now_s: float) -> list[Packets]:
        """Take out what would come too late if it left now, a packet each."""
        late: list[Packets] = []
        while self._fresh and self._is_late(self._fresh[0], now_s):
            segment = self._fresh[0].packet.segment[0]
            rest = [waiting for waiting in self._fresh if waiting.packet.segment[0] == segment]
            late += [_given_up(waiting.packet, now_s) for waiting in rest if waiting.packet.kind[0] != Kind.PARAMETERS]
            kept = [waiting for waiting in rest if waiting.packet.kind[0] == Kind.PARAMETERS]
            others = [waiting for waiting in self._fresh if waiting.packet.segment[0] != segment]
            self._fresh = deque(kept + others)
        return late

    def next_s(self, now_s: float) -> float:
        """When the next packet may leave; infinite where none waits."""
        while self._asked and not self._useful(self._asked[0], now_s):
            heapq.heappop(self._asked)
        asked_s = self._asked[0][0] if self._asked else math.inf
        ready_s = now_s if self._fresh else asked_s
        return max(self._free_s, min(ready_s, asked_s), now_s) if math.isfinite(ready_s) else math.inf

    def take(self, now_s: float) -> Packets:
        """The next packet, which leaves now."""
        if self._asked and self._asked[0][0] <= now_s:
            packet = self._copy(heapq.heappop(self._asked)[1], now_s)
        else:
            waiting = self._fresh.popleft()
            packet = replace(waiting.packet, send_s=np.array([now_s]))
            if packet.kind[0] == Kind.VIDEO:
                self._kept[int(packet.sequence[0])] = _Waiting(packet, waiting.due_s)
        self._free_s = now_s + 8 * int(packet.bytes[0]) / self._rate_bps
        self._kept = {number: kept for number, kept in self._kept.items() if kept.due_s > now_s}
        return packet

    def _is_late(self, waiting: _Waiting, now_s: float) -> bool:
        return waiting.packet.kind[0] != Kind.PARAMETERS and now_s + self._one_way_s > waiting.due_s

    def _useful(self, asked: tuple[float, int], now_s: float) -> bool:
        kept = self._kept.get(asked[1])
        return kept is not None and max(asked[0], now_s) + self._one_way_s <= kept.due_s

    def _copy(self, sequence: int, now_s: float) -> Packets:
        packet = self._kept[sequence].packet
        self._copies += 1
        return replace(
            packet,
            bytes=packet.bytes + OVERHEAD_BYTES,
            kind=np.array([Kind.RETRANSMISSION], dtype=np.uint8),
            send_s=np.array([now_s]),
            data=[repeat(packet.data[0], sequence=self._copies - 1)],
        )


def _given_up(packet: Packets, now_s: float) -> Packets:
    return replace(packet, send_s=np.array([now_s]), fate=np.array([Fate.DISCARDED], dtype=np.uint8))
