"""The display matrix of a picture: which of FFmpeg's filters bring it upright, and how to say so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias, cast

import av
import av.filter
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type

Filter: TypeAlias = tuple[str, str]
"""Name and arguments of one of FFmpeg's filters."""
Matrix: TypeAlias = tuple[int, ...]
"""The nine numbers of a display matrix, row by row, as ISO/IEC 14496-12 stores them."""

_KINDS_OF_SIDE_DATA = 64
"""More kinds of side data than FFmpeg has (32 in version 8)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turning:
    """What brings pictures with one display matrix upright."""

    filters: tuple[Filter, ...] = ()
    """FFmpeg's filters, none where the picture is upright as it is."""
    swaps_sides: bool = False
    """Whether width and height change places."""
    said: str = ""
    """What was done, as a sentence; empty where nothing was."""


def display_matrix(frame: av.VideoFrame) -> Matrix | None:
    """The display matrix that came with a picture, from its container, its stream, or its EXIF orientation."""
    try:
        side_data = cast("SideDataContainer", frame.side_data)
    except ValueError:
        # PyAV refuses all of a picture's side data where it does not know some of it, such as EXIF.
        side_data = cast("SideDataContainer", _with_known_side_data(frame).side_data)
    if Type.DISPLAYMATRIX not in side_data:
        return None
    return tuple(np.frombuffer(bytes(side_data[Type.DISPLAYMATRIX]), np.int32)[:9].tolist())


def _with_known_side_data(frame: av.VideoFrame) -> av.VideoFrame:
    """The same picture without the kinds of side data that PyAV has no name for."""
    known = {kind.value for kind in Type}
    graph = av.filter.Graph()
    nodes = [graph.add("buffer", video_size=f"{frame.width}x{frame.height}", pix_fmt=frame.format.name, time_base="1")]
    nodes += [
        graph.add("sidedata", f"mode=delete:type={kind}") for kind in range(_KINDS_OF_SIDE_DATA) if kind not in known
    ]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def turning(matrix: Matrix | None) -> Turning:
    """How the ``ffmpeg`` program brings pictures with this matrix upright.

    Quarter turns and mirrors lose nothing. At any other angle the picture is turned about its middle and keeps its
    size, with black corners; a mirror is left out then, as ``ffmpeg`` does.
    """
    if matrix is None:
        return Turning()
    angle = _clockwise_degrees(matrix)
    if angle is None:
        return Turning()
    filters: list[Filter]
    swaps_sides = mirrored = False
    if abs(angle - 90) < 1:
        mirrored = matrix[3] > 0
        filters, swaps_sides = [("transpose", "cclock_flip" if mirrored else "clock")], True
    elif abs(angle - 270) < 1:
        mirrored = matrix[3] < 0
        filters, swaps_sides = [("transpose", "clock_flip" if mirrored else "cclock")], True
    elif abs(angle - 180) < 1:
        filters = [(name, "") for name, side in (("hflip", matrix[0]), ("vflip", matrix[4])) if side < 0]
        mirrored = len(filters) == 1
    elif angle <= 1:  # less than can be seen
        filters = [("vflip", "")] if matrix[4] < 0 else []
        mirrored = bool(filters)
    else:
        filters = [("rotate", f"{angle}*PI/180")]
    if not filters:
        return Turning()
    if filters[0][0] == "rotate":
        lost = " and its mirror left out" if matrix[0] * matrix[4] - matrix[1] * matrix[3] < 0 else ""
        said = f"the picture was turned upright by {angle} degrees clockwise, at its own size{lost}"
    elif mirrored:
        said = "the picture was mirrored and turned upright, as its display matrix says"
    else:
        said = f"the picture was turned upright ({angle} degrees clockwise)"
    if filters[-1] == ("vflip", ""):
        filters.append(("copy", ""))  # or its rows may run backwards in memory
    return Turning(filters=tuple(filters), swaps_sides=swaps_sides, said=said)


def _clockwise_degrees(matrix: Matrix) -> int | None:
    """Whole degrees from 0 to 359 by which to turn; None for a matrix that makes nothing visible."""
    wide, high = math.hypot(matrix[0], matrix[3]), math.hypot(matrix[1], matrix[4])
    if not wide or not high:
        return None
    return round(math.degrees(math.atan2(matrix[1] / high, matrix[0] / wide))) % 360
