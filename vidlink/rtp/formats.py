"""The payload formats by name: the one place that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidlink.errors import unknown
from vidlink.rtp.generic import Generic
from vidlink.rtp.h264 import H264
from vidlink.rtp.hevc import Hevc

if TYPE_CHECKING:
    from vidlink.rtp.format import PayloadFormat

FORMATS: dict[str, PayloadFormat] = {
    "h264": H264(),
    "hevc": Hevc(),
    "generic": Generic(),
}
"""Every payload format. A codec recipe names one as ``payload``."""


def payload_format(name: str, *, interleaved: bool = False) -> PayloadFormat:
    """The payload format of that name.

    Parameters
    ----------
    name
        One of :data:`FORMATS`.
    interleaved
        Whether packets may carry NAL units of several pictures, in the formats that can say so.

    Raises
    ------
    ValueError
        There is no such format; the message names the nearest and all.
    """
    if name not in FORMATS:
        raise ValueError(str(unknown("payload format", name, FORMATS)))
    return FORMATS[name].sharing() if interleaved else FORMATS[name]
