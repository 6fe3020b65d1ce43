"""Feedback on when packets arrived and which are missing, for whoever estimates the rate of the link.

The messages hold what transport-wide congestion control feedback holds (draft-holmer-rmcat-transport-wide-cc-
extensions-01, section 3.1): arrival times in steps of 250 microseconds, and gaps. They are made at a fixed interval,
where anything arrived. They travel on a channel of their own that loses nothing and is not counted, as all feedback
here does.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

import numpy as np

from vidlink.types import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

TICK_S = 0.00025
"""Resolution of arrival times (section 3.1.5 of the draft)."""


class ReportMaker:
    """Watches packets arrive and reports on them.

    A packet counts as missing once a report after the first one that spoke of a later packet still lacks it: jitter has
    as long as that to put them in order.
    """

    def __init__(self) -> None:
        self._under_way: list[tuple[float, int]] = []
        self._seen: set[int] = set()
        self._settled = 0
        self._highest = self._highest_before = -1

    def observe(self, number: int, arrivals_s: Iterable[float]) -> None:
        """Take note of what became of a packet.

        Parameters
        ----------
        number
            Its place in the order of sending.
        arrivals_s
            When it arrives in seconds; nothing where it is lost, twice where it was duplicated.
        """
        for arrival_s in arrivals_s:
            heapq.heappush(self._under_way, (arrival_s, number))

    def report(self, now_s: float) -> Report | None:
        """Report on what arrived since the last time, or give None where nothing did.

        Parameters
        ----------
        now_s
            All packets that arrive up to here must have been observed.
        """
        arrivals: dict[int, float] = {}
        while self._under_way and self._under_way[0][0] <= now_s:
            arrival_s, number = heapq.heappop(self._under_way)
            if number not in self._seen and number >= self._settled:
                self._seen.add(number)
                arrivals[number] = math.ceil(arrival_s / TICK_S - 1e-6) * TICK_S
        if not arrivals:
            return None
        self._highest_before, self._highest = self._highest, max(self._highest, *arrivals)
        for number in range(self._settled, self._highest_before):
            if number not in self._seen:
                arrivals[number] = math.nan
        self._settled = max(self._settled, self._highest_before)
        self._seen = {number for number in self._seen if number >= self._settled}
        numbers = sorted(arrivals)
        return Report(
            made_s=now_s,
            number=np.array(numbers, dtype=np.int64),
            arrival_s=np.array([arrivals[number] for number in numbers]),
        )
