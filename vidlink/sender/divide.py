"""Where a window of segments is better sent as several groups than as one.

One closed GOP has one key picture, one rung, and spreads its bits over its segments as they need them at even quality.
Several pay for further key pictures, and get rungs of their own, and each the bits of its own time. The trials that
found the rung for the whole window say what each segment of it costs and is worth at each rung that was tried, so
dynamic programming over the places to divide foretells what would be better. That is a forecast: whoever follows it
codes the groups and compares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.sender.guided import Guide
    from vidlink.sender.trial import Attempt
    from vidlink.types import Segment

_REACH = 12.0
"""Lines are straight over about so many knob units; what they foretell further off is not believed."""


class _Row(NamedTuple):
    """What one trial of the whole window says of its segments."""

    knob: float
    bits: NDArray[np.float64]
    """On the wire, without the key picture's, shape (segments,)."""
    key_bits: float
    """Of a key picture, beyond what another picture in its place would take."""
    qualities: NDArray[np.float64]
    bits_slope: float
    quality_slope: float


def best_division(
    guide: Guide, window: Segment, *, rate_bps: float, most: int, worst: float, best: float
) -> tuple[list[int], float]:
    """How to divide a window into groups.

    Parameters
    ----------
    guide
        It has just chosen a rung for the window as one group.
    window
        The segments, joined.
    rate_bps
        Each group may take the bits of its own time.
    most
        A group has at most so many segments.
    worst, best
        Range of the codec's quality knob.

    Returns
    -------
    tuple
        Number of segments in each group; and by how much the mean quality is foretold to be better than that of the
        whole window as one group, in units of the objective (minus infinity where it cannot be one).
    """
    parts = window.parts
    frames = np.array([len(part.frames) for part in parts], float)
    seconds = np.array([part.duration_s for part in parts])
    rows = [_row(made, window, guide.slopes(made)) for made in _nearest(guide, rate_bps * float(seconds.sum()))]
    count = len(parts)

    def worth(start: int, stop: int) -> float:
        """The best that segments ``start`` to ``stop`` can be worth as one group, times their frames."""
        found = -math.inf
        for row in rows:
            bits = row.key_bits + float(row.bits[start:stop].sum())
            lower = math.log(rate_bps * float(seconds[start:stop].sum()) / bits) / row.bits_slope
            if abs(lower) > _REACH or row.knob - lower > worst:
                continue
            lower = min(lower, row.knob - best)
            value = row.qualities[start:stop] + row.quality_slope * lower
            found = max(found, float((frames[start:stop] * value).sum()))
        return found

    # The best division of the first k segments, and where its last group starts.
    values, starts = [0.0], [0]
    for stop in range(1, count + 1):
        value, start = max((values[s] + worth(s, stop), s) for s in range(max(0, stop - most), stop))
        values.append(value)
        starts.append(start)
    groups: list[int] = []
    stop = count
    while stop:
        groups.append(stop - starts[stop])
        stop = starts[stop]
    return groups[::-1], (values[count] - worth(0, count)) / float(frames.sum())


def _nearest(guide: Guide, budget_bits: float) -> list[Attempt]:
    """Of each rung the measured trial that is nearest to the budget."""
    found = []
    for trials in guide.tried.values():
        measured = [made for made in trials if len(made.qualities) > 1]
        if measured:
            found.append(min(measured, key=lambda made: abs(math.log(made.wire_bits / budget_bits))))
    return found


def _row(made: Attempt, window: Segment, slopes: tuple[float, float]) -> _Row:
    ends = np.cumsum([len(part.frames) for part in window.parts]) + window.first_frame
    sizes = np.array([8.0 * sum(map(len, unit.nals)) for unit in made.coded.units])
    part_of = np.searchsorted(ends, [unit.frame for unit in made.coded.units], side="right")
    overhead = made.wire_bits / max(float(sizes.sum()), 1.0)
    others = sizes[1:][part_of[1:] == 0] if len(sizes) > 1 else sizes
    usual = float(others.mean()) if len(others) else 0.0
    key_bits = max(float(sizes[0]) - usual, 0.0)
    bits = np.bincount(part_of, weights=sizes, minlength=len(ends))
    bits[0] -= key_bits
    return _Row(made.knob, overhead * np.maximum(bits, 1.0), overhead * key_bits, np.array(made.qualities), *slopes)
