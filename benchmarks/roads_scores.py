"""Scores of the road film as it arrived, whole and without each of ten stretches of time, from kept run folders.

mIoU and mAP50 are no means over frames, so their intervals come from the jackknife over stretches: pictures that follow
each other show the same street, and are not independent.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vidlink.data.camvid import BOXED, CLASSES
from vidlink.labels.boxes import BoxLabels, load_box_labels
from vidlink.labels.maps import MapLabels, load_map_labels, read_map
from vidlink.scores.detection import average_precision
from vidlink.scores.segmentation import confusion, mean_iou
from vidlink.sweeping.intervals import interval, jackknife, within
from vidlink.sweeping.work import DONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

STRETCHES = 10
"""Parts of the film that are left out in turn."""
SIZE = (320, 240)
"""Width and height of CamVid's pictures here."""
KEY = ["score", "channel", "network", "method", "kbps"]
"""What tells rows apart; the seeds of a channel are one row."""
_NEAR = {"miou": 1e-4, "map50": 5e-3}
"""How far a score that is worked out again may be from the run's own: boxes are kept with two decimals, and some
overlap a label by nearly half."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """What is in the film."""

    maps: Path
    """Folder of label maps by the number of the frame."""
    boxes: Path
    """Table of boxes."""
    size: tuple[int, int] = SIZE
    """Width and height of its pictures."""

    @cached_property
    def map_labels(self) -> MapLabels:
        """What each pixel is."""
        return load_map_labels(self.maps, CLASSES)

    @cached_property
    def box_labels(self) -> BoxLabels:
        """What is where."""
        return load_box_labels(self.boxes, BOXED)


def stretch_of(frames: int) -> NDArray[np.int64]:
    """The stretch of each frame, shape (frames,).

    Examples
    --------
    >>> np.bincount(stretch_of(101)).tolist()
    [11, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    """
    return np.arange(frames) * STRETCHES // frames


def of_maps(run: Path, film: Film) -> list[float]:
    """Work out mIoU of the maps that a run kept: of all frames, and without each stretch."""
    files = sorted((run / "maps").glob("*.png"))
    counts = np.zeros((len(files), len(CLASSES), len(CLASSES)), np.int64)
    for frame, file in enumerate(files):
        truth = film.map_labels.at(frame, film.size)
        if truth is not None:
            counts[frame] = confusion(read_map(file), truth, len(CLASSES))

    def score(kept: NDArray[np.bool_]) -> float:
        return mean_iou(counts[kept].sum(axis=0)) or 0.0

    return _each(score, len(files))


def of_boxes(run: Path, film: Film) -> list[float]:
    """Work out mAP50 of the boxes that a run kept: of all frames, and without each stretch."""
    frames = len(pd.read_csv(run / "frames.csv", usecols=["frame"]))
    rows: dict[int, list[list[float]]] = defaultdict(list)
    with (run / "boxes.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["seen"] == "received":
                x, y, width, height, sure = (float(row[name]) for name in ("x", "y", "width", "height", "score"))
                rows[int(row["frame"])].append([x, y, x + width, y + height, sure, BOXED.index(row["class"])])
    found, truth = [], []
    for frame in range(frames):
        label = film.box_labels.at(frame, 0.0, 1.0, film.size)
        found.append(np.array(rows[frame], float).reshape(-1, 6))
        truth.append(np.empty((0, 5)) if label is None else label)

    def score(kept: NDArray[np.bool_]) -> float:
        places = np.flatnonzero(kept)
        return average_precision([found[i] for i in places], [truth[i] for i in places], len(BOXED)).map50 or 0.0

    return _each(score, frames)


def _each(score: Callable[[NDArray[np.bool_]], float], frames: int) -> list[float]:
    left_out = [None, *range(STRETCHES)]
    return [
        round(score(stretch_of(frames) != each if each is not None else np.ones(frames, bool)), 5) for each in left_out
    ]


_OF = {"miou": of_maps, "map50": of_boxes}


def scored(table: pd.DataFrame, out: Path, film: Film) -> pd.DataFrame:
    """A row for each score, channel, network, way of sending and rate, over the seeds of the channel.

    ``value`` (mean over seeds), ``low``, ``high`` (see :func:`widest`), ``ceiling``, ``wire_kbps``, ``bpp``, ``scale``
    (mean scale factor), ``seeds`` (the score of each) and ``without`` (the scores without each stretch, mean over
    seeds). A way that could not be coded has no value.
    """
    rows = []
    for _, each in table.iterrows():
        score = str(each["looks"])
        row: dict[str, Any] = {name: each[name] for name in ("channel", "network", "method")}
        row |= {"score": score, "kbps": float(each["bitrate_bps"]) / 1000}
        if each["status"] == DONE:
            row |= {"scores": _kept(out, each, score, film), "ceiling": float(each[f"recognition_{score}_ceiling"])}
            row |= {"wire_kbps": float(each["rate_wire_bps"]) / 1000, "bpp": float(each["rate_bpp"])}
            row |= {"scale": float(each["plan_mean_scale"])}
        rows.append(row)
    groups = pd.DataFrame(rows).groupby(KEY, sort=False)
    return pd.DataFrame([_joined(dict(zip(KEY, key, strict=True)), mine) for key, mine in groups])


def _joined(row: dict[str, Any], mine: pd.DataFrame) -> dict[str, Any]:
    """The seeds of a channel as one row."""
    done = mine.dropna(subset=["scores"]) if "scores" in mine else mine.iloc[:0]
    if len(done) < len(mine):
        return row | {"value": np.nan, "seeds": [], "without": []}
    scores = np.array(done["scores"].to_list())  # seeds, 1 + stretches
    mean = scores.mean(axis=0)
    low, high = widest(float(mean[0]), mean[1:], scores[:, 0], row["score"])
    row |= {"value": float(mean[0]), "low": low, "high": high}
    row |= {name: float(done[name].mean()) for name in ("ceiling", "wire_kbps", "bpp", "scale")}
    row = {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
    return row | {"seeds": scores[:, 0].tolist(), "without": mean[1:].round(5).tolist()}


def widest(whole: float, without: NDArray[np.float64], seeds: NDArray[np.float64], score: str) -> tuple[float, float]:
    """95 % interval over stretches, or over the seeds of a channel where that one is wider.

    One lost picture harms all that are predicted from it, which may be several stretches: these alone would say too
    little of what another draw of the channel does.

    Parameters
    ----------
    whole
        The score.
    without
        The score without each stretch.
    seeds
        That of each seed, of which ``whole`` is the mean.
    score
        Its name, as :func:`~vidlink.sweeping.intervals.jackknife` takes it.
    """
    by_stretch = jackknife(whole, without, score)
    if len(seeds) < 2:
        return by_stretch
    _, low, high = interval(seeds)
    low, high = within(low, high, score)
    return (low, high) if high - low > by_stretch[1] - by_stretch[0] else by_stretch


def _kept(out: Path, each: Any, score: str, film: Film) -> list[float]:
    """The scores of a run, worked out once, and held against what the run itself says.

    Raises
    ------
    RuntimeError
        They differ.
    """
    place = out / "stretches" / f"{each['point']}.json"
    if place.exists():
        found: list[float] = json.loads(place.read_text(encoding="utf-8"))
        return found
    found = _OF[score](out / each["run_folder"], film)
    said = float(each[f"recognition_{score}"])
    if abs(found[0] - said) > _NEAR[score]:
        raise RuntimeError(f"{each['run_folder']}: {score} is {found[0]:.4f} of what was kept, {said:.4f} in the run")
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps(found), encoding="utf-8")
    return found


def difference(rows: pd.DataFrame, ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[float, float, float] | None:
    """Mean difference of two ways over rates at which both were coded, with its interval as in :func:`widest`.

    Parameters
    ----------
    rows
        As :func:`scored` gives them.
    ours, theirs
        Values of columns that choose the rows of each side.
    """
    sides = []
    for side in (ours, theirs):
        mine = rows[np.logical_and.reduce([rows[name] == value for name, value in side.items()])]
        sides.append(mine.dropna(subset=["value"]).set_index(["channel", "kbps"]))
    shared = sides[0].index.intersection(sides[1].index)
    if not len(shared):
        return None
    whole, without, seeds = (
        np.mean([np.array(sides[0].loc[each, name]) - np.array(sides[1].loc[each, name]) for each in shared], axis=0)
        for name in ("value", "without", "seeds")
    )
    return float(whole), *widest(float(whole), without, seeds, "")
