"""Lanes of what was recognized: curves of numbers, blocks of names, and what colours in the film stand for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from vidlink.report.page import svg
from vidlink.report.page.svg import Axis
from vidlink.scores.kind import Curves, Strip
from vidlink.scores.kinds import kind_of_table
from vidlink.video.overlay import colour_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.scores.kind import Key

_MOST_FACES = 6
_CHIPS = 6
"""Names in a row of a key."""
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
    lanes = kind_of_table(map(str, predictions)).lanes(predictions, recognition)
    curves = [lane for lane in lanes.over_time if isinstance(lane, Curves)]
    faces = list(dict.fromkeys(lane.face for lane in curves))
    for lane in lanes.over_time:
        if isinstance(lane, Strip):
            yield _strip(lane, across)
        elif lane.face in faces[:_MOST_FACES]:
            yield _curves(lane, across)
    if len(faces) > _MOST_FACES:
        yield {
            "title": f"{len(faces) - _MOST_FACES} more faces are in predictions.csv",
            "drawing": Markup(""),
        }
    for key in lanes.keys:
        yield _key(key)


def _curves(lane: Curves, across: Axis) -> dict[str, Any]:
    times_s = lane.curves["received"][0]
    lines = {kind: values for kind, (_, values) in lane.curves.items()}
    down = Axis.over(np.concatenate([*lines.values(), np.zeros(int(lane.from_zero))]))
    gaps = [] if lane.from_zero else _gaps(times_s, across)
    parts = [*gaps, svg.scale_down(down)]
    for kind in ("pristine", "label", "received"):
        if kind in lines:
            parts.append(svg.line(kind, *_broken(times_s, lines[kind]), across, down))
    key = [("received", "recognized on the received pictures")]
    key += [("pristine", "on the pristine ones")] if "pristine" in lines else []
    key += [("label", "label")] if "label" in lines else []
    key += [("no-face", "no face")] if any(str(part) for part in gaps) else []
    title = lane.title if lane.face is None else f"{lane.title}, face {lane.face:g}"
    known = lines["received"][np.isfinite(lines["received"])]
    said = f"{title} over time" + (f", {known.min():.2f} to {known.max():.2f}" if len(known) else "")
    return {"title": title, "drawing": svg.drawing("plot", 90, said, parts), "key": key, "note": lane.note}


def _key(key: Key) -> dict[str, Any]:
    """What the colours in the film stand for: a chip each, with its name."""
    wide = 1 / _CHIPS
    parts = []
    for place, (name, (number, said)) in enumerate(key.names.items()):
        row, column = divmod(place, _CHIPS)
        rows = -(-len(key.names) // _CHIPS)
        text = f"{name} {said}".rstrip()
        chip = svg.bar(
            "tint", column * wide, (column + 0.96) * wide, row / rows, (row + 0.9) / rows, text=text, title=text
        )
        red, green, blue = colour_of(number)
        parts.append(Markup('<g fill="rgb({} {} {})">{}</g>').format(red, green, blue, chip))
    said = "; ".join(f"{name} {text}".rstrip() for name, (_, text) in key.names.items())
    tall = 22 * -(-len(key.names) // _CHIPS)
    drawing = svg.drawing("strip", tall, f"{key.title}: {said}", parts)
    return {"title": f"{key.title}, in the colour that it has in the film", "drawing": drawing}


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


def _strip(lane: Strip, across: Axis) -> dict[str, Any]:
    names = sorted({name for row in lane.rows.values() for name in row if isinstance(name, str)})
    starts_s, ends_s = lane.starts_s, lane.ends_s
    middle_s = (starts_s + ends_s) / 2
    # Windows overlap: each is shown from half-way to the one before to half-way to the one after.
    edges = across.share(np.concatenate([starts_s[:1], (middle_s[1:] + middle_s[:-1]) / 2, ends_s[-1:]]))
    parts, count = [], len(lane.rows)
    for place, (kind, row) in enumerate(lane.rows.items()):
        for number, name in enumerate(row):
            if isinstance(name, str):
                title = f"{kind}, {starts_s[number]:.2f} to {ends_s[number]:.2f} s: {name}"
                parts.append(
                    svg.bar(
                        f"hue-{names.index(name) % _HUES}", edges[number], edges[number + 1],
                        place / count, (place + 0.92) / count, text=name, title=title,
                    )
                )  # fmt: skip
    note = f"from the top: {', then '.join(lane.rows)}"
    note += f"; {lane.note}" if lane.note else ""
    return {
        "title": lane.title,
        "drawing": svg.drawing("strip", 26 * count, f"class of each window; {note}", parts),
        "key": [(f"hue-{number % _HUES}", name) for number, name in enumerate(names)][:12],
        "note": note,
    }
