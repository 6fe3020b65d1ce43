"""What a receiver would show of a coded segment if nothing were lost: for trial encodes, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.receiver.decode import decode

if TYPE_CHECKING:
    from vidlink.codec.recipe import Codec
    from vidlink.types import CodedSegment, Picture


def decode_all(coded: CodedSegment, *, codec: Codec, qp: dict[int, float] | None = None) -> dict[int, Picture]:
    """Decode one segment as if everything had arrived: LR pictures by source frame. May run in any thread.

    Where ``qp`` is given, it gets the QP of each picture, as :func:`vidlink.receiver.decode.decode` fills it.
    """
    units = ((unit.frame, unit.nals) for unit in coded.units)
    return decode(
        units,
        codec=codec,
        size=(coded.width, coded.height),
        parameter_sets=coded.parameter_sets,
        colour=coded.colour,
        qp=qp,
    )
