"""Encode with the machine's own ffmpeg, for encoders that PyAV's wheel lacks (libaom-av1, VVenC, hardware)."""

from __future__ import annotations

import io
import re
import shutil
from functools import cache
from typing import TYPE_CHECKING

import av

from vidlink.codec.parameters import hint, not_taken
from vidlink.errors import UserError, unknown
from vidlink.rtp.formats import payload_format
from vidlink.types import CLOCK, CLOCK_HZ, Colour

if TYPE_CHECKING:
    from fractions import Fraction

    from vidlink.codec.recipe import Codec


def encode_with_program(
    codec: Codec,
    options: dict[str, str],
    pictures: list[av.VideoFrame],
    width: int,
    height: int,
    rate: Fraction,
    colour: Colour = Colour(),  # noqa: B008
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
    colour
        What the numbers of the pictures mean; NUT does not say it, so it is told beside.

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
    takes = _options(codec.encoder)
    for name in options:
        if name.removesuffix(":v") not in takes:  # it may be one of the program's own, which write where they like
            raise UserError(f"codec {codec.name!r}: ffmpeg's {codec.encoder} has no option {name!r}{hint(name, takes)}")
    given = {"threads": 1, **options}
    stream = ffmpeg.input("pipe:0", format="nut", **_tags(colour)).output(
        "pipe:1",
        format="nut",
        vcodec=codec.encoder,
        pix_fmt="yuv420p",
        enc_time_base=f"1:{CLOCK_HZ}",
        fps_mode="passthrough",
        **given,
    )
    try:
        coded, log = stream.global_args("-hide_banner", "-nostats", "-loglevel", "level+warning").run(
            input=_raw_nut(pictures, width, height, rate), capture_stdout=True, capture_stderr=True
        )
    except ffmpeg.Error as error:
        raise UserError(
            f"codec {codec.name!r}: ffmpeg's {codec.encoder} failed: {_first_error(error.stderr)}"
        ) from error
    said = not_taken(log.decode(errors="replace").splitlines(), options)
    if said:
        raise UserError(f"codec {codec.name!r}: ffmpeg's {codec.encoder} did not take its options: {said}")
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


def _first_error(log: bytes) -> str:
    """The first line of a log that tells of an error, without where and how bad."""
    lines = log.decode(errors="replace").strip().splitlines() or ["no reason given"]
    first = next((line for line in lines if "[error]" in line or "[fatal]" in line), lines[0])
    return re.sub(r"^(\[[^\]]*\] )+", "", first)


def _tags(colour: Colour) -> dict[str, int]:
    """Options of ffmpeg's decoder of raw video: what it cannot know of its pictures."""
    if colour == Colour():
        return {}
    return {
        "colorspace": colour.matrix,
        "color_primaries": colour.primaries,
        "color_trc": colour.transfer,
        "color_range": 1,
    }


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
    if shutil.which("ffmpeg") is None:
        raise UserError('this codec needs the program "ffmpeg", and there is none on this machine: install FFmpeg')
    rows = [line.split() for line in _told("-encoders").splitlines()]
    video = (row[1] for row in rows if len(row) > 1 and len(row[0]) == 6 and row[0].startswith("V"))
    return frozenset(name for name in video if name != "=")  # the legend has one


@cache
def _options(encoder: str) -> frozenset[str]:
    """The encoder's own options, and those that FFmpeg has for all encoders of video."""
    of_all = _told("-h", "full").partition("AVCodecContext AVOptions:")[2].partition("AVOptions:")[0]
    rows = [line.split() for line in (of_all + _told("-h", f"encoder={encoder}")).splitlines()]
    options = (row for row in rows if len(row) > 2 and row[0].startswith("-") and row[1].startswith("<"))
    return frozenset(row[0][1:] for row in options if row[2][0] == "E" and row[2][3] == "V")


def _told(*asked: str) -> str:
    """What ffmpeg tells of itself."""
    import subprocess

    command = ["ffmpeg", "-hide_banner", *asked]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
