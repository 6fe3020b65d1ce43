"""``received.mp4``: what the far end saw, at HR size and on the source's own times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import av
from av.video.frame import PictureType

from vidlink.types import CLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from vidlink.types import Clip, Segment


class Film:
    """Writes pictures to an MP4 file as they come (x264, CRF 16, so that what is seen is the received picture).

    Parameters
    ----------
    path
        The file.
    clip
        Gives size and rate. Odd sizes lose their last row or column: 4:2:0 in MP4 needs even ones.
    """

    def __init__(self, path: Path, clip: Clip) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "faststart"})
        self._stream = stream = self._container.add_stream("libx264", rate=clip.frame_rate)
        stream.width, stream.height = max(2, clip.width // 2 * 2), max(2, clip.height // 2 * 2)
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = CLOCK
        stream.options = {"preset": "veryfast", "crf": "16"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def show(self, screen: Sequence[av.VideoFrame], segment: Segment) -> None:
        """Add the HR pictures (``yuv420p``) that were on show during a segment, one for each of its frames."""
        for picture, time_s in zip(screen, segment.times_s, strict=True):
            frame = picture.reformat(width=self._stream.width, height=self._stream.height, format="yuv420p")
            frame.pts, frame.time_base, frame.pict_type = round(time_s / CLOCK), CLOCK, PictureType.NONE
            self._container.mux(self._stream.encode(frame))
