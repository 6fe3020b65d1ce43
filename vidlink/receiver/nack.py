"""Asking again for what is missing: negative acknowledgements (generic NACK, RFC 4585, section 6.2.1)."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from vidlink.types import Fate, Kind

if TYPE_CHECKING:
    from vidlink.types import Packets

_ARRIVAL, _TIMER = 0, 1


class GapDetector:
    """Notices gaps in the sequence numbers of one stream, and when.

    A packet is missing once a later one has arrived. It is asked for then, and again while it stays away. Requests
    travel on a channel of their own that loses nothing and is not counted.

    Parameters
    ----------
    wait_s
        Seconds between noticing a gap and asking, for packets that are only out of order.
    retry_s
        Seconds between asking and asking again. It must be longer than the round trip with all queues on the way, for
        example 1.5 times the propagation there and back and 20 ms, or copies that are on their way are asked for twice.
    attempts
        Requests for one packet at most.
    """

    def __init__(self, *, wait_s: float = 0.0, retry_s: float = 0.2, attempts: int = 8) -> None:
        self._wait_s, self._retry_s, self._attempts = wait_s, max(retry_s, 1e-3), attempts
        self._events: list[tuple[float, int, int, int]] = []
        self._missing: set[int] = set()
        self._highest: int | None = None

    def observe(self, packets: Packets) -> None:
        """Take note of packets that came out of the channel."""
        relevant = (packets.fate == Fate.DELIVERED) & (packets.kind != Kind.PARITY)
        for row in np.flatnonzero(relevant).tolist():
            heapq.heappush(self._events, (float(packets.arrival_s[row]), _ARRIVAL, int(packets.sequence[row]), 0))

    def requests(self, until_s: float) -> list[tuple[float, int]]:
        """When the receiver asks for which packet, up to a time.

        Parameters
        ----------
        until_s
            Everything that arrives up to here must have been observed.

        Returns
        -------
        list of (float, int)
            Seconds on the receiver's clock, and sequence number, in order of time. Each is given once.
        """
        requests = []
        while self._events and self._events[0][0] <= until_s:
            time_s, event, sequence, attempt = heapq.heappop(self._events)
            if event == _ARRIVAL:
                self._arrive(time_s, sequence)
            elif sequence in self._missing:
                requests.append((time_s, sequence))
                if attempt + 1 < self._attempts:
                    heapq.heappush(self._events, (time_s + self._retry_s, _TIMER, sequence, attempt + 1))
                else:
                    self._missing.discard(sequence)
        return requests

    def _arrive(self, time_s: float, sequence: int) -> None:
        self._missing.discard(sequence)
        if self._highest is None or sequence > self._highest:
            for missing in range(sequence if self._highest is None else self._highest + 1, sequence):
                self._missing.add(missing)
                heapq.heappush(self._events, (time_s + self._wait_s, _TIMER, missing, 0))
            self._highest = sequence
