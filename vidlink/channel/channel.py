"""The channel: bottleneck, propagation, loss, jitter and duplication, in that order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.channel.bottleneck import Bottleneck
from vidlink.channel.trace import Capacity, ConstantRate, Latency, read_trace
from vidlink.types import Fate, Kind, Packets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.channel.profile import ChannelProfile


class Channel:
    """One link, from sender to receiver.

    Everything it remembers (queue, loss state, random numbers) carries over from call to call: a stream sent in pieces
    fares exactly as if sent at once. Parameter sets and side data (:attr:`Kind.PARAMETERS`) wait and are delayed like
    all packets, but are neither dropped nor lost: they stand for reliable signalling.

    Parameters
    ----------
    profile
        What the link is like.
    rng
        Source of randomness; loss, jitter and duplication each draw from a child of it.

    Raises
    ------
    UserError
        A trace or a loss sequence cannot be used.
    """

    def __init__(self, profile: ChannelProfile, *, rng: np.random.Generator) -> None:
        self.profile = profile
        capacity: Capacity | None = None
        latency: Latency | None = None
        if profile.trace is not None:
            capacity, latency = read_trace(profile.trace)
        elif profile.rate is not None:
            capacity = ConstantRate(profile.rate)
        self._bottleneck, self._capacity = None, capacity
        if capacity is not None:
            self._bottleneck = Bottleneck(
                capacity, limit_bytes=profile.queue_bytes, limit_s=profile.queue_s, codel=profile.codel
            )
        self._latency = latency if profile.delay_s is None else None
        self._delay = round(1e9 * (profile.delay_s or 0.0))
        loss_rng, self._jitter_rng, self._double_rng, self._double_jitter_rng = rng.spawn(4)
        self._loss = profile.loss.build(loss_rng)
        self._sent = self._latest = 0

    @property
    def one_way_s(self) -> float:
        """Least seconds that a packet takes: propagation alone."""
        return (self._delay if self._latency is None else self._latency.least) / 1e9

    @property
    def return_delay_s(self) -> float:
        """Seconds that feedback takes from receiver to sender."""
        if self.profile.return_delay_s is not None:
            return self.profile.return_delay_s
        return self.one_way_s

    def capacity_bps(self, from_s: float, to_s: float) -> float | None:
        """Bits per second that the link can carry on average between two times, or None where it has no limit."""
        if self._capacity is None:
            return None
        times = np.rint(1e9 * np.array([from_s, to_s])).astype(np.int64)
        megabyte = int(self._capacity.work_for(np.array([1_000_000]))[0])
        return 8e6 * float(np.diff(self._capacity.work_until(times))[0]) / megabyte / (to_s - from_s)

    def transmit(self, packets: Packets) -> Packets:
        """Fill in arrival times and fates.

        Parameters
        ----------
        packets
            In order of ``send_s``, no earlier than those of the call before and not before time 0.

        Returns
        -------
        Packets
            The same rows; where the profile duplicates packets, each double follows its original as a row more. A
            packet that a link of rate zero would hold forever counts as dropped.

        Raises
        ------
        ValueError
            The send times go backwards or are no numbers.
        UserError
            A packet is larger than the queue.
        """
        if len(packets) == 0:
            return packets
        sent = self._clock(packets.send_s)
        reliable = packets.kind == Kind.PARAMETERS
        left = sent if self._bottleneck is None else self._bottleneck.serve(sent, packets.bytes, reliable)
        passed = left >= 0
        lost = np.zeros(len(packets), dtype=bool)
        lost[passed] = self._loss.lost(packets.bytes[passed]) & ~reliable[passed]
        fate = np.where(passed, np.where(lost, Fate.LOST, Fate.DELIVERED), Fate.DROPPED).astype(np.uint8)
        delivered = fate == Fate.DELIVERED
        propagated = left + (self._delay if self._latency is None else self._latency.at(np.maximum(left, 0)))
        arrival = self._shake(propagated, self._jitter_rng, delivered)
        # Times are rounded to nanoseconds on the way; nothing may arrive a fraction of one before it was sent.
        arrival_s = np.maximum(arrival / 1e9, packets.send_s)
        arrived = replace(packets, arrival_s=np.where(delivered, arrival_s, np.nan), fate=fate)
        return self._double(arrived, propagated) if self.profile.duplicate else arrived

    def _clock(self, send_s: NDArray[np.float64]) -> NDArray[np.int64]:
        if not np.isfinite(send_s).all() or send_s[0] < 0:
            raise ValueError("send times must be finite and at least 0")
        sent = np.rint(1e9 * send_s).astype(np.int64)
        if sent[0] < self._sent or (np.diff(sent) < 0).any():
            raise ValueError("send times must not go backwards")
        self._sent = int(sent[-1])
        return sent

    def _shake(
        self, times: NDArray[np.int64], rng: np.random.Generator, delivered: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Add jitter to packets that are delivered; without reordering each waits for the one before it."""
        if self.profile.jitter_s:
            times = times.copy()
            extra = rng.exponential(1e9 * self.profile.jitter_s, size=int(delivered.sum()))
            times[delivered] += np.rint(extra).astype(np.int64)
        if self.profile.reordering:
            return times
        in_order = np.maximum.accumulate(np.maximum(np.where(delivered, times, 0), self._latest))
        self._latest = int(in_order[-1])
        return in_order

    def _double(self, packets: Packets, propagated: NDArray[np.int64]) -> Packets:
        """Let some delivered packets arrive a second time, with a jitter of its own but never before the first."""
        delivered = np.flatnonzero(packets.fate == Fate.DELIVERED)
        rows = delivered[self._double_rng.random(len(delivered)) < self.profile.duplicate]
        extra = self._double_jitter_rng.exponential(self.profile.jitter_s, size=len(rows))
        again = np.maximum(packets.arrival_s[rows], propagated[rows] / 1e9 + np.rint(1e9 * extra) / 1e9)
        order = np.sort(np.concatenate((np.arange(len(packets)), rows)), kind="stable")
        doubled = packets.take(order)
        second = np.flatnonzero(np.diff(order, prepend=-1) == 0)
        doubled.arrival_s[second] = again
        return doubled
