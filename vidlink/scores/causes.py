"""Why a frame is not as it was sent: which packet went missing, and how, read from the packet log."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vidlink.types import Fate, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from vidlink.types import Ledger, Reception

_WORST = ("discarded", "late", "dropped", "lost")
"""What becomes of a packet, from mild to bad; a picture has that of its worst packet."""


def causes_of(ledger: Ledger, due_s: NDArray[np.float64], receptions: Sequence[Reception]) -> list[str | None]:
    """Why each frame of a segment is not ``ok``; None where it is.

    Parameters
    ----------
    ledger
        What was sent, and what became of it.
    due_s
        When each access unit must have arrived in seconds, shape (units,).
    receptions
        What the receiver had, one for each source frame.

    Returns
    -------
    list of (str or None)
        ``key frame``, ``frame`` (its own packets) or ``reference`` (those of a picture that it is predicted from), and
        what became of the packets: ``lost`` on the way, ``dropped`` by a full queue, ``late``, ``discarded`` by the
        sender. ``not decoded`` where all packets arrived and the decoder gave no picture.
    """
    if all(reception.status == Status.OK for reception in receptions):
        return [None] * len(receptions)
    units = ledger.coded.units
    found: dict[int, str] = {}
    root: str | None = None  # what damaged the pictures that the next ones are predicted from
    fates = _fates(ledger, due_s)
    for number, unit in enumerate(units):
        if unit.key:
            root = None
        fate = fates.get(number)
        if fate is not None:
            own = f"{'key frame' if unit.key else 'frame'} {fate}"
            root = own if unit.key else root
            found[unit.frame] = root if root and root.startswith("key") else own
            if unit.reference and root is None:
                root = f"reference {fate}"
        else:
            found[unit.frame] = root or "not decoded"
    return _of_frames(receptions, found)


def _of_frames(receptions: Sequence[Reception], found: Mapping[int, str]) -> list[str | None]:
    """The cause of each source frame; one that was left out shows the frame before, with what became of that."""
    causes: list[str | None] = []
    last: str | None = None
    for reception in receptions:
        last = found.get(reception.frame, last)
        causes.append(None if reception.status == Status.OK else last)
    return causes


def _fates(ledger: Ledger, due_s: NDArray[np.float64]) -> dict[int, str]:
    """Of the access units that did not arrive whole and in time, what became of the worst of their packets."""
    packets = ledger.packets
    arrived_s: dict[int, float] = {}
    named: dict[int, str] = {}
    for row in np.flatnonzero(packets.unit_count > 0).tolist():
        sequence, fate = int(packets.sequence[row]), Fate(packets.fate[row])
        if fate == Fate.DELIVERED:
            arrived_s[sequence] = min(arrived_s.get(sequence, math.inf), float(packets.arrival_s[row]))
        else:
            named.setdefault(sequence, fate.name.lower())  # the first sending; copies come after it
    fates: dict[int, str] = {}
    for row, numbers in packets.carrying():
        sequence = int(packets.sequence[row])
        latest_s = float(due_s[numbers].max())
        if arrived_s.get(sequence, math.inf) <= latest_s:
            continue
        became = "late" if sequence in arrived_s else named[sequence]
        for number in range(numbers.start, numbers.stop):
            fates[number] = max((fates.get(number, _WORST[0]), became), key=_WORST.index)
    return fates
