"""What the recognizer of a run says of received and of pristine pictures, whatever it gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import LabelError, UserError
from vidlink.faces.roi import face_boxes
from vidlink.faces.tracks import Box, split_parts
from vidlink.scores.dimensions import no_predictions
from vidlink.scores.kind import Look
from vidlink.scores.kinds import kind_of
from vidlink.video.overlay import Painted
from vidlink.video.pictures import as_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    import av
    import pandas as pd

    from vidlink.recognizers.recognize import Recognizer
    from vidlink.scores.kind import Collector
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
        labels: Any,
        every: int = 1,
        memory: Memory | None = None,
        later: bool = True,
    ) -> None:
        self._clip, self._recognizer, self._every = clip, recognizer, every
        self._collector: Collector | None = None
        if recognizer:
            self._collector = kind_of(recognizer).collect(
                recognizer, clip, labels, every=every, memory=memory, later=later
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

        Raises
        ------
        LabelError
            The labels do not go with the clip.
        """
        if self._recognizer and self._collector and self.failure is None:
            self._collector.begin()
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
            except LabelError:
                raise
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
        if self._collector:
            self._collector.add(
                Look(
                    segment=segment,
                    receptions=receptions,
                    received=received,
                    pristine=pristine,
                    places={face: np.column_stack([slots, path]) for face, (path, _) in boxes.items()},
                    crops=crops_of,
                )
            )

    def drawn(self, segment: Segment, screen: Sequence[av.VideoFrame]) -> tuple[Segment, Sequence[av.VideoFrame]]:
        """The segment that was added last, and what was on show, with what was recognized drawn into their pictures.

        They are the same where the recognizer gives nothing that can be drawn.
        """
        overlays = self._collector.overlays(segment) if self._collector and self.failure is None else {}
        if not overlays:
            return segment, screen
        frames = Painted(segment.frames, overlays["pristine"])
        return replace(segment, frames=frames), Painted(screen, overlays["received"])

    def table(self, seconds: float) -> pd.DataFrame:
        """The table ``predictions`` of a run of so many seconds; labels become columns ``*_label``.

        Raises
        ------
        UserError
            The labels are of another clip.
        """
        if self._collector is None:
            return no_predictions()
        if self.failure is None:
            try:
                self._collector.finish()  # windows that are left at the end of the clip
            except UserError as error:
                self.failure = str(error)
        return self._collector.table(seconds)

    def more_tables(self) -> dict[str, pd.DataFrame]:
        """Further tables of the run folder by name."""
        return self._collector.tables() if self._collector else {}

    def notes(self) -> list[str]:
        """What is to be said of the recognizer, and of what it gave."""
        said = list(getattr(self._recognizer, "notes", ()))
        return said + (self._collector.notes() if self._collector else [])

    def files(self) -> dict[str, bytes]:
        """Further files of the run folder by path."""
        return self._collector.files() if self._collector else {}

    def summary(self, predictions: pd.DataFrame) -> dict[str, Any]:
        """The sections ``recognition`` (None without a recognizer that works) and ``recognition_error`` (if any).

        Where the recognizer looks at faces, ``frames_without_face`` is the number of frames at which it would have
        looked, had there been one.
        """
        if self.failure:
            return {"recognition": None, "recognition_error": self.failure}
        if self._collector is None or self._recognizer is None:
            return {"recognition": None}
        faceless = {"frames_without_face": self._faceless} if self._recognizer.wants.region == "face" else {}
        return {"recognition": self._collector.summary(predictions) | faceless}
