"""A filter graph of FFmpeg's for pictures of one kind: its filters cannot follow a change of size, format or colour."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import av
import av.filter

from vidlink.video.upright import display_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidlink.video.upright import Filter, Matrix

Properties: TypeAlias = "tuple[int, int, str, int, int, Matrix | None]"
"""Width, height, format, matrix of colours, range of colours and display matrix of a picture."""
DEINTERLACED = "interlaced video was deinterlaced (FFmpeg's bwdif, one picture a frame)"
"""What is said of clips that hold interlaced pictures."""
_BWDIF = ("bwdif", "mode=send_frame:deint=interlaced")
_TICK = Fraction(1)


def properties(frame: av.VideoFrame) -> Properties:
    """All that a filter graph is built for."""
    return (
        frame.width,
        frame.height,
        frame.format.name,
        int(frame.colorspace),
        int(frame.color_range),
        display_matrix(frame),
    )


class Graph:
    """Takes pictures of one kind, and gives as many; without filters they pass untouched.

    Parameters
    ----------
    first
        A picture of that kind, or None for a graph that never takes one.
    filters
        What to do to each.
    deinterlaces
        Whether pictures whose flags say that they are interlaced are deinterlaced first, by the fields beside them.

    Attributes
    ----------
    properties : Properties or None
        The kind of pictures.
    deinterlaces : bool
        As given.
    """

    def __init__(self, first: av.VideoFrame | None, filters: Sequence[Filter], *, deinterlaces: bool = False) -> None:
        self.properties = properties(first) if first is not None else None
        self.deinterlaces = deinterlaces
        filters = [_BWDIF, *filters] if deinterlaces else filters
        self._graph = _built(first, filters) if first is not None and filters else None
        # Pictures are numbered, so that their times come out as they went in.
        self._inside: dict[int, tuple[float, float]] = {}
        self._count = 0

    def filtered(self, time_s: float, frame: av.VideoFrame) -> Iterator[tuple[float, av.VideoFrame]]:
        """Put one picture in, and take out those that are ready."""
        if self._graph is None:
            yield time_s, frame
            return
        lasts_s = float(frame.duration * (frame.time_base or 0))
        self._inside[self._count] = time_s, lasts_s
        frame.pts, frame.time_base = self._count, _TICK
        self._count += 1
        self._graph.vpush(frame)
        yield from self._ready()

    def rest(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Take out the last pictures; none may be put in after that."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()

    def _ready(self) -> Iterator[tuple[float, av.VideoFrame]]:
        while self._graph is not None:
            try:
                frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            time_s, lasts_s = self._inside.pop(round((frame.pts or 0) * (frame.time_base or 1)))
            frame.time_base = Fraction(1, 1_000_000)
            frame.duration = round(lasts_s * 1_000_000)
            yield time_s, frame


def _built(first: av.VideoFrame, filters: Sequence[Filter]) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = {
        "video_size": f"{first.width}x{first.height}",
        "pix_fmt": first.format.name,
        "time_base": str(_TICK),
        "colorspace": str(int(first.colorspace)),
        "range": str(int(first.color_range)),
    }
    nodes = [graph.add("buffer", **source)]
    nodes += [graph.add(name, arguments) for name, arguments in [*filters, ("buffersink", "")]]
    graph.link_nodes(*nodes).configure()
    return graph
