"""Encode with the machine's own ffmpeg, for encoders that PyAV's wheel lacks (libaom-av1, VVenC, hardware)."""

from __future__ import annotations

import io
import shutil
from functools import cache
from typing import TYPE_CHECKING

import av

from vidlink.errors import UserError, unknown
from vidlink.rtp.formats import payload_format
from vidlink.types import CLOCK, CLOCK_HZ

if TYPE_CHECKING:
    from fractions import Fraction

    from vidlink.codec.recipe import Codec


def encode_with_program(
    codec: Codec, options: dict[str, str], pictures: list[av.VideoFrame], width: int, height: int, rate: Fraction
) -> list[tuple[int, bytes, bool]]:
    """Encode pictures by ``ffmpeg``; they travel both ways through pipes in NUT, which keeps every timestamp.

    Parameters
    ----------
    codec
        Recipe with ``program = "ffmpeg"``.
    options
        Encoder options, the quality knob among them.
    pictures
        LR pictures, ``yuv420p``, with ``pts`` on the 90 kHz clock.
    width, height
        LR size in pixels.
    rate
        Nominal frames a second.

    Returns
    -------
    list of (int, bytes, bool)
        Presentation time on the 90 kHz clock, coded unit, whether it is a key frame; in decoding order.

    Raises
    ------
    UserError
        There is no ffmpeg, it lacks the encoder, or the encoder refuses the options.
    """
    import ffmpeg

    known = _encoders()
    if codec.encoder not in known:
        raise unknown(f"encoder of this machine's ffmpeg (codec {codec.name!r})", codec.encoder, known)
    stream = ffmpeg.input("pipe:0", format="nut").output(
        "pipe:1",
        format="nut",
        vcodec=codec.encoder,
        pix_fmt="yuv420p",
        enc_time_base=f"1:{CLOCK_HZ}",
        fps_mode="passthrough",
        threads=1,
        **options,
    )
    try:
        coded, _ = stream.global_args("-hide_banner", "-loglevel", "error").run(
            input=_raw_nut(pictures, width, height, rate), capture_stdout=True, capture_stderr=True
        )
    except ffmpeg.Error as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise UserError(f"codec {codec.name!r}: ffmpeg's {codec.encoder} failed: {reason[0]}") from error
    units = []
    with av.open(io.BytesIO(coded), "r", format="nut") as container:
        stream = container.streams.video[0]
        extradata = bytes(stream.codec_context.extradata or b"")
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None and packet.time_base is not None:
                seconds = packet.pts * packet.time_base
                data = bytes(packet)
                if packet.is_keyframe:
                    data = payload_format(codec.payload).with_parameter_sets(data, extradata)
                units.append((round(seconds * CLOCK_HZ), data, packet.is_keyframe))
    # NUT has no negative decoding times, so with B-frames the muxer moves everything on.
    shift = min((time for time, _, _ in units), default=0) - (pictures[0].pts or 0)
    return [(time - shift, data, key) for time, data, key in units]


def _raw_nut(pictures: list[av.VideoFrame], width: int, height: int, rate: Fraction) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="nut") as container:
        stream = container.add_stream("rawvideo", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = CLOCK
        for picture in [*pictures, None]:
            container.mux(stream.encode(picture))
    return file.getvalue()


@cache
def _encoders() -> frozenset[str]:
    import subprocess

    if shutil.which("ffmpeg") is None:
        raise UserError('this codec needs the program "ffmpeg", and there is none on this machine: install FFmpeg')
    listing = subprocess.run(["ffmpeg", "-hide_banner", "-encoders"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    video = (row[1] for row in rows if len(row) > 1 and len(row[0]) == 6 and row[0].startswith("V"))
    return frozenset(name for name in video if name != "=")  # the legend has one
