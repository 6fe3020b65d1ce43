"""The rate of a live stream: an estimator's answers, bounded, with a fallback for when nothing is heard.

It sees the receiver's reports when they reach the sender, never before. From them it also has what is under way, and
how much the rate moved lately, which sets the length of segments.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError
from vidlink.plugins import RAISED, reason
from vidlink.sender.estimator import Feedback

if TYPE_CHECKING:
    from vidlink.sender.estimator import Estimator
    from vidlink.types import Report

_LOG = logging.getLogger(__name__)

LOWEST_BPS, HIGHEST_BPS = 4_000.0, 4_000_000.0
"""An answer counts as the nearest rate between these."""
PATIENCE_S = 1.0
"""After every so many seconds without feedback the rate is halved."""
STANDING_S = 0.15
"""Seconds' worth of bits that should always wait at the sender, so that it never runs dry."""
_LOST_SIGHT_S = 2.0
"""A packet that was not heard of for so long does not count as under way."""
_STEADY = math.log(1.5)
"""The rate may move by this factor within :data:`_MEMORY_S` before segments get shorter."""
_MEMORY_S = 3.0


def segment_budget(rate_bps: float, duration_s: float, *, backlog_bits: int, longest_s: float) -> float:
    """Wire bits that a segment may take: what the link carries in its time, less what still waits of those before.

    So a segment that took too much is paid for by the next. At most half of a segment goes into that, or four fifths
    where the link fell behind by more than the longest segment (``longest_s``): what waits when a short one follows a
    long one is no debt that must be gone at once. A little is always left waiting, or the link would idle until the
    next segment has been captured whenever one took too little.
    """
    bits = rate_bps * duration_s
    behind = backlog_bits > rate_bps * (longest_s + STANDING_S)
    return max(bits + rate_bps * STANDING_S - backlog_bits, (0.2 if behind else 0.5) * bits)


class RateControl:
    """Asks an estimator at every report, and keeps its answers within bounds.

    Parameters
    ----------
    estimator, name
        Who is asked, and what to call it in messages.
    start_bps
        Rate before the first answer, in bits per second.
    feedback_s
        Seconds between reports.
    """

    def __init__(self, estimator: Estimator, *, name: str, start_bps: float, feedback_s: float) -> None:
        self._estimator, self._name, self._feedback_s = estimator, name, feedback_s
        self._needs_feedback = getattr(estimator, "needs_feedback", True)
        self._pacing: float = getattr(estimator, "pacing", 1.0)
        self._queue_s: float | None = getattr(estimator, "queue_s", None)
        self._estimate_bps = start_bps
        self._factor = 1.0
        self._heard_s: float | None = None
        self._round_trip_s = math.inf
        self._sent: dict[int, tuple[float, int]] = {}
        self._latest: deque[tuple[float, float]] = deque()
        self.unsound = 0
        """Answers so far that were no rate at all: zero, negative, infinite or NaN."""

    @property
    def rate_bps(self) -> float:
        """What the link is believed to carry now, in bits per second."""
        return max(self._estimate_bps * self._factor, LOWEST_BPS)

    @property
    def pacing_bps(self) -> float:
        """How fast packets may leave now, in bits per second."""
        return self.rate_bps * self._pacing

    def sent(self, number: int, *, send_s: float, size: int) -> None:
        """Take note of a packet, by its place in the order of sending, with its bytes on the wire."""
        if self._heard_s is None:
            self._heard_s = send_s
        if not self._sent:
            self._heard_s = max(self._heard_s, send_s)
        self._sent[number] = (send_s, size)

    def hear(self, now_s: float, report: Report | None) -> None:
        """Take in what reached the sender now: a report, or none though it was time for one.

        Raises
        ------
        UserError
            The estimator fails, or answers something that is no number.
        """
        if report is not None:
            self._take(now_s, report)
        elif self._needs_feedback and self._heard_s is not None and self._sent:
            silent_s = now_s - self._heard_s
            periods = int(silent_s / (PATIENCE_S + self._feedback_s))
            self._factor = min(self._factor, 0.5**periods)
        self._estimate_bps = self._ask(now_s)
        self._latest.append((now_s, self.rate_bps))
        while self._latest[0][0] < now_s - _MEMORY_S:
            self._latest.popleft()

    def may_send(self, now_s: float) -> bool:
        """Whether so little is under way that the next packet may leave."""
        if self._queue_s is None or not math.isfinite(self._round_trip_s):
            return True
        window_s = self._round_trip_s + self._feedback_s + self._queue_s
        return self.under_way_bits(now_s) < self.rate_bps * window_s

    def under_way_bits(self, now_s: float) -> int:
        """Bits of packets that left and were not heard of."""
        return 8 * sum(size for send_s, size in self._sent.values() if send_s > now_s - _LOST_SIGHT_S)

    def segment_s(self, *, shortest_s: float, longest_s: float) -> float:
        """How long the next segment should be: the shorter, the more the rate moved in the last seconds."""
        rates = [rate for _, rate in self._latest]
        if not rates:
            return longest_s
        moved = math.log(max(rates) / min(rates))
        return min(longest_s, max(shortest_s, longest_s * _STEADY / max(moved, _STEADY)))

    def _take(self, now_s: float, report: Report) -> None:
        """Join a report with what was sent and pass it on."""
        rows = [(number, *self._sent.pop(number)) for number in report.number.tolist() if number in self._sent]
        if not rows:
            return
        numbers, send_s, sizes = zip(*rows, strict=True)
        arrival_s = report.arrival_s[np.isin(report.number, numbers)]
        if np.isfinite(arrival_s).any():
            self._heard_s = now_s
            self._factor = min(1.0, 2 * self._factor)
            last_sent_s = max(s for s, a in zip(send_s, arrival_s.tolist(), strict=True) if not math.isnan(a))
            self._round_trip_s = min(self._round_trip_s, now_s - last_sent_s)
        feedback = Feedback(
            received_s=now_s,
            send_s=np.array(send_s),
            arrival_s=arrival_s,
            bytes=np.array(sizes, dtype=np.int64),
        )
        try:
            self._estimator.feedback(feedback)
        except RAISED as error:  # whatever somebody's class raises, it is theirs to mend
            raise UserError(f"--estimator {self._name}: feedback() failed: {reason(error)}") from error

    def _ask(self, now_s: float) -> float:
        try:
            answer = float(self._estimator.estimate_bps(now_s))
        except RAISED as error:  # whatever somebody's class raises, it is theirs to mend
            raise UserError(f"--estimator {self._name}: estimate_bps() failed: {reason(error)}") from error
        if not (math.isfinite(answer) and answer > 0):
            if not self.unsound:
                _LOG.warning(
                    "vidlink: --estimator %s answered %g bits per second at %.2f s: such answers are bounded "
                    "(%g to %g, NaN to the answer before) and counted in summary.json",
                    *(self._name, answer, now_s, LOWEST_BPS, HIGHEST_BPS),
                )
            self.unsound += 1
            if math.isnan(answer):
                return self._estimate_bps
        return min(max(answer, LOWEST_BPS), HIGHEST_BPS)
