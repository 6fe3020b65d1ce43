"""Frames out of a container: decoded as far as they can be, with their times, upright, of one size and format."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import av
import av.filter
from av.video.reformatter import ColorRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vidlink.types import Clip

Filter: TypeAlias = tuple[str, str]
"""Name and arguments of one of FFmpeg's filters."""


def decoded(
    container: av.container.InputContainer, stream: av.VideoStream, note: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded; damage in the middle costs the damaged pictures only."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            note(f"the file is damaged or cut short ({reason(error)}); what could be decoded was used")
            packet = None
        if packet is None:
            break
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            note(f"some pictures are damaged ({reason(error)}); what could be decoded was used")


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
    dated: Iterator[tuple[float, av.VideoFrame]], clip: Clip, filters: Sequence[Filter], note: Callable[[str], None]
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Upright, progressive, 8-bit ``yuv420p`` pictures of one size; a file that is so already passes untouched."""
    if filters:
        dated = _filtered(dated, filters)
    for time_s, frame in dated:
        if frame.width != clip.width or frame.height != clip.height:
            note(f"the picture size changes within the file; all were scaled to {clip.width}x{clip.height}")
        elif frame.format.name == "yuv420p":
            yield time_s, frame
            continue
        yield (
            time_s,
            frame.reformat(width=clip.width, height=clip.height, format="yuv420p", dst_color_range=ColorRange.MPEG),
        )


def _filtered(
    dated: Iterator[tuple[float, av.VideoFrame]], filters: Sequence[Filter]
) -> Iterator[tuple[float, av.VideoFrame]]:
    head = next(dated, None)
    if head is None:
        return
    first = head[1]
    microseconds = Fraction(1, 1_000_000)
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=microseconds)]
    nodes += [graph.add(name, arguments) for name, arguments in [*filters, ("buffersink", "")]]
    graph.link_nodes(*nodes).configure()

    def drain() -> Iterator[tuple[float, av.VideoFrame]]:
        while True:
            try:
                frame = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            yield float((frame.pts or 0) * (frame.time_base or 0)), frame

    for time_s, frame in chain([head], dated):
        frame.pts, frame.time_base = round(time_s * 1_000_000), microseconds
        graph.vpush(frame)
        yield from drain()
    graph.vpush(None)
    yield from drain()


def reason(error: Exception) -> str:
    """What FFmpeg says went wrong, in a few words."""
    return str(getattr(error, "strerror", None) or error).lower()
