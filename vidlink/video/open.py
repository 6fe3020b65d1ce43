"""Open a video file, an image sequence or raw 4:2:0: find out what is in it, and how to make it upright."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av

from vidlink.errors import UserError
from vidlink.types import Clip
from vidlink.video.frames import decoded, reason, timed, uniform
from vidlink.video.sequence import by_number, first_number, gap_in, numbers_of
from vidlink.video.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidlink.video.sequence import by_number, first_number, gap_in, numbers_of
from vidlink.video.frames import Filter

RAW_SUFFIXES = (".yuv", ".i420")
"""File names that mean raw planar 4:2:0 without a header."""
_PEEK = 8
"""Frames looked at to tell interlaced from progressive video."""


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
    path = by_number(path)
    container_format, options = _demuxer(path, video_size, frame_rate)
    try:
        container = av.open(path, format=container_format, options=options)
    except (av.FFmpegError, ValueError) as error:
        raise UserError(f"{path}: not a video that FFmpeg can read ({reason(error)})") from error
    with container:
        clip, filters = _look_into(container, path, frame_rate)

    def read(source: Source) -> Iterator[tuple[float, av.VideoFrame]]:
        with av.open(path, format=container_format, options=options) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            frames = decoded(container, stream, source.note)
            dated = timed(frames, clip.frame_rate, decoding_times=container.format.name == "avi")
            yield from uniform(dated, clip, filters, source.note)

    source = Source(clip, read)
    if container_format == "image2" and (gap := gap_in(path)):
        source.note(gap)
    return source


def _demuxer(
    path: str, video_size: tuple[int, int] | None, frame_rate: Fraction | None
) -> tuple[str | None, dict[str, str]]:
    rate = {"framerate": str(frame_rate)} if frame_rate else {}
    if "*" in path:
        if not any(Path(path).parent.glob(Path(path).name)):
            raise UserError(f"{path}: no file matches")
        return "image2", {"pattern_type": "glob", **rate}
    if re.search(r"%0?\d*d", path) and not Path(path).exists():
        if not numbers_of(path):
            raise UserError(f"{path}: no file matches")
        return "image2", rate | first_number(path)
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


def _look_into(
    container: av.container.InputContainer, path: str, frame_rate: Fraction | None
) -> tuple[Clip, list[Filter]]:
    """What is known of a clip before it is decoded, and the filters that make its pictures upright and progressive."""
    if not container.streams.video:
        raise UserError(f"{path}: has no video stream, only {_kinds(container) or 'nothing that can be decoded'}")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise UserError(f"{path}: its video codec is not known to FFmpeg")
    head = list(islice(decoded(container, stream, lambda _: None), _PEEK))
    if not head:
        raise UserError(f"{path}: no frame could be decoded")
    filters, notes = _mending(head)
    first = head[0]
    width, height = first.width, first.height
    if first.rotation % 360 in (90, 270):
        width, height = height, width
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
    return clip, filters


def _mending(head: Sequence[av.VideoFrame]) -> tuple[list[Filter], list[str]]:
    """Filters that the first frames of a clip call for, and what to say about that."""
    filters: list[Filter] = []
    notes = []
    if any(frame.interlaced_frame for frame in head):
        filters.append(("bwdif", "mode=send_frame"))
        notes.append("interlaced video was deinterlaced (FFmpeg's bwdif, one picture a frame)")
    turned = head[0].rotation % 360
    if turned:
        # The rotation is the angle by which the picture must be turned anticlockwise to be upright.
        filters += {
            90: [("transpose", "cclock")],
            180: [("hflip", ""), ("vflip", "")],
            270: [("transpose", "clock")],
        }[round(turned / 90) * 90 % 360 or 180]
        notes.append(f"the picture was turned upright ({turned} degrees in the file)")
    if head[0].format.name != "yuv420p":
        notes.append(f"{head[0].format.name} was converted to 8-bit yuv420p")
    return filters, notes


def _stated_seconds(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _kinds(container: av.container.InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams}))
