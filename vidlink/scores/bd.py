"""Bjøntegaard differences of rate-accuracy curves, with guards: a figure is given only where the curves support it.

BD-rate is the mean difference of the logarithm of the rate at equal score, BD-score the mean difference of the score at
equal log rate, both over the range that two curves share (G. Bjøntegaard, "Calculation of average PSNR differences
between RD-curves", ITU-T VCEG-M33, 2001), with piecewise cubic interpolation that does not overshoot (Fritsch and
Carlson 1980) in place of his polynomial.

Accuracy need not rise with the rate. A curve counts as what a sender can reach with at most so many bits: a point that
costs more than another and scores no more is left out, and how many were is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEAST_POINTS = 3
"""A curve with fewer points that rise is refused."""
LEAST_OVERLAP = 0.1
"""Two curves must share at least so much of the shorter one's range."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A BD figure, or why there is none."""

    value: float | None
    """BD-rate in percent (negative saves), or BD-score; None where it is refused."""
    low: float
    """Lower end of the shared range: scores for a BD-rate, bits per second for a BD-score; NaN where there is none."""
    high: float
    """Upper end of it."""
    dropped: int
    """Points of both curves that were left out because they cost more than another and score no more."""
    reason: str | None = None
    """Why the figure is refused."""


def frontier(rates: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points of a curve that no cheaper point reaches, in rising order of both.

    Parameters
    ----------
    rates, scores
        Shape (points,), in any order; points that are not finite are left out.

    Returns
    -------
    rates, scores : NDArray[np.float64]
        Shape (points left,).

    Examples
    --------
    The third point costs more than the second and scores less:

    >>> rates, scores = frontier([8e3, 16e3, 32e3, 64e3], [0.50, 0.70, 0.69, 0.80])
    >>> rates.tolist(), scores.tolist()
    ([8000.0, 16000.0, 64000.0], [0.5, 0.7, 0.8])
    """
    x, y = np.asarray(rates, float), np.asarray(scores, float)
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = x[finite], y[finite]
    order = np.lexsort((-y, x))
    x, y = x[order], y[order]
    rises = y > np.maximum.accumulate(np.concatenate([[-np.inf], y]))[:-1]
    return x[rises], y[rises]


def bd_rate(rates: ArrayLike, scores: ArrayLike, anchor_rates: ArrayLike, anchor_scores: ArrayLike) -> Difference:
    """Mean difference of the rate at equal score against an anchor, in percent.

    Parameters
    ----------
    rates, scores
        Of the curve: bits per second (more than 0) and any score that is better the higher, shape (points,).
    anchor_rates, anchor_scores
        Of the anchor, shape (anchor's points,).

    Examples
    --------
    The same scores for half the bits:

    >>> found = bd_rate([8e3, 16e3, 32e3], [0.5, 0.6, 0.7], [16e3, 32e3, 64e3], [0.5, 0.6, 0.7])
    >>> f"{found.value:.1f} % between scores of {found.low} and {found.high}"
    '-50.0 % between scores of 0.5 and 0.7'

    Two points are no curve:

    >>> bd_rate([8e3, 16e3], [0.5, 0.6], [16e3, 32e3, 64e3], [0.5, 0.6, 0.7]).reason
    'the curve has 2 points that rise, of 2; at least 3 are needed'
    """
    return _difference((rates, scores), (anchor_rates, anchor_scores), of_rate=True)


def bd_score(rates: ArrayLike, scores: ArrayLike, anchor_rates: ArrayLike, anchor_scores: ArrayLike) -> Difference:
    """Mean difference of the score at equal rate against an anchor; parameters as for :func:`bd_rate`.

    Examples
    --------
    >>> found = bd_score([8e3, 16e3, 32e3], [0.6, 0.7, 0.8], [8e3, 16e3, 32e3], [0.5, 0.6, 0.7])
    >>> round(found.value, 6)
    0.1
    """
    return _difference((rates, scores), (anchor_rates, anchor_scores), of_rate=False)


def _difference(ours: tuple[ArrayLike, ArrayLike], anchor: tuple[ArrayLike, ArrayLike], *, of_rate: bool) -> Difference:
    curves: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    dropped = 0
    for name, (rates, scores) in (("the curve", ours), ("the anchor", anchor)):
        given = int(np.isfinite(np.asarray(scores, float)).sum())
        kept_rates, kept_scores = frontier(rates, scores)
        dropped += given - len(kept_rates)
        if len(kept_rates) < LEAST_POINTS:
            reason = f"{name} has {len(kept_rates)} points that rise, of {given}; at least {LEAST_POINTS} are needed"
            return Difference(value=None, low=np.nan, high=np.nan, dropped=dropped, reason=reason)
        logs = np.log(kept_rates)
        curves.append((kept_scores, logs) if of_rate else (logs, kept_scores))
    low, high = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    shorter = min(x[-1] - x[0] for x, _ in curves)
    ends = (low, high) if of_rate else (float(np.exp(low)), float(np.exp(high)))
    if high - low < LEAST_OVERLAP * shorter:
        what = "scores" if of_rate else "rates"
        reason = f"the curves share no range of {what}" if high <= low else f"the range of {what} they share is short"
        return Difference(value=None, low=ends[0], high=ends[1], dropped=dropped, reason=reason)
    areas = [_integral(x, y, low, high) for x, y in curves]
    mean = (areas[0] - areas[1]) / (high - low)
    value = 100 * float(np.expm1(mean)) if of_rate else float(mean)
    return Difference(value=value, low=ends[0], high=ends[1], dropped=dropped)


def _integral(x: NDArray[np.float64], y: NDArray[np.float64], low: float, high: float) -> float:
    from scipy.interpolate import PchipInterpolator

    return float(PchipInterpolator(x, y).integrate(low, high))
