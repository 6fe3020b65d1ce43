"""Sums from which scores of any set of clips follow exactly, without keeping their frames.

For the ``n`` pairs of a clip, predictions ``x`` and references ``y``, the means, variances and the covariance (divided
by n) are kept. Those of several clips together follow from them (Chan, Golub and LeVeque, "Updating formulae and a
pairwise algorithm for computing sample variances", 1979), and with them CC, CCC and RMSE over the concatenation of the
clips, in the convention of :mod:`vidlink.scores.metrics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

MOMENTS = ("n", "mean_prediction", "mean_reference", "var_prediction", "var_reference", "cov")
"""Names of the moments, in the order of the last axis of the arrays here."""
WITHIN = "_within"
"""Behind the name of a dimension: its values less the mean of each face's own track. What is left is how well changes
are followed; that one face has higher values than another does not count."""


def is_within(name: str, names: Container[str]) -> bool:
    """Whether a name is that of values within tracks: one of the names, and :data:`WITHIN` behind it.

    Examples
    --------
    >>> is_within("valence_within", ["valence", "valence_within"]), is_within("run_within", ["run_within"])
    (True, False)
    """
    return name.endswith(WITHIN) and name.removesuffix(WITHIN) in names


def moments(predictions: ArrayLike, references: ArrayLike) -> NDArray[np.float64]:
    """Moments of one clip and dimension.

    Parameters
    ----------
    predictions, references
        Shape (n,).

    Returns
    -------
    ndarray, shape (6,)
        In the order of :data:`MOMENTS`; zeros where n is 0.
    """
    x, y = np.asarray(predictions, float), np.asarray(references, float)
    if len(x) == 0:
        return np.zeros(len(MOMENTS))
    return np.array([len(x), x.mean(), y.mean(), x.var(), y.var(), np.mean((x - x.mean()) * (y - y.mean()))])


def table_moments(predictions: pd.DataFrame, against: str) -> dict[str, dict[str, float]]:
    """Moments of every dimension of a run's ``predictions`` table.

    Parameters
    ----------
    predictions
        With columns ``face``, ``NAME`` and ``NAME_label`` or ``NAME_pristine``. As in the run's own scores, a row
        counts where all dimensions and references are there.
    against
        ``labels`` or ``pristine``.

    Returns
    -------
    dict
        Dimension to moment to value, and the same once more for its values within tracks (:data:`WITHIN`); empty
        where the table has no such columns.
    """
    import pandas as pd

    suffix = "_label" if against == "labels" else "_pristine"
    names = [name for name in predictions.columns if f"{name}{suffix}" in predictions.columns]
    numeric = predictions[[*names, *(f"{name}{suffix}" for name in names)]]
    if not all(map(pd.api.types.is_numeric_dtype, numeric.dtypes)):
        return {}
    rows = numeric[np.isfinite(numeric.to_numpy(float)).all(axis=1)] if names else numeric
    within = rows - rows.groupby(predictions["face"].loc[rows.index]).transform("mean") if names else rows
    found = {}
    for end, table in (("", rows), (WITHIN, within)):
        for name in names:
            values = moments(table[name].to_numpy(float), table[f"{name}{suffix}"].to_numpy(float))
            found[name + end] = dict(zip(MOMENTS, values.tolist(), strict=True))
            found[name + end]["n"] = int(found[name + end]["n"])
    return found


def dimensions_of(columns: Iterable[str]) -> list[str]:
    """The dimensions whose moments a sweep's table has, in its order."""
    start, end = "moments_", f"_{MOMENTS[0]}"
    found = (name for name in columns if name.startswith(start) and name.endswith(end))
    return [name.removeprefix(start).removesuffix(end) for name in found]


def join(clips: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moments of concatenations of clips.

    Parameters
    ----------
    clips
        Shape (clips, 6).
    counts
        How often each clip is in each concatenation, shape (concatenations, clips).

    Returns
    -------
    ndarray, shape (concatenations, 6)
    """
    n, x, y, xx, yy, xy = clips.T
    sums = counts @ np.column_stack([n, n * x, n * y, n * (xx + x * x), n * (yy + y * y), n * (xy + x * y)])
    total = np.maximum(sums[:, :1], 1)
    x, y, xx, yy, xy = (sums[:, 1:] / total).T
    return np.column_stack([sums[:, 0], x, y, np.maximum(xx - x * x, 0), np.maximum(yy - y * y, 0), xy - x * y])


def scores(joined: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """CC, CCC and RMSE from moments, each of shape (concatenations,), for input of shape (concatenations, 6).

    CC and CCC are 0 where either side is constant, RMSE is NaN where there is nothing, as in
    :mod:`vidlink.scores.metrics`.
    """
    n, x, y, xx, yy, xy = joined.T
    varies = (n > 1) & (xx > 1e-13) & (yy > 1e-13)
    safe = np.where(varies, xx * yy, 1.0)
    unbiased = n / np.maximum(n - 1, 1)
    spread = np.where(varies, unbiased * (xx + yy) + (x - y) ** 2, 1.0)
    return {
        "cc": np.where(varies, xy / np.sqrt(safe), 0.0),
        "ccc": np.where(varies, 2 * unbiased * xy / spread, 0.0),
        "rmse": np.where(n > 0, np.sqrt(np.maximum(xx + yy - 2 * xy + (x - y) ** 2, 0)), np.nan),
    }
