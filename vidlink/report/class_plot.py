"""What a recognizer of classes named, as a confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def draw_confusion(path: Path, matrices: dict[str, NDArray[np.int64]], classes: Sequence[str]) -> None:
    """Draw confusion matrices side by side as a PNG: a row what was done, a column what was named.

    Parameters
    ----------
    path
        The file.
    matrices
        Title to counts, shape (classes, classes).
    classes
        Names of rows and columns.
    """
    count = len(classes)
    side = max(2.4, 0.42 * count + 0.6)
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(side * len(matrices) + 0.8, side + 0.9), layout="constrained", dpi=110)
        for place, (title, matrix) in enumerate(matrices.items()):
            axis = figure.add_subplot(1, len(matrices), place + 1)
            shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
            if count <= 16:
                for row, column in np.argwhere(matrix > 0):
                    ink = "white" if shares[row, column] > 0.55 else "black"
                    axis.text(column, row, matrix[row, column], ha="center", va="center", color=ink)
            axis.set_xticks(range(count), classes, rotation=90)
            axis.set_yticks(range(count), classes if place == 0 else [""] * count)
            axis.set_xlabel("named")
            if place == 0:
                axis.set_ylabel("done")
            axis.set_title(title, fontsize=9)
        figure.savefig(path, metadata={"Software": None})
