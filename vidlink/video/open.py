"""Open a video file, an image sequence or raw video: find out what is in it."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import av
from av.format import Flags

from vidlink.errors import UserError
from vidlink.types import Clip
from vidlink.video.choose import film_in
from vidlink.video.clock import clock_of, mended, nominal_rate
from vidlink.video.colour import Converter, colour_within, conversions
from vidlink.video.frames import decoded, timed, uniform
from vidlink.video.graph import DEINTERLACED, interlaced
from vidlink.video.input import find_input, printable
from vidlink.video.source import Source
from vidlink.video.structure import JOINED, holds_more_films
from vidlink.video.upright import display_matrix, turning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidlink.video.input import Input

_NO_TIMES: int = Flags.no_timestamps.value  # type: ignore[assignment]
"""A flag of FFmpeg's demuxers of bare streams."""
_PEEK = 8
"""Frames looked at before the clip is read."""


def open_source(
    path: str,
    *,
    video_size: tuple[int, int] | None = None,
    frame_rate: Fraction | None = None,
    allow_network: bool = False,
) -> Source:
    """Open a video file, an image sequence or raw video.

    Parameters
    ----------
    path
        Any local file that FFmpeg reads; an image sequence as ``img%03d.png`` or ``"*.png"``; raw video as ``*.yuv``.
    video_size
        Width and height in pixels of raw video. Without it they are read from the name (``clip_320x192_12fps.yuv``).
    frame_rate
        Frames a second of raw video, of an image sequence, or of a bare stream (``.264``); else they are read from the
        name or the stream's header, or 25 are assumed, which is noted.
    allow_network
        Whether ``path`` may be an address on the network.

    Raises
    ------
    UserError
        No such file, not a video, no video stream in it, a raw file of unknown size, or a size or a rate was given for
        what states its own.
    """
    notes: list[str] = []
    given = find_input(
        path, video_size=video_size, frame_rate=frame_rate, allow_network=allow_network, note=notes.append
    )
    with given.open() as container:
        clip = _look_into(container, given, frame_rate, notes)
    convert = Converter(clip)

    def read(source: Source) -> Iterator[tuple[float, av.VideoFrame]]:
        with given.open() as container:
            stream = film_in(container, given)
            frames = decoded(container, stream, source.note)
            dated = timed(
                frames, clip.frame_rate, decoding_times=container.format.name == "avi", untimed=frame_rate is not None
            )
            clock = clock_of(container, stream, clip.frame_rate, path)
            yield from uniform(mended(dated, clock, source.note), convert, source.note)

    return Source(clip, read)


def _look_into(
    container: av.container.InputContainer, given: Input, frame_rate: Fraction | None, notes: list[str]
) -> Clip:
    """What is known of a clip before it is decoded."""
    path = given.name
    stream = film_in(container, given, notes.append)
    head = list(islice(decoded(container, stream, lambda _: None), _PEEK))
    if not head:
        raise UserError(f"{path}: no frame could be decoded")
    first = head[0]
    if any(interlaced(frame) for frame in head):
        notes.append(DEINTERLACED)
    if frame_rate and not _bare(container, given):
        raise UserError(f"--framerate is for raw video and images, and {path} states its own times: leave it out")
    turn = turning(display_matrix(first))
    if turn.said:
        notes.append(turn.said)
    if given.kind == "file" and holds_more_films(path, container.format.name):
        notes.append(JOINED)
    notes += conversions(first)
    times_s = [time_s for time_s, _ in timed(iter(head), Fraction(25), decoding_times=container.format.name == "avi")]
    rate = frame_rate or _stated_rate(container, stream, given, notes) or nominal_rate(stream, times_s, path)
    return Clip(
        name=printable(path),
        width=first.height if turn.swaps_sides else first.width,
        height=first.width if turn.swaps_sides else first.height,
        frame_rate=Fraction(rate),
        pixel_format=first.format.name,
        colour=colour_within(first, path),
        seconds=clock_of(container, stream, rate, path).stated_s,
        notes=tuple(notes),
    )


def _bare(container: av.container.InputContainer, given: Input) -> bool:
    """Whether a file holds pictures without their times: images, raw video, or a stream of an encoder as it is."""
    return given.kind in ("raw", "images") or bool(container.format.flags & _NO_TIMES) or _of_images(container)


def _of_images(container: av.container.InputContainer) -> bool:
    """Whether a file is one image, or several one behind the other."""
    return container.format.name.endswith("_pipe")


def _stated_rate(
    container: av.container.InputContainer, stream: av.VideoStream, given: Input, notes: list[str]
) -> Fraction | None:
    """Frames a second, where they stand elsewhere than FFmpeg looks; None where it is right."""
    if container.format.name == "avi":
        return stream.guessed_rate  # the average counts the empty chunks that stand between pictures
    if given.kind == "file" and _bare(container, given):
        rate = stream.codec_context.framerate  # as the headers of the stream say, once decoded
        if rate and not _of_images(container):
            return Fraction(rate)
        notes.append("the stream states no frame rate: 25 a second were assumed (--framerate says another)")
    return None
