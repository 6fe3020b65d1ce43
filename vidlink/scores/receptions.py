"""What the receiver shows, set against the packet log: exactly one reception for every source frame.

Statuses come from the packet log (what was sent, what arrived, when), never from the decoder's flags. What is taken
from the receiver is whether it showed a picture at all: where it showed none, the last one is held.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vidlink.scores.damage import follow_damage
from vidlink.types import Fate, Reception, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vidlink.receiver.receive import Arrival
    from vidlink.types import Ledger, Packets, Rung, Shown


class Receptions:
    """Makes the receptions of one stream, segment after segment."""

    def __init__(self) -> None:
        self._on_show: Rung | None = None
        self._taken_s: dict[int, float] = {}

    def add(self, ledger: Ledger, arrival: Arrival, shown: Sequence[Shown]) -> list[Reception]:
        """The receptions of one segment. Call once for each segment, in order.

        Parameters
        ----------
        ledger
            What was sent, and what became of it.
        arrival
            What the receiver had of it in time.
        shown
            What it showed, one for each source frame.
        """
        status, late_s = Status.FROZEN, math.nan
        rung = ledger.coded.rung
        log = read_log(ledger, arrival.due_s)
        receptions = []
        for each, time_s in zip(shown, ledger.segment.times_s.tolist(), strict=True):
            self._taken_s[each.frame] = time_s
            taken_s = math.nan if each.of is None else self._taken_s[each.of]
            # A frame that the sender left out on purpose shows the one before, with what became of that.
            if each.frame in log:
                status, late_s = log[each.frame]
                if not each.fresh:
                    status = Status.FROZEN
            if each.fresh or self._on_show is None:
                self._on_show = rung
            receptions.append(
                Reception(
                    frame=each.frame,
                    time_s=time_s,
                    picture=each.picture,
                    status=status,
                    late_s=late_s,
                    scale=self._on_show.scale,
                    quality=self._on_show.quality,
                    age_s=round(time_s - taken_s, 6),
                    qp=each.qp,
                )
            )
            # Only the picture on show can be held from here on.
            self._taken_s = {each.of: taken_s} if each.of is not None else {}
        return receptions


def late_packets(ledger: Ledger, due_s: NDArray[np.float64]) -> int:
    """How many packets arrived after the playout deadline; ``due_s`` as for :func:`read_log`."""
    packets = ledger.packets
    late = (packets.fate == Fate.DELIVERED) & ~_in_time(packets, due_s) & ~ledger.doubled
    return int(late.sum())


def read_log(ledger: Ledger, due_s: NDArray[np.float64]) -> dict[int, tuple[Status, float]]:
    """What the packet log says of every coded picture.

    Several rows of one sequence number are copies of one packet.

    Parameters
    ----------
    ledger
        Of one segment.
    due_s
        When each access unit must have arrived in seconds, shape (units,).

    Returns
    -------
    dict of int to (Status, float)
        By source frame: what its picture will be, if there is one; and the seconds by which the last of its packets
        missed the deadline, 0 where none did, NaN where one never came.
    """
    packets, units = ledger.packets, ledger.coded.units
    arrived = packets.fate == Fate.DELIVERED
    arrival_of: dict[int, float] = {}
    for row in np.flatnonzero(arrived & (packets.unit_count > 0)).tolist():
        sequence = int(packets.sequence[row])
        arrival_of[sequence] = min(arrival_of.get(sequence, math.inf), float(packets.arrival_s[row]))
    timely = set(packets.sequence[_in_time(packets, due_s)].tolist())
    whole, late_s = np.ones(len(units), bool), np.zeros(len(units))
    for row, numbers in packets.carrying():
        sequence = int(packets.sequence[row])
        whole[numbers] &= sequence in timely
        # NaN stays: numpy's maximum passes it on.
        late_s[numbers] = np.maximum(late_s[numbers], arrival_of.get(sequence, math.nan) - due_s[numbers])
    statuses = follow_damage(units, whole.tolist())
    return {unit.frame: (status, late) for unit, status, late in zip(units, statuses, late_s.tolist(), strict=True)}


def _in_time(packets: Packets, due_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows that were delivered before the deadline of the last access unit in them, shape (packets,)."""
    latest_s = np.full(len(packets), np.inf)
    for row, numbers in packets.carrying():
        latest_s[row] = due_s[numbers].max()
    return (packets.fate == Fate.DELIVERED) & (packets.arrival_s <= latest_s)
