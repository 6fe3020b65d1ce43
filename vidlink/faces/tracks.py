"""Face tracks as they travel beside the stream: few numbers a segment, the same boxes at both ends.

A track is sent as boxes at knots, evenly spaced over the segment at most :data:`KNOT_S` apart, and both ends draw
straight lines between them; a box that stands still has one knot. On the wire: one byte face number, one byte number of
knots, then x, y, width, height of each knot as 16-bit unsigned pixels, big-endian: 8 bytes a knot, about 200 bits a
second for a face that moves and 80 for one that does not.

A group of several segments has the tracks of each: one byte number of segments and a zero, then for each segment its
number of source frames, its number of tracks, 16 bits each, and the tracks; 65535 tracks are those of the segment
before, so a face that stands still costs four bytes for a further segment.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

KNOT_S = 0.5
"""Largest distance between two knots in seconds."""
MOST_FACES = 256
"""A face number is one byte on the wire."""
_AS_BEFORE = 65535
BOX = ("x", "y", "w", "h")
"""Columns of a face's box in a table of labels, HR pixels."""


class Box(NamedTuple):
    """A face, or another part of a picture, in pixels of that picture."""

    x: float
    """Left edge."""
    y: float
    """Upper edge."""
    width: float
    """Width."""
    height: float
    """Height."""

    def as_array(self) -> NDArray[np.float64]:
        """x, y, width, height; shape (4,)."""
        return np.array(self, float)


def knot_count(duration_s: float) -> int:
    """Knots of a segment of ``duration_s`` seconds, at least 2; a segment that is a tenth too long gets no more."""
    return max(2, math.ceil(duration_s / KNOT_S - 0.1) + 1)


def pack_tracks(tracks: Mapping[int, NDArray[np.float64]]) -> bytes:
    """Serialise the tracks of one segment.

    Parameters
    ----------
    tracks
        By face number (0 to 255): boxes at the knots of the segment, shape (knots, 4), HR pixels.

    Returns
    -------
    bytes
        Empty where there is no track.

    Examples
    --------
    A face that stands still takes ten bytes, one that moves more:

    >>> still = np.array([[40, 20, 96, 96]] * 3)
    >>> len(pack_tracks({0: still})), len(pack_tracks({0: still + [[0], [4], [8]]}))
    (10, 26)
    >>> unpack_tracks(pack_tracks({7: still}))[7].tolist()
    [[40.0, 20.0, 96.0, 96.0]]
    """
    packed = []
    for face, boxes in tracks.items():
        knots = _within_bounds(np.asarray(boxes, float))
        knots = knots[:1] if (knots == knots[0]).all() else knots
        packed.append(struct.pack(f">BB{4 * len(knots)}H", face, len(knots), *knots.ravel()))
    return b"".join(packed)


def _within_bounds(boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Boxes in whole pixels that the wire can carry: what lies left of the picture, or above it, is cut off."""
    corners = np.clip(np.rint(boxes[:, :2]), 0, 65535)
    ends = np.rint(boxes[:, :2] + boxes[:, 2:])
    inside = (boxes[:, :2] >= 0).all(axis=1, keepdims=True)
    sides = np.where(inside, np.rint(boxes[:, 2:]), np.maximum(ends - corners, 1))
    return np.column_stack([corners, np.clip(sides, 0, 65535)]).astype(int)


def unpack_tracks(data: bytes) -> dict[int, NDArray[np.float64]]:
    """Parse what :func:`pack_tracks` made: knots by face number, shape (knots, 4); one where the box stands still.

    Raises
    ------
    ValueError
        The bytes end inside a track.
    """
    tracks = {}
    position = 0
    while position < len(data):
        try:
            face, knots = struct.unpack_from(">BB", data, position)
            values = struct.unpack_from(f">{4 * knots}H", data, position + 2)
        except struct.error as error:
            raise ValueError(f"face boxes end inside a track at byte {position}") from error
        tracks[face] = np.array(values, float).reshape(knots, 4)
        position += 2 + 8 * knots
    return tracks


def join_parts(parts: Sequence[tuple[int, bytes]]) -> bytes:
    """Serialise the side data of a group of segments: number of source frames and packed tracks of each.

    One segment alone stays as it is, and so do segments without any track, which need no bytes.

    Examples
    --------
    >>> still = pack_tracks({0: np.array([[40, 20, 96, 96]] * 3)})
    >>> len(join_parts([(25, still)])), len(join_parts([(25, still)] * 4)), join_parts([(25, b""), (30, b"")])
    (10, 28, b'')
    >>> split_parts(join_parts([(25, still), (30, still), (5, b"")])) == [(25, still), (30, still), (5, b"")]
    True
    """
    if len(parts) == 1 or not any(data for _, data in parts):
        return parts[0][1]
    packed = [bytes([len(parts), 0])]
    before: bytes | None = None
    for frames, data in parts:
        count = _AS_BEFORE if data == before else len(unpack_tracks(data))
        packed.append(struct.pack(">HH", frames, count) + (b"" if data == before else data))
        before = data
    return b"".join(packed)


def split_parts(data: bytes) -> list[tuple[int, bytes]]:
    """Parse what :func:`join_parts` made: empty where ``data`` is that of one segment, or of none.

    Raises
    ------
    ValueError
        The bytes end inside a segment's tracks.
    """
    if len(data) < 2 or data[1]:
        return []
    parts: list[tuple[int, bytes]] = []
    position = 2
    try:
        for _ in range(data[0]):
            frames, count = struct.unpack_from(">HH", data, position)
            position += 4
            if count == _AS_BEFORE:
                parts.append((frames, parts[-1][1]))
                continue
            start = position
            for _ in range(count):
                position += 2 + 8 * data[position + 1]
            if position > len(data):
                raise IndexError
            parts.append((frames, data[start:position]))
    except (struct.error, IndexError) as error:
        raise ValueError(f"face boxes end inside segment {len(parts)} of a group of {data[0]}") from error
    return parts


def at_knots(boxes: NDArray[np.float64], times_s: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
    """Boxes at the knots of a segment from boxes at its frames.

    Parameters
    ----------
    boxes
        Shape (frames, 4).
    times_s
        Frame times from the start of the segment, shape (frames,).
    duration_s
        Seconds.
    """
    knots_s = np.linspace(0, duration_s, knot_count(duration_s))
    return np.column_stack([np.interp(knots_s, times_s, boxes[:, side]) for side in range(4)])


def at_times(knots: NDArray[np.float64], times_s: Sequence[float] | NDArray, duration_s: float) -> NDArray[np.float64]:
    """Boxes at any times from the knots of a segment: straight lines between them; shape (times, 4).

    Examples
    --------
    >>> at_times(np.array([[0, 0, 50, 50], [10, 0, 50, 50]]), [0.25, 0.5], duration_s=1.0).tolist()
    [[2.5, 0.0, 50.0, 50.0], [5.0, 0.0, 50.0, 50.0]]
    """
    knots_s = np.linspace(0, duration_s, len(knots))
    return np.column_stack([np.interp(times_s, knots_s, knots[:, side]) for side in range(4)])
