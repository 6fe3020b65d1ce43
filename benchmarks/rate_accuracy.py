"""Rate against accuracy: what a machine still recognizes at which bit rate, against rivals with the same training.

Clips are reels of validation faces (:mod:`vidlink.data.reels`), from three seeds by turns: twelve faces each, 192x144,
valence and arousal known by construction, faces that change quickly, as usual and slowly by turns. No receiver learned
from these faces, nor from faces nearly the same, nor was any epoch chosen by them. Every point is a run of the product
itself: all bits on the wire count, headers and face boxes too. Without FER+ (``--data``, or VIDLINK_DATA) drawn faces
stand in.

The receivers in ``benchmarks/receivers`` were trained alike (``benchmarks/receivers.py``): one network, one start, the
same faces, steps and share of coded faces. ``hr`` learned from full-size faces, ``lr-S`` from faces at factor S,
``mix`` from all factors; it is the one for all. Receivers of one way of sending look at the same decoded pictures
(``benchmarks/panel.py``).

Ways of sending: each factor by itself, with the planner's own choice of frame rate and key frames, and with every
frame; the adaptive sender, which chooses the factor too, by PSNR and, on some clips and at some budgets, by the
receiver's output; and each freedom taken away by itself. Budgets of the clips are spread by 8 % about each point's.
Intervals are 95 % jackknife intervals over clips.
With ``--training-seeds 0,1`` a receiver's seeds count as one long clip, and a table has the BD-rates of each alone. So
do the draws of what is lost, five a clip and loss rate.

Figures
-------
bd_rate_vs_full_hr
    BD-rate in percent (negative saves) at equal mean CCC of valence and arousal, of the adaptive sender (by PSNR, as it
    is by default) with the receiver ``mix`` against full size with the receiver ``hr``, both free. Hoped for: -55.
bd_rate_vs_fixed_lr
    The same against the best fixed factor with a receiver trained at it (``lr-S``), free. Hoped for: -35.
bd_rate_vs_best_fixed
    The same against the best fixed factor with ``mix`` itself, free. Hoped for: -10.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import pandas as pd
from rate_accuracy_figures import draw_all
from rate_accuracy_points import by_receiver, default_data, loss_of, make_clips, make_lossy, make_points, write_channels
from rate_accuracy_tables import (
    bd_table,
    by_task_table,
    lossy_table,
    point_table,
    print_by_task,
    print_lossy,
    print_pairs,
    print_tables,
    print_training,
    rank_correlations,
    waterfall,
)
from rate_accuracy_ways import FULL, QUICK, RECEIVERS, Plan, find_receivers, make_rivals, make_ways

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.sweeping.curves import Curve, compare, make_curves

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


HEADLINE = {"bd_rate_vs_full_hr": "full", "bd_rate_vs_fixed_lr": "lr", "bd_rate_vs_best_fixed": "fixed"}
"""The figures, and the role of what the adaptive sender is held against."""


def best_of(curves: dict[str, Curve], pattern: str) -> str | None:
    """The method of a family with the highest mean CCC over the rates that all of the family have."""
    family = [curve for name, curve in curves.items() if re.fullmatch(pattern, name) and curve.along]
    shared = set.intersection(*(set(curve.along) for curve in family)) if family else set()
    if not shared:
        return None

    def worth(curve: Curve) -> float:
        pairs = zip(curve.along, curve.estimate("ccc_mean"), strict=True)
        return float(np.mean([value for at, value in pairs if at in shared]))

    return max(family, key=worth).name


def chosen_methods(curves: dict[str, Curve], main: str) -> dict[str, str]:
    """Role to method of the main figure: the best of each family."""
    one = re.escape(main)
    families = {
        "plain": r"hr, s = 1, every frame, key frame a second",
        "full": r"hr, s = 1",
        "lr": r"lr-[\d.]+, s = [\d.]+",
        "fixed": rf"{one}, s = [\d.]+",
        "adaptive_hr": r"hr, adaptive",
        "adaptive": rf"{one}, adaptive",
    }
    found = {role: best_of(curves, pattern) for role, pattern in families.items()}
    return {role: name for role, name in found.items() if name is not None}


def headline(curves: dict[str, Curve], roles: dict[str, str]) -> tuple[dict[str, float | None], dict[str, Any]]:
    """The figures of the JSON file, printed with their intervals and ranges; and these."""
    figures: dict[str, float | None] = {}
    intervals: dict[str, Any] = {}
    for name, role in HEADLINE.items():
        figures[name] = None
        if "adaptive" not in roles or role not in roles:
            print(f"{name:<22} -  (no curve of {'adaptive' if 'adaptive' not in roles else role})")
            continue
        found = compare(curves[roles["adaptive"]], curves[roles[role]], "ccc_mean", of_rate=True)
        figures[name] = found.difference.value
        against = f"{roles['adaptive']} against {roles[role]}"
        if found.difference.value is None:
            print(f"{name:<22} -  {against}: {found.difference.reason}")
            continue
        ends = [found.difference.low, found.difference.high]
        intervals[name] = {"against": roles[role], "interval": [found.low, found.high], "over_ccc": ends}
        print(
            f"{name:<22} {found.difference.value:+.1f} % [{found.low:+.1f}, {found.high:+.1f}]  {against}, "
            f"mean CCC {ends[0]:.3f} to {ends[1]:.3f}"
        )
    return figures, intervals


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


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="two short clips, few rates: under three minutes on two cores")
    add = parser.add_argument
    add("--receivers", type=Path, default=RECEIVERS, metavar="FOLDER", help="of NAME-SEED.safetensors (%(default)s)")
    add("--training-seeds", default="0", metavar="0,1", help="which of them (%(default)s)")
    add("--main", default="mix", metavar="NAME", help="the receiver that is one for all (%(default)s)")
    add("--judge", type=Path, metavar="FILE", help="another such receiver, which sees what the main one planned")
    add("--pairs", nargs="+", default=[], metavar="'METHOD against METHOD'", help="more pairs for BD-rates")
    add("--data", metavar="KIND:PATH", help="faces (default: ferplus.zip in VIDLINK_DATA)")
    add("--split", default="valid", help="whose faces are shown (%(default)s)")
    add("--clips", type=int, metavar="N", help="how many reels")
    add("--rates", metavar="12k,24k", help="budgets on the wire")
    add("--factors", metavar="1,2", help="fixed factors")
    add("--no-task", action="store_true", help="leave plans by the receiver's output out")
    add("--no-rivals", action="store_true", help="leave the other encoders out")
    add("--no-loss", action="store_true", help="leave the lossy channels out")
    add("--seeds", default="0,1,2", help="of the reels, by turns (%(default)s)")
    add("--workers", type=int, metavar="N", help="processes (default: one a core)")
    add("--out", type=Path, metavar="FOLDER", help="keep results, tables and figures here; a killed run goes on")
    return parser.parse_args()


def plan_from(arguments: argparse.Namespace) -> Plan:
    """How much to run, by the command line."""
    plan = QUICK if arguments.quick else FULL
    changes: dict[str, Any] = {}
    if arguments.clips is not None:
        changes["clips"] = arguments.clips
    if arguments.rates is not None:
        changes["rates"] = tuple(arguments.rates.split(","))
    if arguments.factors is not None:
        changes["factors"] = tuple(float(part) for part in arguments.factors.split(","))
    if arguments.no_rivals:
        changes["rivals"] = False
    if arguments.no_task:
        changes["by_task"] = (0, ())
    if arguments.no_loss:
        changes["loss_rate"] = ""
    return replace(plan, **changes)


def main() -> None:
    """Run the points, print and write tables, draw, and write the JSON."""
    arguments = parse_arguments()
    seeds = bench.read_seeds("--seeds", arguments.seeds)
    files = find_receivers(arguments.receivers, bench.read_seeds("--training-seeds", arguments.training_seeds))
    if arguments.main not in files:
        raise UserError(f"--main {arguments.main}: no such receiver; there are {', '.join(files)}")
    if arguments.judge:
        files["judge"] = arguments.judge
    plan = plan_from(arguments)
    with bench.folder_or_scratch(arguments.out) as out:
        data = arguments.data or default_data()
        clips = make_clips(data, arguments.split, plan, out / "reels", seeds, files)
        ways = make_ways(files, plan, arguments.main, "judge" if arguments.judge else None)
        if plan.rivals:
            ways += make_rivals(files, arguments.main, out / "codecs")
        by_rate = make_points(ways, files, clips, plan)
        by_loss = make_lossy(ways, files, clips, write_channels(out / "channels"), plan)
        print(f"{len(ways)} ways, {len(clips)} clips, {len(by_rate) + len(by_loss)} points", flush=True)
        table = bench.sweep_table(
            [*by_rate, *by_loss],
            out / "sweep",
            arguments.workers,
            may_refuse=True,
            cache_bytes=4 * 10**9,
            about={"benchmark": "rate_accuracy", "data": data, "split": arguments.split},
        )
        rate_rows = by_receiver(table.iloc[: len(by_rate)], ways, plan.rates, files)
        loss_rows = table.iloc[len(by_rate) :]
        if len(loss_rows):
            loss_rows = by_receiver(loss_rows, ways, [plan.loss_rate], files)
            loss_rows = loss_rows.assign(loss=[loss_of(channel) for channel in loss_rows["channel"]])
        report(rate_rows, loss_rows, arguments, out, plan)


def curves_of(rows: pd.DataFrame) -> tuple[dict[str, Curve], dict[str, Curve]]:
    """Curves of all that is planned by PSNR; and of plans by the task beside the same by PSNR, on their own clips."""
    by_task = rows["method"].str.contains(", by task")
    both = rows[rows["input"].isin(rows[by_task]["input"]) & rows["bitrate_bps"].isin(rows[by_task]["bitrate_bps"])]
    both = both[both["method"].str.contains(", adaptive(?:, by task)?$")]
    return make_curves(rows[~by_task], "method"), make_curves(both, "method") if len(both) else {}


def by_training(rows: pd.DataFrame, roles: dict[str, str], main: str) -> pd.DataFrame:
    """BD-rates of the headline and of each part, by each training seed alone; empty with one seed."""
    seeds = sorted(rows["training"].unique())
    parts = []
    ours = roles.get("adaptive", "")
    pairs = [(name, roles[role]) for name, role in HEADLINE.items() if ours and role in roles]
    for seed in seeds if len(seeds) > 1 else ():
        curves, by_task = curves_of(rows[rows["training"] == seed])
        head = []
        for name, other in pairs:
            found = compare(curves[ours], curves[other], "ccc_mean", of_rate=True).difference.value
            head.append({"how": "headline", "part": name, "before": other, "after": ours, "value": found})
        made = pd.concat([pd.DataFrame(head), waterfall(curves, by_task, roles, main)])
        parts.append(made.set_index(["how", "part", "before", "after"])["value"].rename(f"training {seed}"))
    return pd.concat(parts, axis=1).reset_index() if parts else pd.DataFrame()


def report(
    rate_rows: pd.DataFrame, loss_rows: pd.DataFrame, arguments: argparse.Namespace, out: Path, plan: Plan
) -> None:
    """Everything that is made of the two tables of :func:`by_receiver`."""
    curves, by_task_curves = curves_of(rate_rows)
    roles = chosen_methods(curves, arguments.main)
    pairs = parse_pairs(arguments.pairs, curves)
    by_loss = make_curves(loss_rows, "method", "loss") if len(loss_rows) else {}
    ours = roles.get("adaptive", next(iter(curves)))
    tables = {
        "points": point_table(curves, "bitrate_bps"),
        "loss": point_table(by_loss, "loss"),
        "loss_pairs": lossy_table(by_loss),
        "bd": bd_table(curves, [(ours, name) for name in curves if name != ours]),
        "pairs": bd_table(curves, pairs),
        "by_task": by_task_table(by_task_curves),
        "waterfall": waterfall(curves, by_task_curves, roles, arguments.main),
        "ranks": rank_correlations(curves),
        "training": by_training(rate_rows, roles, arguments.main),
    }
    for name, made in tables.items():
        if not made.empty:
            made.to_csv(out / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    for name, curve in curves.items():
        if curve.missing:
            print(f"{name}: no point at {', '.join(f'{rate / 1000:g}k' for rate in curve.missing)} (does not fit)")
    print_tables(curves, tables, ours)
    print_by_task(tables["by_task"])
    print_pairs(tables["pairs"])
    print_lossy(tables["loss_pairs"])
    print_training(tables["training"])
    figures, intervals = headline(curves, roles)
    draw_all(out, curves, by_loss, roles, tables, loss_rate=plan.loss_rate)
    bench.write_json(arguments.json, figures, methods=roles, intervals=intervals)


if __name__ == "__main__":
    run_command(main)
