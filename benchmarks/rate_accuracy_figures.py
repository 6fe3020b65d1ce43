"""The pictures of ``benchmarks/rate_accuracy.py``, PNG and SVG, in one style that can be read without colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from PIL import Image

from vidlink.report.style import BLACK, BLUE, DARK_GREY, FAINT_GREY, FRAME, GREY, SKY, VERMILION, WHITE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from vidlink.sweeping.curves import Curve

LOOKS = {  # role: colour, line, marker, face
    "plain": (GREY, ":", "o", WHITE),
    "full": (BLACK, "-", "o", BLACK),
    "lr": (VERMILION, "--", "^", VERMILION),
    "fixed": (SKY, "-.", "D", SKY),
    "adaptive_hr": (BLACK, "--", "X", WHITE),
    "adaptive": (BLUE, "-", "X", BLUE),
}
MORE = [  # looks of methods without a role
    (colour, line, marker, WHITE)
    for marker, line in (("<", "-"), (">", "--"), ("p", "-."), ("h", ":"), ("*", "-"), ("d", "--"))
    for colour in (DARK_GREY, GREY)
]
NAMES = {
    "cc_valence": "CC valence",
    "cc_arousal": "CC arousal",
    "ccc_valence": "CCC valence",
    "ccc_arousal": "CCC arousal",
    "ccc_mean": "mean CCC",
    "bpp": "payload (bits per pixel)",
    "wire_bps": "rate on the wire (kb/s)",
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    "loss": "packets lost (%)",
}
STYLE = {
    **FRAME,
    "font.size": 8.5,
    "axes.grid": True,
    "grid.color": FAINT_GREY,
    "grid.linewidth": 0.6,
    "svg.hashsalt": "vidlink",
    "legend.frameon": False,
}


def draw_all(
    out: Path,
    curves: dict[str, Curve],
    by_loss: dict[str, Curve],
    roles: dict[str, str],
    tables: dict[str, pd.DataFrame],
    *,
    loss_rate: str,
) -> None:
    """Draw every figure that there is something for.

    Parameters
    ----------
    out
        Folder; files are called ``rate_accuracy*.png`` and ``.svg``.
    curves, by_loss
        Curves along the budget, and along the loss rate.
    roles
        Methods of the main figure, by what they stand for.
    tables
        The tables of the benchmark, by name.
    loss_rate
        Budget of the curves along the loss rate.
    """
    looks = {name: LOOKS[role] for role, name in roles.items()}
    others = [name for name in [*curves, *by_loss] if name not in looks]
    looks |= dict(zip(dict.fromkeys(others), MORE * len(others), strict=False))
    chosen = [curves[name] for name in dict.fromkeys(roles.values())] or list(curves.values())
    with mpl.rc_context(STYLE):
        main = [("wire_bps", "ccc_valence"), ("wire_bps", "ccc_arousal")]
        _draw_lines(out / "rate_accuracy", chosen, main, looks, columns=2, height=3.1)
        pairs = [
            (x, y) for y in ("cc_valence", "cc_arousal", "ccc_valence", "ccc_arousal") for x in ("bpp", "wire_bps")
        ]
        _draw_lines(out / "rate_accuracy_all", chosen, pairs, looks, columns=2, height=2.5)
        _draw_factors(out / "rate_accuracy_factors", curves, looks)
        if by_loss:
            loss = [("loss", "ccc_valence"), ("loss", "ccc_arousal"), ("loss", "psnr_db")]
            place = out / "rate_accuracy_loss"
            _draw_lines(
                place,
                list(by_loss.values()),
                loss,
                looks,
                columns=3,
                height=2.9,
                note=f"at {loss_rate.removesuffix('k')} kb/s",
            )
        _draw_pictures(out / "rate_accuracy_pictures", curves, tables["ranks"])
        _draw_waterfall(out / "rate_accuracy_waterfall", tables["waterfall"])


def _save(figure: Figure, place: Path) -> None:
    dpi = 130 if figure.get_figheight() < 8 else 100
    figure.savefig(place.with_suffix(".png"), metadata={"Software": None}, dpi=dpi)
    with Image.open(place.with_suffix(".png")) as picture:
        small = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    small.save(place.with_suffix(".png"), optimize=True)
    bench.save(figure, place.with_suffix(".svg"))


def _new(rows: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(4.1 * columns if columns < 3 else 9.6, height * rows + 0.9), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def _draw_lines(
    place: Path,
    curves: Sequence[Curve],
    pairs: Sequence[tuple[str, str]],
    looks: dict[str, Any],
    *,
    columns: int,
    height: float,
    note: str = "",
) -> None:
    """One panel for each pair of x and y, one line for each curve."""
    figure, axes = _new(-(-len(pairs) // columns), columns, height)
    for axis, (x, y) in zip(axes, pairs, strict=True):
        for curve in curves:
            if curve.along:
                _draw_curve(axis, curve, x, y, looks[curve.name])
        _dress(axis, x, y)
    _legend(figure, axes[0], curves, note)
    _save(figure, place)


def _draw_curve(axis: Axes, curve: Curve, x: str, y: str, look: tuple[str, str, str, str]) -> None:
    colour, line, marker, face = look
    at = np.array(curve.along) if x == "loss" else curve.estimate(x) / (1000 if x == "wire_bps" else 1)
    low, high = curve.interval(y)
    if np.isfinite(low).all():
        axis.vlines(at, low, high, color=colour, linewidth=0.7, alpha=0.35)
    style: Any = {"marker": marker, "markersize": 4.5, "markerfacecolor": face, "linewidth": 1.3, "label": curve.name}
    axis.plot(at, curve.estimate(y), line, color=colour, **style)


def _dress(axis: Axes, x: str, y: str, *, narrow: bool = False) -> None:
    if x in ("wire_bps", "bpp"):
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(base=2, numticks=12))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.minorticks_off()
        if x == "wire_bps":
            ticks = [6, 12, 26, 48, 128] if narrow else [6, 8, 12, 18, 26, 48, 128]
            axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.set_xlabel(NAMES[x])
    axis.set_ylabel(NAMES[y])


def _legend(figure: Figure, axis: Axes, curves: Sequence[Curve], note: str = "") -> None:
    clips = next(iter(curves)).clips
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    bars = ", bars: 95 % intervals over clips" if clips > 1 else ""
    figure.suptitle(
        f"{clips} clip{'s' if clips != 1 else ''}{', ' if note else ''}{note}{bars}", fontsize=8.5, x=0.99, ha="right"
    )


def _draw_factors(place: Path, curves: dict[str, Curve], looks: dict[str, Any]) -> None:
    """A panel for each fixed factor and dimension: everything that was sent at that factor."""
    factors = sorted({float(name.rpartition("s = ")[2]) for name in curves if re.search(r", s = [\d.]+$", name)})
    if not factors:
        return
    figure, axes = _new(2, len(factors), 2.6)
    for row, y in enumerate(("ccc_valence", "ccc_arousal")):
        for column, factor in enumerate(factors):
            axis = axes[row * len(factors) + column]
            for name, curve in curves.items():
                if name.endswith(f", s = {factor:g}") and curve.along:
                    _draw_curve(axis, curve, "wire_bps", y, looks[name])
            _dress(axis, "wire_bps", y, narrow=True)
            axis.legend(fontsize=7, loc="lower right")
            axis.set_title(f"s = {factor:g}", fontsize=9)
    ends = [axis.get_ylim() for axis in axes]
    for axis in axes:
        axis.set_ylim(max(-0.1, min(low for low, _ in ends)), max(high for _, high in ends))
    clips = next(iter(curves.values())).clips
    figure.suptitle(
        f"{clips} clip{'s' if clips != 1 else ''}, free frame rate and key frames", fontsize=8.5, x=0.99, ha="right"
    )
    _save(figure, place)


def _draw_pictures(place: Path, curves: dict[str, Curve], ranks: pd.DataFrame) -> None:
    """Picture quality against mean CCC, a panel for each receiver with several ways of sending."""
    receivers: dict[str, list[Curve]] = {}
    for name, curve in curves.items():
        if curve.along:
            receivers.setdefault(name.partition(", ")[0], []).append(curve)
    shown = sorted(receivers, key=lambda receiver: -len(receivers[receiver]))[:2]
    figure, axes = _new(2, len(shown), 2.7)
    ways = list(dict.fromkeys(curve.name.partition(", ")[2] for receiver in shown for curve in receivers[receiver]))
    looks = {way: ("oXsD^vP<>ph*"[k % 12], GREY if k < 12 else WHITE) for k, way in enumerate(ways)}
    for row, picture in enumerate(("psnr_db", "ssim")):
        for column, receiver in enumerate(shown):
            axis = axes[row * len(shown) + column]
            for curve in receivers[receiver]:
                way = curve.name.partition(", ")[2]
                marker, face = looks[way]
                at = curve.estimate(picture), curve.estimate("ccc_mean")
                axis.plot(*at, marker, color=DARK_GREY, markerfacecolor=face, markersize=5, label=way)
            found = ranks.query("receiver == @receiver and picture == @picture and score == 'ccc_mean'")
            texts = [f"rank correlation, {r['over']}: {r['rho']:.2f}" for r in found.to_dict("records")]
            axis.set_title("\n".join([receiver, *texts]) if row == 0 else "\n".join(texts), fontsize=8)
            axis.set_xlabel(NAMES[picture])
            axis.set_ylabel(NAMES["ccc_mean"])
    named = {
        label: handle
        for axis in axes[: len(shown)]
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=3, fontsize=7)
    clips = next(iter(curves.values())).clips
    figure.suptitle(f"{clips} clip{'s' if clips != 1 else ''}, a point a budget", fontsize=8.5, x=0.99, ha="right")
    _save(figure, place)


def _draw_waterfall(place: Path, parts: pd.DataFrame) -> None:
    """A bar for each part: what it saves, added to those above it, and taken away by itself."""
    parts = parts.dropna(subset=["value"]) if len(parts) else parts
    if parts.empty:
        return
    groups = [parts[parts["how"] == how] for how in ("added", "alone")]
    heights = [max(len(group), 1) for group in groups]
    figure = Figure(figsize=(7.6, 0.34 * sum(heights) + 1.5), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, height_ratios=heights)
    titles = ("added one after another", "each by itself, taken away from the adaptive sender")
    for axis, group, title, colour in zip(axes, groups, titles, (BLUE, SKY), strict=True):
        at = np.arange(len(group))[::-1]
        axis.barh(at, group["value"], color=colour, height=0.6)
        axis.hlines(at, group["low"], group["high"], color=BLACK, linewidth=1)
        axis.set_yticks(at, group["part"])
        axis.axvline(0, color=BLACK, linewidth=0.8)
        axis.set_title(title, fontsize=8.5, loc="left")
        axis.grid(visible=False, axis="y")
    axes[-1].set_xlabel("BD-rate at equal mean CCC (%); bars: 95 % intervals over clips")
    _save(figure, place)
