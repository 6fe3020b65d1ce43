"""Pictures that stand by themselves, by H.265: what the learned codec begins a segment with."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from vidlink.errors import UserError

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

BEST, WORST = 0, 51
"""The range of the quantization parameter."""
OPTIONS = (
    "log-level=none:info=0:keyint=1:ipratio=1:aq-mode=0:psy-rd=0:psy-rdoq=0:repeat-headers=1:pools=none:frame-threads=1"
)
"""One picture with its parameter sets and nothing else, the same for the same pixels."""


def encode_intra(picture: av.VideoFrame, qp: int) -> bytes:
    """Code one ``yuv420p`` picture with a quantization parameter from 0 to 51; its parameter sets are in it.

    Raises
    ------
    UserError
        PyAV's FFmpeg has no x265, or it refuses the size.
    """
    still = av.VideoFrame.from_ndarray(picture.to_ndarray(format="yuv420p"), format="yuv420p")  # others have it, too
    still.pts = 0
    try:
        context: VideoCodecContext = av.CodecContext.create("libx265", "w")  # type: ignore[assignment]
        context.width, context.height, context.pix_fmt = picture.width, picture.height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        context.thread_count = 1
        context.options = {"preset": "medium", "x265-params": f"{OPTIONS}:qp={min(max(qp, BEST), WORST)}"}
        return b"".join(bytes(packet) for packet in [*context.encode(still), *context.encode(None)])
    except (av.FFmpegError, ValueError) as error:
        raise UserError(f"intra picture of {picture.width}x{picture.height}: x265 failed: {error}") from error


def decode_intra(unit: bytes) -> av.VideoFrame | None:
    """The picture of :func:`encode_intra`; None where the unit is damaged."""
    context: VideoCodecContext = av.CodecContext.create("hevc", "r")  # type: ignore[assignment]
    context.thread_count = 1
    try:
        pictures = [*context.decode(av.Packet(unit)), *context.decode(None)]
    except av.FFmpegError:
        return None
    return pictures[0] if len(pictures) == 1 and pictures[0].format.name == "yuv420p" else None
