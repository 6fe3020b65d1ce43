"""The clips and points of ``benchmarks/rate_accuracy.py``, and the scores of each receiver at them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import bench
import numpy as np
import pandas as pd
from panel import dimension
from rate_accuracy_ways import members_of

from vidlink.data.clips import write_labels
from vidlink.data.faces import load_clips
from vidlink.labels.affect import AFFECT
from vidlink.reels import write_reels
from vidlink.sweeping.grid import sweep_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rate_accuracy_ways import Plan, Way

    from vidlink.sweeping.grid import Point

LOSSES = (5, 10, 20)
JITTER = 0.08
"""Budgets of the clips at one point are spread over so much, so that no point hangs on where a rung just fits."""
MOVED = (0.5, 1.0, 1.8)
"""How long each face is on show, as a multiple of what is usual, one reel after another: quick, usual and slow."""


def make_points(ways: Sequence[Way], files: Mapping[str, Path], clips: list[dict[str, str]], plan: Plan) -> list[Point]:
    """The points of rate against accuracy: each way, clip and budget, and fewer of them for plans by the task."""
    points: list[Point] = []
    for planned, count, rates in ((False, len(clips), plan.rates), (True, *plan.by_task)):
        methods = [way.as_method(files) for way in ways if bool(way.planner) == planned]
        axis = [
            {**clip, "name": f"{clip['name']} {rate}", "bitrate": f"{_jittered(rate, index, len(clips))}"}
            for index, clip in enumerate(clips[:count])
            for rate in rates
            if rate in plan.rates
        ]
        if methods and axis:
            grid = {"method": methods, "clip": axis}
            points += sweep_from({"settings": {"recognize-every": plan.every}, "grid": grid}).make_points(Path())
    return points


def make_lossy(
    ways: Sequence[Way], files: Mapping[str, Path], clips: list[dict[str, str]], channels: list[str], plan: Plan
) -> list[Point]:
    """The points of loss against accuracy, at one budget: full size, s = 2 and adaptive, and that with parity."""
    if not plan.loss_rate:
        return []
    tested = [way.as_method(files) for way in ways if way.name in ("s = 1", "s = 2", "adaptive")]
    tested += [{**method, "name": "adaptive, parity", "fec": "auto:0.01"} for method in tested[-1:]]
    common = {"recognize-every": plan.every, "bitrate": plan.loss_rate}
    points: list[Point] = []
    for some, draws in ((["perfect"], 1), (channels, plan.draws)):
        # Other packets are lost in every clip, or all would lose the same ones.
        seeded = [
            {**clip, "name": f"{clip['name']} draw {draw}", "seed": index + draw * len(clips)}
            for index, clip in enumerate(clips)
            for draw in range(draws)
        ]
        grid = {"method": tested, "clip": seeded, "channel": some}
        points += sweep_from({"settings": common, "grid": grid}).make_points(Path())
    return points


def _jittered(rate: str, index: int, count: int) -> int:
    """A clip's budget in bits per second: the clips' are spread evenly, on a logarithmic scale, about the point's."""
    place = ((index * 7) % count + 0.5) / count - 0.5
    return round(_bps(rate) * math.exp(JITTER * place))


def _bps(rate: str) -> float:
    return float(rate.removesuffix("k")) * 1000


def by_receiver(
    table: pd.DataFrame, ways: Sequence[Way], rates: Sequence[str], files: Mapping[str, Path]
) -> pd.DataFrame:
    """One row for each receiver of each run, named ``RECEIVER, WAY``, as if each had been run by itself.

    Those that differ only in their training seed have the same name; ``training`` counts them. Budgets are the
    points' own, without what was spread over the clips.
    """
    receivers = {way.name: way.receivers for way in ways}
    points = np.array([_bps(rate) for rate in rates])
    parts = []
    for way, rows in table.groupby("method", sort=False):
        nearest = np.abs(np.log(rows["bitrate_bps"].to_numpy(float)[:, None] / points)).argmin(axis=1)
        rows = rows.assign(bitrate_bps=points[nearest])
        for receiver in receivers[str(way).removesuffix(", parity")]:
            for training, member in enumerate(members_of(files, receiver)):
                one = of_receiver(rows, member).copy()
                called = one["point"].astype(str) + f" {member}"  # a point by itself, where curves join points
                parts.append(one.assign(method=f"{receiver}, {way}", training=training, point=called))
    return pd.concat(parts, ignore_index=True)


def of_receiver(rows: pd.DataFrame, receiver: str) -> pd.DataFrame:
    """The scores of one receiver under the names that one alone has; those of the others go."""
    moments = [name for name in rows.columns if name.startswith(("moments_", "recognition_"))]
    kept = {
        f"moments_{dimension(receiver, name)}_": f"moments_{name}_" for name in AFFECT
    } | {f"recognition_{score}_{dimension(receiver, name)}": f"recognition_{score}_{name}"
         for score in ("cc", "ccc", "rmse") for name in AFFECT}  # fmt: skip
    renamed = {
        column: column.replace(old, new) for column in moments for old, new in kept.items() if column.startswith(old)
    }
    return rows.drop(columns=[name for name in moments if name not in renamed]).rename(columns=renamed)


def write_channels(folder: Path) -> list[str]:
    """Channels with independent losses, one a loss rate; their names end in it."""
    return [str(place.absolute()) for place in bench.write_loss_channels(folder, LOSSES)]


def loss_of(channel: str) -> int:
    """The loss rate in percent of a channel of :func:`write_channels`, or of ``perfect``."""
    return 0 if channel == "perfect" else int(Path(channel).stem.rpartition("-")[2])


def make_clips(
    data: str, split: str, plan: Plan, folder: Path, seeds: Sequence[int], receivers: Iterable[str]
) -> list[dict[str, str]]:
    """Reels of the split's faces, or the data set's own videos, as an axis of a sweep; written once.

    Reels come from the seeds by turns. Those of one seed share no face.
    """
    if data.partition(":")[0] in ("recola", "afewva", "videos"):
        clips = own_clips(data, split, plan, folder)
    else:
        clips = []
        for turn, seed in enumerate(seeds[: plan.clips]):
            own = folder / f"seed-{seed}"
            written = [own / f"{index:02d}.mkv" for index in range(len(range(turn, plan.clips, len(seeds))))]
            if not all(clip.with_suffix(".csv").exists() for clip in written):
                write_reels(
                    data, split, own, count=len(written), seconds=plan.seconds, seed=seed, paces=MOVED, overwrite=True,
                    quiet=True,
                )  # fmt: skip
            clips += [
                {
                    "name": f"{clip.stem} of {seed}",
                    "input": str(clip.absolute()),
                    "labels": str(clip.with_suffix(".csv")),
                }
                for clip in written
            ]
        clips.sort(key=lambda clip: clip["name"])
    for clip in clips:
        place = folder / f"{clip['name']}.panel.csv"
        write_panel_labels(Path(clip["labels"]), place, receivers)
        clip["labels"] = str(place.absolute())
    return clips


def write_panel_labels(labels: Path, place: Path, receivers: Iterable[str]) -> None:
    """The labels of a clip once more, under the name of each receiver's dimensions."""
    table = pd.read_csv(labels)
    columns = {dimension(receiver, name): table[name] for receiver in receivers for name in AFFECT}
    table.drop(columns=list(AFFECT)).assign(**columns).to_csv(place, index=False, lineterminator="\n")


def own_clips(data: str, split: str, plan: Plan, folder: Path) -> list[dict[str, str]]:
    """The first videos of a split; their labels are written beside the results."""
    folder.mkdir(parents=True, exist_ok=True)
    axis = []
    for clip in load_clips(data, split)[: plan.clips]:
        labels = folder / f"{clip.name}.csv"
        write_labels(clip, labels)
        rate = {"framerate": str(clip.frame_rate)} if clip.frame_rate else {}
        video = str(Path(clip.video).absolute())
        axis.append({"name": clip.name, "input": video, "labels": str(labels), **rate})
    return axis


def default_data() -> str:
    """FER+ where VIDLINK_DATA has it, drawn faces where not."""
    found = bench.data("ferplus.zip", "drawn faces stand in for real ones")
    return f"ferplus:{found}" if found else "generated:2000"
