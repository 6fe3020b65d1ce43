"""Code one segment at one rung: downsample, encode as one closed GOP, take the stream apart into access units."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING

import av
import numpy as np

from vidlink.codec.parameters import hint
from vidlink.codec.priority import priority_kept
from vidlink.errors import UserError
from vidlink.rtp.formats import payload_format
from vidlink.sender.downsample import Downsampler
from vidlink.sender.ladder import coded_size
from vidlink.sender.moments import runs_of
from vidlink.sender.regions import STRENGTH, regions_of, with_regions
from vidlink.types import CLOCK, AccessUnit, CodedSegment
from vidlink.video.colour import tag_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from vidlink.codec.recipe import Codec
    from vidlink.sender.moments import Run
    from vidlink.types import Clip, Colour, Rung, Segment

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its settings otherwise


def encode(
    segment: Segment,
    rung: Rung,
    *,
    clip: Clip,
    codec: Codec,
    side_data: bytes = b"",
    downsample: Downsampler | None = None,
) -> CodedSegment:
    """Code a segment as one closed GOP.

    Parameters
    ----------
    segment
        HR pictures and their times.
    rung
        Scale factor, frame divisor and quality.
    clip
        The clip the segment is from (HR size and nominal frame rate).
    codec
        The codec recipe.
    side_data
        Bytes that travel with the segment (face boxes).
    downsample
        Makes LR pictures, and may have some already.

    Returns
    -------
    CodedSegment
        Access units in decoding order, exactly one for each coded frame.

    Raises
    ------
    UserError
        The encoder is missing, or refuses the recipe's options or the size.
    """
    width, height = coded_size(clip.width, clip.height, rung.scale)
    runs = runs_of(segment, rung.frame_divisor)
    frame_at: dict[int, int] = {}
    pictures = _noted(
        (downsample or Downsampler())(segment, [run.coded for run in runs], width, height), runs, frame_at
    )
    if any(part.interest is not None for part in segment.each):
        by_part = [
            regions_of(part.interest, width=width, height=height, strength=STRENGTH)
            if part.interest is not None
            else []
            for part in segment.each
        ]
        ends = np.cumsum([len(part.frames) for part in segment.each])
        pictures = with_regions(pictures, [by_part[int(np.searchsorted(ends, run.coded, "right"))] for run in runs])
    rate = clip.frame_rate / rung.frame_divisor
    options = {**codec.options, codec.quality.option: f"{rung.quality:g}"}
    if codec.implementation:
        from vidlink.codec.implementation import encode_with_class

        coded = encode_with_class(codec, list(pictures), rung.quality)
    elif codec.program:
        from vidlink.sender.external import encode_with_program

        coded = encode_with_program(codec, options, list(pictures), width, height, rate, clip.colour)
    else:
        coded = _encode(codec, options, pictures, width, height, rate, clip.colour)

    parameter_sets: tuple[bytes, ...] = ()
    units = []
    payload = payload_format(codec.payload)
    for pts, data, key in coded:
        unit = payload.take_apart(data, key=key)
        parameter_sets = parameter_sets or unit.parameter_sets
        index = frame_at.pop(pts)
        units.append(
            AccessUnit(
                frame=segment.first_frame + index,
                time_s=float(segment.times_s[index]),
                nals=unit.nals,
                key=unit.key,
                reference=unit.reference,
                recovery=unit.recovery,
            )
        )
    if frame_at:
        raise RuntimeError(f"{codec.encoder} returned {len(units)} of {len(runs)} pictures")
    return CodedSegment(
        index=segment.index,
        rung=rung,
        payload=codec.payload,
        width=width,
        height=height,
        parameter_sets=parameter_sets,
        side_data=side_data,
        units=tuple(units),
        start_s=segment.start_s,
        duration_s=segment.duration_s,
        colour=clip.colour,
    )


def _noted(pictures: Iterable[av.VideoFrame], runs: Sequence[Run], frame_at: dict[int, int]) -> Iterator[av.VideoFrame]:
    """The pictures; from when each is to be shown is noted by its ``pts``.

    Encoders see the times at which they were captured.
    """
    for picture, run in zip(pictures, runs, strict=True):
        frame_at[picture.pts or 0] = run.first
        yield picture


def _encode(
    codec: Codec,
    options: dict[str, str],
    pictures: Iterable[av.VideoFrame],
    width: int,
    height: int,
    rate: Fraction,
    colour: Colour,
) -> list[tuple[int, bytes, bool]]:
    """Encode with PyAV; returns (presentation time on the 90 kHz clock, unit, whether it is a key frame)."""
    try:
        context = av.CodecContext.create(codec.encoder, "w")
    except (av.FFmpegError, ValueError) as error:
        raise UserError(
            f'codec {codec.name!r}: PyAV\'s FFmpeg has no encoder {codec.encoder!r} (program = "ffmpeg" uses this '
            f"machine's own){hint(codec.encoder, _encoders())}"
        ) from error
    if not isinstance(context, av.VideoCodecContext):
        raise UserError(f"codec {codec.name!r}: {codec.encoder!r} is no encoder of video")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = CLOCK, rate
    tag_stream(context, colour)
    context.thread_count = 1
    context.options = options
    try:
        with priority_kept():
            context.open()
        left = sorted(context.options)  # FFmpeg takes out of it what it takes
        if not left:
            packets = [packet for picture in chain(pictures, [None]) for packet in context.encode(picture)]
    except (av.FFmpegError, ValueError) as error:
        raise UserError(
            f"codec {codec.name!r}: {codec.encoder} refused {width}x{height} with {options}: {error}"
        ) from error
    if left:
        takes = context.supported_options
        nearest = hint(left[0], [option.name for option in (*takes.private, *takes.generic)])
        raise UserError(f"codec {codec.name!r}: {codec.encoder} has no option {left[0]!r}{nearest}")
    return [(packet.pts or 0, bytes(packet), packet.is_keyframe) for packet in packets]


def _encoders() -> list[str]:
    """Names of the encoders of PyAV's FFmpeg; it lists decoders among them."""
    known = []
    for name in av.codecs_available:
        try:
            known += [name] if av.Codec(name, "w").type == "video" else []
        except ValueError:
            continue
    return known
