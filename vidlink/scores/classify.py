"""Score a recognizer of classes on class folders, scale by scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError
from vidlink.recognizers.crop import bring_to
from vidlink.recognizers.recognize import Context, names_classes, recognize_windows
from vidlink.recognizers.windows import window_positions
from vidlink.scores.metrics import wilson
from vidlink.video.pictures import downsample_and_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from vidlink.recognizers.recognizer import Recognizer


@dataclass(kw_only=True)
class Verdicts:
    """What was named of each clip, at each scale factor."""

    classes: tuple[str, ...]
    """The recognizer's classes."""
    scales: tuple[float, ...]
    """Scale factors."""
    done: list[int] = field(default_factory=list)
    """Class of each clip."""
    named: list[list[int]] = field(default_factory=list)
    """Class named of each clip, a row a clip, a column a scale factor."""
    groups: list[str] = field(default_factory=list)
    """Recording group of each clip."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Clips of classes that the recognizer does not know, by class."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Clips that cannot be read, and why."""

    def add(self, other: Verdicts) -> None:
        """Take in the verdicts on other clips."""
        self.done += other.done
        self.named += other.named
        self.groups += other.groups
        self.unknown |= other.unknown
        self.skipped |= other.skipped

    def confusion(self, scale: float) -> NDArray[np.int64]:
        """Counts at a scale factor: a row what was done, a column what was named."""
        matrix = np.zeros((len(self.classes),) * 2, np.int64)
        np.add.at(matrix, (self.done, [row[self.scales.index(scale)] for row in self.named]), 1)
        return matrix

    def scores(self, draws: int = 2000, seed: int = 0) -> list[dict[str, Any]]:
        """Accuracy over clips at each scale factor, with two intervals of 95 %.

        ``interval`` is Wilson's, which takes clips for independent; ``interval_groups`` draws whole recording groups
        (bootstrap, a fixed seed), since clips of one recording go wrong together.
        """
        right = np.array(self.named).reshape(-1, len(self.scales)) == np.array(self.done)[:, None]
        names = sorted(set(self.groups))
        member = np.array([names.index(group) for group in self.groups])
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
        sizes = np.bincount(member, minlength=len(names))
        rows: list[dict[str, Any]] = []
        for column, scale in enumerate(self.scales):
            hits = np.bincount(member, weights=right[:, column], minlength=len(names))
            drawn = counts @ hits / np.maximum(counts @ sizes, 1)
            spread = np.percentile(drawn, [2.5, 97.5]) if len(names) > 1 else None
            count = int(right[:, column].sum())
            interval = wilson(count, len(right))
            rows.append(
                {
                    "scale": float(scale),
                    "quality": None,
                    "n": len(right),
                    "cc": None,
                    "ccc": None,
                    "rmse": None,
                    "accuracy": round(count / len(right), 5) if len(right) else None,
                    "interval": [round(bound, 4) for bound in interval] if interval else None,
                    "interval_groups": None if spread is None else [round(float(bound), 4) for bound in spread],
                }
            )
        return rows


def classify(
    recognizer: Recognizer, clip: NDArray[np.uint8], frame_rate: float, width: int, scales: Sequence[float]
) -> list[int]:
    """Name the class of one clip at each scale factor: the largest mean share over its windows.

    Parameters
    ----------
    recognizer
        Has ``classes``.
    clip
        Luma (frames, height, width) or RGB (frames, height, width, 3); it may be smaller than its source.
    frame_rate
        Its frames a second.
    width
        Width of the source in pixels, of which scale factors are.
    scales
        Scale factors, at least 1.

    Raises
    ------
    UserError
        The recognizer fails.
    """
    windows = window_positions(recognizer.wants, (np.arange(len(clip)) / frame_rate).tolist(), frame_rate)
    named = []
    for scale in scales:
        pictures = [bring_to(recognizer.wants, picture, None) for picture in send_through(clip, width / scale)]
        count = len(pictures)
        context = Context(scale=np.full(count, scale), quality=np.full(count, np.nan), status=("ok",) * count)
        shares = recognize_windows(recognizer, pictures, windows, context)
        named.append(int(shares.mean(axis=0).argmax()))
    return named


def send_through(clip: NDArray[np.uint8], width: float) -> list[NDArray[np.uint8]]:
    """Downsample to so many pixels across and back; a clip that has no more is left as it is."""
    high, wide = clip.shape[1:3]
    lr = max(2, round(width)), max(2, round(width * high / wide))
    if lr[0] >= wide:
        return list(clip)
    return [downsample_and_back(picture, lr) for picture in clip]


def evaluate_clips(
    recognizer: Recognizer,
    clips: Iterable[tuple[str, str, NDArray[np.uint8], int]],
    frame_rate: float,
    scales: Sequence[float],
) -> Verdicts:
    """Score a recognizer on labelled clips.

    Parameters
    ----------
    recognizer
        Has ``classes``.
    clips
        Label, recording group, frames and source width of each clip.
    frame_rate
        Frames a second of all of them.
    scales
        Scale factors.

    Raises
    ------
    UserError
        The recognizer names no classes, or fails.
    """
    from vidlink.labels.classes import match_class

    classes = names_classes(recognizer)
    if not classes:
        raise UserError(
            f"recognizer {recognizer.name!r}: gives {', '.join(recognizer.gives)}; class folders are labelled with "
            "classes"
        )
    found = Verdicts(classes=classes, scales=tuple(map(float, scales)))
    for label, group, clip, width in clips:
        try:
            done = classes.index(match_class(label, classes, "data"))
        except UserError:
            found.unknown[label] = found.unknown.get(label, 0) + 1
            continue
        found.done.append(done)
        found.groups.append(group)
        found.named.append(classify(recognizer, clip, frame_rate, width, found.scales))
    return found
