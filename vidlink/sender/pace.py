"""When packets leave the sender: as a leaky bucket, so that no burst exceeds the rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError

if TYPE_CHECKING:
    from vidlink.types import Packets


class Pacer:
    """Sets the send times of one stream's packets, segment after segment.

    A segment's packets are available once it has been captured whole: at the earliest of the nominal times that
    :class:`~vidlink.sender.packetize.Packetizer` gives them. With a rate each packet then leaves as soon as the one
    before it has been sent at that rate, so the packets that start within any window hold at most rate x window + one
    packet. Without one they keep their nominal times, evenly over a segment's duration, but for those that would
    overtake the segment before (a short one after a long one).

    Parameters
    ----------
    rate_bps
        Bits per second on the wire, or None.
    delay_s
        Seconds that pass between a segment's capture and its first packet, the same for all (coding, for one).

    Raises
    ------
    UserError
        A rate that is not positive, a delay that is negative.
    """

    def __init__(self, *, rate_bps: float | None, delay_s: float = 0.0) -> None:
        if rate_bps is not None and not 0 < rate_bps < np.inf:
            raise UserError(f"pacing rate {rate_bps}: must be positive, in bits per second")
        if not 0 <= delay_s < np.inf:
            raise UserError(f"sender delay {delay_s}: must be 0 or more seconds")
        self.rate_bps, self.delay_s = rate_bps, delay_s
        self._free_ns = np.iinfo(np.int64).min // 4

    def pace(self, packets: Packets) -> Packets:
        """The same packets with their send times; the rows of a segment must come in one call."""
        if len(packets) == 0:
            return packets
        if self.rate_bps is None:
            leaves_s = np.maximum.accumulate(np.maximum(packets.send_s + self.delay_s, self._free_ns / 1e9))
            self._free_ns = round(1e9 * leaves_s[-1])
            return replace(packets, send_s=leaves_s)
        starts = np.flatnonzero(np.diff(packets.segment, prepend=packets.segment[0] - 1))
        available_s = np.minimum.reduceat(packets.send_s, starts) + self.delay_s
        available = np.rint(1e9 * np.repeat(available_s, np.diff(starts, append=len(packets)))).astype(np.int64)
        available[0] = max(available[0], self._free_ns)
        took = np.ceil(8e9 * packets.bytes / self.rate_bps).astype(np.int64)
        before = np.cumsum(took) - took
        leaves = np.maximum.accumulate(available - before) + before
        self._free_ns = int(leaves[-1] + took[-1])
        return replace(packets, send_s=leaves / 1e9)
