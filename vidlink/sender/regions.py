"""Bits over the picture: parts that matter less are coded more coarsely, by regions of interest on the frames.

FFmpeg's filter ``addroi`` attaches them, and x264 and x265 heed them where adaptive quantization is on. Where nothing
depends on the picture the quantizer is larger; where it matters most it is what the rung says. So the lowest rate that
can be had stays what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import av
import cv2
import numpy as np
from av.filter import Graph
from av.video.frame import PictureType

from vidlink.errors import UserError
from vidlink.types import CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from vidlink.types import Segment

STRENGTH = 0.2
"""Quantizer offset where nothing matters, as a share of the codec's whole range: 10 of x264's 51."""
_BLOCK = 16
"""Side of a macroblock in pixels."""
_LEVELS = 2
"""Steps between what does not matter and what matters most."""


Interest: TypeAlias = "Callable[[Segment, bytes], NDArray[np.float32] | None]"
"""Gives how much each part of a segment's pictures matters, shape (rows, columns), from it and its side data; None for
all alike."""


class Region(NamedTuple):
    """A part of a picture that is coded more coarsely."""

    x: int
    """Left edge in pixels."""
    y: int
    """Upper edge."""
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    offset: float
    """Quantizer offset as a share of the codec's range."""


def checked(interest: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """The map itself, where it is one.

    Raises
    ------
    UserError
        It is not a grid of numbers from 0 to 1.
    """
    if interest is None:
        return None
    if interest.ndim != 2 or not interest.size:
        raise UserError(f"--roi qp: a map of shape {interest.shape}, expected (rows, columns)")
    if not (np.isfinite(interest).all() and interest.min() >= 0 and interest.max() <= 1):
        raise UserError("--roi qp: the map of what matters has numbers that are not from 0 to 1")
    return interest


def regions_of(interest: NDArray[np.float32], *, width: int, height: int, strength: float) -> list[Region]:
    """The regions of a picture of ``width`` x ``height`` pixels, none of which overlap.

    Parameters
    ----------
    interest
        How much each part matters, shape (rows, columns), from 0 to 1.
    width, height
        Of the coded picture.
    strength
        Offset where nothing matters.

    Examples
    --------
    >>> regions_of(np.array([[0.0, 1.0]], np.float32), width=64, height=32, strength=0.2)
    [Region(x=0, y=0, width=32, height=32, offset=0.2)]
    """
    columns, rows = -(-width // _BLOCK), -(-height // _BLOCK)
    shrinks = interest.shape[0] > rows or interest.shape[1] > columns
    by_block = cv2.resize(interest, (columns, rows), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)
    coarse = _LEVELS - np.ceil(np.clip(by_block, 0, 1) * _LEVELS - 1e-3).astype(int)
    found = []
    left = coarse.copy()
    for row, column in zip(*np.nonzero(coarse), strict=True):
        level = left[row, column]
        if not level:
            continue
        end = column
        while end < columns and left[row, end] == level:
            end += 1
        below = row
        while below < rows and (left[below, column:end] == level).all():
            below += 1
        left[row:below, column:end] = 0
        x, y = int(column) * _BLOCK, int(row) * _BLOCK
        size = min(int(end) * _BLOCK, width) - x, min(int(below) * _BLOCK, height) - y
        found.append(Region(x, y, *size, strength * float(level) / _LEVELS))
    return found


def with_regions(pictures: Iterable[av.VideoFrame], regions: Iterable[list[Region]]) -> Iterator[av.VideoFrame]:
    """The same pictures with regions of interest attached: for each picture its own, which may be none."""
    graph, made_for = None, None
    for picture, its in zip(pictures, regions, strict=True):
        if not its:
            yield picture
            continue
        if graph is None or its != made_for:
            graph, made_for = _graph(picture, its), its
        graph.push(picture)
        marked = graph.pull()
        assert isinstance(marked, av.VideoFrame)
        marked.pts, marked.time_base, marked.pict_type = picture.pts, picture.time_base, PictureType.NONE
        yield marked


def _graph(picture: av.VideoFrame, regions: list[Region]) -> Graph:
    graph = Graph()
    last = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base or CLOCK
    )
    for region in regions:
        x, y, width, height, offset = region
        following = graph.add("addroi", f"x={x}:y={y}:w={width}:h={height}:qoffset={offset:.4f}")
        last.link_to(following)
        last = following
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    return graph
