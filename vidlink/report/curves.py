"""The curves of a training: its loss and its scores, epoch by epoch; ``my.png`` beside ``my.safetensors``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vidlink.files.whole import write_whole
from vidlink.report import style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SHOWN = ("ccc", "psnr", "accuracy", "miou", "map50")
"""Scores that are drawn, the first of which the log has any; the others are in the log."""
_WRITTEN = {"accuracy": "accuracy", "miou": "mIoU", "map50": "mAP50"}
_COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.SKY, style.BLACK)


def draw_curves(log: Sequence[Mapping[str, Any]], *, unit: str = "epoch") -> Figure:
    """Draw the loss, and beside it the scores where there are any.

    Parameters
    ----------
    log
        A row an epoch, as :class:`~vidlink.training.loop.Training` keeps it: ``unit``, ``loss``, scores.
    unit
        The column along which to draw.
    """
    names = dict.fromkeys(name for row in log for name in row)
    kind = next((each for each in SHOWN if any(each in name.split("_") for name in names)), None)
    scores = [name for name in names if kind and kind in name.split("_")]
    with mpl.rc_context(style.FRAME):
        figure = Figure(figsize=(9, 3.4) if scores else (5, 3.4), layout="constrained")
        axes = figure.subplots(1, 2 if scores else 1, squeeze=False)[0]
        _line(axes[0], log, unit, "loss", style.BLACK)
        axes[0].set(xlabel=unit, ylabel="loss")
        losses = [row["loss"] for row in log]
        if losses and max(losses) > 10 * min(losses) > 0:
            axes[0].set_yscale("log")
        for number, name in enumerate(scores):
            again, colour = divmod(number, len(_COLOURS))
            _line(axes[1], log, unit, name, _COLOURS[colour], "--" if again else "-")
        if scores and kind:
            axes[1].set(xlabel=unit, ylabel=f"{_WRITTEN.get(kind, kind.upper())}, validation")
            axes[1].legend(frameon=False, fontsize=8)
    return figure


def _line(axis: Any, log: Sequence[Mapping[str, Any]], unit: str, name: str, colour: str, dashes: str = "-") -> None:
    points = [(row[unit], row[name]) for row in log if row.get(name) is not None]
    label = name.replace("_ccc_s", ", scale ").replace("_", " ")
    axis.plot(*zip(*points, strict=True), color=colour, linestyle=dashes, marker=".", label=label)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def write_curves(path: Path, log: Sequence[Mapping[str, Any]], *, unit: str = "epoch") -> None:
    """Draw the curves and write them, whole or not at all; nothing where the log is empty."""
    if log:
        figure = draw_curves(log, unit=unit)
        write_whole(path, lambda partial: style.save(figure, partial, format="png"))
