"""Lanes of what was recognized: curves of dimensions, and blocks of classes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from vidlink.report.page import svg
from vidlink.report.page.svg import Axis

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

_MOST_FACES = 6
_HUES = 8
"""Colours of classes in ``page.css``; with more classes they come again."""


def recognition_lanes(predictions: pd.DataFrame, recognition: dict[str, Any], across: Axis) -> Iterator[dict[str, Any]]:
    """What makes each :class:`~vidlink.report.page.timeline.Lane` of the recognizer.

    Parameters
    ----------
    predictions
        The table of the run.
    recognition
        The section of ``summary.json``; empty where there is none.
    across
        Time.
    """
    if {"class", "class_pristine", "end_s"} <= set(predictions):
        yield _classes(predictions, recognition, across)
        return
    faces = sorted(predictions["face"].unique())
    for name in _dimensions(predictions):
        for face in faces[:_MOST_FACES]:
            track = predictions[predictions["face"] == face].sort_values("time_s")
            of = f", face {face:g}" if len(faces) > 1 else ""
            yield _dimension(name, of, track, recognition, across)
    if len(faces) > _MOST_FACES:
        yield {
            "title": f"{len(faces) - _MOST_FACES} more faces are in predictions.csv",
            "drawing": Markup(""),
        }


def _dimensions(predictions: pd.DataFrame) -> list[str]:
    """Names of the dimensions: those that have a column of numbers with and without ``_pristine``."""
    names = [name.removesuffix("_pristine") for name in map(str, predictions) if name.endswith("_pristine")]
    return [
        name
        for name in names
        if name in predictions and all(predictions[n].dtype.kind in "fi" for n in (name, f"{name}_pristine"))
    ]


def _dimension(name: str, of: str, track: pd.DataFrame, recognition: dict[str, Any], across: Axis) -> dict[str, Any]:
    times_s = track["time_s"].to_numpy(float)
    columns = {"received": name, "pristine": f"{name}_pristine"}
    label = f"{name}_label"
    if label in track and track[label].dtype.kind == "f" and track[label].notna().any():
        columns["label"] = label
    lines = {kind: track[column].to_numpy(float) for kind, column in columns.items()}
    down = Axis.over(np.concatenate(list(lines.values())))
    parts = [*_gaps(times_s, across), svg.scale_down(down)]
    for kind in ("pristine", "label", "received"):
        if kind in lines:
            parts.append(svg.line(kind, *_broken(times_s, lines[kind]), across, down))
    key = [("received", "recognized on the received pictures"), ("pristine", "on the pristine ones")]
    if "label" in lines:
        key.append(("label", "label"))
    if any(str(part) for part in _gaps(times_s, across)):
        key.append(("no-face", "no face"))
    scores = recognition.get("ccc") or {}
    against = "labels" if recognition.get("against") == "labels" else "its own output on the pristine clip"
    note = f"CCC {scores[name]:.3f} against {against}, all faces" if isinstance(scores.get(name), float) and of else ""
    note = note or (f"CCC {scores[name]:.3f} against {against}" if isinstance(scores.get(name), float) else "")
    said = f"{name}{of} over time, {np.nanmin(lines['received']):.2f} to {np.nanmax(lines['received']):.2f}"
    return {"title": f"{name}{of}", "drawing": svg.drawing("plot", 90, said, parts), "key": key, "note": note}


def _step_s(times_s: NDArray) -> float:
    """Seconds between two looks beyond which there was nothing to look at between them."""
    return 3.5 * float(np.median(np.diff(times_s))) if len(times_s) > 2 else np.inf


def _broken(times_s: NDArray, values: NDArray) -> tuple[NDArray, NDArray]:
    """A line with a break where nothing was recognized for a while."""
    after = np.flatnonzero(np.diff(times_s) > _step_s(times_s)) + 1
    return np.insert(times_s, after, np.nan), np.insert(values, after, np.nan)


def _gaps(times_s: NDArray, across: Axis) -> list[Markup]:
    """Hatched stretches in which nothing was recognized."""
    step = _step_s(times_s)
    ends = np.concatenate([[0.0], times_s, [across.high]])
    return [
        svg.bar("no-face", float(across.share(start)), float(across.share(end)), 0, 1, title="no face")
        for start, end in pairwise(ends)
        if end - start > max(step, 0.02 * across.high)
    ]


def _classes(predictions: pd.DataFrame, recognition: dict[str, Any], across: Axis) -> dict[str, Any]:
    table = predictions[predictions["face"] == predictions["face"].min()].sort_values("time_s")
    rows = [row for row in ("class_label", "class_pristine", "class") if row in table]
    names = sorted({str(name) for row in rows for name in table[row].dropna()})
    starts_s, ends_s = table["time_s"].to_numpy(float), table["end_s"].to_numpy(float)
    middle_s = (starts_s + ends_s) / 2
    # Windows overlap: each is shown from half-way to the one before to half-way to the one after.
    edges = across.share(np.concatenate([starts_s[:1], (middle_s[1:] + middle_s[:-1]) / 2, ends_s[-1:]]))
    called = {"class": "received", "class_pristine": "pristine", "class_label": "label"}
    parts = []
    for place, row in enumerate(rows):
        for number, name in enumerate(table[row]):
            if isinstance(name, str):
                parts.append(
                    svg.bar(
                        f"hue-{names.index(name) % _HUES}", edges[number], edges[number + 1],
                        place / len(rows), (place + 0.92) / len(rows),
                        text=name, title=f"{called[row]}, {starts_s[number]:.2f} to {ends_s[number]:.2f} s: {name}",
                    )
                )  # fmt: skip
    order = ", then ".join(called[row] for row in rows)
    note = f"from the top: {order}"
    if isinstance(recognition.get("accuracy"), float):
        note += f"; {100 * recognition['accuracy']:.0f} % of {recognition.get('n')} windows right"
    return {
        "title": str(recognition.get("task", "class")),
        "drawing": svg.drawing("strip", 26 * len(rows), f"class of each window; {note}", parts),
        "key": [(f"hue-{number % _HUES}", name) for number, name in enumerate(names)][:12],
        "note": note,
    }
