"""Frames out of a container: decoded as far as they can be, with their times, upright, of one size and format."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import av

from vidlink.types import NOT_STATED
from vidlink.video.graph import DEINTERLACED, Graph, interlaced, properties
from vidlink.video.upright import turning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from vidlink.video.colour import Converter

_FEW = 4
"""Coded pictures that may give none without a word: those before the first key frame, for instance."""
_DELAY = 64
"""More pictures than any decoder holds back."""


def decoded(
    container: av.container.InputContainer, stream: av.VideoStream, note: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded; damage in the middle costs the damaged pictures only."""
    # With more threads, what FFmpeg makes of damaged pictures, and how many come out, depends on their number.
    stream.thread_count = 1
    colours = _Colours(stream.codec_context)
    coded = given = 0
    in_fields = stream.codec_context.name == "h264"  # a picture's two fields may be two packets
    for packet in _packets(container, stream, note):
        coded += _holds_picture(packet)
        if packet.is_corrupt:
            note("parts of the file are missing or damaged, as where files were joined; what could be decoded was used")
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            note(f"some pictures are damaged ({reason(error)}); what could be decoded was used")
            continue
        colours.after(packet)
        for frame in frames:
            given += 1 + (in_fields and frame.interlaced_frame)
            if frame.is_corrupt:
                note("some pictures are damaged; what the decoder made of them was used")
            yield colours.as_coded(frame)
    if coded - given > _FEW:
        note(f"{coded - given} of {coded} coded pictures gave none when they were decoded")


def _holds_picture(packet: av.Packet) -> bool:
    """Whether a packet should give a picture: it has content that is to be shown (RFC 6386, 9.1, for VP8)."""
    if not packet.size or packet.is_discard:
        return False
    return packet.stream.codec_context.name != "vp8" or bool(memoryview(packet)[0] & 0x10)


class _Colours:
    """The colour tags of pictures as they were when each was coded.

    A picture that states no colour gets, when it leaves FFmpeg's decoder, what the stream states by then; and that may
    be of the pictures after it.
    """

    _TAGS = ("color_range", "colorspace", "color_primaries", "color_trc")
    _NOT_STATED = (0, NOT_STATED, NOT_STATED, NOT_STATED)

    def __init__(self, context: av.VideoCodecContext) -> None:
        self._context = context
        self._now = self._read(context)
        self._then: dict[int, tuple[int, ...]] = {}

    def _read(self, of: av.VideoCodecContext | av.VideoFrame) -> tuple[int, ...]:
        return tuple(int(getattr(of, tag)) for tag in self._TAGS)

    def after(self, packet: av.Packet) -> None:
        """Remember what the stream states once a packet was decoded."""
        self._now = self._read(self._context)
        if packet.pts is not None:
            self._then[packet.pts] = self._now
            if len(self._then) > _DELAY:
                del self._then[next(iter(self._then))]

    def as_coded(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The picture with the tags of its own time."""
        then = self._then.get(frame.pts, self._now) if frame.pts is not None else self._now
        if then != self._now:
            for tag, none, before, now in zip(self._TAGS, self._NOT_STATED, then, self._now, strict=True):
                if before == none and int(getattr(frame, tag)) == now:
                    setattr(frame, tag, before)
        return frame


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
    frames: Iterator[av.VideoFrame], rate: Fraction, *, decoding_times: bool, untimed: bool = False
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Attach times in seconds; streams without timestamps (raw .264) run at the nominal rate, ``untimed`` ones always.

    AVI holds decoding times only, and what FFmpeg makes presentation times of is wrong where H.264 has B-frames. There
    a picture counts from when it leaves the decoder; those that leave after the last packet follow at the nominal rate.
    """
    previous: tuple[int, float] | None = None
    for index, frame in enumerate(frames):
        ticks = None if untimed else frame.dts if decoding_times else frame.pts
        if ticks is None or decoding_times:
            frame.duration = 0  # it is of a clock that does not hold here
        if ticks is not None and frame.time_base is not None:
            previous = index, float(ticks * frame.time_base)
            yield previous[1], frame
        elif previous is not None:
            yield previous[1] + float((index - previous[0]) / rate), frame
        else:
            yield float(index / rate), frame


def uniform(
    dated: Iterator[tuple[float, av.VideoFrame]], convert: Converter, note: Callable[[str], None]
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Upright, progressive pictures of one size, format and colour; a file that is so already passes untouched."""
    for time_s, frame in _upright(dated, note):
        yield time_s, convert(frame, note)


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
