"""Tables, figures and the drawing of ``benchmarks/roads.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from roads_scores import SIZE, difference

from vidlink.report.style import BLACK, BLUE, FAINT_GREY, FRAME, GREEN, GREY, ORANGE, VERMILION

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

WRITTEN = {"miou": "mIoU", "map50": "mAP50"}
SHORT = {
    "full": "full",
    "s = 2": "s2",
    "s = 4": "s4",
    "adaptive, psnr": "adaptive_psnr",
    "adaptive, task": "adaptive_task",
}
"""Ways of sending as figures name them."""
LOOKS = {
    "full": (VERMILION, "s", "full size"),
    "s = 2": (GREY, "^", "s = 2"),
    "s = 4": (ORANGE, "v", "s = 4"),
    "adaptive, psnr": (BLUE, "o", "adaptive, by PSNR"),
    "adaptive, task": (GREEN, "D", "adaptive, by the task"),
}
"""Colour, marker and name of each way."""
SHIPPED = "shipped"
PIXELS_A_SECOND = SIZE[0] * SIZE[1] * 15
"""Of the film."""


def shipped(rows: pd.DataFrame, score: str, channel: str | None = None) -> pd.DataFrame:
    """Rows of a shipped network."""
    mine = rows[(rows["network"] == SHIPPED) & (rows["score"] == score)]
    return mine if channel is None else mine[mine["channel"] == channel]


def figures_of(rows: pd.DataFrame) -> dict[str, float | None]:
    """The figures that the head of ``roads.py`` describes."""
    found: dict[str, float | None] = {}
    for score in dict.fromkeys(rows["score"]):
        mine = shipped(rows, score)
        found[f"{score}_ceiling"] = _number(mine["ceiling"].max()) if "ceiling" in mine else None
        for ending, part in (("", mine[mine["channel"] == "perfect"]), ("_lossy", mine[mine["channel"] != "perfect"])):
            for method, value in _means(part).items():
                found[f"{score}_{SHORT[method]}{ending}"] = value
    trained = rows[rows["network"] != SHIPPED]
    for factor in (2, 4):
        part = trained[trained["method"] == f"s = {factor}"]
        for network, name in (("mix", "all"), (f"lr-{factor}", "dedicated")):
            mine = part[part["network"] == network]
            if len(mine):
                found[f"miou_{name}_s{factor}"] = _number(mine["value"].mean())
    return found


def _means(part: pd.DataFrame) -> dict[str, float | None]:
    """By way of sending the mean over the channels and rates that every way could code."""
    if not len(part):
        return {}
    wide = part.pivot_table(index=["channel", "kbps"], columns="method", values="value", dropna=False, sort=False)
    wide = wide.reindex(columns=[method for method in SHORT if method in set(part["method"])])
    return {str(method): _number(value) for method, value in wide.dropna().mean().items()}


def _number(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 5)


def tables(rows: pd.DataFrame) -> list[str]:
    """Scores with intervals by channel, differences of ways, and the networks that were tuned alike."""
    made = []
    for score in dict.fromkeys(rows["score"]):
        for channel in dict.fromkeys(shipped(rows, score)["channel"]):
            made.append(_table(f"{WRITTEN[score]}, {channel}", shipped(rows, score, channel), "method"))
    made += [_differences(rows), _trained(rows)]
    return [each for each in made if each]


def _table(title: str, mine: pd.DataFrame, down: str) -> str:
    rates = sorted(set(mine["kbps"]))
    head = [title, *(f"{rate:g} kb/s" for rate in rates)]
    lines = []
    for name in dict.fromkeys(mine[down]):
        part = mine[mine[down] == name].set_index("kbps")
        lines.append([str(name), *(_cell(part.loc[rate]) if rate in part.index else "" for rate in rates)])
    if "bpp" in mine:
        bits = mine.groupby("kbps")["bpp"].max()
        lines.append(["payload bits per pixel, at most", *(f"{bits[rate]:.3f}" for rate in rates)])
    return bench.markdown(head, lines)


def _cell(row: pd.Series) -> str:
    if np.isnan(row["value"]):
        return "-"
    scale = f", s {row['scale']:.2g}" if str(row["method"]).startswith("adaptive") else ""
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]{scale}"


def _differences(rows: pd.DataFrame) -> str:
    """Ways of sending against full size, rate by rate."""
    lines = []
    for score in dict.fromkeys(rows["score"]):
        mine = shipped(rows, score)
        for channel, rate in dict.fromkeys(zip(mine["channel"], mine["kbps"], strict=True)):
            here = {"channel": channel, "kbps": rate}
            cells = [
                _signed(difference(mine, here | {"method": method}, here | {"method": "full"}))
                for method in SHORT
                if method != "full"
            ]
            if any(cell != "-" for cell in cells):
                lines.append([f"{WRITTEN[score]}, {channel}, {rate:g} kb/s", *cells])
    head = ["less full size", *(LOOKS[method][2] for method in SHORT if method != "full")]
    return bench.markdown(head, lines) if lines else ""


def _trained(rows: pd.DataFrame) -> str:
    """Networks of one factor against the one of all, both tuned alike."""
    mine = rows[(rows["score"] == "miou") & (rows["network"] != SHIPPED)]
    if not len(mine):
        return ""
    mine = mine.assign(what=mine["network"] + ", " + mine["method"])
    lines = [_table("mIoU, tuned alike", mine, "what")]
    for factor in (2, 4):
        method = {"method": f"s = {factor}"}
        found = difference(mine, method | {"network": f"lr-{factor}"}, method | {"network": "mix"})
        lines.append(f"lr-{factor} less mix at s = {factor}, mean over rates: {_signed(found)}")
    return "\n".join(lines)


def _signed(found: tuple[float, float, float] | None) -> str:
    return "-" if found is None else f"{found[0]:+.3f} [{found[1]:+.3f}, {found[2]:+.3f}]"


def draw(path: Path, rows: pd.DataFrame) -> None:
    """Draw each score against wire rate, a row a score and a column a channel, with intervals over stretches."""
    mine = rows[rows["network"] == SHIPPED]
    scores, channels = list(dict.fromkeys(mine["score"])), list(dict.fromkeys(mine["channel"]))
    with mpl.rc_context(FRAME | {"font.size": 8.5}):
        figure = Figure(figsize=(max(4.2, 3.1 * len(channels)), 0.7 + 2.5 * len(scores)), layout="constrained", dpi=110)
        axes = figure.subplots(len(scores), len(channels), sharey="row", squeeze=False)
        for number, (score, row) in enumerate(zip(scores, axes, strict=True)):
            for channel, axis in zip(channels, row, strict=True):
                _panel(axis, shipped(rows, score, channel), first=not number)
                if not number:
                    axis.set_title(channel, fontsize=9)
            values = mine[mine["score"] == score]["value"]
            room = 0.4 * max(0.05, values.max() - values.min())
            row[0].set_ylim(max(0, values.min() - room), min(1, values.max() + room))  # intervals may run out of it
            row[0].set_ylabel(WRITTEN[score])
        for axis in axes[-1]:
            axis.set_xlabel("wire rate (kb/s)")
        named = {
            label: line for axis in axes.flat for line, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        order = [name for name in [*(look[2] for look in LOOKS.values()), "pristine"] if name in named]
        figure.legend(
            [named[name] for name in order], order, loc="outside lower center", ncols=len(order), frameon=False
        )
        bench.save(figure, path)


def _panel(axis: Axes, mine: pd.DataFrame, *, first: bool) -> None:
    methods = [method for method in LOOKS if method in set(mine["method"])]
    for number, method in enumerate(methods):
        colour, marker, name = LOOKS[method]
        part = mine[mine["method"] == method].dropna(subset=["value"]).sort_values("kbps")
        x = part["wire_kbps"] * 1.025 ** (number - (len(methods) - 1) / 2)  # so that intervals stand side by side
        axis.vlines(x, part["low"], part["high"], color=colour, alpha=0.35, linewidth=1.2)
        axis.plot(x, part["value"], color=colour, marker=marker, markersize=3.5, linewidth=1.2, label=name)
    if mine["ceiling"].notna().any():
        axis.axhline(mine["ceiling"].max(), color=BLACK, linewidth=0.8, linestyle=":", label="pristine")
    rates = sorted(set(mine["kbps"]))
    axis.set_xscale("log", base=2)
    axis.set_xlim(rates[0] / 1.25, rates[-1] * 1.25)
    axis.xaxis.set_major_locator(FixedLocator(rates))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.grid(color=FAINT_GREY, linewidth=0.6)
    above = axis.secondary_xaxis("top", functions=(_bits_of, _kbps_of))
    above.xaxis.set_major_locator(FixedLocator([_bits_of(rate) for rate in rates]))
    above.xaxis.set_minor_locator(NullLocator())
    above.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    above.xaxis.set_minor_formatter(NullFormatter())
    above.tick_params(labelsize=7, colors=GREY)
    if first:
        above.set_xlabel("wire bits per pixel", fontsize=7, color=GREY, labelpad=6)


def _bits_of(kbps: Any) -> Any:
    """Bits per pixel of the film at a rate."""
    return np.asarray(kbps) * 1000 / PIXELS_A_SECOND


def _kbps_of(bits: Any) -> Any:
    return np.asarray(bits) * PIXELS_A_SECOND / 1000
