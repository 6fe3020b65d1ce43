"""How sure a choice is: differences to the others clip by clip, and how many clips would tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.sweeping.intervals import interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

POWER = 0.8
"""Chance with which so many clips as are said would tell two settings apart."""
MANY = 10_000
"""More clips than this are not counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rival:
    """A setting beside the one that was chosen."""

    setting: str
    """Its options."""
    clips: int
    """Clips that both were tried on."""
    score: float
    """Its mean over them."""
    less: float
    """Mean of how much less it scores than the chosen one, clip by clip."""
    low: float
    """Lower end of the 95 % interval of that, Student's t over clips; NaN with one clip."""
    high: float
    """Upper end."""
    needed: int | None
    """Clips that would tell the two apart if the difference is as it was here; None where no number is known."""

    @property
    def told_apart(self) -> bool:
        """Whether the interval is on one side of zero."""
        return self.low > 0 or self.high < 0


def rivals_of(chosen: str, table: pd.DataFrame) -> list[Rival]:
    """Every other setting against the chosen one, over the clips that both were tried on; the nearest first.

    Parameters
    ----------
    chosen
        Its name.
    table
        A row for each ``setting`` and ``clip``, with the ``score``.
    """
    scores = table.pivot_table(index="clip", columns="setting", values="score", sort=False, observed=True)
    found = []
    for setting in scores:
        if setting == chosen:
            continue
        both = scores[[chosen, setting]].dropna()
        differences = (both[chosen] - both[setting]).to_numpy(float)
        less, low, high = interval(differences)
        found.append(
            Rival(
                setting=str(setting),
                clips=len(both),
                score=float(both[setting].mean()),
                less=less,
                low=low,
                high=high,
                needed=clips_needed(differences),
            )
        )
    return sorted(found, key=lambda each: (-each.clips, each.less))


def clips_needed(differences: ArrayLike) -> int | None:
    """Clips at which a t test of 95 % finds a difference like this one, four times in five.

    The least n with ``sqrt(n) |m| / s >= t(0.975, n - 1) + t(0.8, n - 1)``, of the mean m and the standard deviation s.

    Parameters
    ----------
    differences
        Clip by clip.

    Returns
    -------
    int or None
        None with fewer than two clips, where there is no difference, or it would take more than 10,000 clips.

    Examples
    --------
    >>> clips_needed([0.1, 0.3, 0.2, -0.1]), clips_needed([0.1]), clips_needed([0.1, -0.1])
    (17, None, None)
    """
    from scipy.stats import t

    known = np.asarray(differences, float)
    mean = abs(known.mean()) if len(known) else 0.0
    if len(known) < 2 or mean < 1e-12:
        return None
    counts = np.arange(2, MANY + 1)
    wanted = (t.ppf(0.975, counts - 1) + t.ppf(POWER, counts - 1)) / np.sqrt(counts)
    enough = np.flatnonzero(wanted * known.std(ddof=1) <= mean)
    return int(counts[enough[0]]) if len(enough) else None


def fair_score(settings: list[str], table: pd.DataFrame) -> float:
    """The mean score of clips, each by the setting that is best on the others: of choosing, not of the one chosen.

    The best of several settings looks better than it is on the clips that it was chosen by. NaN with one clip.
    """
    scores = table.pivot_table(index="clip", columns="setting", values="score", sort=False, observed=True)
    scores = scores[[name for name in settings if name in scores]].dropna()
    if len(scores) < 2:
        return np.nan
    others = (scores.sum() - scores).to_numpy(float).round(9)
    return float(scores.to_numpy(float)[np.arange(len(scores)), others.argmax(axis=1)].mean())
