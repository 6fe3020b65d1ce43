"""What a recognizer of boxes says of received and of pristine pictures, and how well that agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.recognizers.recognize import Context, recognize_boxes, threshold_of
from vidlink.scores.baselines import FEWEST, shifts
from vidlink.scores.detection import Precision, average_precision, need_pycocotools, overlaps
from vidlink.scores.kind import Collector
from vidlink.video.overlay import outline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.labels.boxes import BoxLabels
    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.recognizers.spatial import Boxes
    from vidlink.scores.kind import Look
    from vidlink.sender.memory import Memory
    from vidlink.types import Clip, Segment
    from vidlink.video.overlay import Overlay

    Rows = NDArray[np.float64]

COLUMNS = ("frame", "time_s", "face", "status", "scale")
"""Columns of the table that say which look a row is of; ``face`` is always 0."""
SIDES = ("received", "pristine")
_SHIFTS = 10
"""How many shifts chance is read from: each is a whole table of precision."""
_OVERLAP = 0.5
"""Intersection over union from which on a box counts as right in a frame's own row."""


class BoxScores(Collector):
    """Collects boxes over segments.

    Parameters
    ----------
    recognizer
        Has ``boxes``.
    clip
        The source.
    labels
        What is where; None to hold it against its own boxes in the pristine pictures, of at least its threshold.
    memory
        What runs share; None for nothing.

    Raises
    ------
    UserError
        What scores boxes is not installed, or labels are of whole frames where a part of them is coded.
    """

    def __init__(
        self, recognizer: Recognizer, clip: Clip, labels: BoxLabels | None = None, memory: Memory | None = None
    ) -> None:
        need_pycocotools()
        if labels is not None and clip.cut_from is not None:
            raise UserError(f"{labels.where}: boxes are of whole frames, and --roi codes a part of them; leave it out")
        self._recognizer, self._clip, self._labels, self._memory = recognizer, clip, labels, memory
        self._names: tuple[str, ...] = recognizer.boxes  # type: ignore[attr-defined]
        self._threshold = threshold_of(recognizer)
        self._looks: list[dict[str, Any]] = []
        self._found: dict[str, list[Rows]] = {side: [] for side in SIDES}
        self._truth: list[Rows | None] = []
        self._left_out = self._frames = 0
        self._shown: dict[int, tuple[Rows, Rows]] = {}

    def begin(self) -> None:
        """Forget what was to be drawn, but for the last: it holds until the next look."""
        self._shown = dict(list(self._shown.items())[-1:])

    def add(self, look: Look) -> None:
        """Take in pictures.

        Raises
        ------
        UserError
            The recognizer fails, or a label is wrong.
        """
        self._frames = max(self._frames, look.segment.first_frame + len(look.segment.frames))
        seen = recognize_boxes(self._recognizer, look.received, Context.of(look.receptions))
        before = self._pristine(look)
        self._left_out += sum(each.left_out for each in seen)
        for reception, received, pristine in zip(look.receptions, map(self._in_clip, seen), before, strict=True):
            self._looks.append(
                {
                    "frame": reception.frame,
                    "time_s": round(reception.time_s, 6),
                    "face": 0,
                    "status": str(reception.status),
                    "scale": reception.scale,
                }
            )
            for side, rows in zip(SIDES, (received, pristine), strict=True):
                self._found[side].append(rows)
            self._truth.append(self._true(reception.frame, reception.time_s, pristine))
            self._shown[reception.frame] = received, pristine

    def _in_clip(self, found: Boxes) -> Rows:
        """Boxes in pixels of the clip."""
        rows, wants = found.rows.astype(float), self._recognizer.wants
        rows[:, :4] *= np.tile([self._clip.width / wants.width, self._clip.height / wants.height], 2)
        return rows

    def _true(self, frame: int, time_s: float, pristine: Rows) -> Rows | None:
        """What is really in a frame, as far as anybody knows; None where nobody does."""
        if self._labels is None:
            return pristine[pristine[:, 4] >= self._threshold][:, [0, 1, 2, 3, 5]]
        size = self._clip.width, self._clip.height
        return self._labels.at(frame, time_s, 1 / float(self._clip.frame_rate), size)

    def _pristine(self, look: Look) -> list[Rows]:
        """Boxes in the pristine pictures, which are the same in every run that shares its memory."""

        def packed() -> bytes:
            found = [self._in_clip(each) for each in recognize_boxes(self._recognizer, look.pristine)]
            numbered = [np.insert(rows, 0, place, axis=1) for place, rows in enumerate(found)]
            return np.concatenate([np.empty((0, 7)), *numbered]).astype("<f8").tobytes()

        data = self._memory.looked(look.segment, look.places[0], packed) if self._memory else packed()
        rows = np.frombuffer(data, "<f8").reshape(-1, 7)
        return [rows[rows[:, 0] == place, 1:].copy() for place in range(len(look.receptions))]

    def table(self, seconds: float) -> pd.DataFrame:
        """A row a frame that was looked at: boxes in it of at least the threshold, and how many of them are right.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        import pandas as pd

        if self._labels is not None:
            rate = float(self._clip.frame_rate)
            self._labels.check_cover(seconds, rate)
            self._frames = max(self._frames, round(seconds * rate))
        columns: dict[str, list[float]] = {"boxes": [], "boxes_pristine": []}
        columns |= {"boxes_label": [], "right": [], "right_pristine": []} if self._labels else {"right": []}
        for received, pristine, truth in zip(
            self._found["received"], self._found["pristine"], self._truth, strict=True
        ):
            sure = [rows[rows[:, 4] >= self._threshold] for rows in (received, pristine)]
            right = [np.nan if truth is None else matched(rows, truth) for rows in sure]
            values: list[float] = [len(sure[0]), len(sure[1])]
            values += [np.nan if truth is None else len(truth), *right] if self._labels else right[:1]
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
        table = pd.DataFrame(self._looks, columns=list(COLUMNS)).assign(**columns)
        return table.sort_values("frame").reset_index(drop=True)

    def notes(self) -> list[str]:
        """Which labels are of no frame of the clip, and how many boxes could not be used, if any."""
        said = [] if self._labels is None else self._labels.beyond(self._frames)
        if self._left_out:
            said.append(f"{self._left_out} boxes were empty, negative or outside the picture, and were left out")
        return said

    def tables(self) -> dict[str, pd.DataFrame]:
        """The table ``boxes``: a row a box, in pixels of the clip."""
        import pandas as pd

        columns = ["frame", "time_s", "seen", "class", "score", "x", "y", "width", "height"]
        found = []
        for place, look in enumerate(self._looks):
            for side in SIDES:
                rows = self._found[side][place]
                for left, upper, right, lower, score, number in rows.tolist():
                    corner = [round(left, 2), round(upper, 2), round(right - left, 2), round(lower - upper, 2)]
                    name = self._names[int(number)]
                    found.append([look["frame"], look["time_s"], side, name, round(score, 5), *corner])
        table = pd.DataFrame(found, columns=columns)
        return {"boxes": table.sort_values(["frame"], kind="stable").reset_index(drop=True)}

    def summary(self, table: pd.DataFrame) -> dict[str, Any]:
        """mAP50 and mAP over all frames, AP of each class at 0.5, and what they are to be held beside.

        ``n`` frames are scored, with ``boxes`` true boxes; ``unlabelled``, where it is not 0, have no labels.
        ``*_ceiling`` is that of the pristine pictures, ``*_constant`` that of finding nothing, ``*_chance`` what none
        of ten shifts of the answers in time goes beyond. ``left_out``, where it is not 0, are boxes that were empty,
        negative or outside the picture.
        """
        places = [place for place, each in enumerate(self._truth) if each is not None]
        truth = [each for each in self._truth if each is not None]
        sides = {side: [self._found[side][place] for place in places] for side in SIDES}
        scored = {side: average_precision(found, truth, len(self._names)) for side, found in sides.items()}
        received, pristine = scored["received"], scored["pristine"]
        chance = self._chance(sides["received"], truth)
        found: dict[str, Any] = {
            "task": self._recognizer.task,
            "recognizer": self._recognizer.name,
            "against": "pristine" if self._labels is None else "labels",
            "n": len(truth) if received.map50 is not None else 0,
            "classes": len(self._names),
            "names": list(self._names),
            "threshold": self._threshold,
            "boxes": sum(map(len, truth)),
        }
        missing = len(self._truth) - len(truth)
        found |= {"unlabelled": missing} if missing else {}
        found |= {"left_out": self._left_out} if self._left_out else {}
        for name in ("map50", "map"):
            value = getattr(received, name)
            found[name] = _rounded(value)
            found[f"{name}_ceiling"] = _rounded(getattr(pristine, name))
            found[f"{name}_constant"] = None if value is None else 0.0
            found[f"{name}_chance"] = None if chance is None else _rounded(getattr(chance, name))
        known = np.flatnonzero(~np.isnan(received.by_class))
        found["ap50"] = {self._names[number]: _rounded(received.by_class[number]) for number in known}
        return found

    def _chance(self, found: Sequence[Rows], truth: Sequence[Rows]) -> Precision | None:
        """The best that the answers score at wrong times; None where there are too few."""
        if len(found) < FEWEST or not any(map(len, truth)):
            return None
        moved = [
            average_precision([*found[-far:], *found[:-far]], truth, len(self._names))
            for far in shifts(len(found), _SHIFTS)
        ]
        return Precision(
            max(each.map50 or 0.0 for each in moved), max(each.map or 0.0 for each in moved), moved[0].by_class
        )

    def overlays(self, segment: Segment) -> Mapping[str, list[Overlay | None]]:
        """The boxes of each frame; where it was not looked at, those of the last one before."""
        made: dict[int, tuple[Overlay, Overlay]] = {}
        found: dict[str, list[Overlay | None]] = {side: [] for side in SIDES}
        for frame in range(segment.first_frame, segment.first_frame + len(segment.frames)):
            last = max((each for each in self._shown if each <= frame), default=None)
            if last is not None and last not in made:
                received, pristine = map(self._drawn, self._shown[last])
                made[last] = received, pristine
            for place, side in enumerate(found.values()):
                side.append(None if last is None else made[last][place])
        return found

    def _drawn(self, rows: Rows) -> Overlay:
        """Boxes of at least the threshold, with name and score."""
        rows = rows[rows[:, 4] >= self._threshold]
        shares = rows[:, [0, 1, 2, 3, 5]]
        shares[:, :4] /= np.tile([self._clip.width, self._clip.height], 2)
        return outline(shares, [f"{self._names[int(row[5])]} {row[4]:.2f}" for row in rows])


def matched(found: Rows, truth: Rows) -> int:
    """How many boxes are right: of one class with a label that they overlap by half or more, each label once.

    Examples
    --------
    >>> label = np.array([[0.0, 0, 10, 10, 0]])
    >>> matched(np.array([[0.0, 0, 10, 9, 0.9, 0], [1, 0, 10, 10, 0.8, 0], [0, 0, 10, 10, 0.7, 1]]), label)
    1
    """
    shared = overlaps(found, truth) * (found[:, None, 5] == truth[None, :, 4])
    count = 0
    for row in range(len(found)):
        best = int(shared[row].argmax()) if shared.shape[1] else -1
        if best >= 0 and shared[row, best] >= _OVERLAP:
            count += 1
            shared[:, best] = 0
    return count


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 5)
