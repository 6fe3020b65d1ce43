"""What tells the frames of a segment apart, where a rung codes only some of them: what ``--frames`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError
from vidlink.faces.roi import face_boxes
from vidlink.faces.tracks import Box
from vidlink.scores.kinds import kind_of
from vidlink.sender.moments import picture_features
from vidlink.video.pictures import as_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.sender.memory import Memory
    from vidlink.sender.moments import Features
    from vidlink.types import Clip, Segment


def make_features(
    frames: str, clip: Clip, recognizer: Recognizer | None, memory: Memory | None = None
) -> Features | None:
    """What tells frames apart, by the setting ``frames``; None where every n-th is coded.

    Raises
    ------
    UserError
        It needs a recognizer of single frames, and there is none.
    """
    if frames == "even":
        return None
    if frames == "picture":
        return picture_features
    if recognizer is None:
        raise UserError("--frames task needs a recognizer, and --recognizer none gives none")
    if why := kind_of(recognizer).refuse_frames(recognizer):
        raise UserError(f"--frames task: recognizer {recognizer.name!r} {why}; --frames picture needs no recognizer")
    return TaskFeatures(recognizer, clip, memory)


class TaskFeatures:
    """What the recognizer says of each pristine frame: of all faces, one after the other; of maps and boxes, on a grid.

    Where there is no face, or the recognizer fails (the run says so), small pictures take its place.

    Parameters
    ----------
    recognizer
        Who looks at single frames.
    clip
        Gives the HR size.
    memory
        What runs share.
    """

    def __init__(self, recognizer: Recognizer, clip: Clip, memory: Memory | None = None) -> None:
        self._recognizer, self._clip, self._memory = recognizer, clip, memory

    def __call__(self, segment: Segment, side_data: bytes) -> NDArray[np.float32]:
        """The features of a segment, shape (frames, faces x dimensions)."""
        count = len(segment.frames)
        whole = np.tile([0.0, 0.0, self._clip.width, self._clip.height], (count, 1))
        paths = {0: (whole, whole)}
        if self._recognizer.wants.region == "face":
            offsets_s = segment.times_s - segment.start_s
            paths = face_boxes(side_data, offsets_s, segment.duration_s, self._clip)
        try:
            answers = [self._look(segment, path, shown) for path, shown in paths.values()]
        except UserError:
            answers = []
        if not answers or not all(np.isfinite(answer).all() for answer in answers):
            return picture_features(segment)
        return np.concatenate(answers, axis=1)

    def _look(self, segment: Segment, path: NDArray[np.float64], shown: NDArray[np.float64]) -> NDArray[np.float32]:
        """What the recognizer says of one face in every frame, shape (frames, dimensions)."""

        def look() -> NDArray[np.float32]:
            arrays = [as_array(frame, self._recognizer.wants.colour) for frame in segment.frames]
            face = self._recognizer.wants.region == "face"
            boxes = [Box(*box) for box in shown.tolist()] if face else None
            return kind_of(self._recognizer).features(self._recognizer, arrays, boxes)

        if self._memory is None:
            return look()
        return self._memory.answers(segment, np.column_stack([np.arange(len(path)), path]), look)
