"""Recognizers of classes: what is done in each window of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.recognizers.crop import bring_to
from vidlink.recognizers.recognize import recognize_windows
from vidlink.scores.baselines import of_classes
from vidlink.scores.classes import ClassScores
from vidlink.scores.kind import Collector, Kind, Lanes, Score, Strip
from vidlink.scores.kinds.said import faceless, lead, percent
from vidlink.video.pictures import as_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.labels.classes import ClassLabels
    from vidlink.recognizers.recognizer import Context


class Classes(Kind):
    """What names ``classes`` of windows: held against a class, a table of them, or its own; accuracy."""

    attribute, headline = "classes", "accuracy"
    columns = frozenset({"class", "class_pristine", "end_s"})
    scores = (Score(name="accuracy", label="accuracy", low=0, high=1),)

    def labels(self, settings: Any, recognizer: Any, own: pd.DataFrame | None) -> ClassLabels | None:
        """A class, a table of them, or the folder that the clip lies in."""
        from vidlink.labels.classes import find_class_labels

        return find_class_labels(settings, recognizer.classes)

    def collect(
        self, recognizer: Any, clip: Any, labels: Any, *, every: int = 1, memory: Any = None, later: bool = True
    ) -> Collector:
        """Windows."""
        return ClassScores(recognizer, labels, frame_rate=float(clip.frame_rate), every=every)

    def looks(self, recognizer: Any, segment: Any, clip: Any) -> list[int]:
        """One window about the middle of the segment, cut or held where that is shorter."""
        wants = recognizer.wants
        step_s = 1 / (wants.frame_rate or float(clip.frame_rate))
        middle_s = (segment.times_s[0] + segment.times_s[-1]) / 2
        instants_s = middle_s + step_s * (np.arange(wants.frames) - (wants.frames - 1) / 2)
        return [int(np.abs(segment.times_s - instant_s).argmin()) for instant_s in instants_s]

    def answers(
        self, recognizer: Any, pictures: Any, boxes: Any, times_s: Sequence[float], context: Context | None = None
    ) -> NDArray[np.float32]:
        """The share of each class, shape (faces, 1, classes)."""
        wants = recognizer.wants
        arrays = [as_array(picture, wants.colour) for picture in pictures]
        crops = [path or [None] * len(arrays) for path in boxes]
        stacks = [[bring_to(wants, each, box) for each, box in zip(arrays, path, strict=True)] for path in crops]
        window = [np.arange(wants.frames)]
        return np.stack([recognize_windows(recognizer, stack, window, context) for stack in stacks])

    def difference(self, seen: Any, pristine: Any) -> float:
        """Root mean square difference of shares."""
        return float(np.sqrt(np.mean(np.square(seen - pristine))))

    def refuse_frames(self, recognizer: Any) -> str | None:
        """It looks at windows."""
        return "names classes for windows of frames and says nothing of single ones"

    def baselines(self, recognition: dict[str, Any], predictions: pd.DataFrame) -> dict[str, Any]:
        """From the table."""
        return of_classes(recognition, predictions)

    def rows(self, recognition: dict[str, Any], against: str) -> list[tuple[str, str]]:
        """The share of windows, and the verdict on the clip."""
        low, high = recognition["interval"]
        share = f"{100 * recognition['accuracy']:.1f} % of {recognition['n']} windows "
        share += f"({100 * low:.0f} to {100 * high:.0f} %)"
        wanted = recognition["class_label"] or recognition["class_pristine"]
        named = recognition["class"]
        verdict = named if named == wanted else f"{named}, not {wanted}"
        return [
            (recognition["task"], f"{recognition['recognizer']} against {against}: {share}"),
            ("  clip", verdict if recognition["accuracy_clip"] is not None else named),
            *faceless(recognition),
        ]

    def sentences(self, recognition: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
        """Accuracy beside ceiling, one fixed answer and guessing."""
        against = recognition["against"] == "labels"
        score, ceiling = recognition["accuracy"], verdict["ceiling"]["accuracy"]
        share, above = verdict["kept"]["accuracy"], verdict["above_chance"]["accuracy"]
        constant, chance = verdict["constant"]["accuracy"], verdict["chance"]["accuracy"]
        text = f"{lead(verdict)}: {percent(score)} of {recognition['n']} windows are named "
        text += f"right, the pristine ones {percent(ceiling)}" if against else "as on the pristine pictures"
        text += f" ({percent(share)} kept)" if against and share is not None else ""
        if constant is not None:
            base = "guessing" if constant == chance else "one and the same answer"
            text += f"; {base} would have {percent(constant)}"
            if above is False:
                text += ", and so few windows that share no frame cannot be told from that"
        found = [f"{text}."]
        if constant is not None and constant == chance and against:
            found.append(
                "The clip has one label throughout, so only several clips can tell a recognizer from one fixed answer."
            )
        return found

    def lanes(self, predictions: pd.DataFrame, recognition: Mapping[str, Any]) -> Lanes:
        """A strip of names, of the first face."""
        table = predictions[predictions["face"] == predictions["face"].min()].sort_values("time_s")
        columns = {"label": "class_label", "pristine": "class_pristine", "received": "class"}
        rows = {kind: list(table[column]) for kind, column in columns.items() if column in table}
        note = ""
        if isinstance(recognition.get("accuracy"), float):
            against = "as labels" if recognition.get("against") == "labels" else "as pristine"
            note = f"{100 * recognition['accuracy']:.0f} % of {recognition.get('n')} windows {against}"
        starts_s, ends_s = table["time_s"].to_numpy(float), table["end_s"].to_numpy(float)
        title = str(recognition.get("task", "class"))
        return Lanes(over_time=[Strip(title=title, rows=rows, starts_s=starts_s, ends_s=ends_s, note=note)])

    def joined(self, runs: pd.DataFrame, weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Exactly that of all windows together."""
        if "recognition_accuracy" not in runs or not runs["recognition_accuracy"].notna().any():
            return {}
        counts = runs["recognition_n"].fillna(0).to_numpy(float)
        right = counts * runs["recognition_accuracy"].fillna(0).to_numpy(float)
        return {"accuracy": (weights @ right) / np.maximum(weights @ counts, 1)}


CLASSES = Classes()
"""The one object of this kind."""
