"""What the recognizer of a run says of received and of pristine pictures, whatever it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.faces.roi import face_boxes
from vidlink.faces.tracks import Box, split_parts
from vidlink.labels.classes import ClassLabels
from vidlink.recognizers.recognize import names_classes
from vidlink.scores.classes import ClassScores
from vidlink.scores.dimensions import DimensionScores, no_predictions
from vidlink.video.pictures import as_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    import pandas as pd

    from vidlink.recognizers.recognize import Recognizer
    from vidlink.sender.memory import Memory
    from vidlink.types import Clip, Reception, Segment


class Recognition:
    """Asks the recognizer about each segment. One that fails is asked no more.

    Parameters
    ----------
    clip
        The source.
    recognizer
        Who looks; None for nobody.
    labels
        As :func:`~vidlink.scores.judge.load_judge` gives them, or None: then the recognizer is held against itself.
    every
        It looks at every n-th frame.
    memory
        What runs share.
    later
        Whether windows about a picture may hold later ones.
    """

    def __init__(
        self,
        clip: Clip,
        *,
        recognizer: Recognizer | None,
        labels: pd.DataFrame | ClassLabels | None,
        every: int = 1,
        memory: Memory | None = None,
        later: bool = True,
    ) -> None:
        self._clip, self._recognizer, self._labels, self._every = clip, recognizer, labels, every
        self._named: ClassScores | None = None
        self._dimensions: DimensionScores | None = None
        if recognizer and names_classes(recognizer):
            self._named = ClassScores(recognizer, float(clip.frame_rate) / every)
        elif recognizer:
            self._dimensions = DimensionScores(
                recognizer, memory, frame_rate=float(clip.frame_rate) / every, later=later
            )
        self._faceless = 0
        self.failure: str | None = None
        """Why there is no recognition, where the recognizer failed; all else is kept."""

    def add(
        self, segment: Segment, side_data: bytes, receptions: Sequence[Reception], screen: Sequence[av.VideoFrame]
    ) -> None:
        """Take in one segment.

        Parameters
        ----------
        segment
            The source.
        side_data
            Face boxes as received.
        receptions, screen
            What was received, and what was on show: one for each source frame.
        """
        if self._recognizer and self.failure is None:
            try:
                if len(segment.parts) < 2:
                    self._look(self._recognizer, segment.each[0], side_data, receptions, screen)
                    return
                # Of a group each segment that was captured has its own tracks.
                sides = [data for _, data in split_parts(side_data)] or [side_data] * len(segment.parts)
                start = 0
                for part, side in zip(segment.parts, sides, strict=True):
                    stop = start + len(part.frames)
                    self._look(self._recognizer, part, side, receptions[start:stop], screen[start:stop])
                    start = stop
            except UserError as error:
                self.failure = str(error)

    def _look(
        self,
        recognizer: Recognizer,
        segment: Segment,
        side_data: bytes,
        receptions: Sequence[Reception],
        screen: Sequence[av.VideoFrame],
    ) -> None:
        """Ask the recognizer about the received and the pristine pictures, in the boxes that were received."""
        slots = [slot for slot, reception in enumerate(receptions) if reception.frame % self._every == 0]
        if not slots:
            return
        receptions = [receptions[slot] for slot in slots]
        offsets = (segment.times_s - segment.start_s)[slots]
        if recognizer.wants.region == "face":
            boxes = face_boxes(side_data, offsets, segment.duration_s, self._clip)
            self._faceless += 0 if boxes else len(slots)
        else:
            whole = np.array([0.0, 0.0, self._clip.width, self._clip.height])
            boxes = {0: (np.tile(whole, (len(offsets), 1)),) * 2}
        colour = recognizer.wants.colour
        received, pristine = (as_arrays(side, slots, colour) for side in (screen, segment.frames))
        crops_of = {
            face: [Box(*box) for box in shown.tolist()] if recognizer.wants.region == "face" else None
            for face, (_, shown) in boxes.items()
        }
        if self._named:
            for face, crops in crops_of.items():
                self._named.add(face, receptions, received, pristine, crops)
        elif self._dimensions:
            places = {face: np.column_stack([slots, path]) for face, (path, _) in boxes.items()}
            self._dimensions.add(segment, receptions, received, pristine, places, crops_of)

    def table(self, seconds: float) -> pd.DataFrame:
        """The table ``predictions`` of a run of so many seconds; labels become columns ``*_label``.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        import pandas as pd

        if self._named:
            return self._windows(self._named, seconds)
        if self._dimensions:
            labels = self._labels if isinstance(self._labels, pd.DataFrame) else None
            self._finish(self._dimensions)
            return self._dimensions.table(labels, seconds, float(self._clip.frame_rate))
        return no_predictions()

    def _windows(self, named: ClassScores, seconds: float) -> pd.DataFrame:
        """A row a window."""
        labels = self._labels if isinstance(self._labels, ClassLabels) else None
        if labels:
            labels.check_cover(seconds, float(self._clip.frame_rate))
        self._finish(named)
        return named.table(labels)

    def _finish(self, scores: ClassScores | DimensionScores) -> None:
        """Ask about the windows that are left at the end of the clip."""
        if self.failure is None:
            try:
                scores.finish()
            except UserError as error:
                self.failure = str(error)

    def summary(self, predictions: pd.DataFrame) -> dict[str, Any]:
        """The sections ``recognition`` (None without a recognizer that works) and ``recognition_error`` (if any).

        Where the recognizer looks at faces, ``frames_without_face`` is the number of frames at which it would have
        looked, had there been one.
        """
        if self.failure:
            return {"recognition": None, "recognition_error": self.failure}
        scores = self._named or self._dimensions
        if scores is None or self._recognizer is None:
            return {"recognition": None}
        faceless = {"frames_without_face": self._faceless} if self._recognizer.wants.region == "face" else {}
        return {"recognition": scores.summary(predictions) | faceless}
