"""Faces to learn from, to choose by and to score on, which must not be the same faces.

The best epoch, and every other choice, is made by faces of the training split from which nothing is learned; the
validation split is only scored. Nothing is learned from a face that is nearly one of these (:mod:`vidlink.data.twins`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.twins import twins_of
from vidlink.errors import UserError

if TYPE_CHECKING:
    from vidlink.data.face_set import FaceSet

MOST = 3000
"""So many faces at most are chosen by where nobody says how many."""
SHARE = 10
"""Otherwise one in so many of the faces, but at least :data:`LEAST`."""
LEAST = 12
"""Fewer faces are too few, to learn from or to choose by."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Apart:
    """The faces of a training split in two parts, without those that are left out."""

    learned: FaceSet
    """To learn from."""
    chosen: FaceSet
    """To choose by; none of them is nearly one of ``learned``, unless nearly all are."""
    twins: int
    """Faces left out because they are nearly one of the split that is scored."""
    near: int
    """Faces left out because they are nearly one of the other part."""

    def counts(self, scored: FaceSet) -> dict[str, int]:
        """What a card says of them."""
        return {
            "learned": len(self.learned),
            "chosen": len(self.chosen),
            "valid": len(scored),
            "twins_left_out": self.twins,
            "near_chosen_left_out": self.near,
        }


def set_apart(every: FaceSet, scored: FaceSet, count: int | None, seed: int) -> Apart:
    """Divide the faces of a training split.

    Parameters
    ----------
    every
        All of them.
    scored
        The split that is scored.
    count
        How many faces to choose by; None for a tenth, 3000 at the most.
    seed
        Of the draw; the same faces come out whatever is trained on them.

    Raises
    ------
    UserError
        Where too few are left to learn from or to choose by.
    """
    twins = twins_of(every, scored)
    clean = every.take(~twins)
    wanted = min(MOST, max(LEAST, len(clean) // SHARE)) if count is None else count
    if wanted < LEAST or len(clean) < wanted + LEAST:
        out = f", without {int(twins.sum())} that are nearly faces of the other split" if twins.any() else ""
        raise UserError(
            f"--choose {wanted}: {len(clean)} faces are there{out}; leave at least {LEAST} to learn from, "
            f"and at least {LEAST} to choose by"
        )
    order = np.random.default_rng(seed + 1).permutation(len(clean))
    chosen, learned = (clean.take(np.sort(rows)) for rows in (order[:wanted], order[wanted:]))
    near = twins_of(learned, chosen)
    if len(learned) - near.sum() >= len(learned) // 2:  # of a video nearly all faces are alike
        learned = learned.take(~near)
    return Apart(learned=learned, chosen=chosen, twins=int(twins.sum()), near=len(clean) - len(learned) - len(chosen))
