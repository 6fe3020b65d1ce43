"""How fast to learn at which part of a run."""

from __future__ import annotations

import math


def one_cycle(progress: float, peak: float, warm_up: float = 0.2) -> float:
    """Learning rate after a share of the run: up to the peak and down to nothing, along cosines.

    L. N. Smith and N. Topin, "Super-convergence", arXiv 1708.07120.

    Parameters
    ----------
    progress
        Share of the run that is done, from 0 to 1.
    peak
        Largest rate.
    warm_up
        Share of the run until the peak; it starts at a 25th of it.
    """
    if progress < warm_up:
        low, high, along = peak / 25, peak, progress / warm_up
    else:
        low, high, along = 0.0, peak, (1 - progress) / (1 - warm_up)
    return low + (high - low) * (1 - math.cos(math.pi * along)) / 2
