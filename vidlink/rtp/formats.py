"""The payload formats by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.rtp.generic import Generic
from vidlink.rtp.h264 import H264
from vidlink.rtp.hevc import Hevc

if TYPE_CHECKING:
    from vidlink.rtp.format import PayloadFormat


def payload_format(name: str, *, interleaved: bool = False) -> PayloadFormat:
    """The payload format of a :class:`~vidlink.types.CodedSegment`.

    Parameters
    ----------
    name
        ``h264``, ``hevc`` or ``generic``.
    interleaved
        Whether packets may carry NAL units of several pictures, in the formats that can say so.

    Raises
    ------
    ValueError
        There is no such format.
    """
    if name == "h264":
        return H264(interleaved=interleaved)
    if name == "hevc":
        return Hevc()
    if name == "generic":
        return Generic()
    raise ValueError(f"{name = }: known payload formats are h264, hevc and generic")
