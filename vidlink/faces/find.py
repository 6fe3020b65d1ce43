"""Where the faces are: found in HR frames by OpenCV's Haar cascade and followed, or known from a table of labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidlink.errors import UserError
from vidlink.faces.tracks import BOX, MOST_FACES, Box, at_knots
from vidlink.video.pictures import luma

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.types import Segment

    Boxes = list[NDArray[np.float64]]
    Detector = Callable[[NDArray[np.uint8]], Boxes]
    Remember = Callable[[NDArray[np.uint8], Detector], Boxes]

_CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
_DETECT_EVERY_S = 0.2
_LONGEST_SIDE = 640
"""Larger frames are searched at this size; a face that is smaller than the cascade's 24 pixels there is not found."""
_SMOOTHING_S = 0.3
_MISSED_S = 1.0
"""A track that was not found again for so long ends."""
_HITS = 2
"""Detections before a track counts: single false alarms of the cascade do not."""


@dataclass(slots=True)
class _Track:
    box: NDArray[np.float64]
    seen_s: float
    hits: int = 1
    face: int | None = None
    history: list[tuple[float, NDArray[np.float64]]] = field(default_factory=list)


class FaceTracker:
    """Follows the faces of a clip segment by segment.

    The Haar cascade (Viola and Jones 2001) looks at five frames a second. A detection continues the track that it
    overlaps most (at least 0.3 of their union); a track's box is smoothed by an exponential of 0.3 s.

    Parameters
    ----------
    box
        Where the user gave the face: one track that stays there, and nothing is searched.
    remember
        Gives what a detector finds in a luma picture, shape (height, width), and may know it from before; None asks the
        detector each time.
    """

    def __init__(self, box: Box | None = None, remember: Remember | None = None) -> None:
        self._box, self._remember = box, remember or _ask
        self._cascade = cv2.CascadeClassifier(str(_CASCADE))
        self._tracks: list[_Track] = []
        self._next_s = 0.0
        self._faces = 0

    def track(self, segment: Segment) -> dict[int, NDArray[np.float64]]:
        """Face tracks of one segment: by face number, boxes at the knots, shape (knots, 4), HR pixels.

        Call once for each segment, in order. A face that shows up within a segment is given from its start.
        """
        offsets = segment.times_s - segment.start_s
        if self._box:
            boxes = np.tile(self._box.as_array(), (len(offsets), 1))
            return {0: at_knots(boxes, offsets, segment.duration_s)}
        for track in self._tracks:
            track.history = []
        for frame, time_s in zip(segment.frames, segment.times_s, strict=True):
            if time_s >= self._next_s - 1e-6:
                self._update(self._remember(luma(frame), self._detect), float(time_s))
                self._next_s = float(time_s) + _DETECT_EVERY_S
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

    def _detect(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        factor = max(1.0, max(picture.shape) / _LONGEST_SIDE)
        if factor > 1:
            small = cv2.resize(picture, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
            picture = small.astype(np.uint8, copy=False)
        found = self._cascade.detectMultiScale(np.ascontiguousarray(picture), 1.1, 5, minSize=(24, 24))
        return [factor * np.array(box, float) for box in found]

    def _update(self, detections: list[NDArray[np.float64]], time_s: float) -> None:
        pairs = sorted(
            (
                (_overlap(track.box, box), t, d)
                for t, track in enumerate(self._tracks)
                for d, box in enumerate(detections)
            ),
            reverse=True,
        )
        tracks_left, boxes_left = set(range(len(self._tracks))), set(range(len(detections)))
        for overlap, t, d in pairs:
            if overlap < 0.3 or t not in tracks_left or d not in boxes_left:
                continue
            tracks_left.discard(t)
            boxes_left.discard(d)
            track = self._tracks[t]
            share = 1 - np.exp(-(time_s - track.seen_s) / _SMOOTHING_S)
            track.box = track.box + share * (detections[d] - track.box)
            track.seen_s, track.hits = time_s, track.hits + 1
        self._tracks = [track for track in self._tracks if time_s - track.seen_s <= _MISSED_S]
        self._tracks += [_Track(detections[d], time_s) for d in sorted(boxes_left)]
        for track in self._tracks:
            track.history.append((time_s, track.box))


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


def find_faces(
    box: Box | None, labels: pd.DataFrame | None, remember: Remember | None = None
) -> FaceTracker | LabelledFaces:
    """Who knows where the faces of a clip are: the user, the labels where they have boxes, or else the detector.

    Raises
    ------
    UserError
        As :class:`LabelledFaces`.
    """
    if box is None and labels is not None and all(side in labels for side in BOX):
        return LabelledFaces(labels)
    return FaceTracker(box, remember)


def _ask(picture: NDArray[np.uint8], detect: Detector) -> Boxes:
    return detect(picture)


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / (a[2] * a[3] + b[2] * b[3] - shared))
