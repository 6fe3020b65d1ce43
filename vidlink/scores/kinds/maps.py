"""Recognizers of maps: a class for every pixel."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.recognizers.recognize import recognize_maps
from vidlink.scores.baselines import of_places
from vidlink.scores.kind import Collector, Curves, Key, Kind, Lanes, Score, curves_over_time
from vidlink.scores.kinds.said import against_of, single
from vidlink.scores.maps import MapScores
from vidlink.scores.once import once
from vidlink.scores.segmentation import confusion, mean_iou
from vidlink.video.pictures import as_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.labels.maps import MapLabels
    from vidlink.recognizers.recognizer import Context

_CELLS = 16
"""Rows and columns of the grid by whose shares of classes frames are told apart."""


class Maps(Kind):
    """What gives ``maps``: held against a folder of label maps, or against its own; mIoU."""

    attribute, headline = "maps", "miou"
    columns = frozenset({"miou", "pixel_accuracy"})
    scores = (Score(name="miou", label="mIoU", low=0, high=1),)

    def labels(self, settings: Any, recognizer: Any, own: pd.DataFrame | None) -> MapLabels | None:
        """A folder with a PNG a frame."""
        refuse_label(settings, recognizer, "--labels takes a folder of label maps")
        if settings.labels is None:
            return None
        from vidlink.labels.maps import load_map_labels
        from vidlink.video.input import pictures_of

        folder, clip = Path(settings.labels), Path(settings.input or "")
        pictures = pictures_of(settings.input) if settings.input else []
        kind = guess_type(clip.name, strict=False)[0] or ""
        if not pictures and kind.startswith("image/") and (folder / f"{clip.stem}.png").is_file():
            pictures = [clip]  # a single picture, whose map has its name
        return load_map_labels(folder, recognizer.maps, pictures)

    def collect(
        self, recognizer: Any, clip: Any, labels: Any, *, every: int = 1, memory: Any = None, later: bool = True
    ) -> Collector:
        """Maps, and counts of pixels."""
        return MapScores(recognizer, clip, labels, memory)

    def answers(
        self, recognizer: Any, pictures: Any, boxes: Any, times_s: Sequence[float], context: Context | None = None
    ) -> NDArray[np.uint8]:
        """The maps, shape (frames, rows, columns), and as many classes as there are."""
        first, which = once(map(id, pictures))
        arrays = [as_array(pictures[place], recognizer.wants.colour) for place in first]
        return recognize_maps(recognizer, arrays, None if context is None else context.take(first))[which]

    def difference(self, seen: Any, pristine: Any) -> float:
        """What is missing to an mIoU of 1, over all frames together."""
        count = int(max(seen.max(), pristine.max())) + 1
        return 1.0 - (mean_iou(confusion(seen, pristine, count)) or 0.0)

    def features(self, recognizer: Any, pictures: Any, boxes: Any) -> NDArray[np.float32]:
        """The share of each class in the cells of a grid, shape (n, cells x classes)."""
        maps = recognize_maps(recognizer, pictures)
        rows, columns = (np.arange(size) * min(_CELLS, size) // size for size in maps.shape[1:])
        cells = rows[:, None] * _CELLS + columns
        count = len(recognizer.maps)
        found = [np.bincount((cells * count + each).ravel(), minlength=_CELLS**2 * count) for each in maps]
        return (np.stack(found) * (_CELLS**2 / cells.size)).astype(np.float32)

    def baselines(self, recognition: dict[str, Any], predictions: pd.DataFrame) -> dict[str, Any]:
        """From the section."""
        return of_places(recognition, "miou")

    def rows(self, recognition: dict[str, Any], against: str) -> list[tuple[str, str]]:
        """mIoU, and IoU of each class."""
        task, who = recognition["task"], recognition["recognizer"]
        score, right = recognition["miou"], recognition["pixel_accuracy"]
        each = ", ".join(f"{name} {value:.2f}" for name, value in recognition["iou"].items())
        return [
            (task, f"{who} against {against}, {recognition['n']} frames"),
            ("  mIoU", f"{score:.3f}  ({100 * right:.1f} % of the pixels)"),
            ("  IoU", each),
        ]

    def sentences(self, recognition: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
        """The mIoU beside ceiling, one fixed map and the same maps at wrong times."""
        return [single(recognition, verdict, "miou", "mIoU", "one and the same map")]

    def lanes(self, predictions: pd.DataFrame, recognition: Mapping[str, Any]) -> Lanes:
        """The mIoU of each frame, and the colours of the classes."""
        curves = curves_over_time(predictions, {"received": "miou", "pristine": "miou_pristine"})
        note = ""
        if isinstance(recognition.get("miou"), float):
            note = f"mIoU {recognition['miou']:.3f} of all frames together against {against_of(recognition)}"
            ceiling = recognition.get("miou_ceiling")
            if "pristine" in curves and isinstance(ceiling, float):
                note += f", pristine {ceiling:.3f}"
        lanes = [Curves(title="mIoU of each frame", curves=curves, note=note, from_zero=True)]
        return Lanes(over_time=lanes, keys=coloured("IoU of each class", recognition, "iou"))

    def joined(self, runs: pd.DataFrame, weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Exactly that of all pixels together."""
        start, end = "recognition_pixels_", "_both"
        both = [name for name in map(str, runs) if name.startswith(start) and name.endswith(end)]
        if not both or "recognition_miou" not in runs or not runs["recognition_miou"].notna().any():
            return {}
        either = [name.removesuffix(end) + "_either" for name in both]
        shared, all_of = (weights @ runs[names].fillna(0).to_numpy(float) for names in (both, either))
        iou, known = shared / np.maximum(all_of, 1), all_of > 0
        count = known.sum(axis=1)
        return {"miou": np.where(count > 0, (iou * known).sum(axis=1) / np.maximum(count, 1), np.nan)}


def refuse_label(settings: Any, recognizer: Any, hint: str) -> None:
    """Refuse ``--label``, which is one class for a whole clip.

    Raises
    ------
    UserError
        It is given.
    """
    if settings.label is not None:
        raise UserError(f"--label {settings.label}: recognizer {recognizer.name!r} names no class of a clip; {hint}")


def coloured(title: str, recognition: Mapping[str, Any], scores: str) -> list[Key]:
    """The classes that have scores, with these and the colours in which they are drawn; none where none is known."""
    names, found = recognition.get("names"), recognition.get(scores)
    if not isinstance(names, list) or not isinstance(found, dict):
        return []
    key = {
        name: (names.index(name), f"{found[name]:.2f}")
        for name in names
        if isinstance(name, str) and isinstance(found.get(name), float)
    }
    return [Key(title=title, names=key)] if key else []


MAPS = Maps()
"""The one object of this kind."""
