"""What loss makes of long groups: every picture after a lost packet is damaged until the next key frame.

So the planner weighs what fewer key frames gain against the damage that is to be expected. Both are in units of the
objective. The gain follows from the key picture's share of the bits and from what twice the bits are worth; the damage
is what a segment is worth less where its first picture stays, times how many of its pictures are behind a lost packet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vidlink.sender.groups import Sided
    from vidlink.sender.trial import Attempt, Objective
    from vidlink.types import CodedSegment

CAUTION = 6.0
"""The damage counts so many times: errors add up from picture to picture, so what is predicted from damage differs from
the source by far more than a picture that stays, and a group that is too short costs little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """Chooses how many segments are joined where packets are lost."""

    loss: float
    """Share of packets that are lost for good: after parity and retransmission."""
    packets: Callable[[CodedSegment], int]
    """Packets of a group."""
    objective: Objective
    """What the plan maximizes."""

    def longest(self, window: Sequence[Sided], before: Attempt, parts: int, per_doubling: float) -> int:
        """How many of the segments that may be joined should be.

        Parameters
        ----------
        window
            The segments, with their side data.
        before
            The group before, from which is known what a key picture takes.
        parts
            How many segments were joined in it.
        per_doubling
            What twice the bits were worth there, in units of the objective.
        """
        share = before.key_share
        # Of a group of one segment, whose other pictures take as much as those of the group before on average.
        share = share / (share + (1 - share) / parts)
        packets = self.packets(before.coded) * (1 - before.key_share) / parts / max(1 - share, 1e-6)
        damage = max(before.quality - self._held(window[0]), 0.0)

        def worth(count: int) -> float:
            octaves = -math.log2(1 - share + share / count)
            spoiled = damaged_share(packets * count, self.loss)
            return octaves * per_doubling - CAUTION * damage * spoiled

        return max(range(1, len(window) + 1), key=worth)

    def _held(self, sided: Sided) -> float:
        """What a segment is worth where its first picture stays."""
        segment, side_data = sided
        return self.objective(segment, [segment.frames[0]] * len(segment.frames), side_data)


def damaged_share(packets: float, loss: float) -> float:
    """Share of a group's pictures behind a lost packet, for so many packets of which each is lost with chance ``loss``.

    Examples
    --------
    >>> round(damaged_share(6, 0.05), 3), round(damaged_share(48, 0.05), 3), damaged_share(6, 0.0)
    (0.139, 0.628, 0.0)
    """
    if loss <= 0 or packets <= 0:
        return 0.0
    faded = -math.log1p(-min(loss, 0.999)) * packets
    return 1 - (1 - math.exp(-faded)) / faded
