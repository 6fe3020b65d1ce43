"""The tables of ``benchmarks/rate_accuracy.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bench
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from vidlink.labels.affect import AFFECT
from vidlink.scores.moments import WITHIN
from vidlink.sweeping.curves import Curve, compare
from vidlink.sweeping.intervals import jackknife

if TYPE_CHECKING:
    from collections.abc import Sequence

SCORES = ("ccc_mean", "ccc_valence", "ccc_arousal")
TRACKS = tuple(f"ccc_{name}{WITHIN}" for name in AFFECT)
"""How well the changes of each face are followed; that one face differs from another does not count."""

PLAIN = "s = 1, every frame, key frame a second"
"""Full size as one would send it without thinking."""
STEPS = (
    ("receiver trained at all factors", f"hr, {PLAIN}", f"{{0}}, {PLAIN}"),
    ("key frames where they pay", f"{{0}}, {PLAIN}", "{0}, s = 1, every frame"),
    ("any frame rate", "{0}, s = 1, every frame", "{0}, s = 1"),
    ("any scale factor", "{0}, s = 1", "{0}, adaptive"),
    ("planned by the task", "{0}, adaptive", "{0}, adaptive, by task"),
)
"""What is added step by step: step, before, after."""
ALONE = (
    ("receiver trained at all factors", "hr, adaptive", "{0}, adaptive"),
    ("coded faces in training", "{0}-uncoded, adaptive", "{0}, adaptive"),
    ("key frames where they pay", "{0}, adaptive, key frame a second", "{0}, adaptive"),
    ("any frame rate", "{0}, adaptive, every frame", "{0}, adaptive"),
    ("any scale factor, not full size", "{0}, s = 1", "{0}, adaptive"),
    ("any scale factor, not the best one", "{fixed}", "{0}, adaptive"),
    ("one receiver for all factors, not one for each", "{lr}", "{0}, {lr_way}"),
    ("one receiver, not pixels restored before the HR-trained one", "hr, adaptive, pixels restored", "{0}, adaptive"),
)
"""What each part of the adaptive sender brings by itself: what, without it, with it."""
LOSSY = (("{0}, adaptive", "{0}, s = 1"), ("{0}, adaptive, parity", "{0}, adaptive"))
"""What is compared at each loss rate: a method, and what it is held against."""


def bd_table(curves: dict[str, Curve], pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """BD-rate and BD-CCC of pairs of methods, the second the anchor, with ranges, intervals and refusals."""
    rows = []
    for name, anchor in pairs:
        known = curves[name].values.keys() & curves[anchor].values.keys()
        for score in (score for score in (*SCORES, *TRACKS) if score in known):
            for of_rate in (True, False):
                found = compare(curves[name], curves[anchor], score, of_rate=of_rate)
                rows.append(
                    {
                        "method": name,
                        "anchor": anchor,
                        "score": score,
                        "figure": "BD-rate %" if of_rate else "BD-score",
                        "value": found.difference.value,
                        "low": found.low,
                        "high": found.high,
                        "from": found.difference.low,
                        "to": found.difference.high,
                        "points_dropped": found.difference.dropped,
                        "draws_refused": found.refused,
                        "reason": found.difference.reason,
                        "clips": curves[name].clips,
                    }
                )
    return pd.DataFrame(rows)


def waterfall(curves: dict[str, Curve], by_task: dict[str, Curve], roles: dict[str, str], main: str) -> pd.DataFrame:
    """BD-rate of each part at equal mean CCC: added one after another, and each taken away by itself.

    Plans by the task are compared with those by PSNR on their own clips and budgets (``by_task``).
    """
    rows = []
    known = {
        "fixed": roles.get("fixed", ""),
        "lr": roles.get("lr", ""),
        "lr_way": roles.get("lr", "").partition(", ")[2],
    }
    for how, parts in (("added", STEPS), ("alone", ALONE)):
        compared = set()
        for what, before, after in parts:
            names = tuple(name.format(main, **known) for name in (before, after))
            where = by_task if names[1].endswith("by task") else curves
            if names in compared or not all(name in where for name in names):
                continue  # the best factor may be full size, which was there already
            compared.add(names)
            found = compare(where[names[1]], where[names[0]], "ccc_mean", of_rate=True)
            rows.append(
                {
                    "how": how,
                    "part": what,
                    "before": names[0],
                    "after": names[1],
                    "value": found.difference.value,
                    "low": found.low,
                    "high": found.high,
                    "from": found.difference.low,
                    "to": found.difference.high,
                    "reason": found.difference.reason,
                }
            )
    return pd.DataFrame(rows)


def rank_correlations(curves: dict[str, Curve]) -> pd.DataFrame:
    """Spearman's correlation of picture quality with CCC over all points of a receiver.

    ``within a budget`` ranks the ways of sending at each budget by itself and averages: there the rate explains
    nothing.
    """
    rows = []
    for receiver in dict.fromkeys(name.partition(", ")[0] for name in curves):
        mine = [curve for name, curve in curves.items() if name.partition(", ")[0] == receiver and curve.along]
        for picture in ("psnr_db", "ssim") if len(mine) > 1 else ():
            for score in SCORES:
                pairs = [(c.values[picture], c.values[score], np.array(c.along)) for c in mine]
                x, y, budget = (np.concatenate(part, axis=-1) for part in zip(*pairs, strict=True))
                within = [budget == each for each in np.unique(budget)]
                for over, masks in (("all points", [np.ones(len(budget), bool)]), ("within a budget", within)):
                    masks = [mask for mask in masks if mask.sum() >= 3]
                    if not masks:
                        continue
                    rho = np.mean([_spearman(x[:1, mask], y[:1, mask])[0] for mask in masks])
                    row = {"receiver": receiver, "picture": picture, "score": score, "over": over}
                    points = int(sum(mask.sum() for mask in masks))
                    rows.append(row | {"points": points, "rho": rho})
    return pd.DataFrame(rows)


def _spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Row by row, shape (rows,)."""
    x, y = (rankdata(side, axis=1) for side in (x, y))
    x, y = (side - side.mean(axis=1, keepdims=True) for side in (x, y))
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.where(spread > 0, (x * y).sum(axis=1) / np.where(spread > 0, spread, 1), np.nan)


def point_table(curves: dict[str, Curve], along: str) -> pd.DataFrame:
    """One row a point: what all clips concatenated give, with intervals over clips."""
    rows = []
    for name, curve in curves.items():
        for index, at in enumerate(curve.along):
            row: dict[str, Any] = {"method": name, along: at, "clips": curve.clips}
            for value in curve.values:
                low, high = curve.interval(value)[:, index]
                row |= {value: curve.estimate(value)[index], f"{value}_low": low, f"{value}_high": high}
            rows.append(row)
    return pd.DataFrame(rows)


def print_tables(curves: dict[str, Curve], tables: dict[str, pd.DataFrame], ours: str) -> None:
    """The tables in short, as Markdown."""
    clips = next(iter(curves.values())).clips
    budgets = sorted({at for curve in curves.values() for at in curve.along})
    print(f"\nCCC valence / arousal, {clips} clips concatenated, by budget on the wire\n")
    rows = []
    for name, curve in curves.items():
        scores = (curve.estimate(f"ccc_{dimension}") for dimension in AFFECT if curve.along)
        cells = {at: f"{v:.3f} / {a:.3f}" for at, v, a in zip(curve.along, *scores, strict=True)} if curve.along else {}
        rows.append([name, *(cells.get(budget, "–") for budget in budgets)])
    print(bench.markdown(["receiver, way of sending", *(f"{budget / 1000:g}k" for budget in budgets)], rows))
    print(f"\n{ours}: BD-rate at equal CCC and BD-CCC at equal rate, 95 % intervals over {clips} clips\n")
    bd = {(row["anchor"], row["score"], row["figure"]): row for _, row in tables["bd"].iterrows()}
    rows = []
    for name in dict.fromkeys(tables["bd"]["anchor"]):
        first = bd[name, "ccc_mean", "BD-rate %"]
        over = "" if pd.isna(first["from"]) else f"{first['from']:.2f} to {first['to']:.2f}"
        rates = [cell(bd[name, score, "BD-rate %"], ".1f", " %") for score in SCORES]
        rows.append([name, rates[0], over, *rates[1:], cell(bd[name, "ccc_mean", "BD-score"], ".3f")])
    print(bench.markdown(["against", "BD-rate, mean CCC", "over CCC", "valence", "arousal", "BD-CCC, mean"], rows))
    for how, title in (
        ("added", "Each part, added to those above it"),
        ("alone", "Each part by itself, as against the whole without it"),
    ):
        parts = tables["waterfall"]
        parts = parts[parts["how"] == how] if len(parts) else parts
        if len(parts):
            print(f"\n{title}: BD-rate of what is with it, mean CCC\n")
            print(
                bench.markdown(["", "BD-rate"], [[row["part"], cell(row, ".1f", " %")] for _, row in parts.iterrows()])
            )
    if len(tables["ranks"]):
        print("\nRank correlation (Spearman) of PSNR with the mean CCC\n")
        for row in tables["ranks"].query("picture == 'psnr_db' and score == 'ccc_mean'").to_dict("records"):
            print(f"- {row['receiver']}, {row['over']} ({row['points']} points): {row['rho']:.2f}")
    print()


def by_task_table(curves: dict[str, Curve]) -> pd.DataFrame:
    """Plans by the receiver's output against those by PSNR, on the same clips, as each receiver sees them."""
    names = [name for name in curves if name.endswith("by task")]
    return bd_table(curves, [(name, name.removesuffix(", by task")) for name in names])


def print_by_task(table: pd.DataFrame) -> None:
    """:func:`by_task_table` as Markdown; nothing without any."""
    if table.empty:
        return
    print(f"Plans by the output of the first receiver, on {table['clips'].iloc[0]} clips: against plans by PSNR\n")
    rows = []
    for name, found in table[table["score"] == "ccc_mean"].groupby("method", sort=False):
        shown = {row["figure"]: row for _, row in found.iterrows()}
        rows.append([str(name), cell(shown["BD-rate %"], ".1f", " %"), cell(shown["BD-score"], ".3f")])
    print(bench.markdown(["seen by", "BD-rate, mean CCC", "BD-CCC, mean"], rows) + "\n")


def print_pairs(table: pd.DataFrame) -> None:
    """BD-rates of pairs at equal mean CCC and within tracks, as Markdown; nothing without any."""
    if table.empty:
        return
    rows = []
    for (method, anchor), found in table[table["figure"] == "BD-rate %"].groupby(["method", "anchor"], sort=False):
        each = {row["score"]: cell(row, ".1f", " %") for _, row in found.iterrows()}
        rows.append([str(method), str(anchor), *(each.get(score, "") for score in ("ccc_mean", *TRACKS))])
    head = ["", "against", "BD-rate, mean CCC", *(f"{name} within tracks" for name in AFFECT)]
    print(f"{bench.markdown(head, rows)}\n")


def print_training(table: pd.DataFrame) -> None:
    """BD-rates at equal mean CCC by each training seed alone, as Markdown; nothing with one seed."""
    if table.empty:
        return
    seeds = [name for name in table.columns if name.startswith("training ")]
    rows = [[row["part"], *(f"{row[seed]:+.1f} %" for seed in seeds)] for _, row in table.iterrows()]
    print(f"Each training seed alone\n\n{bench.markdown(['', *seeds], rows)}\n")


def lossy_table(curves: dict[str, Curve]) -> pd.DataFrame:
    """Differences of the mean CCC between two methods with one receiver, by loss rate; intervals are over clips."""
    rows = []
    for receiver in dict.fromkeys(name.partition(",")[0] for name in curves):
        for method, anchor in (tuple(name.format(receiver) for name in pair) for pair in LOSSY):
            if method not in curves or anchor not in curves:
                continue
            for loss in sorted({*curves[method].along} & {*curves[anchor].along}):
                ours, theirs = (
                    curve.values["ccc_mean"][:, curve.along.index(loss)] for curve in (curves[method], curves[anchor])
                )
                value, *without = ours - theirs
                low, high = jackknife(float(value), np.array(without), "")
                found = {"value": value, "low": low, "high": high}
                rows.append({"method": method, "anchor": anchor, "loss": loss, **found})
    return pd.DataFrame(rows)


def print_lossy(table: pd.DataFrame) -> None:
    """Those differences as Markdown; nothing without lossy channels."""
    if table.empty:
        return
    losses = sorted(table["loss"].unique())
    rows = [
        [str(method), str(anchor), *(cell(row, ".3f") for _, row in found.sort_values("loss").iterrows())]
        for (method, anchor), found in table.groupby(["method", "anchor"], sort=False)
    ]
    head = ["mean CCC", "less that of", *(f"{loss:g} % lost" for loss in losses)]
    print(f"{bench.markdown(head, rows)}\n")


def cell(row: pd.Series, form: str, unit: str = "") -> str:
    """A figure with its interval, or why there is none."""
    if pd.isna(row["value"]):
        return f"refused: {row['reason']}"
    interval = "" if pd.isna(row["low"]) else f" [{row['low']:+{form}}, {row['high']:+{form}}]"
    return f"{row['value']:+{form}}{unit}{interval}"
