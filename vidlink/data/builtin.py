"""The built-in clip: drawn, labelled, and sent where no input is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from vidlink.data.synthetic import FRAME_COUNT, FRAME_RATE, HEIGHT, WIDTH, builtin_clip
from vidlink.settings import BUILTIN
from vidlink.types import Clip
from vidlink.video.open import open_source
from vidlink.video.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidlink.settings import Settings


def open_input(settings: Settings) -> Source:
    """The clip that a run sends: the file it names, or else the built-in clip.

    Raises
    ------
    UserError
        There is no such file, or it is no video.
    """
    if settings.input is None:
        return open_builtin()
    return open_source(
        settings.input,
        video_size=settings.video_size,
        frame_rate=settings.framerate,
        allow_network=settings.allow_network,
    )


def open_builtin() -> Source:
    """The built-in clip with its labels; pictures are drawn when they are first read."""
    drawing, labels = builtin_clip()
    drawn: list[av.VideoFrame] = []

    def read(_: Source) -> Iterator[tuple[float, av.VideoFrame]]:
        for index in range(FRAME_COUNT):
            if index == len(drawn):
                drawn.append(av.VideoFrame.from_ndarray(next(drawing), format="rgb24").reformat(format="yuv420p"))
            yield float(index / FRAME_RATE), drawn[index]

    clip = Clip(
        name=BUILTIN,
        width=WIDTH,
        height=HEIGHT,
        frame_rate=FRAME_RATE,
        pixel_format="yuv420p",
        seconds=float(FRAME_COUNT / FRAME_RATE),
    )
    return Source(clip, read, labels=labels)
