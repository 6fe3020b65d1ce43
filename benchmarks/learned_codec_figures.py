"""Curves of the learned codec beside others: a picture a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from vidlink.report.style import BLACK, BLUE, FRAME, GREEN, ORANGE, PURPLE

if TYPE_CHECKING:
    from pathlib import Path

LOOKS = {
    "dvc": (BLUE, "o-", 2.0, "dvc (learned)"),
    "x264": (BLACK, "s-", 1.0, "x264, medium"),
    "x264-zerolatency": (ORANGE, "^-", 1.0, "x264, medium, zero latency"),
    "x264-realtime": (PURPLE, "v-", 1.0, "x264, recipe x264-realtime"),
    "x265": (GREEN, "D-", 1.0, "x265, medium"),
}
"""Colour, marker, width and name of each codec's curve."""
RATES = (24.0, 1700.0)
"""What is shown, in kb/s."""
LIMITS = (20.0, 2000.0)
"""Of the axes: markers at the ends are whole."""
TICKS = (32, 64, 128, 256, 512, 1024)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw PSNR against wire rate, one pair of axes a clip."""
    clips = list(dict.fromkeys(row["clip"] for row in rows))
    columns = min(3, len(clips) + 1)
    lines = -(-(len(clips) + 1) // columns)
    with mpl.rc_context(FRAME):
        figure = Figure(figsize=(3.4 * columns, 2.9 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for place, clip in zip(axes, clips, strict=False):
            for codec, (colour, look, width, name) in LOOKS.items():
                points = sorted(
                    (row["wire_kbps"], row["psnr_db"])
                    for row in rows
                    if (row["clip"], row["codec"]) == (clip, codec) and RATES[0] <= row["wire_kbps"] <= RATES[1]
                )
                if points:
                    place.plot(*zip(*points, strict=True), look, color=colour, lw=width, ms=3.5, label=name)
            place.set(xscale="log", title=clip, xlabel="on the wire, kb/s", ylabel="PSNR of luma, dB", xlim=LIMITS)
            place.set_xticks(TICKS)
            place.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            place.xaxis.set_minor_locator(NullLocator())
            place.grid(alpha=0.3)
        for place in axes[len(clips) :]:
            place.axis("off")
        axes[len(clips)].legend(*axes[0].get_legend_handles_labels(), loc="center left", frameon=False)
        bench.save(figure, path)
