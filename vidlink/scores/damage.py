"""How damage spreads: from the packet log and the stream's reference structure to a status for every access unit.

Damage stays with a picture that no other is predicted from. From a reference picture it spreads to all that follow it
in decoding order, up to the next key frame that is whole, or to the end of an intra-refresh cycle that began after the
damage and is whole itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.types import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.types import AccessUnit


def follow_damage(units: Sequence[AccessUnit], whole: Sequence[bool]) -> list[Status]:
    """Status of the picture of every access unit of a closed group of pictures, where there is a picture.

    Parameters
    ----------
    units
        What was sent, in decoding order.
    whole
        Whether all packets of a unit arrived in time.

    Returns
    -------
    list of Status
        ``ok``, ``concealed`` or ``drifting``.
    """
    statuses = []
    damaged = False
    clean_at: int | None = None
    for number, (unit, all_there) in enumerate(zip(units, whole, strict=True)):
        if unit.key:
            damaged, clean_at = False, None
        if not all_there:
            clean_at = None
        elif unit.recovery is not None and damaged and clean_at is None:
            clean_at = number + unit.recovery
        if clean_at is not None and number >= clean_at:
            damaged, clean_at = False, None
        if all_there:
            statuses.append(Status.DRIFTING if damaged else Status.OK)
        else:
            statuses.append(Status.CONCEALED)
            damaged = damaged or unit.reference
    return statuses
