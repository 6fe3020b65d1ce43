"""How well predictions follow a reference: CC, CCC and RMSE, one definition for the whole project.

For predictions ``x`` and references ``y`` with means ``m``, standard deviations ``s`` and covariance ``s_xy``:

- ``CC = s_xy / (s_x s_y)``, Pearson's correlation coefficient;
- ``CCC = 2 s_xy / (s_x² + s_y² + (m_x - m_y)²)``, L. I. Lin, "A concordance correlation coefficient to evaluate
  reproducibility", Biometrics 45 (1989), 255-268;
- ``RMSE = sqrt(mean((x - y)²))``.

**Variance convention**: that of ``torchmetrics``, which tests hold these against. Variances and covariance divide by
n - 1. CC does not depend on it; CCC by the population's convention (n, as in Lin's paper) is lower by about
``CCC (m_x - m_y)² / (n (s_x² + s_y² + (m_x - m_y)²))``, which vanishes in long tracks and in unbiased ones.

A constant input, or fewer than two pairs, has no correlation: CC and CCC are then 0 with a :class:`UserWarning`, never
NaN. Pairs in which either side is NaN (no face in the picture) are left out.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

SCORES = ("cc", "ccc", "rmse")
"""Names of the scores, in the order in which tables show them."""


def score(predictions: ArrayLike, references: ArrayLike, *, name: str = "") -> dict[str, float]:
    """CC, CCC and RMSE of one dimension.

    Parameters
    ----------
    predictions, references
        Shape (n,). NaN pairs are left out.
    name
        What to call the dimension in warnings.

    Returns
    -------
    dict
        ``cc``, ``ccc``, ``rmse`` and ``n``, the number of pairs that counted. ``rmse`` is NaN where ``n`` is 0.

    Raises
    ------
    ValueError
        If the shapes differ or are not (n,).

    Examples
    --------
    >>> {name: round(value, 3) for name, value in score([0.1, 0.4, 0.6], [0.0, 0.5, 1.0]).items()}
    {'cc': 0.993, 'ccc': 0.755, 'rmse': 0.245, 'n': 3}
    """
    x, y = np.asarray(predictions, np.float64), np.asarray(references, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"{x.shape = } and {y.shape = }: expected one and the same (n,)")
    paired = np.isfinite(x) & np.isfinite(y)
    x, y = x[paired], y[paired]
    rmse = float(np.sqrt(np.mean((x - y) ** 2))) if len(x) else float("nan")
    cc, ccc = _correlations(x, y, name)
    return {"cc": cc, "ccc": ccc, "rmse": rmse, "n": len(x)}


def score_table(
    dimensions: Sequence[str], predictions: ArrayLike, references: ArrayLike
) -> dict[str, dict[str, float | None]]:
    """CC, CCC and RMSE of several dimensions, as maps for JSON.

    Parameters
    ----------
    dimensions
        Names of the columns.
    predictions, references
        Shape (n, len(dimensions)). Tracks of several clips are scored together by concatenating them.

    Returns
    -------
    dict
        ``{"cc": {"valence": ...}, "ccc": {...}, "rmse": {...}}``; None where there is nothing to score.
    """
    x, y = np.asarray(predictions, np.float64), np.asarray(references, np.float64)
    if x.ndim != 2 or x.shape != y.shape or x.shape[1] != len(dimensions):
        raise ValueError(f"{x.shape = } and {y.shape = }: expected (n, {len(dimensions)}) twice")
    columns = {name: score(x[:, k], y[:, k], name=name) for k, name in enumerate(dimensions)}
    return {key: {name: column[key] if column["n"] else None for name, column in columns.items()} for key in SCORES}


def accuracy(predicted: ArrayLike, wanted: ArrayLike) -> float | None:
    """Share of equal entries, shape (n,) each, where ``wanted`` is not negative; None if it is nowhere.

    Examples
    --------
    >>> accuracy([0, 2, 1, 1], [0, 1, 1, -1])  # the last has no label
    0.6666666666666666
    """
    predicted, wanted = np.asarray(predicted), np.asarray(wanted)
    labelled = wanted >= 0
    return float(np.mean(predicted[labelled] == wanted[labelled])) if labelled.any() else None


def wilson(right: int, count: int, z: float = 1.959964) -> tuple[float, float] | None:
    """Interval of a share: 95 % by default; None where there is nothing.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212. It
    takes the ``count`` cases for independent.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(9, 10)]
    [0.596, 0.982]
    """
    if not count:
        return None
    share, shrink = right / count, 1 + z * z / count
    centre = share + z * z / (2 * count)
    spread = z * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return max(0.0, (centre - spread) / shrink), min(1.0, (centre + spread) / shrink)


def _correlations(x: NDArray[np.float64], y: NDArray[np.float64], name: str) -> tuple[float, float]:
    what = f"{name}: " if name else ""
    if len(x) < 2:
        warnings.warn(f"{what}{len(x)} pairs have no correlation; CC and CCC are set to 0", UserWarning, stacklevel=3)
        return 0.0, 0.0
    constant = [side for side, values in (("predictions", x), ("references", y)) if _is_constant(values)]
    if constant:
        warnings.warn(
            f"{what}constant {' and '.join(constant)} have no correlation; CC and CCC are set to 0",
            UserWarning,
            stacklevel=3,
        )
        return 0.0, 0.0
    cc, ccc = correlations(x[:, None], y[:, None])
    return float(cc[0]), float(ccc[0])


def correlations(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """CC and CCC of each column; NaN where a column is constant.

    Parameters
    ----------
    x, y
        Predictions and references, shape (n, columns), n at least 2.

    Returns
    -------
    tuple of NDArray
        Shape (columns,) each.
    """
    shift = x.mean(axis=0) - y.mean(axis=0)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    shared, x_squared, y_squared = (np.einsum("ij,ij->j", *pair) / (len(x) - 1) for pair in ((x, y), (x, x), (y, y)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(shared / np.sqrt(x_squared * y_squared), -1, 1), 2 * shared / (x_squared + y_squared + shift**2)


def _is_constant(values: NDArray[np.float64]) -> bool:
    """Whether values differ by no more than their rounding as float32, the precision of predictions."""
    return bool(np.ptp(values) <= 4 * np.finfo(np.float32).eps * np.abs(values).max())
