"""Estimators to hold others against: a fixed rate, the throughput rule, and one that knows the trace."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError
from vidlink.sender.estimator import Estimator, Feedback

if TYPE_CHECKING:
    from collections.abc import Callable


class Fixed(Estimator):
    """The start rate throughout, whatever the link does."""

    needs_feedback = False

    def __init__(self, *, start_bps: float) -> None:
        self._rate_bps = start_bps

    def feedback(self, feedback: Feedback) -> None:
        """Is not listened to."""

    def estimate_bps(self, now_s: float) -> float:
        """The start rate in bits per second."""
        return self._rate_bps


class Clairvoyant(Estimator):
    """What the link will really carry in the next half second: it knows the trace.

    Raises
    ------
    UserError
        The link has no limit that could be known.
    """

    needs_feedback = False

    def __init__(self, *, capacity_bps: Callable[[float, float], float | None], ahead_s: float = 0.5) -> None:
        if capacity_bps(0.0, ahead_s) is None:
            raise UserError("--estimator clairvoyant: needs a --channel with a rate or a trace")
        self._capacity_bps, self._ahead_s = capacity_bps, ahead_s

    def feedback(self, feedback: Feedback) -> None:
        """Is not needed."""

    def estimate_bps(self, now_s: float) -> float:
        """Mean capacity from now on, in bits per second; at least 1 where the link stands still."""
        return max(self._capacity_bps(now_s, now_s + self._ahead_s) or 0.0, 1.0)


class Throughput(Estimator):
    """A share of the throughput of the latest packets: the usual buffer-free rate rule of adaptive streaming.

    Segments leave as bursts, twice as fast as the rule says, so that the arrival rate can be more than the rate that is
    sent; otherwise the rule could only ever fall.

    Parameters
    ----------
    start_bps
        Answer before any packet arrived, in bits per second.
    share
        Of the throughput.
    window_s
        Throughput is that of the packets of so many seconds before the last arrival.
    """

    pacing = 2.0

    def __init__(self, *, start_bps: float, share: float = 0.85, window_s: float = 1.0) -> None:
        self._rate_bps, self._share = start_bps, share
        self._arrivals = Arrivals(window_s=window_s)

    def feedback(self, feedback: Feedback) -> None:
        """Take in a report."""
        self._arrivals.add(feedback)
        busy_bps = self._arrivals.busy_bps()
        if busy_bps is not None:
            self._rate_bps = self._share * busy_bps

    def estimate_bps(self, now_s: float) -> float:
        """Share of the throughput in bits per second."""
        return self._rate_bps


class Arrivals:
    """Packets that arrived lately, and the rates at which they did.

    Parameters
    ----------
    window_s
        Seconds before the last arrival that count.
    """

    def __init__(self, *, window_s: float) -> None:
        self._window_s = window_s
        self._packets: deque[tuple[float, float, int]] = deque()

    def add(self, feedback: Feedback) -> None:
        """Take in a report."""
        arrived = np.flatnonzero(np.isfinite(feedback.arrival_s))
        for row in arrived[np.argsort(feedback.arrival_s[arrived], kind="stable")].tolist():
            packet = (float(feedback.arrival_s[row]), float(feedback.send_s[row]), int(feedback.bytes[row]))
            self._packets.append(packet)
        while self._packets and self._packets[0][0] < self._packets[-1][0] - self._window_s:
            self._packets.popleft()

    def mean_bps(self) -> float | None:
        """Bits per second over the window; None before there are three packets to tell it from."""
        if len(self._packets) < 3:
            return None
        # The first packet's own bits came before the window.
        bits = 8 * sum(size for *_, size in list(self._packets)[1:])
        return bits / max(self._packets[-1][0] - self._packets[0][0], 0.005)

    def busy_bps(self) -> float | None:
        """Bits per second while packets followed each other: pauses in which nothing was sent do not count."""
        if len(self._packets) < 3:
            return None
        packets = list(self._packets)
        bits, busy_s = 0, 0.0
        for (arrival_s, *_), (next_s, sent_s, size) in pairwise(packets):
            if sent_s <= arrival_s:
                bits += 8 * size
                busy_s += next_s - arrival_s
        return bits / max(busy_s, 0.005) if bits else None
