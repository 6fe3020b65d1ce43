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

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
from rate_accuracy_figures import draw_all
from rate_accuracy_points import (
    FULL,
    QUICK,
    Plan,
    default_data,
    loss_of,
    main_receiver,
    make_clips,
    make_methods,
    make_points,
    write_channels,
)
from rate_accuracy_tables import bd_table, point_table, print_pairs, print_tables, rank_correlations

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.sweeping.curves import Curve, compare, make_curves

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import pandas as pd


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


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="two short clips, few rates: under three minutes on two cores")
    add = parser.add_argument
    add("--receivers", nargs="+", default=[], metavar="NAME=FILE", help="weights; default: those that ship")
    add("--main", metavar="NAME", help="the one-for-all receiver of the figures (default: the last one)")
    add("--anchor", metavar="METHOD", help="anchor of the BD table (default: the first method)")
    add("--pairs", nargs="+", default=[], metavar="'METHOD against METHOD'", help="more pairs for BD-rates")
    add("--data", metavar="KIND:PATH", help="faces (default: ferplus.zip in VIDLINK_DATA)")
    add("--split", default="valid", help="whose faces are shown (%(default)s)")
    add("--clips", type=int, metavar="N", help="how many reels")
    add("--rates", metavar="12k,24k", help="budgets on the wire")
    add("--factors", metavar="1,2", help="fixed factors of the main receiver")
    add("--seed", type=int, default=0, help="of the reels (%(default)s)")
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
    return replace(plan, **changes)


def main() -> None:
    """Run the points, print and write tables, draw, and write the JSON."""
    arguments = parse_arguments()
    receivers = parse_receivers(arguments.receivers)
    main_name = main_receiver(receivers, arguments.main)
    plan = plan_from(arguments)
    with bench.folder_or_scratch(arguments.out) as out:
        data = arguments.data or default_data()
        clips = make_clips(data, arguments.split, plan, out / "reels", arguments.seed)
        methods = make_methods(receivers, plan.factors, str(main_name))
        by_rate, by_loss = make_points(methods, clips, write_channels(out / "channels"), plan, main_name)
        print(f"{len(methods)} methods, {len(clips)} clips, {len(by_rate) + len(by_loss)} points", flush=True)
        table = bench.sweep_table(
            [*by_rate, *by_loss],
            out / "sweep",
            arguments.workers,
            may_refuse=True,
            cache_bytes=4 * 10**9,
            about={"benchmark": "rate_accuracy", "data": data, "split": arguments.split},
        )
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
    bench.write_json(arguments.json, figures, methods=roles)


if __name__ == "__main__":
    run_command(main)
