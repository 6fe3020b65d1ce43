"""Where the faces are: found in HR frames by a detector and followed, or known from a table of labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError
from vidlink.faces.boxes import overlap
from vidlink.faces.detector import DEFAULT, Detector
from vidlink.faces.tracks import BOX, MOST_FACES, Box, at_knots
from vidlink.video.pictures import luma

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.faces.detector import Remember
    from vidlink.types import Segment

_LOOK_EVERY_S = 0.2
_SEARCH_EVERY_S = 1.0
"""So often the whole picture is searched for new faces, where all known ones are followed."""
_WAIT_S = 0.4
"""So often it is searched where no face is known."""
_SMOOTHING_S = 0.3
_MISSED_S = 1.0
"""A track that was not found again for so long ends."""
_HITS = 2
"""Detections before a track counts: single false alarms do not."""
_SAME = 0.3
"""Boxes of one face overlap by this share of their union at the least."""


@dataclass(slots=True, eq=False)
class _Track:
    box: NDArray[np.float64]
    seen_s: float
    hits: int = 1
    face: int | None = None
    history: list[tuple[float, NDArray[np.float64]]] = field(default_factory=list)

    def take(self, box: NDArray[np.float64], time_s: float) -> None:
        """The face was found again: its box is smoothed by an exponential of 0.3 s."""
        share = 1 - np.exp(-(time_s - self.seen_s) / _SMOOTHING_S)
        self.box = self.box + share * (box - self.box)
        self.seen_s, self.hits = time_s, self.hits + 1


class FaceTracker:
    """Follows the faces of a clip segment by segment.

    The detector looks at five frames a second: near the last place of each face that is known, and at the whole picture
    once a second, where a face is not found again, and every 0.4 s where none is known. A detection continues the
    track that it overlaps most (at least 0.3 of their union).

    Parameters
    ----------
    box
        Where the user gave the face: one track that stays there, and nothing is searched.
    detector
        Who finds faces; None for the default.
    """

    def __init__(self, box: Box | None = None, detector: Detector | None = None) -> None:
        self._box = box
        self._detector = None if box else detector or Detector()
        self._tracks: list[_Track] = []
        self._next_s = 0.0
        self._searched_s = -_SEARCH_EVERY_S
        self._faces = 0

    def track(self, segment: Segment) -> dict[int, NDArray[np.float64]]:
        """Face tracks of one segment: by face number, boxes at the knots, shape (knots, 4), HR pixels.

        Call once for each segment, in order. A face that shows up within a segment is given from its start.

        Raises
        ------
        UserError
            The detector fails.
        """
        offsets = segment.times_s - segment.start_s
        if self._box:
            boxes = np.tile(self._box.as_array(), (len(offsets), 1))
            return {0: at_knots(boxes, offsets, segment.duration_s)}
        for track in self._tracks:
            track.history = []
        for frame, time_s in zip(segment.frames, segment.times_s, strict=True):
            if time_s >= self._next_s - 1e-6:
                self._look(luma(frame), float(time_s))
                self._next_s = float(time_s) + _LOOK_EVERY_S
        found = {}
        for track in self._tracks:
            if track.hits >= _HITS and track.face is None and self._faces < MOST_FACES:
                track.face = self._faces
                self._faces += 1
            if track.face is None:
                continue
            history = track.history or [(segment.start_s, track.box)]
            times = np.array([time_s for time_s, _ in history]) - segment.start_s
            path = np.array([box for _, box in history])
            boxes = np.column_stack([np.interp(offsets, times, path[:, side]) for side in range(4)])
            found[track.face] = at_knots(boxes, offsets, segment.duration_s)
        return found

    def _look(self, picture: NDArray[np.uint8], time_s: float) -> None:
        assert self._detector is not None
        if self._detector.follows:
            for track in self._tracks:
                near = self._detector.near(picture, track.box) if track.hits >= _HITS else None
                if near is not None:
                    track.take(near, time_s)
        missed = [track for track in self._tracks if track.seen_s < time_s]
        wait_s = _SEARCH_EVERY_S if self._tracks else _WAIT_S
        if missed or time_s >= self._searched_s + wait_s - 1e-6:
            self._search(picture, missed, time_s)
        self._tracks = _distinct([track for track in self._tracks if time_s - track.seen_s <= _MISSED_S])
        for track in self._tracks:
            track.history.append((time_s, track.box))

    def _search(self, picture: NDArray[np.uint8], missed: list[_Track], time_s: float) -> None:
        """Look for all faces: those of the tracks that were missed, and new ones."""
        assert self._detector is not None
        self._searched_s = time_s
        known = [track.box for track in self._tracks if track.seen_s == time_s]
        boxes = [
            box for box in self._detector.whole(picture) if not any(overlap(box, other) >= _SAME for other in known)
        ]
        pairs = sorted(
            ((overlap(track.box, box), t, b) for t, track in enumerate(missed) for b, box in enumerate(boxes)),
            reverse=True,
        )
        tracks_left, boxes_left = set(range(len(missed))), set(range(len(boxes)))
        for shared, t, b in pairs:
            if shared >= _SAME and t in tracks_left and b in boxes_left:
                tracks_left.discard(t)
                boxes_left.discard(b)
                missed[t].take(boxes[b], time_s)
        self._tracks += [_Track(boxes[b], time_s) for b in sorted(boxes_left)]


def _distinct(tracks: list[_Track]) -> list[_Track]:
    """Tracks without those that came to follow the face of an older one."""
    kept: list[_Track] = []
    for track in tracks:
        if not any(overlap(track.box, other.box) >= 0.5 for other in kept):
            kept.append(track)
    return kept


class LabelledFaces:
    """The faces of a table of labels that has their boxes: nothing is searched.

    Parameters
    ----------
    labels
        As :func:`~vidlink.labels.dimensions.load_labels` gives them, with the columns of
        :data:`~vidlink.faces.tracks.BOX`.

    Raises
    ------
    UserError
        A box without size, none at all, or more than 256 faces.
    """

    def __init__(self, labels: pd.DataFrame) -> None:
        known = labels.dropna(subset=list(BOX))
        flat = known[(known["w"] <= 0) | (known["h"] <= 0)]
        if len(flat):
            row = flat.iloc[0]
            raise UserError(f"labels: the box at time_s = {row['time_s']:g} has w = {row['w']:g} and h = {row['h']:g}")
        self._paths = [
            (rows["time_s"].to_numpy(float), rows[list(BOX)].to_numpy(float)) for _, rows in known.groupby("face")
        ]
        if not 0 < len(self._paths) <= MOST_FACES:
            raise UserError(f"labels: boxes of {len(self._paths)} faces; at least 1 and at most {MOST_FACES} can be")

    def track(self, segment: Segment) -> dict[int, NDArray[np.float64]]:
        """Face tracks of one segment, as :meth:`FaceTracker.track` gives them, numbered in the labels' order.

        A face is there from the first to the last of its rows, at straight lines between them.
        """
        offsets = segment.times_s - segment.start_s
        found = {}
        for face, (times_s, boxes) in enumerate(self._paths):
            if times_s[0] < segment.end_s and times_s[-1] >= segment.start_s:
                path = np.column_stack([np.interp(segment.times_s, times_s, boxes[:, side]) for side in range(4)])
                found[face] = at_knots(path, offsets, segment.duration_s)
        return found


def check_boxes(labels: pd.DataFrame, *, width: int, height: int) -> None:
    """Refuse labels whose boxes are not of a picture of ``width`` x ``height`` pixels.

    A face may be partly outside, and a box somewhat larger than the picture.

    Raises
    ------
    UserError
        A box does not touch the picture, or is more than twice as large.
    """
    if not all(side in labels for side in BOX):
        return
    x, y, w, h = (labels[side].to_numpy(float) for side in BOX)
    outside = (x >= width) | (y >= height) | (x + w <= 0) | (y + h <= 0)
    wrong = (outside & (w > 0) & (h > 0)) | (np.maximum(w, h) > 2 * max(width, height))
    if wrong.any():
        row = labels.iloc[int(wrong.argmax())]
        box = ",".join(f"{row[side]:g}" for side in BOX)
        raise UserError(
            f"labels: the box {box} at time_s = {row['time_s']:g} leaves the picture, which is {width}x{height}; x, y, "
            "w, h are in its pixels"
        )


def face_finder(
    box: Box | None, labels: pd.DataFrame | None, detector: str = DEFAULT, remember: Remember | None = None
) -> Callable[[], FaceTracker | LabelledFaces]:
    """Who knows where the faces of a clip are: the user, the labels where they have boxes, or else the detector.

    Parameters
    ----------
    box
        The user's, or None.
    labels
        Of the clip, or None.
    detector
        Its name. It is not loaded where nothing is searched.
    remember
        As :class:`~vidlink.faces.detector.Detector` takes it.

    Returns
    -------
    callable
        Makes a tracker for one reading of the clip.

    Raises
    ------
    UserError
        As :class:`LabelledFaces` and :class:`~vidlink.faces.detector.Detector`.
    """
    if box is None and labels is not None and all(side in labels for side in BOX):
        known = LabelledFaces(labels)
        return lambda: known
    asked = None if box else Detector(detector, remember)
    return lambda: FaceTracker(box, asked)
