"""The region of interest: what ``--roi`` says, and the window about a face that is coded instead of the whole frame.

With ``--roi face`` the pictures that are coded are squares of one HR size about one face, as in Cheng et al. (ACII
2017), whose videos are face crops. The window is a function of the track that travels with each segment (see
:mod:`vidlink.faces.tracks`), so the far end knows where in the scene it was cut and where in it the face is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink import units
from vidlink.errors import UserError
from vidlink.faces.tracks import Box, at_times, unpack_tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.types import Clip

_MARGIN = 0.15
"""Added on each side of the face, as a share of its longer side: hair and chin, and room to move."""
_STILL = 0.1
"""A face whose centre moves less than this share of its side in a segment has a window that stands still."""
_STEPS = 4
"""The window grows and shrinks in so many steps an octave, so that small changes of the box do not zoom the picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Roi:
    """What ``--roi`` asks for."""

    cut: bool
    """Whether a window about the face is coded; otherwise the whole frame."""
    box: Box | None
    """Where the face is, or None where it is to be found."""


def parse_roi(text: str) -> Roi:
    """Read the setting ``--roi``; its grammar and what it raises are :func:`vidlink.units.parse_roi`'s."""
    cut, box = units.parse_roi("--roi", text)
    return Roi(cut=cut, box=None if box is None else Box(x=box[0], y=box[1], width=box[2], height=box[3]))


def check_box(box: Box, *, width: int, height: int) -> None:
    """Refuse a box that leaves the picture of ``width`` x ``height`` pixels.

    Raises
    ------
    UserError
        It does.
    """
    if box.x + box.width > width or box.y + box.height > height:
        raise UserError(
            f"--roi: the box {box.x:g},{box.y:g},{box.width:g},{box.height:g} leaves the picture, "
            f"which is {width}x{height}"
        )


def window_side(knots: NDArray[np.float64], *, width: int, height: int) -> int:
    """Side in pixels, even, of the window that a face asks for in frames of ``width`` x ``height``."""
    return _even_side(float(knots[:, 2:].max()) * (1 + 2 * _MARGIN), width, height)


def window_path(
    knots: NDArray[np.float64], offsets_s: NDArray[np.float64], duration_s: float, *, side: int, width: int, height: int
) -> NDArray[np.int64]:
    """Where the window of each frame of a segment is cut.

    Parameters
    ----------
    knots
        The face's track as it is on the wire, shape (knots, 4).
    offsets_s
        Times of the frames from the start of the segment, shape (frames,).
    duration_s
        Of the segment, in seconds.
    side
        HR side of the coded pictures.
    width, height
        Of the source's frames.

    Returns
    -------
    ndarray, shape (frames, 3)
        Left, top and side in pixels of the source, all even; the side is the same for all.
    """
    longest = float(knots[:, 2:].max())
    wanted = longest * (1 + 2 * _MARGIN)
    # What is up to half a step too large for the window still fits its margin.
    octaves = math.ceil(_STEPS * math.log2(wanted / side) - 0.5) / _STEPS
    cut = _even_side(side * 2**octaves, width, height)
    boxes = at_times(knots, offsets_s, duration_s)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    lowest, highest = centres.min(axis=0), centres.max(axis=0)
    if (highest - lowest).max() < _STILL * longest:
        centres = np.broadcast_to((lowest + highest) / 2, centres.shape)
    corners = 2 * np.rint((centres - cut / 2) / 2).astype(np.int64)
    corners = np.clip(corners, 0, [(width - cut) // 2 * 2, (height - cut) // 2 * 2])
    return np.column_stack([corners, np.full(len(corners), cut)])


def face_boxes(
    side_data: bytes, offsets_s: NDArray[np.float64], duration_s: float, clip: Clip
) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Where the faces of a segment are, from what travelled with it.

    Parameters
    ----------
    side_data
        As :func:`~vidlink.faces.tracks.pack_tracks` made it.
    offsets_s
        Times from the start of the segment, shape (n,).
    duration_s
        Of the segment, in seconds.
    clip
        What was coded.

    Returns
    -------
    dict of int to tuple of ndarray
        By face number: boxes in pixels of the source, and in pixels of the coded pictures at HR, shape (n, 4) each.
    """
    found = {}
    for face, knots in unpack_tracks(side_data).items():
        boxes = at_times(knots, offsets_s, duration_s)
        shown = boxes
        if clip.cut_from is not None:
            width, height = clip.cut_from
            path = window_path(knots, offsets_s, duration_s, side=clip.width, width=width, height=height)
            shown = np.column_stack([boxes[:, :2] - path[:, :2], boxes[:, 2:]]) * (clip.width / path[:, 2:])
        found[face] = boxes, shown
    return found


def _even_side(side: float, width: int, height: int) -> int:
    return max(2, min(2 * round(side / 2), min(width, height) // 2 * 2))
