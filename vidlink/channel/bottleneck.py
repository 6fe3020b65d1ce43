"""The queue before the slowest link: first in, first out, dropping what does not fit.

The link is a :class:`~vidlink.channel.trace.Capacity`; waiting is counted in its units of work. A packet that arrives
when the link could have done W units starts at S = max(F, W), where F is when the one before it is done, and is done
at S + b for a packet of b units (Lindley's recursion). Nothing but that recursion couples the packets, so where no
packet is dropped it is a running maximum of W - (the work before), for all packets at once.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from vidlink.channel.trace import NEVER
from vidlink.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.channel.profile import CoDel
    from vidlink.channel.trace import Capacity

_BLOCK = 8192


class Bottleneck:
    """A link with a drop-tail queue; its state carries over from call to call.

    Parameters
    ----------
    capacity
        What the link can do.
    limit_bytes
        A packet is dropped if it and the bytes ahead of it, those still in transmission included, are more than this.
    limit_s
        A packet is dropped if it would wait longer than this until its own transmission starts.
    codel
        Active queue management in addition.

    Examples
    --------
    Three packets of 1000 bytes reach a link of 8 Mb/s at once. Each takes a millisecond, and the queue holds two:

    >>> from vidlink.channel.trace import ConstantRate
    >>> link = Bottleneck(ConstantRate(8e6), limit_bytes=2000)
    >>> link.serve(np.zeros(3, int), np.full(3, 1000), np.zeros(3, bool)).tolist()
    [1000000, 2000000, -1]
    """

    def __init__(
        self,
        capacity: Capacity,
        *,
        limit_bytes: int | None = None,
        limit_s: float | None = None,
        codel: CoDel | None = None,
    ) -> None:
        self._capacity = capacity
        self._limit_bytes = limit_bytes
        self._limit_ns = None if limit_s is None else round(1e9 * limit_s)
        self._codel = None if codel is None else _ControlledDelay(capacity, codel)
        self._done = 0

    def serve(self, times: NDArray[np.int64], sizes: NDArray[np.int64], spared: NDArray[np.bool_]) -> NDArray[np.int64]:
        """When each packet has left the link.

        Parameters
        ----------
        times
            Arrival at the queue in nanoseconds, not decreasing from call to call either, shape (n,).
        sizes
            Bytes of each packet, shape (n,).
        spared
            Packets that are never dropped, shape (n,).

        Returns
        -------
        array of int64
            Nanoseconds, shape (n,); -1 where the packet was dropped, and where it would wait forever.

        Raises
        ------
        UserError
            A packet is larger than the whole queue.
        """
        if self._limit_bytes is not None and len(sizes) and sizes.max() > self._limit_bytes:
            raise UserError(f"queue_bytes {self._limit_bytes}: smaller than a packet of {sizes.max()} bytes")
        work = self._capacity.work_for(sizes)
        arrived = self._capacity.work_until(times)
        latest_start = np.where(spared, NEVER, self._latest_start(times, arrived, work))
        if self._codel is not None:
            ends = self._codel.serve(times, arrived, work, latest_start, spared)
        else:
            ends = np.empty(len(work), dtype=np.int64)
            for start in range(0, len(work), _BLOCK):
                rows = slice(start, start + _BLOCK)
                ends[rows] = self._block(arrived[rows], work[rows], latest_start[rows])
        left = self._capacity.time_of(np.maximum(ends, 0))
        return np.where((ends < 0) | (left >= NEVER), -1, left)

    def _latest_start(
        self, times: NDArray[np.int64], arrived: NDArray[np.int64], work: NDArray[np.int64]
    ) -> NDArray[np.int64] | int:
        """Where a packet's transmission must start at the latest, in units of work, for it to be let in."""
        if self._limit_ns is not None:
            return self._capacity.work_until(times + self._limit_ns)
        if self._limit_bytes is not None:
            room = self._capacity.work_for(np.array([self._limit_bytes]))
            return arrived + (room - work)
        return NEVER

    def _block(
        self, arrived: NDArray[np.int64], work: NDArray[np.int64], latest_start: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Work at which each packet is done, -1 where it is dropped."""
        before = np.cumsum(work) - work
        starts = np.maximum.accumulate(np.maximum(arrived - before, self._done)) + before
        if (starts <= latest_start).all():
            ends = starts + work
            self._done = min(int(ends[-1]), NEVER)
            return ends
        return self._one_by_one(arrived.tolist(), work.tolist(), latest_start.tolist())

    def _one_by_one(self, arrived: list[int], work: list[int], latest_start: list[int]) -> NDArray[np.int64]:
        """The same with drops, each of which changes what all later packets find."""
        done = self._done
        ends: list[int] = []
        append = ends.append
        for reached, size, latest in zip(arrived, work, latest_start, strict=True):
            start = done if done > reached else reached
            if start <= latest:
                done = start + size
                append(done)
            else:
                append(-1)
        self._done = min(done, NEVER)
        return np.array(ends, dtype=np.int64)


class _ControlledDelay:
    """CoDel (RFC 8289, section 5) behind a drop-tail limit, a packet at a time.

    The target is never below the time that the largest packet so far takes on the link. This stands for the rule that a
    queue of less than one packet is left alone, which would need to know what arrives later.
    """

    def __init__(self, capacity: Capacity, settings: CoDel) -> None:
        self._capacity = capacity
        self._target, self._interval = round(1e9 * settings.target_s), round(1e9 * settings.interval_s)
        self._done = 0
        self._largest = 0
        self._queue: deque[tuple[int, int]] = deque()
        self._above_since: int | None = None
        self._dropping = False
        self._next = 0
        self._count = self._last_count = 0

    def serve(
        self,
        times: NDArray[np.int64],
        arrived: NDArray[np.int64],
        work: NDArray[np.int64],
        latest_start: NDArray[np.int64],
        spared: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Work at which each packet is done, -1 where it is dropped."""
        ends = []
        rows = zip(times.tolist(), arrived.tolist(), work.tolist(), latest_start.tolist(), spared.tolist(), strict=True)
        for time, reached, size, latest, keep in rows:
            start = max(self._done, reached)
            if start > latest or (self._too_slow(time, start, size) and not keep):
                ends.append(-1)
            else:
                self._done = min(start + size, NEVER)
                ends.append(self._done)
        return np.array(ends, dtype=np.int64)

    def _too_slow(self, arrival: int, start: int, size: int) -> bool:
        """The control law at the moment when a packet reaches the head of the queue."""
        self._largest = max(self._largest, size)
        now, after = self._capacity.time_of(np.array([start, start + self._largest])).tolist()
        now = max(now, arrival)
        if now >= NEVER:
            return False
        if now - arrival < max(self._target, after - now):
            self._above_since, self._dropping = None, False
            return False
        if self._above_since is None:
            self._above_since = now + self._interval
            return False
        if self._dropping:
            if now < self._next:
                return False
            self._count += 1
            self._next += self._wait()
            return True
        if now < self._above_since:
            return False
        self._dropping = True
        recent = self._count - self._last_count
        self._count = recent if recent > 1 and now - self._next < 16 * self._interval else 1
        self._last_count = self._count
        self._next = now + self._wait()
        return True

    def _wait(self) -> int:
        return round(self._interval / self._count**0.5)
