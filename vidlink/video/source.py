"""Video in: anything FFmpeg reads, as segments that stream by and are never held whole."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av
import av.filter
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from vidlink.errors import UserError
from vidlink.types import CLOCK, Clip, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

Cut: TypeAlias = "Callable[[float, float], bool]"
"""Whether a segment that began at one time ends at another, both in seconds."""
RAW_SUFFIXES = (".yuv", ".i420")
"""File names that mean raw planar 4:2:0 without a header."""
_PEEK = 8
"""Frames looked at to tell interlaced from progressive video."""


class Source:
    """A clip that can be read as often as one likes, each time from its start.

    Attributes
    ----------
    clip : Clip
        Size, rate and duration, known before decoding.
    notes : list of str
        What was done to, or found wrong with, the video; grows while it is read.
    labels : pandas.DataFrame or None
        Labels that came with the clip (the built-in one has some).
    """

    def __init__(
        self,
        clip: Clip,
        read: Callable[[Source], Iterator[tuple[float, av.VideoFrame]]],
        labels: pd.DataFrame | None = None,
    ) -> None:
        self.clip = clip
        self.notes = list(clip.notes)
        self.labels = labels
        self._read = read

    def note(self, text: str) -> None:
        """Remember, once, something that the user should know."""
        if text not in self.notes:
            self.notes.append(text)

    def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Yield (time in seconds, HR picture in ``yuv420p``); the first is at 0 and times rise strictly.

        Pictures carry their time as ``pts`` on the 90 kHz clock.

        Raises
        ------
        UserError
            No frame could be decoded.
        """
        start = previous = None
        shift = 0.0
        period = float(1 / self.clip.frame_rate)
        for time_s, frame in self._read(self):
            if start is None or previous is None:
                start = time_s
            else:
                if time_s - start + shift <= previous + 1e-6:
                    self.note("timestamps that stood still or ran backwards were moved on by one frame period")
                    shift = previous + period - (time_s - start)
                elif shift and time_s - start > previous + 1e-6:
                    shift = 0.0
            previous = time_s - start + shift
            frame.pts, frame.time_base = round(previous / CLOCK), CLOCK
            frame.pict_type = PictureType.NONE  # or an encoder would repeat the source's choice
            yield previous, frame
        if previous is None:
            raise UserError(f"{self.clip.name}: no frame could be decoded")
        seconds = previous + period
        if self.clip.seconds and seconds < 0.95 * self.clip.seconds - period:
            self.note(f"the file ends early: {seconds:.2f} s decoded of the {self.clip.seconds:.2f} s it states")

    def segments(self, seconds: float | Cut) -> Iterator[Segment]:
        """Cut the clip into segments of about ``seconds`` by its own timestamps, or where somebody says.

        With a length a tail shorter than half a segment joins the segment before it. Who cuts is asked before every
        frame but the first, and sees no more of the clip than has been captured then; the tail is what it is.

        Parameters
        ----------
        seconds
            Length of a segment in seconds, or what says where a segment ends.

        Raises
        ------
        UserError
            No frame could be decoded.
        """
        if callable(seconds):
            yield from self._captured(seconds)
            return
        period = float(1 / self.clip.frame_rate)
        index = first = 0
        held: list[tuple[float, av.VideoFrame]] = []
        filling: list[tuple[float, av.VideoFrame]] = []
        slot = 0
        for time_s, frame in self.frames():
            if int((time_s + period / 100) / seconds) > slot and filling:
                if held:
                    yield _segment(index, first, held, filling[0][0], last=False)
                    index, first = index + 1, first + len(held)
                held, filling = filling, []
            slot = int((time_s + period / 100) / seconds)
            filling.append((time_s, frame))
        end_s = filling[-1][0] + period
        if held and end_s - filling[0][0] < seconds / 2:
            held, filling = held + filling, []
        if held:
            yield _segment(index, first, held, filling[0][0] if filling else end_s, last=not filling)
            index, first = index + 1, first + len(held)
        if filling:
            yield _segment(index, first, filling, end_s, last=True)

    def _captured(self, cut: Cut) -> Iterator[Segment]:
        index = first = 0
        captured: list[tuple[float, av.VideoFrame]] = []
        for time_s, frame in self.frames():
            if captured and cut(captured[0][0], time_s):
                yield _segment(index, first, captured, time_s, last=False)
                index, first, captured = index + 1, first + len(captured), []
            captured.append((time_s, frame))
        yield _segment(index, first, captured, captured[-1][0] + float(1 / self.clip.frame_rate), last=True)


def _segment(index: int, first: int, timed: list[tuple[float, av.VideoFrame]], next_s: float, *, last: bool) -> Segment:
    times = np.array([time_s for time_s, _ in timed])
    return Segment(
        index=index,
        first_frame=first,
        frames=tuple(frame for _, frame in timed),
        times_s=times,
        duration_s=next_s - timed[0][0],
        last=last,
    )


def open_source(path: str, *, video_size: tuple[int, int] | None = None, frame_rate: Fraction | None = None) -> Source:
    """Open a video file, an image sequence or raw 4:2:0.

    Parameters
    ----------
    path
        Anything FFmpeg reads; an image sequence as ``img%03d.png`` or ``"*.png"``; raw planar 4:2:0 as ``*.yuv``.
    video_size
        Width and height in pixels of raw video. Without it they are read from the name (``clip_320x192_12fps.yuv``).
    frame_rate
        Frames a second of raw video or an image sequence (25 if it is not in the name either).

    Raises
    ------
    UserError
        No such file, not a video, no video stream in it, or a raw file of unknown size.
    """
    container_format, options = _demuxer(path, video_size, frame_rate)
    try:
        container = av.open(path, format=container_format, options=options)
    except (av.FFmpegError, ValueError) as error:
        raise UserError(f"{path}: not a video that FFmpeg can read ({_reason(error)})") from error
    with container:
        if not container.streams.video:
            raise UserError(f"{path}: has no video stream, only {_kinds(container) or 'nothing that can be decoded'}")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise UserError(f"{path}: its video codec is not known to FFmpeg")
        head = list(islice(_decoded(container, stream, lambda _: None), _PEEK))
        if not head:
            raise UserError(f"{path}: no frame could be decoded")
        first = head[0]
        notes = []
        filters = []
        if any(frame.interlaced_frame for frame in head):
            filters.append(("bwdif", "mode=send_frame"))
            notes.append("interlaced video was deinterlaced (FFmpeg's bwdif, one picture a frame)")
        turned = first.rotation % 360
        if turned:
            # The rotation is the angle by which the picture must be turned anticlockwise to be upright.
            filters += {
                90: [("transpose", "cclock")],
                180: [("hflip", ""), ("vflip", "")],
                270: [("transpose", "clock")],
            }[round(turned / 90) * 90 % 360 or 180]
            notes.append(f"the picture was turned upright ({turned} degrees in the file)")
        width, height = first.width, first.height
        if turned in (90, 270):
            width, height = height, width
        if first.format.name != "yuv420p":
            notes.append(f"{first.format.name} was converted to 8-bit yuv420p")
        rate = frame_rate or stream.average_rate or stream.guessed_rate or Fraction(25)
        if not 0 < rate <= 1000:
            rate = Fraction(25)
        clip = Clip(
            name=path,
            width=width,
            height=height,
            frame_rate=Fraction(rate),
            pixel_format=first.format.name,
            seconds=_stated_seconds(container, stream),
            notes=tuple(notes),
        )

    def read(source: Source) -> Iterator[tuple[float, av.VideoFrame]]:
        with av.open(path, format=container_format, options=options) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            frames = _decoded(container, stream, source.note)
            timed = _timed(frames, clip.frame_rate, decoding_times=container.format.name == "avi")
            yield from _uniform(timed, clip, filters, source)

    return Source(clip, read)


def _demuxer(
    path: str, video_size: tuple[int, int] | None, frame_rate: Fraction | None
) -> tuple[str | None, dict[str, str]]:
    rate = {"framerate": str(frame_rate)} if frame_rate else {}
    if "*" in path:
        if not any(Path(path).parent.glob(Path(path).name)):
            raise UserError(f"{path}: no file matches")
        return "image2", {"pattern_type": "glob", **rate}
    if re.search(r"%0?\d*d", path) and not Path(path).exists():
        if not any(Path(path).parent.glob(re.sub(r"%0?\d*d", "*", Path(path).name))):
            raise UserError(f"{path}: no file matches")
        return "image2", rate
    if Path(path).is_dir():
        raise UserError(f"{path}: is a folder; give a video file, or the images in it as '{path}/*.png'")
    if not Path(path).exists():
        raise UserError(f"{path}: no such file")
    if Path(path).suffix.lower() not in RAW_SUFFIXES:
        return None, rate if Path(path).suffix.lower() in (".264", ".h264", ".265", ".hevc") else {}
    stated = re.search(r"(\d+)x(\d+)", Path(path).name)
    if not video_size and stated:
        video_size = int(stated[1]), int(stated[2])
    if not video_size:
        raise UserError(f"{path}: raw video has no header; give --video-size WIDTHxHEIGHT (and --framerate)")
    named_rate = re.search(r"(\d+(?:\.\d+)?)fps", Path(path).name)
    rate = rate or {"framerate": named_rate[1] if named_rate else "25"}
    return "rawvideo", {"video_size": f"{video_size[0]}x{video_size[1]}", "pixel_format": "yuv420p", **rate}


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, note: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded; damage in the middle costs the damaged pictures only."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            note(f"the file is damaged or cut short ({_reason(error)}); what could be decoded was used")
            packet = None
        if packet is None:
            break
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            note(f"some pictures are damaged ({_reason(error)}); what could be decoded was used")


def _timed(
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


def _uniform(
    timed: Iterator[tuple[float, av.VideoFrame]], clip: Clip, filters: list[tuple[str, str]], source: Source
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Upright, progressive, 8-bit ``yuv420p`` pictures of one size; a file that is so already passes untouched."""
    if filters:
        timed = _filtered(timed, filters)
    for time_s, frame in timed:
        if frame.width != clip.width or frame.height != clip.height:
            source.note(f"the picture size changes within the file; all were scaled to {clip.width}x{clip.height}")
        elif frame.format.name == "yuv420p":
            yield time_s, frame
            continue
        yield (
            time_s,
            frame.reformat(width=clip.width, height=clip.height, format="yuv420p", dst_color_range=ColorRange.MPEG),
        )


def _filtered(
    timed: Iterator[tuple[float, av.VideoFrame]], filters: list[tuple[str, str]]
) -> Iterator[tuple[float, av.VideoFrame]]:
    head = next(timed, None)
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

    for time_s, frame in chain([head], timed):
        frame.pts, frame.time_base = round(time_s * 1_000_000), microseconds
        graph.vpush(frame)
        yield from drain()
    graph.vpush(None)
    yield from drain()


def _stated_seconds(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _kinds(container: av.container.InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams}))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
