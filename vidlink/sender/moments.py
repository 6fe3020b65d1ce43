"""Which frames of a segment are coded, and over which frames each is shown.

A rung codes one frame in n. Taken evenly, frames 0, n, 2n, ... are coded, and each is held until the next: while
something moves the picture on show is old by up to n - 1 frames. But the segment has been captured whole when it is
coded, so the sender can do better at the same number of coded frames. It cuts the segment into as many runs, short
where there is movement and long where there is none, and codes for each run the frame that stands best for all of it,
mostly one near its middle. The picture has the time of the run's first frame on the wire, so a receiver holds it
from there as it holds any other.

The cut is the best there is: :func:`cut_into_runs` finds by dynamic programming the runs and frames with the least sum
of squared distances between each frame and the one shown in its place (the k-medoids of a sequence). Distances are
Euclidean, between rows of features that the caller chooses: small luma pictures, or what a recognizer says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from av.video.reformatter import VideoReformatter

from vidlink.sender.ladder import coded_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vidlink.types import Segment

_WIDTH = 64
"""Pixels across of the pictures whose distance is movement."""
_LONGEST = 4
"""A run is at most so many times as long as runs of even length."""
_EVENNESS = 0.02
"""How much a distance in time counts: a frame shown n frames away from its own place costs this share of the mean
distance between frames n apart. So runs are even where nothing moves, or everything moves alike."""


Features: TypeAlias = "Callable[[Segment, bytes], NDArray[np.float32]]"
"""Gives the features of a segment's frames, shape (frames, n), from it and its side data."""


class Run(NamedTuple):
    """Some frames of a segment that are shown by one picture."""

    first: int
    """Slot of the frame from which it is shown."""
    coded: int
    """Slot of the frame that is coded."""


def runs_of(segment: Segment, divisor: int) -> list[Run]:
    """The runs of a segment at a frame divisor: by the features of each of its parts, or without them even."""
    runs: list[Run] = []
    start = 0
    for part in segment.each:
        if part.features is None:
            return even_runs(len(segment.frames), divisor)
        runs += [Run(start + run.first, start + run.coded) for run in cut_into_runs(part.features, divisor)]
        start += len(part.frames)
    return runs


def picture_features(segment: Segment, _: bytes = b"") -> NDArray[np.float32]:
    """Small luma pictures, area-averaged: shape (frames, pixels)."""
    small, reformatter = [], VideoReformatter()
    for frame in segment.frames:
        width, height = coded_size(frame.width, frame.height, max(1.0, frame.width / _WIDTH))
        picture = reformatter.reformat(frame, width=width, height=height, format="gray", interpolation="AREA")
        small.append(picture.to_ndarray().astype(np.float32).ravel())
    return np.stack(small)


def even_runs(count: int, divisor: int) -> list[Run]:
    """Every n-th frame, shown from its own time on.

    Examples
    --------
    >>> [run.coded for run in even_runs(10, 4)]
    [0, 4, 8]
    """
    return [Run(slot, slot) for slot in range(0, count, divisor)]


def cut_into_runs(features: NDArray[np.float32], divisor: int) -> list[Run]:
    """The best runs, as many as of every n-th frame.

    Parameters
    ----------
    features
        A row a frame, shape (frames, n); frames are alike as far as their rows are near each other.
    divisor
        One frame in so many is coded.

    Examples
    --------
    A jump between the fifth and the sixth of eight frames:

    >>> cut_into_runs(np.array([0, 0, 0, 0, 0, 9, 9, 9], np.float32)[:, None], 4)
    [Run(first=0, coded=2), Run(first=5, coded=6)]
    """
    count = len(features)
    pieces = -(-count // divisor)
    if divisor == 1 or count < 2:
        return even_runs(count, divisor)
    longest = min(count, _LONGEST * divisor)
    cost, best = _costs(_distances(features, divisor), longest)
    # least[b]: the least cost of the first b frames in so many runs. starts[k][b]: where the last of k + 1 runs begins.
    least = np.concatenate([[0.0], np.full(count, np.inf)])
    starts = np.zeros((pieces, count + 1), np.int64)
    for piece in range(pieces):
        # Of a run that ends before b and is n frames long, row b, column n - 1.
        before = np.full((count + 1, longest), np.inf)
        for length in range(1, longest + 1):
            before[length:, length - 1] = least[:-length] + cost[: count + 1 - length, length - 1]
        lengths = before.argmin(axis=1)
        starts[piece] = np.arange(count + 1) - lengths - 1
        least = before[np.arange(count + 1), lengths]
    runs, end = [], count
    for piece in reversed(range(pieces)):
        first = int(starts[piece][end])
        runs.append(Run(first, int(best[first, end - first - 1])))
        end = first
    return runs[::-1]


def _distances(features: NDArray[np.float32], divisor: int) -> NDArray[np.float64]:
    """Squared distances between frames, shape (frames, frames), and a little for distance in time."""
    rows = features.astype(np.float64)
    norms = np.einsum("ij,ij->i", rows, rows)
    distances = np.maximum(norms[:, None] + norms[None, :] - 2 * rows @ rows.T, 0.0)
    apart = np.abs(np.subtract.outer(np.arange(len(rows)), np.arange(len(rows))))
    usual = float(np.mean(distances[apart == min(divisor, len(rows) - 1)])) or 1.0
    return distances + _EVENNESS * usual * (apart / divisor) ** 2


def _costs(distances: NDArray[np.float64], longest: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For a run from each frame on (row), 1 to ``longest`` frames long (column): least cost, and the frame shown."""
    count = len(distances)
    cost = np.full((count, longest), np.inf)
    best = np.zeros((count, longest), np.int64)
    for first in range(count):
        block = distances[first : first + longest, first : first + longest]
        # sums[n, r]: the frames first ... first + n shown by frame first + r, which must be one of them.
        sums = np.where(np.tri(len(block), dtype=bool), np.cumsum(block, axis=0), np.inf)
        shown = sums.argmin(axis=1)
        cost[first, : len(block)] = sums[np.arange(len(block)), shown]
        best[first, : len(block)] = first + shown
    return cost, best
