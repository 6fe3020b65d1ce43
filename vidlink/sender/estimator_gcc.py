"""An estimator after Google Congestion Control: delay gradient, over-use detector, AIMD, and losses beside it.

After draft-ietf-rmcat-gcc-02 and Carlucci, De Cicco, Holmer and Mascolo, "Analysis and Design of the Google Congestion
Control for Web Real-time Communication" (MMSys 2016). Three things are made for links of tens of kilobits, where ten
packets a second are usual and one may take a hundred milliseconds:

- The gradient is the slope of a straight line through the one-way delays of the last packets (as WebRTC's trendline
  filter), each less its own transmission time, over a window of time and not of packets.
- The delay above the least one of the last seconds is a queue of the sender's own making, and a standing one counts as
  over-use too, however flat the line is.
- While there is no queue at all the rate grows faster than by 8 % a second, as in the accelerated ramp-up of NADA
  (RFC 8698, section 4.3): such links double and halve within seconds.
"""

from __future__ import annotations

import math
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from vidlink.sender.estimator import Estimator, Feedback
from vidlink.sender.estimators import Arrivals

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BETA = 0.85
"""What over-use leaves of the arrival rate (section 5.5)."""
_GROWTH = 1.08
"""Growth a second, with a queue (section 5.5) ..."""
_RAMP = 2.0
"""... and without one."""
_NEAR = 1.15
"""The rate is near the link's while it is within this factor of where over-use was last seen."""
_EMPTY_S = 0.03
"""A shorter queue counts as none."""
_STANDING_S = 0.1
"""A longer one as over-use."""
_HEADROOM = 1.5
"""The estimate is at most so many times the arrival rate: more was never tried (section 5.5)."""
_BASE_S = 20.0
"""The delay without a queue is the least of so many seconds."""


class Usage(Enum):
    """What the delays say."""

    NORMAL = 0
    UNDER = 1
    OVER = 2


class Gcc(Estimator):
    """Delay gradient with adaptive threshold, AIMD and losses, after Google Congestion Control.

    Parameters
    ----------
    start_bps
        Answer before any feedback, in bits per second.
    """

    queue_s = 0.1

    def __init__(self, *, start_bps: float) -> None:
        self._delays = Delays()
        self._detector = Detector()
        self._arrivals = Arrivals(window_s=0.7)
        self._by_delay = DelayControl(start_bps)
        self._by_loss = LossControl()

    def feedback(self, feedback: Feedback) -> None:
        """Take in a report."""
        self._arrivals.add(feedback)
        arrival_bps = self._arrivals.mean_bps()
        arrived = np.isfinite(feedback.arrival_s)
        if arrived.any() and arrival_bps is not None:
            self._delays.add(feedback, arrival_bps)
            usage = self._detector.detect(self._delays.gradient, self._delays.queue_s, feedback.received_s)
            self._by_delay.update(
                usage,
                arrival_bps=arrival_bps,
                queue_s=self._delays.queue_s,
                now_s=feedback.received_s,
                round_trip_s=feedback.received_s - float(feedback.send_s[arrived].max()),
            )
        self._by_loss.update(feedback, self._by_delay.rate_bps)

    def estimate_bps(self, now_s: float) -> float:
        """The lesser of what delays and losses allow, in bits per second (section 3)."""
        return min(self._by_delay.rate_bps, self._by_loss.rate_bps)


class Delays:
    """One-way delays of the latest packets: their slope, and what of them is queue.

    Parameters
    ----------
    window_s
        Seconds of arrivals through which the line is drawn.
    """

    def __init__(self, *, window_s: float = 0.6) -> None:
        self._window_s = window_s
        self._recent: deque[tuple[float, float, int]] = deque()
        self._least: deque[tuple[int, float]] = deque()
        self.queue_s = 0.0
        """Waiting time of the latest packets in seconds."""
        self.gradient = 0.0
        """Seconds by which it grows in a second."""

    def add(self, feedback: Feedback, arrival_bps: float) -> None:
        """Take in a report, at an arrival rate in bits per second."""
        arrived = np.flatnonzero(np.isfinite(feedback.arrival_s))
        for row in arrived[np.argsort(feedback.arrival_s[arrived], kind="stable")].tolist():
            at_s = float(feedback.arrival_s[row])
            delay_s = at_s - float(feedback.send_s[row])
            self._recent.append((at_s, delay_s, int(feedback.bytes[row])))
            self._note(at_s, delay_s)
        while self._recent[0][0] < self._recent[-1][0] - self._window_s and len(self._recent) > 4:
            self._recent.popleft()
        at_s, delay_s, sizes = np.array(self._recent).T
        # Less their own transmission, which is no wait: at low rates it is most of the delay.
        waits_s = delay_s - 8 * sizes / arrival_bps
        fresh = waits_s[-max(3, len(arrived)) :]
        self.queue_s = max(0.0, float(np.median(fresh)) - min(least for _, least in self._least))
        self.gradient = _slope(at_s, waits_s)

    def _note(self, at_s: float, delay_s: float) -> None:
        """Keep the least delay of every second."""
        second = int(at_s)
        if self._least and self._least[-1][0] == second:
            self._least[-1] = (second, min(delay_s, self._least[-1][1]))
        else:
            self._least.append((second, delay_s))
        while self._least[0][0] < second - _BASE_S:
            self._least.popleft()


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Of the straight line through points, by least squares; 0 where they are too few or in one place."""
    x = x - x.mean()
    spread = float(x @ x)
    return float(x @ (y - y.mean())) / spread if len(x) >= 4 and spread > 1e-6 else 0.0


class Detector:
    """Tells over-use from the gradient, with a threshold that adapts to its usual size (section 5.4)."""

    _RISE, _FALL = 0.01, 0.00018
    _SPAN_S = 0.24
    """The gradient is compared as the growth of the delay over so many seconds: what WebRTC's trendline amounts to."""

    def __init__(self) -> None:
        self.threshold_s = 0.0125
        """How much growth is normal, in seconds."""
        self._checked_s: float | None = None
        self._over_since: float | None = None
        self._before = 0.0

    def detect(self, gradient: float, queue_s: float, now_s: float) -> Usage:
        """What a gradient (seconds a second) and a queue in seconds mean."""
        growth_s = gradient * self._SPAN_S
        usage = Usage.NORMAL
        if growth_s > self.threshold_s and queue_s > _EMPTY_S:
            if self._over_since is not None and growth_s >= 0.7 * self._before:
                usage = Usage.OVER
            self._over_since = now_s if self._over_since is None else self._over_since
        else:
            self._over_since = None
            if growth_s < -self.threshold_s:
                usage = Usage.UNDER
        if usage is Usage.NORMAL and queue_s > _STANDING_S:
            usage = Usage.OVER
        self._before = growth_s
        self._adapt(abs(growth_s), now_s)
        return usage

    def _adapt(self, size_s: float, now_s: float) -> None:
        passed_s = 0.0 if self._checked_s is None else min(now_s - self._checked_s, 0.1)
        self._checked_s = now_s
        if size_s > self.threshold_s + 0.015:
            return  # an outlier, such as a sudden fall of the capacity
        speed = self._FALL if size_s < self.threshold_s else self._RISE
        self.threshold_s += 1000 * passed_s * speed * (size_s - self.threshold_s)
        self.threshold_s = min(max(self.threshold_s, 0.006), 0.04)


class DelayControl:
    """Additive and multiplicative increase, multiplicative decrease (section 5.5).

    Parameters
    ----------
    start_bps
        Rate to begin with, in bits per second.
    """

    def __init__(self, start_bps: float) -> None:
        self.rate_bps = start_bps
        """What the delays allow."""
        self._updated_s: float | None = None
        self._cut_s = -math.inf
        self._peak_bps: float | None = None

    def update(self, usage: Usage, *, arrival_bps: float, queue_s: float, now_s: float, round_trip_s: float) -> None:
        """Move the rate by what the delays say now."""
        passed_s = 0.0 if self._updated_s is None else min(now_s - self._updated_s, 1.0)
        self._updated_s = now_s
        if usage is Usage.OVER:
            # The packets of before the last cut have to be through before its effect can be seen.
            if now_s - self._cut_s > round_trip_s + 0.2:
                self.rate_bps = min(self.rate_bps, _BETA * arrival_bps)
                self._peak_bps = arrival_bps
                self._cut_s = now_s
        elif usage is Usage.NORMAL:
            self.rate_bps = min(self._grown(passed_s, queue_s), max(self.rate_bps, _HEADROOM * arrival_bps))

    def _grown(self, passed_s: float, queue_s: float) -> float:
        if self._peak_bps is not None and self.rate_bps > _NEAR * self._peak_bps:
            self._peak_bps = None  # The link carries more than it did.
        near = self._peak_bps is not None and self.rate_bps > self._peak_bps / _NEAR
        if queue_s > _EMPTY_S or near:
            return self.rate_bps * _GROWTH**passed_s
        return self.rate_bps * _RAMP**passed_s


class LossControl:
    """The rate that losses allow (section 6): down above 10 %, up below 2 %, unchanged between.

    Where nothing at all is lost it grows as fast as delays allow: after an outage that made a queue overflow, 5 % each
    half second would take half a minute to be back.
    """

    _PERIOD_S = 0.5

    def __init__(self) -> None:
        self.rate_bps = math.inf
        """What the losses allow."""
        self._lost = self._total = 0
        self._since: float | None = None

    def update(self, feedback: Feedback, rate_bps: float) -> None:
        """Take in a report; ``rate_bps`` is what the delays allow."""
        self._since = feedback.received_s if self._since is None else self._since
        self._total += len(feedback.arrival_s)
        self._lost += int(np.isnan(feedback.arrival_s).sum())
        if feedback.received_s - self._since < self._PERIOD_S or self._total < 5:
            return
        share = self._lost / self._total
        if share > 0.1:
            self.rate_bps = min(self.rate_bps, rate_bps) * (1 - 0.5 * share)
        elif share < 0.02:
            self.rate_bps *= 1.05 if self._lost else math.sqrt(_RAMP)
        self._lost = self._total = 0
        self._since = feedback.received_s
