"""A recipe is tried before a run: a few small pictures are coded and decoded, and must come back as they were.

So what the encoder did not take, a decoder that does not fit and a stream that is none are found at once, and not as a
film of nothing.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from vidlink.codec.parameters import hint, not_taken
from vidlink.codec.priority import priority_kept
from vidlink.errors import UserError
from vidlink.plugins import reason
from vidlink.receiver.decode import decode
from vidlink.sender.encode import encode
from vidlink.types import CLOCK, CLOCK_HZ, Clip, Rung, Segment
from vidlink.video.park import fetched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidlink.codec.recipe import Codec

COUNT, RATE, SIDE = 4, 25, 64
"""Pictures of a trial, a second, and their side in pixels where the recipe allows."""
LEAST_DB = 12.0
"""PSNR of luma below which what comes back is another picture. What a codec leaves of a smooth ramp is far above."""
_TRIED: set[str] = set()
_TRYING = threading.Lock()


def check_codec(codec: Codec) -> Codec:
    """Try a recipe once in a process. Codecs of a user's own code are not tried: they answer for themselves.

    Raises
    ------
    UserError
        The encoder is missing or did not take an option, or what it gives cannot be decoded as the recipe says.
    """
    key = codec.model_dump_json()
    with _TRYING:
        if codec.implementation is None and key not in _TRIED:
            _check_decoder(codec)
            if codec.program is None:
                _check_parameters(codec)
            _check_pictures(codec)
            _TRIED.add(key)
    return codec


def check_regions(codec: Codec) -> None:
    """Refuse a codec that does not heed regions of interest: a picture is coded with and without, and must differ.

    Raises
    ------
    UserError
        Its stream is the same, or it is no encoder of PyAV.
    """
    ignores = f"--roi qp: codec {codec.name!r} ignores regions of interest; x264, x264-realtime and x265 heed them"
    if codec.implementation or codec.program:
        raise UserError(ignores)
    side = max(SIDE, codec.min_side)
    noise = np.random.default_rng(0).integers(16, 235, (side * 3 // 2, side), dtype=np.uint8)
    picture = av.VideoFrame.from_ndarray(noise, format="yuv420p")
    picture.pts, picture.time_base = 0, CLOCK
    clip = Clip(name="", width=side, height=side, frame_rate=Fraction(RATE), pixel_format="yuv420p", seconds=None)
    rung = Rung(scale=1.0, quality=codec.quality.grid[len(codec.quality.grid) // 2])
    streams = []
    for interest in (None, np.array([[0.0, 1.0]], np.float32)):
        segment = Segment(
            index=0,
            first_frame=0,
            frames=(picture,),
            times_s=np.zeros(1),
            duration_s=1 / RATE,
            interest=interest,
        )
        streams.append([unit.nals for unit in encode(segment, rung, clip=clip, codec=codec).units])
    if streams[0] == streams[1]:
        raise UserError(ignores)


def _check_decoder(codec: Codec) -> None:
    known = [name for name in av.codecs_available if name.startswith(codec.decoder[:1])]
    try:
        context = av.CodecContext.create(codec.decoder, "r")
    except (av.FFmpegError, ValueError) as error:
        raise UserError(
            f"codec {codec.name!r}: PyAV's FFmpeg has no decoder {codec.decoder!r}{hint(codec.decoder, known)}"
        ) from error
    if not isinstance(context, av.VideoCodecContext):
        raise UserError(f"codec {codec.name!r}: {codec.decoder!r} is no decoder of video")


def _check_parameters(codec: Codec) -> None:
    """Open the encoder, and read in its log what it did not take."""
    try:
        context = av.CodecContext.create(codec.encoder, "w")
    except (av.FFmpegError, ValueError):
        return  # coding will say so
    if not isinstance(context, av.VideoCodecContext):
        return
    side = _side(codec)
    options = {**codec.options, codec.quality.option: f"{codec.quality.grid[0]:g}"}
    context.width, context.height, context.pix_fmt = side, side, "yuv420p"
    context.time_base, context.framerate, context.thread_count = CLOCK, Fraction(RATE), 1
    context.options = options
    refused = None
    with _quiet(), _log() as lines, priority_kept():
        try:
            context.open()
        except (av.FFmpegError, ValueError) as error:
            refused = error
        del context  # x265 says goodbye
    said = not_taken(lines, options)
    if said:
        raise UserError(f"codec {codec.name!r}: {codec.encoder} did not take its options: {said}")
    if refused and lines:
        raise UserError(f"codec {codec.name!r}: {codec.encoder} refused its options: {lines[-1]}") from refused


@contextmanager
def _log() -> Iterator[list[str]]:
    """What FFmpeg logs meanwhile: warnings and errors, a line each."""
    lines: list[str] = []
    before = av.logging.get_level()
    with av.logging.Capture(local=False) as logs:
        av.logging.set_level(av.logging.WARNING)
        try:
            yield lines
        finally:
            av.logging.set_level(before)
            lines += [" ".join(text.split()) for _, _, text in logs]


@contextmanager
def _quiet() -> Iterator[None]:
    """Encoders have a log of their own on the process's stderr; what matters of it is in ours."""
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nothing)
        os.close(kept)


def _side(codec: Codec) -> int:
    return max(SIDE, -(-codec.min_side // 16) * 16)


def _check_pictures(codec: Codec) -> None:
    side = _side(codec)
    if side > 4096:
        raise UserError(f"codec {codec.name!r}: min_side = {codec.min_side} is more than any picture has here")
    pictures = [_ramp(number, side) for number in range(COUNT)]
    clip = Clip(name="trial", width=side, height=side, frame_rate=Fraction(RATE), pixel_format="yuv420p", seconds=None)
    times = np.arange(COUNT) / RATE
    segment = Segment(index=0, first_frame=0, frames=tuple(pictures), times_s=times, duration_s=COUNT / RATE)
    rung = Rung(scale=1, quality=min(codec.quality.grid))
    what = f"codec {codec.name!r}"
    failed, shown = "", {}
    with _quiet():
        try:
            coded = encode(segment, rung, clip=clip, codec=codec)
            units = [(unit.frame, unit.nals) for unit in coded.units]
            shown = decode(units, codec=codec, size=(side, side), parameter_sets=coded.parameter_sets)
        except UserError as error:  # not raised here, for it holds the encoder, which may speak as it goes
            failed = str(error)
        except Exception as error:  # a stream that is not what the recipe says may break whatever reads it
            failed = f"{what}: coding a few pictures as it says failed: {reason(error)}"
    if failed:
        raise UserError(failed)
    fits = f"decoder {codec.decoder!r} and payload {codec.payload!r} must fit encoder {codec.encoder!r} and its options"
    if sorted(shown) != list(range(COUNT)):
        raise UserError(f"{what}: {len(shown)} of {COUNT} pictures came back from a trial: {fits}")
    for number, held in shown.items():
        picture = fetched(held)
        if (picture.width, picture.height) != (side, side):
            found = f"{picture.width}x{picture.height} pixels, expected {side}x{side}"
            raise UserError(f"{what}: a trial came back with {found}: {fits}")
        if _psnr_db(picture, pictures[number]) < LEAST_DB:
            raise UserError(f"{what}: a trial came back as other pictures than were coded: {fits}")


def _ramp(number: int, side: int) -> av.VideoFrame:
    """A smooth ramp that moves a little."""
    across = np.linspace(40, 200, side)
    luma = (across[None, :] + across[:, None]) / 2 + 4 * number
    planes = np.full((side * 3 // 2, side), 128, np.uint8)
    planes[:side] = luma.astype(np.uint8)
    picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    picture.pts, picture.time_base = number * CLOCK_HZ // RATE, CLOCK
    return picture


def _psnr_db(one: av.VideoFrame, other: av.VideoFrame) -> float:
    first, second = (each.reformat(format="gray").to_ndarray().astype(float) for each in (one, other))
    return float(10 * np.log10(255**2 / max(np.mean((first - second) ** 2), 1e-9)))
