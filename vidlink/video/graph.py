"""A filter graph of FFmpeg's for pictures of one kind: its filters cannot follow a change of size, format or colour."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.filter

from vidlink.video.upright import display_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vidlink.video.upright import Filter, Matrix

DEINTERLACED = "interlaced video was deinterlaced (FFmpeg's bwdif, one picture a frame)"
"""What is said of clips that hold interlaced pictures."""
_BWDIF = ("bwdif", "mode=send_frame:deint=interlaced")
_SMALLEST = 16
"""Pixels of the shorter side: bwdif wants four rows of chroma."""
_TICK = Fraction(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Properties:
    """All that a filter graph is built for."""

    width: int
    """Pixels of a row as coded."""
    height: int
    """Rows as coded."""
    pixel_format: str
    """FFmpeg's name."""
    colour_matrix: int
    """Code of ITU-T H.273 for the matrix from RGB."""
    colour_range: int
    """FFmpeg's number: 1 is limited, 2 is full, 0 is unknown."""
    display_matrix: Matrix | None
    """How the picture is to be turned."""


def properties(frame: av.VideoFrame) -> Properties:
    """The properties of a picture."""
    return Properties(
        width=frame.width,
        height=frame.height,
        pixel_format=frame.format.name,
        colour_matrix=int(frame.colorspace),
        colour_range=int(frame.color_range),
        display_matrix=display_matrix(frame),
    )


def interlaced(frame: av.VideoFrame) -> bool:
    """Whether a picture's flags say that it is interlaced, and it is large enough for FFmpeg's deinterlacer."""
    return frame.interlaced_frame and min(frame.width, frame.height) >= _SMALLEST


class Graph:
    """Takes pictures of one kind, and gives as many; without filters they pass untouched.

    Parameters
    ----------
    kind
        The pictures' properties; None for a graph that takes any, and does nothing.
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

    def __init__(
        self, kind: Properties | None = None, filters: Sequence[Filter] = (), *, deinterlaces: bool = False
    ) -> None:
        self.properties = kind
        self.deinterlaces = deinterlaces
        filters = [_BWDIF, *filters] if deinterlaces else filters
        self._graph = _built(kind, filters) if kind is not None and filters else None
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


def _built(kind: Properties, filters: Sequence[Filter]) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = {
        "video_size": f"{kind.width}x{kind.height}",
        "pix_fmt": kind.pixel_format,
        "time_base": str(_TICK),
        "colorspace": str(kind.colour_matrix),
        "range": str(kind.colour_range),
    }
    nodes = [graph.add("buffer", **source)]
    nodes += [graph.add(name, arguments) for name, arguments in [*filters, ("buffersink", "")]]
    graph.link_nodes(*nodes).configure()
    return graph
