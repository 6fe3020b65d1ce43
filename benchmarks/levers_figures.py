"""What the benchmark of single levers makes of its points: figures, table, drawing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bench
import numpy as np
from matplotlib.figure import Figure

from vidlink.sweeping.intervals import interval

Point = dict[str, Any]
"""What of a run is of interest."""
Sides = tuple[dict[str, Any], dict[str, Any]]
"""Settings without a lever, and with it."""


def word_for(settings: dict[str, Any]) -> str:
    """A word for settings: which frames, the recipe, the filter."""
    words = [settings["frames"], Path(settings.get("codec", "x264")).stem, settings.get("filter", "")]
    return "+".join(word for word in words if word)


def pairs(points: dict[str, Point], sides: Sides) -> dict[tuple[str, int], tuple[Point, Point]]:
    """By source and budget: the point without a lever, and with it."""
    found: dict[tuple[str, int], list[Point]] = {}
    for side in sides:
        for key, point in points.items():
            source, rate, way = key.rsplit(" ", 2)
            if way == word_for(side):
                found.setdefault((source, int(rate)), []).append(point)
    return {place: (both[0], both[1]) for place, both in found.items() if len(both) == 2}


def gains(both: dict[tuple[str, int], tuple[Point, Point]], key: str) -> dict[tuple[str, int], float]:
    """Mean of the dimensions, with a lever minus without it, by reel and budget."""
    return {
        place: float(np.mean(b[key]) - np.mean(a[key])) for place, (a, b) in both.items() if place[0].startswith("reel")
    }


def compare(points: dict[str, Point], sides: dict[str, Sides]) -> dict[str, float | None]:
    """The figures."""
    figures: dict[str, float | None] = {}
    for name, each in sides.items():
        both = pairs(points, each)
        for key in ("ccc", "changing"):
            found = gains(both, key)
            reels = sorted({source for source, _ in found})
            if reels:
                of_reels = [[value for (source, _), value in found.items() if source == reel] for reel in reels]
                figures |= bench.estimate(f"{name}_{key}", [float(np.mean(each)) for each in of_reels])
        clips = [pair for (source, _), pair in both.items() if not source.startswith("reel")]
        if clips:
            figures[f"{name}_psnr_db"] = float(np.mean([b["psnr_db"] - a["psnr_db"] for a, b in clips]))
            figures[f"{name}_error"] = math.exp(float(np.mean([np.log(b["error"] / a["error"]) for a, b in clips])))
        if both:
            ratios = [b["encode_cpu_s"] / a["encode_cpu_s"] for a, b in both.values()]
            figures[f"{name}_cpu"] = math.exp(float(np.mean(np.log(ratios))))
    return figures


def show(points: dict[str, Point], sides: dict[str, Sides]) -> None:
    """Print reels by lever and budget, and every pair of clips."""
    rows = []
    for name, each in sides.items():
        both = pairs(points, each)
        for rate in sorted({rate for _, rate in both}):
            here = {place: pair for place, pair in both.items() if place[1] == rate}
            found, moving = gains(here, "ccc"), gains(here, "changing")
            if found:
                a, b = (
                    np.mean([np.mean(pair[side]["ccc"]) for (s, _), pair in here.items() if s[:4] == "reel"])
                    for side in (0, 1)
                )
                error = np.std(list(found.values()), ddof=1) / math.sqrt(len(found)) if len(found) > 1 else math.nan
                gain, change = np.mean(list(found.values())), np.mean(list(moving.values()))
                rows.append(
                    [
                        name,
                        f"{len(found)} reels",
                        f"{rate // 1000}k",
                        f"{a:.3f} → {b:.3f}",
                        f"{gain:+.3f} ± {error:.3f}",
                        f"{change:+.3f}",
                        "",
                        "",
                    ]
                )
            for (source, _), (a, b) in here.items():
                if not source.startswith("reel"):
                    agreement = " → ".join(f"{np.mean(p['agreement']):.3f}" for p in (a, b))
                    psnr = f"{a['psnr_db']:.2f} → {b['psnr_db']:.2f}"
                    rows.append(
                        [
                            name,
                            source,
                            f"{rate // 1000}k",
                            agreement,
                            f"{np.mean(b['agreement']) - np.mean(a['agreement']):+.3f}",
                            "",
                            psnr,
                            f"{a['error']:.3f} → {b['error']:.3f}",
                        ]
                    )
    head = ["lever", "source", "budget", "CCC", "gain", "gain where labels change", "PSNR (dB)", "error"]
    print(bench.markdown(head, rows))
    print()


def draw(points: dict[str, Point], sides: dict[str, Sides], path: Path) -> None:
    """The gain on reels by budget with its 95 % interval, and the error on clips, lever by lever."""
    figure = Figure(figsize=(9, 3.6), layout="constrained", dpi=110)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.2])
    for number, (name, each) in enumerate(sides.items()):
        both = pairs(points, each)
        found = gains(both, "ccc")
        for place, rate in enumerate(sorted({rate for _, rate in found})):
            values = np.array([value for (_, at), value in found.items() if at == rate])
            x, (middle, low, high) = place + 0.13 * (number - (len(sides) - 1) / 2), interval(values)
            left.errorbar(
                x, middle, [[middle - low], [high - middle]], fmt="o", color=f"C{number}", markersize=4, capsize=2
            )
        clips = {place: pair for place, pair in both.items() if not place[0].startswith("reel")}
        heights = [b["error"] / a["error"] for a, b in clips.values()]
        right.plot(range(len(heights)), heights, "o", color=f"C{number}", label=name, markersize=5)
        names = [f"{source}, {rate // 1000}k" for source, rate in clips]
        right.set_xticks(range(len(clips)), names, fontsize=8, rotation=40, ha="right")
    rates = sorted({int(key.rsplit(" ", 2)[1]) for key in points if key.startswith("reel")})
    left.set_xticks(range(len(rates)), [f"{rate // 1000}k" for rate in rates])
    left.set(xlabel="budget, reels", ylabel="gain of mean CCC")
    right.set(ylabel="error with the lever / without it")
    right.set_yscale("log")
    right.set_yticks([0.5, 0.7, 1, 1.4], ["0.5", "0.7", "1", "1.4"])
    right.minorticks_off()
    for axes, line in ((left, 0), (right, 1)):
        axes.axhline(line, color="0.4", linewidth=0.8)
        axes.grid(alpha=0.3)
    handles, names = right.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=9)
    bench.save(figure, path)
