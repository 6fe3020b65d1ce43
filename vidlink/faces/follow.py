"""Cut a window about one face out of every frame: what ``--roi face`` codes instead of the whole frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np
from av.video.frame import PictureType

from vidlink.errors import UserError
from vidlink.faces.find import check_boxes, face_finder
from vidlink.faces.roi import check_box, parse_roi, window_path, window_side
from vidlink.faces.tracks import BOX, MOST_FACES, pack_tracks, unpack_tracks
from vidlink.video.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.faces.detector import Remember
    from vidlink.settings import Settings
    from vidlink.types import Segment
    from vidlink.video.scenes import Scenes
    from vidlink.video.source import Cut


def cut_out(
    source: Source, settings: Settings, labels: pd.DataFrame | None, remember: Remember | None = None
) -> Source:
    """The clip as it is coded: itself, or where the settings say so windows about one face of it.

    Parameters
    ----------
    source
        The clip.
    settings
        Of the run.
    labels
        Of the clip; where they have boxes the faces are there.
    remember
        As :class:`~vidlink.faces.detector.Detector` takes it.

    Raises
    ------
    UserError
        The region or a labelled box is not one, or leaves the picture; the detector cannot be had; no face is found; or
        it is not clear whose labels to use.
    """
    roi = parse_roi(settings.roi)
    if labels is not None:
        check_boxes(labels, width=source.clip.width, height=source.clip.height)
    if not roi.cut:
        return source
    if roi.box:
        check_box(roi.box, width=source.clip.width, height=source.clip.height)
    elif labels is not None and labels["face"].nunique() > 1 and not all(side in labels for side in BOX):
        raise UserError(
            f"--roi face follows one face, and the labels are of {labels['face'].nunique()} without saying where they "
            "are: add the columns x, y, w, h, or name the face as --roi face:x,y,w,h and give its labels alone"
        )
    make_tracker = face_finder(roi.box, labels, settings.face_detector, remember)
    return FaceSource(source, seconds=settings.segment_s, make_tracker=make_tracker)


class Tracker(Protocol):
    """Knows where faces are."""

    def track(self, segment: Segment) -> dict[int, NDArray[np.float64]]:
        """Face tracks of one segment: by face number boxes at the knots, shape (knots, 4). Called in order."""


class FaceSource(Source):
    """A clip of windows about one face of another clip.

    The face is the largest of the first segment that has one. Where it is lost, the window stays; one that is found
    again inside that window is the same face. Otherwise the largest face there is takes over, with the next number.
    Segments in which no face is found carry no track, so the far end looks for nothing in them.

    Parameters
    ----------
    source
        The clip.
    seconds
        Length of a segment.
    make_tracker
        Makes a tracker for one reading of the clip.

    Raises
    ------
    UserError
        No face was found anywhere.
    """

    def __init__(self, source: Source, *, seconds: float, make_tracker: Callable[[], Tracker]) -> None:
        self._source, self._make_tracker = source, make_tracker
        whole = source.clip
        self._size = whole.width, whole.height
        tracker = make_tracker()
        for segment in source.segments(seconds):
            tracks = tracker.track(segment)
            if tracks:
                break
        else:
            raise UserError(
                f"--roi face: no face was found in {whole.name}; say where it is with --roi face:x,y,w,h, "
                "or code whole frames with --roi none"
            )
        self._first = _as_sent(tracks[_largest(tracks)])
        side = window_side(self._first, width=whole.width, height=whole.height)
        super().__init__(replace(whole, width=side, height=side, cut_from=self._size), source._read, source.labels)
        self.notes = source.notes
        if len(tracks) > 1:
            self.note(f"{len(tracks)} faces: the largest is followed (--roi face:x,y,w,h names another)")

    def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Whole frames cannot be had from here: windows belong to segments.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError("a clip of windows about a face is read by segments")

    def segments(self, seconds: float | Cut | Scenes) -> Iterator[Segment]:
        """The segments of the clip, with windows for frames and the track as side data."""
        tracker = self._make_tracker()
        face, followed, known, unseen, count = -1, -1, self._first, 0, 0
        for segment in self._source.segments(seconds):
            tracks, side_data = tracker.track(segment), b""
            if tracks and followed not in tracks:
                again = [number for number, knots in tracks.items() if face >= 0 and _inside(knots, known)]
                followed = again[0] if again else _largest(tracks)
                face += 0 if again or face == MOST_FACES - 1 else 1
            if followed in tracks:
                known = _as_sent(tracks[followed])
                side_data = pack_tracks({face: known})
            unseen, count = unseen + (not side_data), count + 1
            if segment.last and unseen:
                self.note(f"no face was found in {unseen} of {count} segments: nothing is recognized there")
            if segment.last and face > 0:
                self.note(f"the face was lost and another followed in its place: faces 0 to {face}")
            yield replace(segment, frames=self._cut(segment, known), side_data=side_data)
            known = known[-1:]

    def _cut(self, segment: Segment, knots: NDArray[np.float64]) -> tuple[av.VideoFrame, ...]:
        side, (width, height) = self.clip.width, self._size
        offsets = segment.times_s - segment.start_s
        path = window_path(knots, offsets, segment.duration_s, side=side, width=width, height=height)
        return tuple(
            _window(frame, left, top, cut, side)
            for frame, (left, top, cut) in zip(segment.frames, path.tolist(), strict=True)
        )


def _as_sent(knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """A track as it comes out at the far end."""
    return unpack_tracks(pack_tracks({0: knots}))[0]


def _largest(tracks: Mapping[int, NDArray[np.float64]]) -> int:
    return max(tracks, key=lambda number: (float((tracks[number][:, 2] * tracks[number][:, 3]).mean()), -number))


def _inside(knots: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether a track begins within the last box of another."""
    x, y = knots[0, :2] + knots[0, 2:] / 2
    left, top, width, height = other[-1]
    return bool(left <= x <= left + width and top <= y <= top + height)


def _window(frame: av.VideoFrame, left: int, top: int, cut: int, side: int) -> av.VideoFrame:
    """A square of ``cut`` pixels out of a ``yuv420p`` frame, brought to ``side`` pixels."""
    planes = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
            top // step : (top + cut) // step, left // step : (left + cut) // step
        ]
        for plane, step in zip(frame.planes, (1, 2, 2), strict=True)
    ]
    packed = np.concatenate([plane.ravel() for plane in planes]).reshape(cut * 3 // 2, cut)
    window = av.VideoFrame.from_ndarray(packed, format="yuv420p")
    if cut != side:
        interpolation = "AREA" if cut > side else "BICUBIC"
        window = window.reformat(width=side, height=side, format="yuv420p", interpolation=interpolation)
    window.pts, window.time_base, window.pict_type = frame.pts, frame.time_base, PictureType.NONE
    window.colorspace, window.color_range = frame.colorspace, frame.color_range
    window.color_primaries, window.color_trc = frame.color_primaries, frame.color_trc
    return window
