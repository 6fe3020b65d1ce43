"""Open a video file, an image sequence or raw 4:2:0: find out what is in it."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av

from vidlink.errors import UserError
from vidlink.types import Clip
from vidlink.video.choose import film_in
from vidlink.video.clock import clock_of, mended, nominal_rate
from vidlink.video.frames import converted_note, decoded, reason, timed, uniform
from vidlink.video.graph import DEINTERLACED, interlaced
from vidlink.video.sequence import by_number, first_number, gap_in
from vidlink.video.source import Source
from vidlink.video.upright import display_matrix, turning

if TYPE_CHECKING:
    from collections.abc import Iterator

RAW_SUFFIXES = (".yuv", ".i420")
"""File names that mean raw planar 4:2:0 without a header."""
_PEEK = 8
"""Frames looked at before the clip is read."""


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
        clip = _look_into(container, path, frame_rate)

    def read(source: Source) -> Iterator[tuple[float, av.VideoFrame]]:
        with av.open(path, format=container_format, options=options) as container:
            stream = film_in(container, path)
            frames = decoded(container, stream, source.note)
            dated = timed(frames, clip.frame_rate, decoding_times=container.format.name == "avi")
            clock = clock_of(container, stream, clip.frame_rate, path)
            yield from uniform(mended(dated, clock, source.note), clip, source.note)

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
        if not any(Path(path).parent.glob(re.sub(r"%0?\d*d", "*", Path(path).name))):
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


def _look_into(container: av.container.InputContainer, path: str, frame_rate: Fraction | None) -> Clip:
    """What is known of a clip before it is decoded."""
    notes: list[str] = []
    stream = film_in(container, path, notes.append)
    head = list(islice(decoded(container, stream, lambda _: None), _PEEK))
    if not head:
        raise UserError(f"{path}: no frame could be decoded")
    first = head[0]
    if any(interlaced(frame) for frame in head):
        notes.append(DEINTERLACED)
    turn = turning(display_matrix(first))
    if turn.said:
        notes.append(turn.said)
    if first.format.name != "yuv420p":
        notes.append(converted_note(first))
    times_s = [time_s for time_s, _ in timed(iter(head), Fraction(25), decoding_times=container.format.name == "avi")]
    rate = frame_rate or nominal_rate(stream, times_s, path)
    return Clip(
        name=path,
        width=first.height if turn.swaps_sides else first.width,
        height=first.width if turn.swaps_sides else first.height,
        frame_rate=Fraction(rate),
        pixel_format=first.format.name,
        seconds=clock_of(container, stream, rate, path).stated_s,
        notes=tuple(notes),
    )
