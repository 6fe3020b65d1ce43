"""Rate against accuracy: what a machine still recognizes at which bit rate, for receivers trained in different ways.

Clips are reels of validation faces that no receiver was trained on (see :mod:`vidlink.data.reels`): twelve faces
each, 192x144, valence and arousal known by construction. Every point is a run of the product itself, done once in a
sweep: all bits on the wire count, headers and face boxes too. Without FER+ (``--data``, or VIDLINK_DATA) drawn faces
stand in; with ``--data recola:PATH`` or ``afewva:PATH`` the clips are that set's own.

A receiver is a file of weights (``--receivers NAME=FILE ...``). ``hr`` gets full-size pictures; a name that ends in a
factor (``lr-2``, ``joint-4``) gets pictures at that factor; any other is one for all: it gets the adaptive sender,
which chooses factor, frame rate and quality of each second by PSNR, and the main one (``--main``) several fixed factors
and the adaptive sender by the receiver's task, too. At a fixed factor every frame is sent, and the sender chooses the
quality that fills the budget.

(a) CC and CCC against bits per pixel and against the rate on the wire; (b) against packet loss at one rate; (c) against
PSNR and SSIM, with rank correlations; (d) BD-rate and BD-CCC of every method against an anchor. Intervals are 95 %
bootstrap intervals over clips.

Figures
-------
bd_rate_vs_full_hr
    BD-rate in percent (negative saves) at equal mean CCC of valence and arousal, of the adaptive sender (objective
    task) with the main one-for-all receiver against full size with the receiver ``hr``, up to 48 kb/s. Target: -55.
bd_rate_vs_fixed_lr
    The same against the best fixed factor with a receiver trained at it (``lr-S``). Target: -25.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from rate_accuracy_tables import bd_table, point_table, print_pairs, print_tables, rank_correlations

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.sweeping.curves import Curve, compare, make_curves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from vidlink.sweeping.grid import Point

LOSSES = (5, 10, 20)
CHANNEL = """description = "Independent losses"
delay_s = 0.05
loss = {{ model = "bernoulli", probability = {probability} }}
"""


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
    from vidlink.sweeping.grid import sweep_from

    common = {"recognize-every": plan.every}
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
    seeded = [{**each, "seed": 10 * k + seed} for k, each in enumerate(clips) for seed in range(plan.seeds)]
    grid = {"method": tested + protected, "clip": seeded, "channel": channels}
    lossy = sweep_from({"settings": common, "grid": grid})
    return by_rate, [*without.make_points(Path()), *lossy.make_points(Path())]


def write_channels(folder: Path) -> list[str]:
    """Channels with independent losses, one a loss rate; their names end in it."""
    folder.mkdir(parents=True, exist_ok=True)
    places = [folder / f"loss-{loss}.toml" for loss in LOSSES]
    for place, loss in zip(places, LOSSES, strict=True):
        place.write_text(CHANNEL.format(probability=loss / 100))
    return [str(place.absolute()) for place in places]


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
    from vidlink.reels import write_reels

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
    from vidlink.data.clips import write_labels
    from vidlink.data.faces import load_clips

    folder.mkdir(parents=True, exist_ok=True)
    axis = []
    for clip in load_clips(data, split)[: plan.clips]:
        labels = folder / f"{clip.name}.csv"
        write_labels(clip, labels)
        rate = {"framerate": str(clip.frame_rate)} if clip.frame_rate else {}
        video = str(Path(clip.video).absolute())
        axis.append({"name": clip.name, "input": video, "labels": str(labels.absolute()), **rate})
    return axis


def run_points(points: list[Point], out: Path, workers: int | None, about: dict[str, Any]) -> pd.DataFrame:
    """Run what is not done yet, after saying how long it will take: the first few points are timed."""
    from vidlink.pipeline import available_cores
    from vidlink.sweeping.executors import Processes
    from vidlink.sweeping.sweep import sweep

    workers = workers or available_cores()
    left: list[int] = []
    keywords: dict[str, Any] = {"cache_bytes": 4 * 10**9, "about": about}
    first = list(dict.fromkeys(np.linspace(0, len(points) - 1, 2 * workers).astype(int).tolist()))
    start = time.perf_counter()
    sweep(
        [points[k] for k in first],
        out,
        Processes(workers),
        quiet=True,
        on_start=lambda _, n: left.append(n),
        **keywords,
    )
    took_s = time.perf_counter() - start

    def announce(done: int, remaining: int) -> None:
        if left[0]:
            minutes = took_s / left[0] * remaining / 60
            text = f"{remaining} points to run ({done} done), about {minutes:.0f} min with {workers} workers"
            print(text, flush=True)

    return sweep(points, out, Processes(workers), on_start=announce, **keywords)


def best_of(curves: dict[str, Curve], pattern: str) -> str | None:
    """The method of a family with the highest mean CCC over the rates that all of the family have."""
    family = [curve for name, curve in curves.items() if re.fullmatch(pattern, name)]
    shared = set.intersection(*(set(curve.along) for curve in family)) if family else set()
    if not shared:
        return None

    def worth(curve: Curve) -> float:
        return float(
            np.mean([v for at, v in zip(curve.along, curve.estimate("ccc_mean"), strict=True) if at in shared])
        )

    return max(family, key=worth).name


def chosen_methods(curves: dict[str, Curve], main: str | None) -> dict[str, str]:
    """Role to method of the main figure: the best of each family."""
    one = re.escape(str(main))
    families = {
        "full": r"hr, s = 1",
        "full, any frame rate": r"hr, s = 1, any frame rate",
        "lr": r"lr-.*",
        "non-joint": r"non-joint-.*",
        "joint": r"joint-\d.*",
        "fixed": rf"{one}, s = .*",
        "psnr": rf"{one}, adaptive by PSNR",
        "task": rf"{one}, adaptive by task",
    }
    found = {role: best_of(curves, pattern) for role, pattern in families.items()}
    return {role: name for role, name in found.items() if name is not None}


def headline(curves: dict[str, Curve], roles: dict[str, str], main: str | None) -> dict[str, float | None]:
    """The figures of the JSON file, printed with their intervals and ranges."""
    figures: dict[str, float | None] = {}
    for name, role in (("bd_rate_vs_full_hr", "full"), ("bd_rate_vs_fixed_lr", "lr")):
        figures[name] = None
        if "task" not in roles or role not in roles:
            print(f"{name:<20} -  (no {'adaptive' if 'task' not in roles else role} receiver)")
            continue
        found = compare(curves[roles["task"]], curves[roles[role]], "ccc_mean", of_rate=True)
        figures[name] = found.difference.value
        against = f"{roles['task']} against {roles[role]}"
        if found.difference.value is None:
            print(f"{name:<20} -  {against}: {found.difference.reason}")
            continue
        print(
            f"{name:<20} {found.difference.value:+.1f} % [{found.low:+.1f}, {found.high:+.1f}]  {against}, "
            f"mean CCC {found.difference.low:.3f} to {found.difference.high:.3f}"
        )
    return figures


def parse_pairs(texts: Sequence[str], curves: dict[str, Curve]) -> list[tuple[str, str]]:
    """``METHOD against METHOD`` each."""
    pairs = []
    for text in texts:
        ours, between, other = text.partition(" against ")
        missing = [name for name in (ours, other) if name not in curves]
        if not between or missing:
            raise UserError(f"--pairs {text!r}: expected 'METHOD against METHOD', of {', '.join(curves)}")
        pairs.append((ours, other))
    return pairs


def parse_receivers(texts: Sequence[str]) -> dict[str, Path | None]:
    """``NAME=FILE`` each; without any, the weights that ship."""
    found: dict[str, Path | None] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and Path(path).is_file()):
            raise UserError(f"--receivers {text}: expected NAME=FILE.safetensors, a file that is there")
        if name in found:
            raise UserError(f"--receivers {text}: {name} is given twice")
        found[name] = Path(path)
    return found or {"shipped": None}


def default_data() -> str:
    """FER+ where VIDLINK_DATA has it, drawn faces where not."""
    found = Path(os.environ.get("VIDLINK_DATA") or "nowhere") / "ferplus.zip"
    if found.is_file():
        return f"ferplus:{found}"
    print("VIDLINK_DATA names no folder with ferplus.zip: drawn faces stand in for real ones", file=sys.stderr)
    return "generated:2000"


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--receivers", nargs="+", default=[], metavar="NAME=FILE", help="weights; default: those that ship")
    add("--main", metavar="NAME", help="the one-for-all receiver of the figures (default: the last one)")
    add("--anchor", metavar="METHOD", help="anchor of the BD table (default: the first method)")
    add("--pairs", nargs="+", default=[], metavar="'METHOD against METHOD'", help="more pairs for BD-rates")
    add("--data", metavar="KIND:PATH", help="faces (default: ferplus.zip in VIDLINK_DATA)")
    add("--split", default="valid", help="whose faces are shown (%(default)s)")
    add("--quick", action="store_true", help="two short clips, few rates: under three minutes on two cores")
    add("--clips", type=int, metavar="N", help="how many reels")
    add("--rates", metavar="12k,24k", help="budgets on the wire")
    add("--factors", metavar="1,2", help="fixed factors of the main receiver")
    add("--seed", type=int, default=0, help="of the reels (%(default)s)")
    add("--workers", type=int, metavar="N", help="processes (default: one a core)")
    add("--out", type=Path, metavar="FOLDER", help="keep results, tables and figures here; a killed run goes on")
    add("--json", type=Path, metavar="FILE", help="write the figures here")
    return parser.parse_args()


def plan_from(arguments: argparse.Namespace) -> Plan:
    """How much to run, by the command line."""
    from dataclasses import replace

    plan = QUICK if arguments.quick else FULL
    changes: dict[str, Any] = {}
    if arguments.clips is not None:
        changes["clips"] = arguments.clips
    if arguments.rates is not None:
        changes["rates"] = tuple(arguments.rates.split(","))
    if arguments.factors is not None:
        changes["factors"] = tuple(float(part) for part in arguments.factors.split(","))
    return replace(plan, **changes)


def main() -> None:
    """Run the points, print and write tables, draw, and write the JSON."""
    arguments = parse_arguments()
    receivers = parse_receivers(arguments.receivers)
    main_name = main_receiver(receivers, arguments.main)
    plan = plan_from(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        out: Path = arguments.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        data = arguments.data or default_data()
        clips = make_clips(data, arguments.split, plan, out / "reels", arguments.seed)
        methods = make_methods(receivers, plan.factors, str(main_name))
        channels = write_channels(out / "channels")
        by_rate, by_loss = make_points(methods, clips, channels, plan, main_name)
        print(f"{len(methods)} methods, {len(clips)} clips, {len(by_rate) + len(by_loss)} points", flush=True)
        about = {"benchmark": "rate_accuracy", "data": data, "split": arguments.split}
        table = run_points([*by_rate, *by_loss], out / "sweep", arguments.workers, about)
        report(table.iloc[: len(by_rate)], table.iloc[len(by_rate) :], arguments, main_name, out, plan)


def report(
    rate_rows: pd.DataFrame,
    loss_rows: pd.DataFrame,
    arguments: argparse.Namespace,
    main: str | None,
    out: Path,
    plan: Plan,
) -> None:
    """Everything that is made of the two tables."""
    from rate_accuracy_figures import draw_all

    curves = make_curves(rate_rows, "method")
    roles = chosen_methods(curves, main)
    anchor = arguments.anchor or next(iter(curves))
    if anchor not in curves:
        raise UserError(f"--anchor {anchor}: no such method; there are {', '.join(curves)}")
    pairs = parse_pairs(arguments.pairs, curves)
    loss_rows = loss_rows.assign(loss=[loss_of(channel) for channel in loss_rows["channel"]])
    by_loss = make_curves(loss_rows, "method", "loss") if len(loss_rows) else {}
    tables = {
        "points": point_table(curves, rate_rows.assign(along=rate_rows["bitrate_bps"]), "bitrate_bps"),
        "loss": point_table(by_loss, loss_rows.assign(along=loss_rows["loss"]), "loss"),
        "bd": bd_table(curves, [(name, anchor) for name in curves if name != anchor]),
        "pairs": bd_table(curves, pairs),
        "ranks": rank_correlations(curves),
    }
    for name, made in tables.items():
        if made.empty:
            continue
        made.to_csv(out / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    for name, curve in curves.items():
        if curve.missing:
            print(f"{name}: no point at {', '.join(f'{rate / 1000:g}k' for rate in curve.missing)} (does not fit)")
    print_tables(curves, tables, anchor)
    print_pairs(tables["pairs"])
    figures = headline(curves, roles, main)
    draw_all(out, curves, by_loss, roles, tables["ranks"], loss_rate=plan.loss_rate)
    if arguments.json:
        arguments.json.write_text(json.dumps({"figures": figures, "methods": roles}, indent=2) + "\n")


if __name__ == "__main__":
    run_command(main)
