"""``received.mp4``: what the far end saw, at HR size and on the source's own times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from vidlink.types import CLOCK
from vidlink.video.colour import tag_stream
from vidlink.video.park import is_large
from vidlink.video.pictures import luma, with_luma

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from vidlink.types import Clip, Segment

_LONGEST_S = 3000.0
"""Seconds that a picture lasts at most: with the B-frames between, FFmpeg's MP4 needs less than 2³¹ ticks of
:data:`CLOCK` from coding a picture to showing it."""


class Film:
    """Writes pictures to an MP4 file as they come (x264, CRF 16, so that what is seen is the received picture).

    Parameters
    ----------
    path
        The file.
    clip
        Gives size, rate and colour. Odd sizes lose their last row or column: 4:2:0 in MP4 needs even ones.
    size
        Width and height of the film in pixels, even; None for the clip's.
    options
        How x264 is to code it, in place of that.
    """

    def __init__(
        self, path: Path, clip: Clip, *, size: tuple[int, int] | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "faststart"})
        self._stream = stream = self._container.add_stream("libx264", rate=clip.frame_rate)
        stream.width, stream.height = size or (max(2, clip.width // 2 * 2), max(2, clip.height // 2 * 2))
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = CLOCK
        tag_stream(stream.codec_context, clip.colour)
        stream.codec_context.color_range = ColorRange.MPEG
        # Without cpu-independent the same pictures may be coded into other bytes from run to run.
        as_seen = {"preset": "veryfast", "crf": "16", "x264-params": "cpu-independent=1"}
        stream.options = dict(options or as_seen)
        if is_large(clip.width, clip.height):
            stream.thread_count = 2  # each thread of x264 holds pictures
        self._last: tuple[av.VideoFrame, float] | None = None
        self._ticks: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._mux(self._stream.encode(None))
        self._container.close()

    def show(self, screen: Iterable[av.VideoFrame], segment: Segment) -> None:
        """Add the HR pictures (``yuv420p``) that were on show during a segment, one for each of its frames.

        The last picture of the film lasts to the end of its segment. MP4 has no room for gaps of hours: there the last
        picture is written again.
        """
        ends_s = [*segment.times_s[1:], segment.end_s]
        for picture, time_s, end_s in zip(screen, segment.times_s, ends_s, strict=True):
            while self._last is not None and time_s - self._last[1] > _LONGEST_S:
                again_s = self._last[1] + _LONGEST_S
                self._write(self._last[0], again_s, time_s - again_s)
            self._write(picture, time_s, end_s - time_s)

    def _write(self, picture: av.VideoFrame, time_s: float, seconds: float) -> None:
        frame = picture.reformat(width=self._stream.width, height=self._stream.height, format="yuv420p")
        if frame is picture:  # others may look at it, with another time
            frame = with_luma(picture, luma(picture))
        frame.pts, frame.time_base, frame.pict_type = round(time_s / CLOCK), CLOCK, PictureType.NONE
        self._ticks[frame.pts] = round(min(seconds, _LONGEST_S) / CLOCK)
        self._last = frame, time_s
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: Sequence[av.Packet]) -> None:
        # PyAV does not pass on how long pictures last.
        for packet in packets:
            packet.duration = self._ticks.pop(packet.pts or 0, 0)
        self._container.mux(packets)
