"""How damage spreads: from the packet log and the stream's reference structure to a status for every access unit.

Damage stays with a picture that no other is predicted from. From a reference picture it spreads to all that follow it
in decoding order, up to the next key frame that is whole, or to the end of an intra-refresh cycle that began after the
damage and is whole itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidlink.types import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.types import AccessUnit


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitState:
    """What can be made of one access unit."""

    status: Status
    """What its picture will be."""
    decodable: bool
    """Whether it is worth decoding: without a key frame there is nothing to decode onto, and the last picture is held,
    until a key frame or an intra-refresh cycle starts anew."""


def follow_damage(units: Sequence[AccessUnit], *, whole: Sequence[bool], present: Sequence[bool]) -> list[UnitState]:
    """Status of every access unit of a closed group of pictures.

    Parameters
    ----------
    units
        What was sent, in decoding order.
    whole
        Whether all packets of a unit arrived in time.
    present
        Whether at least one NAL unit of it can be used.
    """
    states = []
    damaged = startless = False
    clean_at: int | None = None
    for number, (unit, all_there, some_there) in enumerate(zip(units, whole, present, strict=True)):
        if unit.key:
            damaged, startless, clean_at = False, not some_there, None
        if not all_there:
            clean_at = None
        elif unit.recovery is not None and (damaged or startless) and clean_at is None:
            clean_at = number + unit.recovery
        if clean_at is not None and number >= clean_at:
            damaged, startless, clean_at = False, False, None
        if startless:
            states.append(UnitState(status=Status.FROZEN, decodable=clean_at is not None))
            continue
        if all_there:
            status = Status.DRIFTING if damaged else Status.OK
        else:
            status = Status.CONCEALED if some_there else Status.FROZEN
            damaged = damaged or unit.reference
        states.append(UnitState(status=status, decodable=True))
    return states
