"""Decode what arrived of one segment, unit by unit, so that every picture keeps its place whatever was lost.

Each access unit goes to a single-threaded decoder with ``pts`` = its source frame; FFmpeg carries that number through
reordering and loss. Lost slices are concealed by the decoder from the pictures before. A damaged unit may make the
decoder raise: that costs this unit, not the segment.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from vidlink.receiver.qp import EXPORTED, qp_of
from vidlink.rtp.formats import payload_format
from vidlink.types import Colour
from vidlink.video.colour import as_signalled
from vidlink.video.park import Parking, copied

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vidlink.codec.recipe import Codec
    from vidlink.types import Picture


def decode(
    units: Iterable[tuple[int, Sequence[bytes]]],
    *,
    codec: Codec,
    size: tuple[int, int] | None = None,
    parameter_sets: Sequence[bytes] = (),
    colour: Colour | None = None,
    qp: dict[int, float] | None = None,
) -> dict[int, Picture]:
    """Decode one closed GOP, or what is left of it.

    Parameters
    ----------
    units
        (source frame, NAL units that arrived) in decoding order; units of which nothing arrived may be left out.
    codec
        The codec recipe: its decoder, and its payload format, which knows what stands before a unit in a byte stream.
    size
        LR width and height in pixels; a class that gives pictures of another size is refused, a stream of FFmpeg's
        knows its own.
    parameter_sets
        SPS, PPS (and VPS) of the segment, without start codes.
    colour
        What the numbers of the pictures mean, as signalled.
    qp
        Where given, the mean QP of each picture goes in here by source frame, if the decoder says it.

    Returns
    -------
    dict of int to Picture
        LR picture of every source frame that the decoder could show, ``yuv420p``.
    """
    park = Parking()

    def keep(picture: av.VideoFrame) -> Picture:
        seen = as_signalled(picture, colour or Colour())
        if qp is not None and picture.pts is not None:
            qp[picture.pts] = qp_of(picture)
            # PyAV ties a picture and its side data into a circle, which Python undoes late: the pixels must not wait.
            seen = copied(seen)
        return park(seen)

    if codec.implementation:
        from vidlink.codec.implementation import decode_with_class

        given = decode_with_class(codec, {frame: b"".join(nals) for frame, nals in units if nals}, size)
        return {frame: keep(picture) for frame, picture in given.items()}
    context: av.VideoCodecContext = av.CodecContext.create(codec.decoder, "r")  # type: ignore[assignment]
    context.thread_count = 1
    context.options = {"flags2": "+showall", "flags": "+output_corrupt", **(EXPORTED if qp is not None else {})}
    start_code = payload_format(codec.payload).start_code
    head = b"".join(start_code + nal for nal in parameter_sets)
    pictures: dict[int, Picture] = {}
    for frame, nals in units:
        if not nals:
            continue
        packet = av.Packet(head + b"".join(start_code + nal for nal in nals))
        packet.pts, packet.time_base = frame, Fraction(1, 1)
        head = b""
        pictures |= {picture.pts: keep(picture) for picture in _decoded(context, packet) if picture.pts is not None}
    return pictures | {picture.pts: keep(picture) for picture in _decoded(context, None) if picture.pts is not None}


def _decoded(context: av.VideoCodecContext, packet: av.Packet | None) -> list[av.VideoFrame]:
    try:
        return context.decode(packet)
    except av.FFmpegError:
        return []
