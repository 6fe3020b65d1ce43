"""Frames out of a container: decoded as far as they can be, with their times, upright, of one size and format."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange

from vidlink.video.graph import DEINTERLACED, Graph, interlaced, properties
from vidlink.video.upright import turning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from vidlink.types import Clip


def decoded(
    container: av.container.InputContainer, stream: av.VideoStream, note: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded; damage in the middle costs the damaged pictures only."""
    # With more threads, what FFmpeg makes of damaged pictures, and how many come out, depends on their number.
    stream.thread_count = 1
    for packet in _packets(container, stream, note):
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            note(f"some pictures are damaged ({reason(error)}); what could be decoded was used")


def _packets(
    container: av.container.InputContainer, stream: av.VideoStream, note: Callable[[str], None]
) -> Iterator[av.Packet]:
    """Packets of the stream, and at the end an empty one, by which the decoder hands out what it holds."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError as error:
        note(f"the file is damaged or cut short ({reason(error)}); what could be decoded was used")
        last = av.Packet()
        last.stream = stream
        if stream.time_base is not None:
            last.time_base = stream.time_base
        yield last


def timed(
    frames: Iterator[av.VideoFrame], rate: Fraction, *, decoding_times: bool
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Attach times in seconds; streams without timestamps (raw .264) run at the nominal rate.

    AVI holds decoding times only, and what FFmpeg makes presentation times of is wrong where H.264 has B-frames. There
    a picture counts from when it leaves the decoder; those that leave after the last packet follow at the nominal rate.
    """
    previous: tuple[int, float] | None = None
    for index, frame in enumerate(frames):
        ticks = frame.dts if decoding_times else frame.pts
        if ticks is not None and frame.time_base is not None:
            previous = index, float(ticks * frame.time_base)
            yield previous[1], frame
        elif previous is not None:
            yield previous[1] + float((index - previous[0]) / rate), frame
        else:
            yield float(index / rate), frame


def uniform(
    dated: Iterator[tuple[float, av.VideoFrame]], clip: Clip, note: Callable[[str], None]
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Upright, progressive, 8-bit ``yuv420p`` pictures of one size; a file that is so already passes untouched."""
    for time_s, frame in _upright(dated, note):
        if frame.width != clip.width or frame.height != clip.height:
            note(f"the picture size changes within the file; all were scaled to {clip.width}x{clip.height}")
        elif frame.format.name == "yuv420p":
            yield time_s, frame
            continue
        yield time_s, _converted(frame, clip, note)


def _converted(frame: av.VideoFrame, clip: Clip, note: Callable[[str], None]) -> av.VideoFrame:
    """A picture in the size and format of the clip, scaled as the ``ffmpeg`` program scales."""
    if frame.format.name != "yuv420p":
        note(converted_note(frame))
    scaled = frame.width != clip.width or frame.height != clip.height
    picture = frame.reformat(
        width=clip.width,
        height=clip.height,
        format="yuv420p",
        dst_color_range=ColorRange.MPEG,
        interpolation="BICUBIC" if scaled else None,
    )
    picture.duration = frame.duration
    return picture


def converted_note(frame: av.VideoFrame) -> str:
    """What is said of pictures in another format."""
    return f"{frame.format.name} was converted to 8-bit yuv420p"


def _upright(
    dated: Iterator[tuple[float, av.VideoFrame]], note: Callable[[str], None]
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Turn and deinterlace each picture as its own properties say; what changes them gets a new filter graph."""
    graph = Graph()
    kinds = ((time_s, frame, properties(frame)) for time_s, frame in dated)
    for now, after in pairwise(chain(kinds, [None])):
        if now is None:
            break
        time_s, frame, kind = now
        same = graph.properties == kind
        # A deinterlacer lets pictures pass that are not interlaced, so it may stay, and may come one picture early:
        # it looks at those before and after.
        deinterlaces = (
            interlaced(frame)
            or (same and graph.deinterlaces)
            or (after is not None and interlaced(after[1]) and after[2] == kind)
        )
        if interlaced(frame):
            note(DEINTERLACED)
        if not same or deinterlaces != graph.deinterlaces:
            yield from graph.rest()
            turn = turning(kind.display_matrix)
            if turn.said:
                note(turn.said)
            graph = Graph(kind, turn.filters, deinterlaces=deinterlaces)
        yield from graph.filtered(time_s, frame)
    yield from graph.rest()


def reason(error: Exception) -> str:
    """What FFmpeg says went wrong, in a few words."""
    return str(getattr(error, "strerror", None) or error).lower()
