"""The methods, clips, channels and points of ``benchmarks/rate_accuracy.py``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench

from vidlink.data.clips import write_labels
from vidlink.data.faces import load_clips
from vidlink.errors import UserError
from vidlink.reels import write_reels
from vidlink.sweeping.grid import sweep_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vidlink.sweeping.grid import Point

LOSSES = (5, 10, 20)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is run."""

    clips: int
    seconds: float
    rates: tuple[str, ...]
    factors: tuple[float, ...]
    """Fixed factors of one-for-all receivers."""
    loss_rate: str
    """Budget at which loss is measured."""
    every: int = 5
    """The receiver looks at every n-th frame: five a second say what 25 say."""
    seeds: int = 1
    """Runs of each clip at each loss rate."""


FULL = Plan(clips=5, seconds=6, rates=("8k", "12k", "18k", "26k", "36k", "48k"), factors=(1, 2, 4), loss_rate="26k")
QUICK = Plan(clips=2, seconds=4, rates=("12k", "20k", "32k", "48k"), factors=(1, 2), loss_rate="20k", every=10)


def factor_of(receiver: str) -> float | None:
    """The factor a receiver is meant for; None for one for all."""
    found = re.fullmatch(r"hr|.+?-(?P<factor>\d+(?:\.\d+)?)(?:-from-[\d.]+)?", receiver)
    return None if found is None else float(found["factor"] or 1)


def make_methods(receivers: dict[str, Path | None], factors: Sequence[float], main: str) -> list[dict[str, Any]]:
    """The methods: receiver and way of sending, as tables of a sweep's axis."""
    methods: list[dict[str, Any]] = []
    for receiver, weights in receivers.items():
        own = {"weights": str(weights.absolute())} if weights else {}
        factor = factor_of(receiver)
        if factor is not None:
            methods.append({"name": f"{receiver}, s = {factor:g}", "scale": factor, "divisors": "1", **own})
            if factor == 1:
                methods.append({"name": f"{receiver}, s = 1, any frame rate", "scale": 1, **own})
            continue
        for fixed in factors if receiver == main else ():
            methods.append({"name": f"{receiver}, s = {fixed:g}", "scale": fixed, "divisors": "1", **own})
        methods.append({"name": f"{receiver}, adaptive by PSNR", **own})
        if receiver == main:
            methods.append({"name": f"{receiver}, adaptive by task", "objective": "task", **own})
    return methods


def main_receiver(receivers: Iterable[str], asked: str | None) -> str | None:
    """The one-for-all receiver that the figures are about: the one asked for, or the last."""
    for_all = [name for name in receivers if factor_of(name) is None]
    if asked is not None and asked not in for_all:
        raise UserError(
            f"--main {asked}: no one-for-all receiver of that name; there are {', '.join(for_all) or 'none'}"
        )
    return asked or (for_all[-1] if for_all else None)


def make_points(
    methods: list[dict[str, Any]], clips: list[dict[str, str]], channels: list[str], plan: Plan, main: str | None
) -> tuple[list[Point], list[Point]]:
    """The points of rate against accuracy, and those of loss against accuracy."""
    common: dict[str, Any] = {"recognize-every": plan.every}
    grid = {"method": methods, "clip": clips, "bitrate": list(plan.rates)}
    by_rate = list(sweep_from({"settings": common, "grid": grid}).make_points(Path()))
    tested = [each for each in methods if is_tested_with_loss(each["name"], main)]
    protected = [
        {**each, "name": f"{each['name']}, parity", "fec": "auto:0.01"}
        for each in tested
        if each["name"].endswith("by PSNR")
    ]
    if not tested:
        return by_rate, []
    common = common | {"bitrate": plan.loss_rate}
    without = sweep_from({"settings": common, "grid": {"method": tested + protected, "clip": clips}})
    # Other packets are lost in every clip, or all would lose the same ones.
    seeded: list[dict[str, Any]] = [
        {**each, "seed": 10 * k + seed} for k, each in enumerate(clips) for seed in range(plan.seeds)
    ]
    grid = {"method": tested + protected, "clip": seeded, "channel": channels}
    lossy = sweep_from({"settings": common, "grid": grid})
    return by_rate, [*without.make_points(Path()), *lossy.make_points(Path())]


def write_channels(folder: Path) -> list[str]:
    """Channels with independent losses, one a loss rate; their names end in it."""
    return [str(place.absolute()) for place in bench.write_loss_channels(folder, LOSSES)]


def loss_of(channel: str) -> int:
    """The loss rate in percent of a channel of :func:`write_channels`, or of ``perfect``."""
    return 0 if channel == "perfect" else int(Path(channel).stem.rpartition("-")[2])


def is_tested_with_loss(method: str, main: str | None) -> bool:
    """Whether a method is in the figure of loss: full size, factor 2, and the adaptive sender."""
    receiver, _, sending = method.partition(", ")
    if receiver == main:
        return sending in ("s = 2", "adaptive by PSNR", "adaptive by task")
    return receiver in ("hr", "lr-2") and "any" not in sending


def make_clips(data: str, split: str, plan: Plan, folder: Path, seed: int) -> list[dict[str, str]]:
    """Reels of the split's faces, or the data set's own videos, as an axis of a sweep; written once."""
    if data.partition(":")[0] in ("recola", "afewva"):
        return own_clips(data, split, plan, folder)
    written = [folder / f"{index:02d}.mkv" for index in range(plan.clips)]
    if not all(clip.with_suffix(".csv").exists() for clip in written):
        write_reels(data, split, folder, count=plan.clips, seconds=plan.seconds, seed=seed, overwrite=True, quiet=True)
    return [
        {"name": clip.stem, "input": str(clip.absolute()), "labels": str(clip.with_suffix(".csv").absolute())}
        for clip in written
    ]


def own_clips(data: str, split: str, plan: Plan, folder: Path) -> list[dict[str, str]]:
    """The first videos of a split; their labels are written beside the results."""
    folder.mkdir(parents=True, exist_ok=True)
    axis = []
    for clip in load_clips(data, split)[: plan.clips]:
        labels = folder / f"{clip.name}.csv"
        write_labels(clip, labels)
        rate = {"framerate": str(clip.frame_rate)} if clip.frame_rate else {}
        video = str(Path(clip.video).absolute())
        axis.append({"name": clip.name, "input": video, "labels": str(labels.absolute()), **rate})
    return axis


def default_data() -> str:
    """FER+ where VIDLINK_DATA has it, drawn faces where not."""
    found = bench.data("ferplus.zip", "drawn faces stand in for real ones")
    return f"ferplus:{found}" if found else "generated:2000"
