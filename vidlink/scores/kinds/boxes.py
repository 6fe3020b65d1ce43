"""Recognizers of boxes: what is where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.recognizers.recognize import recognize_boxes
from vidlink.scores.baselines import of_places
from vidlink.scores.boxes import BoxScores
from vidlink.scores.detection import overlaps
from vidlink.scores.kind import Collector, Curves, Kind, Lanes, Score, curves_over_time
from vidlink.scores.kinds.maps import coloured, refuse_label
from vidlink.scores.kinds.said import against_of, single
from vidlink.scores.once import once
from vidlink.video.pictures import as_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.labels.boxes import BoxLabels
    from vidlink.recognizers.recognizer import Context

_CELLS = 16
"""Rows and columns of the grid by whose contents frames are told apart."""


class BoxesKind(Kind):
    """What gives ``boxes``: held against a table of them, or against its own; mAP50 and mAP."""

    attribute, headline = "boxes", "map50"
    columns = frozenset({"boxes", "boxes_pristine", "right"})
    scores = (Score(name="map50", label="mAP50", low=0, high=1), Score(name="map", label="mAP", low=0, high=1))

    def labels(self, settings: Any, recognizer: Any, own: pd.DataFrame | None) -> BoxLabels | None:
        """A table with a row a box."""
        refuse_label(settings, recognizer, "--labels takes a table of boxes")
        if settings.labels is None:
            return None
        from vidlink.labels.boxes import load_box_labels

        return load_box_labels(Path(settings.labels), recognizer.boxes)

    def collect(
        self, recognizer: Any, clip: Any, labels: Any, *, every: int = 1, memory: Any = None, later: bool = True
    ) -> Collector:
        """Boxes."""
        return BoxScores(recognizer, clip, labels, memory)

    def answers(
        self, recognizer: Any, pictures: Any, boxes: Any, times_s: Sequence[float], context: Context | None = None
    ) -> list[NDArray[Any]]:
        """The boxes of each frame."""
        first, which = once(map(id, pictures))
        arrays = [as_array(pictures[place], recognizer.wants.colour) for place in first]
        found = recognize_boxes(recognizer, arrays, None if context is None else context.take(first))
        return [found[number].rows for number in which]

    def difference(self, seen: Any, pristine: Any) -> float:
        """What is missing to a quality of 1.

        Panoptic quality (Kirillov et al., CVPR 2019) of boxes in place of segments, each weighted by its score: twice
        the overlaps of boxes that belong together, over the scores of all boxes, over all frames together.
        """
        shared = sum(_shared(ours, theirs) for ours, theirs in zip(seen, pristine, strict=True))
        total = sum(float(rows[:, 4].sum()) for side in (seen, pristine) for rows in side)
        return 1.0 - (2 * shared / total if total > 0 else 1.0)

    def features(self, recognizer: Any, pictures: Any, boxes: Any) -> NDArray[np.float32]:
        """The largest score of a box of each class that covers each cell of a grid, shape (n, cells x classes)."""
        wants, count = recognizer.wants, len(recognizer.boxes)
        found = np.zeros((len(pictures), _CELLS, _CELLS, count), np.float32)
        shrink = np.tile([_CELLS / wants.width, _CELLS / wants.height], 2)
        for place, each in enumerate(recognize_boxes(recognizer, pictures)):
            for row in each.rows[::-1]:  # the surest last
                (left, upper), (right, lower) = np.floor(row[:2] * shrink[:2]), np.ceil(row[2:4] * shrink[2:])
                found[place, int(upper) : int(lower), int(left) : int(right), int(row[5])] = row[4]
        return found.reshape(len(pictures), -1)

    def baselines(self, recognition: dict[str, Any], predictions: pd.DataFrame) -> dict[str, Any]:
        """From the section."""
        both = [of_places(recognition, score.name) for score in self.scores]
        return {key: both[0][key] | both[1][key] for key in both[0]}

    def rows(self, recognition: dict[str, Any], against: str) -> list[tuple[str, str]]:
        """mAP50 and mAP, and AP50 of each class."""
        task, who, count = (recognition[name] for name in ("task", "recognizer", "n"))
        each = ", ".join(f"{name} {value:.2f}" for name, value in recognition["ap50"].items())
        return [
            (task, f"{who} against {against}, {recognition['boxes']} boxes in {count} frames"),
            ("  mAP50", f"{recognition['map50']:.3f}  mAP {recognition['map']:.3f}"),
            ("  AP50", each),
        ]

    def sentences(self, recognition: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
        """mAP50 beside ceiling and the same boxes at wrong times."""
        return [single(recognition, verdict, "map50", "mAP50", "finding nothing")]

    def lanes(self, predictions: pd.DataFrame, recognition: Mapping[str, Any]) -> Lanes:
        """How many boxes are found in each frame."""
        curves = curves_over_time(
            predictions, {"received": "boxes", "pristine": "boxes_pristine", "label": "boxes_label"}
        )
        note = ""
        if isinstance(recognition.get("map50"), float):
            note = f"mAP50 {recognition['map50']:.3f} against {against_of(recognition)}"
            ceiling = recognition.get("map50_ceiling")
            if "label" in curves and isinstance(ceiling, float):
                note += f", pristine {ceiling:.3f}"
        lanes = [Curves(title="boxes in each frame", curves=curves, note=note, from_zero=True)]
        return Lanes(over_time=lanes, keys=coloured("AP50 of each class", recognition, "ap50"))

    def joined(self, runs: pd.DataFrame, weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The mean over runs by their true boxes: precision of several clips together needs all of their boxes."""
        if "recognition_map50" not in runs or not runs["recognition_map50"].notna().any():
            return {}
        counts = runs["recognition_boxes"].fillna(0).to_numpy(float)
        values = {score.name: runs[f"recognition_{score.name}"].fillna(0).to_numpy(float) for score in self.scores}
        total = np.maximum(weights @ counts, 1)
        return {name: weights @ (counts * each) / total for name, each in values.items()}


def _shared(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Overlaps of boxes of one class that belong together, the surest first, weighted by the lower of their scores."""
    if not (len(ours) and len(theirs)):
        return 0.0
    both = overlaps(ours, theirs) * (ours[:, None, 5] == theirs[None, :, 5])
    found = 0.0
    for row in range(len(ours)):
        best = int(both[row].argmax())
        if both[row, best] >= 0.5:
            found += float(both[row, best] * min(ours[row, 4], theirs[best, 4]))
            both[:, best] = 0
    return found


BOXES = BoxesKind()
"""The one object of this kind."""
