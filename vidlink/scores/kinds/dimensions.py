"""Recognizers of dimensions: numbers for each face and frame, such as valence and arousal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.recognizers.recognize import outputs, recognize
from vidlink.recognizers.recognizer import follows_time
from vidlink.scores.baselines import of_dimensions
from vidlink.scores.dimensions import DimensionScores
from vidlink.scores.kind import Collector, Curves, Kind, Lanes, Score
from vidlink.scores.kinds.said import against_of, faceless, lead, percent
from vidlink.scores.moments import MOMENTS, dimensions_of, join, scores
from vidlink.scores.once import once
from vidlink.video.pictures import as_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Context


class Dimensions(Kind):
    """What ``gives`` numbers: held against a table of them, or against its own; CC, CCC and RMSE."""

    attribute, headline = "gives", "ccc"
    scores = (
        Score(name="cc", label="CC", low=-1, high=1, each=True),
        Score(name="ccc", label="CCC", low=-1, high=1, each=True),
        Score(name="rmse", label="RMSE", low=0, each=True),
    )

    def labels(self, settings: Any, recognizer: Any, own: pd.DataFrame | None) -> pd.DataFrame | None:
        """A table that names all that the recognizer gives; the clip's own where no file is named."""
        if settings.label is not None:
            raise UserError(
                f"--label {settings.label}: recognizer {recognizer.name!r} names no classes, it gives "
                f"{', '.join(recognizer.gives)}; --labels takes a table of them"
            )
        if settings.labels:
            from vidlink.labels.dimensions import load_labels

            return load_labels(settings.labels, recognizer.gives)
        if own is not None and set(recognizer.gives) <= set(own.columns):
            return own.assign(face=0)
        return None

    def collect(
        self, recognizer: Any, clip: Any, labels: Any, *, every: int = 1, memory: Any = None, later: bool = True
    ) -> Collector:
        """Rows of numbers."""
        rate = float(clip.frame_rate)
        return DimensionScores(recognizer, memory, labels=labels, frame_rate=rate, every=every, later=later)

    def answers(
        self, recognizer: Any, pictures: Any, boxes: Any, times_s: Sequence[float], context: Context | None = None
    ) -> NDArray[np.float32]:
        """The numbers of each face, shape (faces, frames, dimensions)."""
        first, which = once(map(id, pictures))
        different = [as_array(pictures[place], recognizer.wants.colour) for place in first]
        arrays = [different[number] for number in which]
        if follows_time(recognizer):
            return np.stack([recognize(recognizer, arrays, path, context, times_s=times_s) for path in boxes])
        found = []
        for path in boxes:
            first, each = once(zip(which, path or [None] * len(arrays), strict=True))
            faces = None if path is None else [path[place] for place in first]
            known = None if context is None else context.take(first)
            found.append(recognize(recognizer, [arrays[place] for place in first], faces, known)[each])
        return np.stack(found)

    def difference(self, seen: Any, pristine: Any) -> float:
        """Root mean square difference."""
        return float(np.sqrt(np.mean(np.square(seen - pristine))))

    def features(self, recognizer: Any, pictures: Any, boxes: Any) -> NDArray[np.float32]:
        """The numbers themselves."""
        return recognize(recognizer, pictures, boxes)

    def baselines(self, recognition: dict[str, Any], predictions: pd.DataFrame) -> dict[str, Any]:
        """From the table: the answers at wrong times."""
        return of_dimensions(recognition, predictions)

    def headlines(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The CCC of each dimension."""
        return {f"CCC {name}": value for name, value in (found.get("ccc") or {}).items()}

    def rows(self, recognition: dict[str, Any], against: str) -> list[tuple[str, str]]:
        """A row a dimension."""
        faces = f", {recognition['faces']} faces" if recognition["faces"] > 1 else ""
        task, who, count = (recognition[name] for name in ("task", "recognizer", "n"))
        rows = [(task, f"{who} against {against}, {count} values{faces}")]
        for name in recognition["cc"]:
            said = "  ".join(f"{each.label} {recognition[each.name][name]:.3f}" for each in self.scores)
            rows.append((f"  {name}", said))
        return [*rows, *faceless(recognition)]

    def sentences(self, recognition: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
        """CCC of each dimension beside ceiling and chance; RMSE where a constant answer is better."""
        against = recognition["against"] == "labels"
        parts = []
        for name, score in recognition["ccc"].items():
            share, chance = verdict["kept"]["ccc"][name], verdict["chance"]["ccc"][name]
            above, ceiling = verdict["above_chance"]["ccc"][name], verdict["ceiling"]["ccc"][name]
            of = f" of the {ceiling:.2f} that pristine pictures reach" if against else " of 1"
            text = f"{name} has a CCC of {score:.2f}{of}"
            text += f" ({percent(share)} kept)" if share is not None and against else ""
            if above is None:
                text += ", from too few values to tell it from chance"
            elif above:
                text += f", above chance ({max(0.0, chance):.2f})"
            else:
                text += f", no better than the same answers at wrong times ({max(0.0, chance):.2f})"
            parts.append(text)
        what = "against the labels" if against else "held against its own answers on the pristine pictures"
        found = [f"{lead(verdict)}: {what}, {'; '.join(parts)}."]
        constant = verdict["constant"]["rmse"]
        worse = {
            name: score for name, score in recognition["rmse"].items() if score is not None and score >= constant[name]
        }
        if worse:
            pairs = ", ".join(f"{constant[name]:.3f} against {score:.3f}" for name, score in worse.items())
            found.append(f"In RMSE a constant answer is closer to the truth for {' and '.join(worse)}: {pairs}.")
        return found

    def lanes(self, predictions: pd.DataFrame, recognition: Mapping[str, Any]) -> Lanes:
        """A curve a dimension and face."""
        faces = sorted(predictions["face"].unique())
        found = []
        for name in _names(predictions):
            note = _agreement(name, recognition) + (", all faces" if len(faces) > 1 else "")
            for face in faces:
                track = predictions[predictions["face"] == face].sort_values("time_s")
                times_s = track["time_s"].to_numpy(float)
                columns = {"received": name, "pristine": f"{name}_pristine"}
                label = f"{name}_label"
                if label in track and track[label].dtype.kind == "f" and track[label].notna().any():
                    columns["label"] = label
                curves = {kind: (times_s, track[column].to_numpy(float)) for kind, column in columns.items()}
                found.append(
                    Curves(
                        title=name,
                        face=int(face) if len(faces) > 1 else None,
                        curves=curves,
                        note=note if note[:1] != "," else "",
                    )
                )
        return Lanes(over_time=found)

    def joined(self, runs: pd.DataFrame, weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Exactly that of all frames together, from the moments of each run."""
        found = {}
        for dimension in dimensions_of(name for name in map(str, runs) if runs[name].notna().any()):
            values = runs[[f"moments_{dimension}_{name}" for name in MOMENTS]].fillna(0).to_numpy(float)
            for name, score in scores(join(values, weights)).items():
                found[f"{name}_{dimension}"] = score
        return found

    def refuse_frames(self, recognizer: Any) -> str | None:
        """It can say which frames matter."""
        return None if outputs(recognizer) else "gives nothing"


def _names(predictions: pd.DataFrame) -> list[str]:
    """Names of the dimensions: those that have a column of numbers with and without ``_pristine``."""
    names = [name.removesuffix("_pristine") for name in map(str, predictions) if name.endswith("_pristine")]
    return [
        name
        for name in names
        if name in predictions and all(predictions[n].dtype.kind in "fi" for n in (name, f"{name}_pristine"))
    ]


def _agreement(name: str, recognition: Mapping[str, Any]) -> str:
    """CC and CCC of a dimension, and what they are against; empty where the section does not say."""
    found = [
        f"{label} {recognition[score][name]:.3f}"
        for score, label in (("cc", "CC"), ("ccc", "CCC"))
        if isinstance((recognition.get(score) or {}).get(name), float)
    ]
    return f"{', '.join(found)} against {against_of(recognition)}" if found else ""


DIMENSIONS = Dimensions()
"""The one object of this kind."""
