"""What a recognizer of dimensions says of received and of pristine faces, and how well that agrees."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.recognizers.crop import enlarged
from vidlink.recognizers.over_time import Follower
from vidlink.recognizers.recognize import Context, follows_time, look_at, recognize, recognize_looks
from vidlink.scores.kind import Collector
from vidlink.scores.metrics import score_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.faces.tracks import Box
    from vidlink.recognizers.over_time import Window
    from vidlink.recognizers.recognize import Recognizer
    from vidlink.scores.kind import Look
    from vidlink.sender.memory import Memory
    from vidlink.types import Segment

COLUMNS = ("frame", "time_s", "face", "status", "scale", "x", "y", "width", "height")
"""Columns of the table before those of the dimensions."""


class DimensionScores(Collector):
    """Collects the answers of segments; only rows of numbers are kept.

    Parameters
    ----------
    recognizer
        Has ``gives``.
    memory
        What runs share; None for nothing.
    labels
        As :func:`~vidlink.labels.dimensions.load_labels` gives them; None for none.
    frame_rate
        Frames a second of the clip.
    every
        Every n-th of them is looked at.
    later
        Whether windows may hold later pictures.

    Raises
    ------
    UserError
        It gives a dimension that is called as another column of the table is.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        memory: Memory | None = None,
        *,
        labels: pd.DataFrame | None = None,
        frame_rate: float = 25.0,
        every: int = 1,
        later: bool = True,
    ) -> None:
        self._recognizer, self._memory, self._labels = recognizer, memory, labels
        self._frame_rate, self._every, self._later = frame_rate, every, later
        self._tracks: dict[int, _Track] = {}
        gives = recognizer.gives
        columns = [*COLUMNS, *gives, *(f"{name}_{kind}" for name in gives for kind in ("pristine", "label"))]
        if twice := [name for name in gives if columns.count(name) > 1]:
            raise UserError(
                f"recognizer {recognizer.name!r}: gives {twice[0]!r}, the name of another column of its table; "
                "expected another name"
            )
        self._columns: list[dict[str, Any]] = []
        self._unlabelled = 0

    def add(self, look: Look) -> None:
        """Take in pictures; raises :class:`~vidlink.errors.UserError` where the recognizer fails."""
        receptions = look.receptions
        context = Context.of(receptions)
        through_time = follows_time(self._recognizer)
        seen = look_at_faces(self._recognizer, look.received, look.crops, context)
        for face, place in look.places.items():
            columns: dict[str, Any] = {
                "frame": [each.frame for each in receptions],
                "time_s": np.round([each.time_s for each in receptions], 6),
                "face": face,
                "status": context.status,
                "scale": context.scale,
                **dict(zip(("x", "y", "width", "height"), np.round(place[:, 1:], 2).T, strict=True)),
            }
            before = self._pristine(look.segment, place, look.pristine, look.crops[face])
            if through_time:
                if face not in self._tracks:
                    follower = Follower(
                        wants=self._recognizer.wants, frame_rate=self._frame_rate / self._every, later=self._later
                    )
                    self._tracks[face] = _Track(follower=follower)
                boxes: Sequence[Box | None] = look.crops[face] or [None] * len(receptions)
                known = replace(context, enlarged=enlarged(self._recognizer.wants, boxes))
                self._tracks[face].add(columns, known, (seen[face], before))
                self._answer(self._tracks[face], self._tracks[face].follower.add(columns["time_s"]))
            else:
                self._keep(columns, (seen[face], before))

    def finish(self) -> None:
        """Ask about what is left at the end of the clip; raises as :meth:`add` does."""
        for track in self._tracks.values():
            self._answer(track, track.follower.finish())
        self._tracks.clear()

    def _answer(self, track: _Track, windows: Sequence[Window]) -> None:
        """Ask about the windows of a track that are whole."""
        if windows:
            how: dict[str, Any] = {"later": self._later, "first": track.first}
            pristine = replace(Context.pristine(len(track.context.status)), enlarged=track.context.enlarged)
            seen = recognize_looks(self._recognizer, track.looks[0], windows, track.context, **how)
            before = recognize_looks(self._recognizer, track.looks[1], windows, pristine, **how)
            self._keep(track.take(len(windows)), (seen, before))
        track.forget()

    def _keep(self, columns: dict[str, Any], both: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
        """Keep the rows about some pictures, with what was said of the received and of the pristine ones."""
        for suffix, answers in zip(("", "_pristine"), both, strict=True):
            for name, column in zip(self._recognizer.gives, answers.T, strict=True):
                columns[name + suffix] = np.round(column.astype(float), 5)
        self._columns.append(columns)

    def _pristine(
        self,
        segment: Segment,
        place: NDArray[np.float64],
        pictures: Sequence[NDArray[np.uint8]],
        crops: list[Box] | None,
    ) -> NDArray[np.float32]:
        """What the recognizer says of the source, which is the same in every run that shares its memory.

        That is what it sees of each picture, where it goes on to look at windows; pictures themselves are not kept.
        """
        boxes: Sequence[Box | None] = crops or [None] * len(pictures)
        if follows_time(self._recognizer):
            context = Context.pristine(len(pictures))
            if not hasattr(self._recognizer, "features"):
                return look_at(self._recognizer, pictures, boxes, context)

        def answers() -> NDArray[np.float32]:
            if follows_time(self._recognizer):
                return look_at(self._recognizer, pictures, boxes, context)
            return recognize(self._recognizer, pictures, crops)

        return self._memory.answers(segment, place, answers) if self._memory else answers()

    def table(self, seconds: float) -> pd.DataFrame:
        """A row a frame and face: where it is, and each dimension received, pristine and, where there are labels, true.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        import pandas as pd

        from vidlink.labels.dimensions import check_cover, labels_at, match_faces

        gives, labels = list(self._recognizer.gives), self._labels
        table = no_predictions(gives)
        if self._columns:
            table = pd.concat(map(pd.DataFrame, self._columns), ignore_index=True)
        if labels is not None:
            check_cover(labels, seconds, self._frame_rate)
            for name in gives:
                table[f"{name}_label"] = np.nan
            self._unlabelled = 0
            for track, face in match_faces(labels, table).items():
                rows = table["face"] == track
                values = labels_at(labels, face, table.loc[rows, "time_s"].to_numpy(float), gives)
                self._unlabelled += int(np.isnan(values).any(axis=1).sum())
                table.loc[rows, [f"{name}_label" for name in gives]] = np.round(values, 5)
        return table.sort_values(["frame", "face"], kind="stable").reset_index(drop=True)

    def summary(self, table: pd.DataFrame) -> dict[str, Any]:
        """What the table comes down to: CC, CCC and RMSE of each dimension, against labels where it has them.

        ``n`` rows are scored; ``unlabelled``, where it is not 0, are rows of labelled faces at times of which the
        labels know nothing.
        """
        gives = list(self._recognizer.gives)
        labelled = f"{gives[0]}_label" in table
        truth = table[[f"{name}_{'label' if labelled else 'pristine'}" for name in gives]]
        scored = truth.notna().all(axis=1).to_numpy(bool) & table[gives].notna().all(axis=1).to_numpy(bool)
        result: dict[str, Any] = {
            "task": self._recognizer.task,
            "recognizer": self._recognizer.name,
            "against": "labels" if labelled else "pristine",
            "faces": int(table["face"].nunique()),
            "n": int(scored.sum()),
            **({"unlabelled": self._unlabelled} if self._unlabelled else {}),
        }
        if not scored.any():
            nothing = dict.fromkeys(gives)
            return result | {"cc": nothing, "ccc": nothing, "rmse": nothing}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = score_table(gives, table.loc[scored, gives].to_numpy(float), truth[scored].to_numpy(float))
        return result | {
            measure: {name: value if value is None else round(value, 5) for name, value in by_name.items()}
            for measure, by_name in found.items()
        }


def no_predictions(gives: Sequence[str] = ()) -> pd.DataFrame:
    """The table of nothing."""
    import pandas as pd

    return pd.DataFrame(columns=[*COLUMNS, *gives, *(f"{name}_pristine" for name in gives)])


@dataclass(kw_only=True)
class _Track:
    """What was seen of one face that windows to come may need, and the rows that wait for answers."""

    follower: Follower
    looks: list[NDArray[Any]] = field(default_factory=list)
    """Looks at the received and at the pristine pictures, from position ``first`` on."""
    context: Context = field(default_factory=lambda: Context.pristine(0))
    first: int = 0
    waiting: list[dict[str, Any]] = field(default_factory=list)
    """Rows of pictures that were not asked about yet."""

    def add(self, columns: dict[str, Any], context: Context, looks: tuple[NDArray[Any], NDArray[Any]]) -> None:
        """Take in more pictures."""
        held = self.looks or [each[:0] for each in looks]
        self.looks = [np.concatenate(each) for each in zip(held, looks, strict=True)]
        self.context = self.context.followed_by(context)
        count = len(context.status)
        whole = {name: values if np.ndim(values) else [values] * count for name, values in columns.items()}
        self.waiting += [{name: values[row] for name, values in whole.items()} for row in range(count)]

    def take(self, count: int) -> dict[str, Any]:
        """The columns of the first rows that wait, which wait no longer."""
        rows, self.waiting = self.waiting[:count], self.waiting[count:]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def forget(self) -> None:
        """Drop what no window to come can need."""
        gone, self.first = self.follower.oldest - self.first, self.follower.oldest
        self.looks = [each[gone:] for each in self.looks]
        self.context = self.context.take(np.arange(gone, len(self.context.status)))


def look_at_faces(
    recognizer: Recognizer,
    pictures: Sequence[NDArray[np.uint8]],
    crops: Mapping[int, list[Box] | None],
    context: Context,
) -> dict[int, NDArray[Any]]:
    """What a recognizer says of each face in n pictures, shape (n, dimensions): all faces together fill batches.

    Of one that wants windows of them, what they are made of.
    """
    rows = np.tile(np.arange(len(pictures)), len(crops))
    whole: list[Any] = [None] * len(pictures)
    boxes = [box for each in crops.values() for box in (whole if each is None else each)]
    ask: Any = look_at if follows_time(recognizer) else recognize
    answers = ask(recognizer, [pictures[row] for row in rows], boxes, context.take(rows))
    return dict(zip(crops, np.split(answers, max(1, len(crops))), strict=False))
