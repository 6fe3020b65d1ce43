"""The receivers, ways of sending, clips and points of ``benchmarks/rate_accuracy.py``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import pandas as pd
from panel import arguments, dimension

from vidlink.data.clips import write_labels
from vidlink.data.faces import load_clips
from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT
from vidlink.reels import write_reels
from vidlink.sweeping.grid import sweep_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vidlink.sweeping.grid import Point

LOSSES = (5, 10, 20)
RECEIVERS = Path(__file__).with_name("receivers")
"""The weights of the receivers that were trained alike."""
JITTER = 0.08
"""Budgets of the clips at one point are spread over so much, so that no point hangs on where a rung just fits."""
MOVED = (0.5, 1.0, 1.8)
"""How long each face is on show, as a multiple of what is usual, one reel after another: quick, usual and slow."""
VERYSLOW = """\
description = "H.264 by x264, veryslow"
encoder = "libx264"
decoder = "h264"
payload = "h264"

[options]
preset = "veryslow"
{options}
[quality]
option = "crf"
best = 10
worst = 51
step = 0.1
grid = [24, 30, 36, 42, 48]
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is run."""

    clips: int
    seconds: float
    rates: tuple[str, ...]
    factors: tuple[float, ...]
    """Fixed factors."""
    loss_rate: str
    """Budget at which loss is measured."""
    draws: int = 5
    """Draws of what is lost, a clip and loss rate: some fifty packets a clip say little once."""
    every: int = 10
    """The receiver looks at every n-th frame: a face is on show for a second or more, and looks cost most."""
    rivals: bool = True
    """Whether other encoders are run."""
    by_task: tuple[int, tuple[str, ...]] = (6, ("8k", "12k", "18k", "26k", "48k"))
    """Clips and budgets for plans by the receiver's output, which cost some twenty times as much as those by PSNR."""


FULL = Plan(
    clips=20,
    seconds=6,
    rates=("6k", "8k", "12k", "18k", "26k", "48k", "128k"),
    factors=(1, 1.5, 2, 3, 4),
    loss_rate="26k",
)
QUICK = Plan(
    clips=2,
    seconds=3,
    rates=("12k", "26k", "48k"),
    factors=(1, 2),
    loss_rate="",
    rivals=False,
    by_task=(1, ("12k", "26k", "48k")),
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of sending, and the receivers that look at what it brings."""

    name: str
    receivers: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    planner: str = ""
    """The receiver by whose output is planned; empty: by PSNR."""
    panel: str = "panel:Panel"
    """The class of ``benchmarks/panel.py`` that looks."""

    def as_method(self, files: Mapping[str, Path]) -> dict[str, Any]:
        """The table of a sweep's axis."""
        members = [member for name in self.receivers for member in members_of(files, name)]
        own = {"recognizer": self.panel, "recognizer-arg": arguments(files, members, self.planner)}
        plans = {"objective": "panel:ByPlanner"} if self.planner else {}
        return {"name": self.name, **own, **plans, **self.settings}


def factor_of(receiver: str) -> float | None:
    """The factor a receiver is meant for; None for one for all.

    Examples
    --------
    >>> factor_of("hr"), factor_of("lr-1.5"), factor_of("joint-4"), factor_of("mix")
    (1.0, 1.5, 4.0, None)
    """
    found = re.fullmatch(r"hr|.+?-(?P<factor>\d+(?:\.\d+)?)(?:-from-[\d.]+)?", receiver)
    return None if found is None else float(found["factor"] or 1)


def find_receivers(folder: Path, seeds: Sequence[int]) -> dict[str, Path]:
    """The receivers of some training seeds: ``NAME-SEED.safetensors``.

    Returns
    -------
    dict of str to Path
        Those of the first seed by name, those of the others by ``NAME.seedSEED``.

    Raises
    ------
    UserError
        A seed has none, or not the same ones as the first.
    """
    found: dict[str, Path] = {}
    names: list[str] = []
    for index, seed in enumerate(seeds):
        own = {path.stem.removesuffix(f"-{seed}"): path for path in sorted(folder.glob(f"*-{seed}.safetensors"))}
        own.pop("start", None)
        names = names or list(own)
        missing = [name for name in names if name not in own] or ([] if own else ["NAME"])
        if missing:
            raise UserError(
                f"--receivers {folder}: holds no {missing[0]}-{seed}.safetensors; benchmarks/receivers.py trains them"
            )
        found |= {name if not index else f"{name}.seed{seed}": own[name] for name in names}
    return found


def members_of(files: Mapping[str, Path], receiver: str) -> list[str]:
    """A receiver of the first training seed, and the same of the others.

    Examples
    --------
    >>> members_of({"hr": Path(), "mix": Path(), "hr.seed1": Path()}, "hr")
    ['hr', 'hr.seed1']
    """
    return [receiver, *(name for name in files if name.startswith(f"{receiver}.seed"))]


def make_ways(files: Mapping[str, Path], plan: Plan, main: str, judge: str | None) -> list[Way]:
    """The ways of sending: each factor by itself and the adaptive sender, with and without each freedom.

    Parameters
    ----------
    files
        The receivers.
    plan
        Says which factors, and whether there are other encoders.
    main
        The receiver that is one for all.
    judge
        Another such receiver, which sees what was planned by the main one; None for none.
    """
    ways = []
    for factor in plan.factors:
        own = [name for name in files if factor_of(name) == factor and ".seed" not in name]
        both = (*own, main)
        ways.append(Way(name=f"s = {factor:g}", receivers=both, settings={"scale": factor}))
        ways.append(Way(name=f"s = {factor:g}, every frame", receivers=both, settings=_fixed(factor)))
    hr = [name for name in files if name == "hr"]
    judges = [judge] if judge else []
    uncoded = [name for name in files if name == f"{main}-uncoded"]
    ways += [
        Way(name="s = 1, every frame, key frame a second", receivers=(*hr, main), settings=_fixed(1) | {"gop": "1"}),
        Way(name="adaptive", receivers=(*hr, *uncoded, main, *judges)),
        Way(name="adaptive, by task", receivers=(main, *hr, *judges), planner=main),
        Way(name="adaptive, every frame", receivers=(main,), settings={"divisors": "1"}),
        Way(name="adaptive, key frame a second", receivers=(main,), settings={"gop": "1"}),
        Way(name="adaptive, regions", receivers=(*hr, main), settings={"roi": "qp"}),
    ]
    if hr:
        restored: dict[str, Any] = {"receivers": ("hr",), "panel": "panel:RestoredPanel"}
        ways += [
            Way(name=f"s = {factor:g}, pixels restored", settings={"scale": factor, "restorer": "temporal"}, **restored)
            for factor in plan.factors
            if factor >= 2
        ]
        ways.append(Way(name="adaptive, pixels restored", settings={"restorer": "temporal"}, **restored))
    return ways


def make_rivals(files: Mapping[str, Path], main: str, folder: Path) -> list[Way]:
    """Full size by other encoders, with any frame rate."""
    from vidlink.codec.shelf import load_codec

    options = load_codec("x264").options
    kept = "".join(f'{name} = "{value}"\n' for name, value in options.items() if name != "preset")
    folder.mkdir(parents=True, exist_ok=True)
    slow = folder / "x264-veryslow.toml"
    slow.write_text(VERYSLOW.format(options=kept), encoding="utf-8")
    hr = [name for name in files if name == "hr"]
    both = (*hr, main)
    return [
        Way(name="s = 1, x264 veryslow", receivers=both, settings={"scale": 1, "codec": str(slow), "gop": "4"}),
        Way(name="s = 1, x265", receivers=both, settings={"scale": 1, "codec": "x265"}),
        Way(name="s = 1, SVT-AV1", receivers=both, settings={"scale": 1, "codec": "av1"}),
    ]


def _fixed(factor: float) -> dict[str, Any]:
    return {"scale": factor, "divisors": "1"}


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
                one = of_receiver(rows, member)
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
