"""The picture of ``benchmarks/loss_resilience.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
from matplotlib.figure import Figure

from vidlink.report.style import BLACK, BLUE, DARK_GREY, FAINT_GREY, FRAME, GREY, LIGHT_GREY, WHITE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """PSNR against loss, and frames by status, for each GOP and clip; readable without colour."""
    clips = list(dict.fromkeys(row["clip"] for row in rows))
    gops = sorted({row["gop"] for row in rows})
    with mpl.rc_context({**FRAME, "font.size": 8, "hatch.linewidth": 0.5}):
        figure = Figure(figsize=(7.2, 0.5 + 3.9 * len(clips)), layout="constrained", dpi=200)
        axes = figure.subplots(
            2 * len(clips), len(gops), squeeze=False, sharey="row", height_ratios=[1.25, 1] * len(clips)
        )
        for number, clip in enumerate(clips):
            for column, gop in enumerate(gops):
                here = [row for row in rows if row["clip"] == clip and row["gop"] == gop]
                lines, bars = axes[2 * number, column], axes[2 * number + 1, column]
                draw_psnr(lines, here)
                draw_statuses(bars, here)
                lines.set_title(f"{clip}, GOP {gop}", fontsize=8.5)
                if column == 0:
                    lines.set_ylabel("PSNR (dB)")
                    bars.set_ylabel("frames (%), slices on")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        more, names = axes[1, 0].get_legend_handles_labels()
        figure.legend(
            handles + more,
            labels + names,
            loc="outside lower center",
            ncols=5,
            frameon=False,
            fontsize=7.5,
            title="bars: – unprotected, F with FEC, N with NACK",
            title_fontsize=7.5,
        )
        bench.save(figure, path)


def draw_psnr(axis: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Lines of PSNR against loss; the losses at equal distances, as in the bars below."""
    losses = sorted({row["loss"] for row in rows})
    looks = {
        ("on", "none"): ("slices", BLACK, "-", "o"),
        ("off", "none"): ("no slices", BLACK, ":", "o"),
        ("on", "fec"): ("slices, FEC", BLUE, "-", "s"),
        ("off", "fec"): ("no slices, FEC", BLUE, ":", "s"),
        ("on", "nack"): ("slices, NACK", GREY, "-", "^"),
    }
    for (slices, protection), (name, colour, line, marker) in looks.items():
        points = sorted(
            (losses.index(row["loss"]), row["psnr_db"])
            for row in rows
            if row["slices"] == slices and row["protection"] == protection
        )
        if points:
            face = colour if slices == "on" else WHITE
            axis.plot(*zip(*points, strict=True), line, c=colour, marker=marker, ms=3.5, mfc=face, lw=1.1, label=name)
    axis.set_xticks(range(len(losses)), [str(loss) for loss in losses])
    axis.set_xlim(-0.5, len(losses) - 0.5)
    axis.grid(axis="y", color=FAINT_GREY, lw=0.5)


def draw_statuses(axis: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Stacked bars of frames by status with slices: for each loss unprotected, then protected."""
    looks = {
        "ok": (WHITE, ""),
        "concealed": (LIGHT_GREY, "...."),
        "drifting": (GREY, "////"),
        "frozen": (DARK_GREY, ""),
    }
    mine = [row for row in rows if row["slices"] == "on"]
    protections = list(dict.fromkeys(row["protection"] for row in mine))
    losses = sorted({row["loss"] for row in mine})
    width = 0.84 / len(protections)
    letters = {"none": "–", "fec": "F", "nack": "N"}
    for place, loss in enumerate(losses):
        for shift, protection in enumerate(protections):
            row = next(each for each in mine if each["loss"] == loss and each["protection"] == protection)
            x, bottom = place + (shift - (len(protections) - 1) / 2) * width, 0.0
            for status, (colour, hatch) in looks.items():
                name = status if place == shift == 0 else None
                axis.bar(x, row[status], 0.92 * width, bottom, color=colour, hatch=hatch, ec=BLACK, lw=0.4, label=name)
                bottom += row[status]
            axis.text(x, 101, letters[protection], ha="center", va="bottom", fontsize=5)
    axis.set_xticks(range(len(losses)), [str(loss) for loss in losses])
    axis.set_xlabel("loss (%)", labelpad=1)
    axis.set_xlim(-0.5, len(losses) - 0.5)
    axis.set_ylim(0, 107)
    axis.set_yticks([0, 25, 50, 75, 100])
