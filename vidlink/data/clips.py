"""Labelled videos of one face each, and the stills that are cut out of them to train and score on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.face_set import FaceSet
from vidlink.errors import UserError
from vidlink.faces.tracks import BOX, Box, at_times
from vidlink.labels.affect import AFFECT, EMOTIONS
from vidlink.labels.dimensions import labels_at
from vidlink.progress import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from vidlink.types import Segment

SIDE = 48
"""Side of a still in pixels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledClip:
    """One video and what is known of the face in it."""

    name: str
    """What the data set calls it."""
    video: str
    """As :func:`vidlink.video.open.open_source` takes it."""
    labels: pd.DataFrame
    """As :func:`vidlink.labels.dimensions.load_labels` gives them: ``time_s``, ``face`` (0), ``valence``, ``arousal``
    and, where the data set has them, boxes ``x``, ``y``, ``w``, ``h`` in pixels."""
    frame_rate: Fraction | None = None
    """Frames a second of an image sequence."""


def cut_faces(name: str, split: str, clips: Sequence[LabelledClip], *, every_s: float) -> FaceSet:
    """Cut the faces out of videos.

    Faces are where the labels' boxes are; without boxes they are found (see :mod:`vidlink.faces.find`), and the
    largest counts.

    Parameters
    ----------
    name, split
        Of the data set.
    clips
        What to cut from.
    every_s
        Time between two stills in seconds.

    Returns
    -------
    FaceSet
        48x48 luma; ``skipped`` counts the times without a face or a label.

    Raises
    ------
    UserError
        A video cannot be read, or no face is left.
    """
    images: list[NDArray[np.uint8]] = []
    affect: list[NDArray[np.float64]] = []
    skipped = 0
    for clip in counted(clips, "clip", total=len(clips), stage=name):
        for image, label in stills(clip, every_s):
            if image is None or not np.isfinite(label).all():
                skipped += 1
                continue
            images.append(image)
            affect.append(label)
    if not images:
        raise UserError(f"{name}, split {split!r}: no face with a label in {len(clips)} clips")
    return FaceSet(
        name=name,
        split=split,
        images=np.stack(images),
        affect=np.array(affect, np.float32),
        distribution=np.full((len(images), len(EMOTIONS)), np.nan, np.float32),
        majority=np.full(len(images), -1),
        skipped=skipped,
    )


def stills(clip: LabelledClip, every_s: float) -> list[tuple[NDArray[np.uint8] | None, NDArray[np.float64]]]:
    """Face (None where there is none) and label, every so many seconds of a clip.

    Of several labelled faces, which have boxes, each counts; of one the largest that is found.
    """
    from vidlink.faces.find import FaceTracker, LabelledFaces
    from vidlink.recognizers.crop import bring_to
    from vidlink.recognizers.recognizer import Wants
    from vidlink.video.open import open_source
    from vidlink.video.pictures import luma

    wants = Wants(region="face", height=SIDE, width=SIDE, colour="luma")
    boxed = all(side in clip.labels for side in BOX)
    tracker = LabelledFaces(clip.labels) if boxed else FaceTracker()
    people = sorted(clip.labels.dropna(subset=list(BOX))["face"].unique()) if boxed else [clip.labels["face"].iloc[0]]
    found: list[tuple[NDArray[np.uint8] | None, NDArray[np.float64]]] = []
    next_s = 0.0
    for segment in open_source(clip.video, frame_rate=clip.frame_rate).segments(1.0):
        tracks = tracker.track(segment)
        slots = []
        for slot, time_s in enumerate(segment.times_s):
            if time_s >= next_s - 1e-6:
                slots.append(slot)
                next_s = float(time_s) + every_s
        for number, person in enumerate(people):
            mine = {number: tracks[number]} if number in tracks else {}
            labels = labels_at(clip.labels, int(person), segment.times_s[slots], AFFECT)
            for slot, label in zip(slots, labels, strict=True):
                box = _largest(mine if len(people) > 1 else tracks, segment, slot)
                image = None if box is None else bring_to(wants, luma(segment.frames[slot]), box)[0]
                found.append((image, label))
    return found


def _largest(tracks: dict[int, NDArray[np.float64]], segment: Segment, slot: int) -> Box | None:
    offset = [float(segment.times_s[slot] - segment.start_s)]
    boxes = [Box(*at_times(knots, offset, segment.duration_s)[0].tolist()) for knots in tracks.values()]
    return max(boxes, key=lambda box: box.width * box.height, default=None)


def pick_split(names: Sequence[str], split: str, shares: dict[str, float]) -> list[str]:
    """The names of one split where a data set has no partition of its own: consecutive shares of the sorted names.

    Parameters
    ----------
    names
        Of what must not be in two splits (people, mostly).
    split
        Which split.
    shares
        Share of each split, in order, adding up to 1.
    """
    ordered = sorted(set(names))
    ends = np.round(np.cumsum(list(shares.values())) * len(ordered)).astype(int)
    index = list(shares).index(split)
    return ordered[ends[index - 1] if index else 0 : ends[index]]


def write_labels(clip: LabelledClip, path: Path) -> None:
    """Write a clip's labels as ``vidlink.simulate --labels`` reads them."""
    clip.labels.to_csv(path, index=False, lineterminator="\n")
