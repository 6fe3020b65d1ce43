"""Motion told from that of the neighbours: what differs from the median of three blocks that were decoded before.

As motion vectors are predicted in ITU-T H.264, section 8.4.1.3: by the median of the blocks on the left, above, and
above on the right. At the right edge the one above on the left stands in; in the first row there is the one on the left
alone, in the first column the one above. A camera that moves or zooms costs little then, whatever the hyperprior knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_neighbours(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """What differs from the prediction, shape (planes, rows, columns) each.

    Examples
    --------
    >>> to_neighbours(np.array([[[5, 5, 6], [5, 6, 6]]])).tolist()
    [[[5, 0, 1], [0, 1, 0]]]
    """
    differing = values.copy()
    differing[:, 0, 1:] -= values[:, 0, :-1]
    above = values[:, :-1]
    differing[:, 1:, 0] -= above[:, :, 0]
    if values.shape[2] > 1:
        right = np.concatenate([above[:, :, 2:], above[:, :, -2:-1]], axis=2)
        differing[:, 1:, 1:] -= np.median([values[:, 1:, :-1], above[:, :, 1:], right], axis=0).astype(np.int64)
    return differing


def from_neighbours(differing: NDArray[np.int64]) -> NDArray[np.int64]:
    """The way back."""
    values = differing.copy()
    values[:, 0] = values[:, 0].cumsum(axis=1)
    for plane in values:
        for row in range(1, plane.shape[0]):
            above, now = plane[row - 1].tolist(), plane[row].tolist()
            now[0] += above[0]
            for column in range(1, len(now)):
                right = above[column + 1] if column + 1 < len(above) else above[column - 1]
                now[column] += sorted((now[column - 1], above[column], right))[1]
            plane[row] = now
    return values
