"""What a recognizer of classes says of received and of pristine windows, and how often it is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.recognizers.crop import bring_to
from vidlink.recognizers.recognize import Context, names_classes, recognize_windows
from vidlink.recognizers.windows import Windower
from vidlink.scores.kind import Collector
from vidlink.scores.metrics import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.faces.tracks import Box
    from vidlink.labels.classes import ClassLabels
    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.scores.kind import Look
    from vidlink.types import Reception

MANY = 32
"""With more classes than this the table has the shares of the named ones only."""

_WORST = ("ok", "concealed", "drifting", "frozen")
"""Statuses, from good to bad; a window has that of its worst picture."""


@dataclass(kw_only=True)
class _Track:
    """The pictures of one face, or of the whole frame, that windows to come may need."""

    windower: Windower
    received: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    pristine: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    known: dict[int, Reception] = field(default_factory=dict)
    count: int = 0


class ClassScores(Collector):
    """Collects windows over segments and asks the recognizer about each as soon as it is whole.

    Parameters
    ----------
    recognizer
        Has ``classes``.
    labels
        What was done when; None for none.
    frame_rate
        Frames a second of the clip.
    every
        Every n-th of them is looked at.
    """

    def __init__(
        self, recognizer: Recognizer, labels: ClassLabels | None = None, *, frame_rate: float = 25.0, every: int = 1
    ) -> None:
        self._recognizer, self._labels, self._frame_rate, self._every = recognizer, labels, frame_rate, every
        self._classes = names_classes(recognizer)
        self._tracks: dict[int, _Track] = {}
        self._rows: list[dict[str, Any]] = []
        self._shares: list[NDArray[np.float32]] = []
        self._before: list[NDArray[np.float32]] = []

    def add(self, look: Look) -> None:
        """Take in pictures; raises :class:`~vidlink.errors.UserError` where the recognizer fails."""
        for face, boxes in look.crops.items():
            self._add(face, look, boxes)

    def _add(self, face: int, look: Look, boxes: Sequence[Box] | None) -> None:
        """Take in the pictures of one face (0 for whole frames)."""
        wants = self._recognizer.wants
        track = self._tracks.setdefault(face, _Track(windower=Windower(wants, self._frame_rate / self._every)))
        for slot, reception in enumerate(look.receptions):
            box = boxes[slot] if boxes is not None else None
            track.received[track.count] = bring_to(wants, look.received[slot], box)
            track.pristine[track.count] = bring_to(wants, look.pristine[slot], box)
            track.known[track.count] = reception
            track.count += 1
        self._look(face, track, track.windower.add([reception.time_s for reception in look.receptions]))
        for held in (track.received, track.pristine, track.known):
            for position in [position for position in held if position < track.windower.oldest]:
                del held[position]  # type: ignore[attr-defined]

    def finish(self) -> None:
        """Look at what is left at the end of the clip; raises as :meth:`add` does."""
        for face, track in self._tracks.items():
            self._look(face, track, track.windower.finish())
            track.count = 0
        self._tracks.clear()

    def _look(self, face: int, track: _Track, windows: Sequence[NDArray[np.int64]]) -> None:
        if not windows:
            return
        first = min(int(window.min()) for window in windows)
        positions = range(first, max(int(window.max()) for window in windows) + 1)
        rows = [window - first for window in windows]
        known = [track.known[position] for position in positions]
        context = Context.of(known)
        seen = recognize_windows(self._recognizer, [track.received[p] for p in positions], rows, context)
        before = recognize_windows(self._recognizer, [track.pristine[p] for p in positions], rows)
        for window in rows:
            inside = [known[row] for row in window]
            self._rows.append(
                {
                    "frame": inside[0].frame,
                    "time_s": round(inside[0].time_s, 6),
                    "end_s": round(inside[-1].time_s, 6),
                    "face": face,
                    "status": max((str(each.status) for each in inside), key=_WORST.index),
                    "scale": round(float(np.mean([each.scale for each in inside])), 6),
                }
            )
        self._shares += list(seen)
        self._before += list(before)

    def table(self, seconds: float) -> pd.DataFrame:
        """A row a window: where it is, ``class`` and ``share``, the same of the pristine one, and the label.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        import pandas as pd

        labels = self._labels
        if labels is not None:
            labels.check_cover(seconds, self._frame_rate)

        shares = np.array(self._shares, float).reshape(-1, len(self._classes))
        before = np.array(self._before, float).reshape(-1, len(self._classes))
        columns = ["frame", "time_s", "end_s", "face", "status", "scale"]
        table = pd.DataFrame(self._rows, columns=columns)
        for suffix, values in (("", shares), ("_pristine", before)):
            table[f"class{suffix}"] = [self._classes[each] for each in values.argmax(axis=1)] if len(values) else []
            table[f"share{suffix}"] = np.round(values.max(axis=1), 5) if len(values) else []
        if labels is not None:
            middle_s = (table["time_s"].to_numpy(float) + table["end_s"].to_numpy(float)) / 2
            table["class_label"] = [labels.at(time_s) for time_s in middle_s]
        if len(self._classes) <= MANY:
            for suffix, values in (("", shares), ("_pristine", before)):
                for name, column in zip(self._classes, values.T, strict=True):
                    table[f"share_{name}{suffix}"] = np.round(column, 5)
        return table.sort_values(["frame", "face"], kind="stable").reset_index(drop=True)

    def summary(self, table: pd.DataFrame) -> dict[str, Any]:
        """What the table comes down to: accuracy over windows with its interval, and the verdict on the whole clip.

        ``accuracy_clip`` is 1 or 0: whether the class with the largest mean share over all windows is the label's, or
        that of the pristine clip. ``classes`` is how many there are to name. ``unlabelled``, where it is not 0, is the
        number of windows without a label.
        """
        labelled = "class_label" in table
        reference = table["class_label" if labelled else "class_pristine"]
        scored = reference.notna()
        right, count = int((table["class"] == reference)[scored].sum()), int(scored.sum())
        interval = wilson(right, count)
        verdict, pristine = self._verdict(self._shares), self._verdict(self._before)
        wanted = pristine
        if labelled:
            found = reference[scored].unique()
            wanted = str(found[0]) if len(found) == 1 else None
        return {
            "task": self._recognizer.task,
            "recognizer": self._recognizer.name,
            "against": "labels" if labelled else "pristine",
            "faces": int(table["face"].nunique()),
            "n": count,
            "classes": len(self._classes),
            **({"unlabelled": len(table) - count} if count < len(table) else {}),
            "accuracy": round(right / count, 5) if count else None,
            "interval": [round(bound, 5) for bound in interval] if interval else None,
            "accuracy_clip": None if verdict is None or wanted is None else float(verdict == wanted),
            "class": verdict,
            "class_pristine": pristine,
            "class_label": wanted if labelled else None,
        }

    def _verdict(self, shares: Sequence[NDArray[np.float32]]) -> str | None:
        return self._classes[int(np.mean(shares, axis=0).argmax())] if len(shares) else None
