"""Pictures of what a recognizer of classes named: along a run, and as a confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def draw_named(axis: Axes, recognition: dict[str, Any], predictions: pd.DataFrame) -> None:
    """Draw what each window was named: received, pristine, and the label where there is one."""
    rows = ["class_label"] if "class_label" in predictions else []
    rows += ["class_pristine", "class"]
    table = predictions[predictions["face"] == predictions["face"].min()]
    names = sorted({str(name) for row in rows for name in table[row].dropna()})
    colours = {name: mpl.colormaps["tab10"](k % 10) for k, name in enumerate(names)}
    starts_s, ends_s = table["time_s"].to_numpy(float), table["end_s"].to_numpy(float)
    middle_s = (starts_s + ends_s) / 2
    # Windows overlap: each is shown from half-way to the one before to half-way to the one after.
    edges_s = np.concatenate([starts_s[:1], (middle_s[1:] + middle_s[:-1]) / 2, ends_s[-1:]])
    for height, row in enumerate(reversed(rows)):
        for place, name in enumerate(table[row]):
            if isinstance(name, str):
                width = edges_s[place + 1] - edges_s[place]
                axis.barh(height, width, left=edges_s[place], height=0.8, color=colours[name], edgecolor="white")
    shown = {"class": "received", "class_pristine": "pristine", "class_label": "label"}
    axis.set_yticks(range(len(rows)), [shown[row] for row in reversed(rows)])
    if recognition["accuracy"] is not None:
        against = recognition["against"]
        axis.set_title(
            f"{recognition['task']}: {100 * recognition['accuracy']:.0f} % of {recognition['n']} windows as {against}",
            loc="left",
            fontsize=8,
        )
    axis.legend(
        handles=[Patch(color=colours[name], label=name) for name in names],
        loc="upper right",
        ncols=6,
        frameon=False,
        fontsize=8,
        bbox_to_anchor=(1, 1.3),
    )


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
