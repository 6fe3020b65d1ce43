"""The exhaustive search: every rung of the ladder x the quality grid is really encoded, decoded and measured.

It is slow and right: the reference against which faster planners are measured. Only trials whose bits alone overflow
the bucket are not measured, since no plan could ever use them: for each scale and frame rate qualities are tried from
worst to best, and the first that is too large ends the row.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

from vidlink.sender.allocate import Choices, Trial
from vidlink.types import Rung

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from vidlink.sender.trial import Trials
    from vidlink.types import CodedSegment, Segment


def search(
    segment: Segment,
    trials: Trials,
    *,
    scales: Sequence[float],
    divisors: Sequence[int],
    qualities: Sequence[float],
    largest_bits: float,
    side_data: bytes,
    pool: Executor,
) -> Choices:
    """Try every rung on one segment.

    Parameters
    ----------
    segment
        What to code.
    trials
        Makes and measures trial encodes.
    scales, divisors, qualities
        The grid.
    largest_bits
        Wire bits that no plan can afford in one segment.
    side_data
        Bytes that travel with the segment.
    pool
        Runs the rows of the grid beside each other.
    """

    def row(place: tuple[float, int]) -> tuple[list[Trial], CodedSegment]:
        scale, divisor = place
        measured = []
        cheapest: CodedSegment | None = None
        for quality in sorted(qualities, reverse=True):
            rung = Rung(scale=scale, frame_divisor=divisor, quality=quality)
            made = trials.make(segment, rung, side_data, largest_bits=largest_bits)
            cheapest = cheapest or made.coded
            if made.quality == -math.inf:
                break
            measured.append(
                Trial(
                    rung=rung,
                    wire_bits=made.wire_bits,
                    quality=made.quality,
                )
            )
        if cheapest is None:
            raise ValueError("the quality grid is empty")
        return measured, cheapest

    rows = list(pool.map(row, product(scales, divisors)))
    return Choices(
        trials=tuple(trial for measured, _ in rows for trial in measured),
        cheapest=min((coded for _, coded in rows), key=trials.wire_bits),
        frames=len(segment.frames),
        start_s=segment.start_s,
        duration_s=segment.duration_s,
    )
