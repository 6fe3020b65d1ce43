"""The figure of the paper that the receiver comes from, drawn anew: CC and CCC against bits per pixel at a factor of 4.

Cheng et al., "Robust emotion recognition from low quality and low bit rate video: A deep learning approach" (ACII 2017,
arXiv 1709.03126), send faces at a quarter of their size and compare four trainings of one network:

- ``lr-4``: on faces at that factor, nothing is restored first;
- ``non-joint-4``: the early layers learn super-resolution at 4, and stay;
- ``joint-4``: they do, and are tuned with the rest, a tenth as fast;
- ``joint-oa``, one for all: they learn super-resolution at 6, and all is tuned on every factor from 1 to 6 (Max-Mix).

Here this is done with the paper's network (``recognition``, at twice the ``--width``) and with ours (``residual``),
each trained on the same faces with the same epochs, rate and share of coded faces; super-resolution comes on top, as in
the paper. Validation faces, and those nearly the same, are left out, and epochs are chosen by other faces. FER+ stands
in for the paper's videos, which need a licence. All networks look at the same decoded pictures: reels of validation
faces (:mod:`vidlink.data.reels`), at factor 4 with every frame, at several fixed qualities.

Figures
-------
NETWORK/REGIME
    Mean CCC of valence and arousal of ``joint-4``, ``non-joint-4`` or ``joint-oa`` less that of ``lr-4``, the mean over
    the qualities, seeds and clips. Intervals are over clips, of the mean over the seeds.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from panel import arguments
from rate_accuracy_points import make_clips, of_receiver
from rate_accuracy_ways import FULL
from trainings import add_flags, make_quick, train_once

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT
from vidlink.report.style import BLACK, BLUE, FAINT_GREY, FRAME, GREY, VERMILION
from vidlink.sweeping.curves import Curve, make_curves
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.intervals import jackknife

if TYPE_CHECKING:
    from collections.abc import Sequence

    Curves = dict[tuple[str, str, int], Curve]
    """By network, regime and seed."""

NETWORKS = {"recognition": "the paper's network", "residual": "our network"}
WIDER = {"recognition": 2, "residual": 1}
"""What ``--width`` is multiplied by, so that both take about as long."""
REGIMES = ("lr-4", "non-joint-4", "joint-4", "joint-oa")
QUALITIES = (20, 26, 32, 38, 44)
"""CRF of x264."""
CODED = 0.4
"""Share of the training faces that are coded, as of the receivers of ``rate_accuracy.py``."""
SCORES = tuple(f"{score}_{name}" for score in ("cc", "ccc") for name in AFFECT)
LOOKS = {"lr-4": (GREY, ":", "o"), "non-joint-4": (VERMILION, "--", "v"), "joint-4": (BLUE, "-", "D"),
         "joint-oa": (BLACK, "-.", "P")}  # fmt: skip


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="drawn faces, tiny networks: shows that everything runs", figure=True)
    add_flags(parser, "results/paper_figure", width=16, epochs=4)
    add = parser.add_argument
    add("--networks", default=",".join(NETWORKS), help="(%(default)s)")
    add("--sr-data", default=f"images:{bench.data('sr/T91') or 'sr/T91'}", metavar="images:PATH", help="(%(default)s)")
    add("--sr-steps", type=int, default=1500, help="of super-resolution (%(default)s)")
    add("--clips", type=int, default=10, help="reels (%(default)s)")
    options = parser.parse_args(arguments)
    make_quick(options)
    if options.quick:
        options.epochs, options.sr_steps, options.clips, options.sr_data = 1, 20, 2, ""
    for name in options.networks.split(","):
        if name not in NETWORKS:
            raise UserError(f"--networks {options.networks}: {name!r} is none of {', '.join(NETWORKS)}")
    return options


def words_of(options: argparse.Namespace, network: str, regime: str) -> list[str]:
    """What ``vidlink train`` is told."""
    words = ["--network", network, "--regime", regime, "--epochs", str(options.epochs), "--learning-rate", "2e-3"]
    words += ["--codec-aware", str(CODED), "--sr-steps", str(options.sr_steps)]
    return [*words, "--sr-data", options.sr_data] if options.sr_data else words


def wider(options: argparse.Namespace, network: str) -> argparse.Namespace:
    """The options with the width of a network."""
    return argparse.Namespace(**{**vars(options), "width": options.width * WIDER[network]})


def measure(options: argparse.Namespace, files: dict[str, Path], out: Path) -> pd.DataFrame:
    """Send each reel at each quality once, and let all networks look: a row for each of them."""
    plan = replace(FULL, clips=options.clips, seconds=3 if options.quick else FULL.seconds)
    clips = make_clips(options.data, "valid", plan, out / "reels", [0], files)
    seen = {"recognizer": "panel:Panel", "recognizer-arg": arguments(files, files), "recognize-every": plan.every}
    sent = {"scale": 4, "divisors": "1"}
    sweep = sweep_from({"settings": {**sent, **seen}, "grid": {"clip": clips, "quality": list(QUALITIES)}})
    points = list(sweep.make_points(Path()))
    table = bench.sweep_table(points, out / "sweep", cache_bytes=10**9, about={"benchmark": "paper_figure"})
    return pd.concat([of_receiver(table, name).assign(method=name) for name in files], ignore_index=True)


def gains(curves: Curves, networks: Sequence[str]) -> dict[str, dict[str, float]]:
    """What each regime has over ``lr-4``: mean over qualities and seeds, with the interval over clips."""
    found = {}
    for network in networks:
        own = {(regime, seed): curve for (name, regime, seed), curve in curves.items() if name == network}
        seeds = sorted({seed for _, seed in own})

        def worth(regime: str, own: dict[tuple[str, int], Curve] = own, seeds: list[int] = seeds) -> Any:
            return np.mean([own[regime, seed].values["ccc_mean"].mean(axis=1) for seed in seeds], axis=0)

        for regime in REGIMES[1:]:
            difference = worth(regime) - worth("lr-4")
            low, high = jackknife(float(difference[0]), difference[1:], "ccc_mean") if len(difference) > 2 else (
                float("nan"), float("nan"))  # fmt: skip
            found[f"{network}/{regime}"] = {"value": float(difference[0]), "low": float(low), "high": float(high)}
    return found


def points_of(curves: Curves) -> list[dict[str, Any]]:
    """A row a network, regime and quality: bits per pixel, and scores as the mean over the seeds."""
    rows = []
    for network, regime in dict.fromkeys(key[:2] for key in curves):
        own = [curve for key, curve in curves.items() if key[:2] == (network, regime)]
        for place, quality in enumerate(own[0].along):
            row: dict[str, Any] = {"network": network, "regime": regime, "quality": quality}
            for score in ("bpp", *SCORES):
                row[score] = float(np.mean([curve.estimate(score)[place] for curve in own]))
            rows.append(row)
    return rows


def table_of(rows: Sequence[dict[str, Any]]) -> str:
    """CCC of valence and arousal at each quality."""
    bpp = {row["quality"]: row["bpp"] for row in rows}
    lines = []
    for network, regime in dict.fromkeys((row["network"], row["regime"]) for row in rows):
        own = [row for row in rows if (row["network"], row["regime"]) == (network, regime)]
        lines.append([f"{network}, {regime}", *(f"{row['ccc_valence']:.3f} / {row['ccc_arousal']:.3f}" for row in own)])
    return bench.markdown(["CCC valence / arousal", *(f"CRF {q:g}, {bpp[q]:.4f} bpp" for q in sorted(bpp))], lines)


def draw(path: Path, curves: Curves, networks: Sequence[str]) -> None:
    """Draw a row a network, a panel a score; the area behind a line lies between the least and the largest seed."""
    with mpl.rc_context(FRAME):
        figure = Figure(figsize=(11.5, 2.9 * len(networks) + 0.5), layout="constrained", dpi=110)
        axes = figure.subplots(len(networks), len(SCORES), squeeze=False, sharex=True, sharey="row")
        for row, network in zip(axes, networks, strict=True):
            for axis, score in zip(row, SCORES, strict=True):
                for regime, (colour, line, marker) in LOOKS.items():
                    own = [curve for (name, one, _), curve in curves.items() if (name, one) == (network, regime)]
                    values, bpp = np.array([curve.estimate(score) for curve in own]), own[0].estimate("bpp")
                    axis.fill_between(bpp, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
                    axis.plot(bpp, values.mean(0), line, color=colour, marker=marker, ms=5, label=regime)
                measure, _, dimension = score.partition("_")
                axis.set_title(f"{measure.upper()} {dimension}", fontsize=10)
                axis.set_xscale("log")
                axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.xaxis.set_minor_formatter(NullFormatter())
                axis.grid(color=FAINT_GREY)
            row[0].set_ylabel(NETWORKS[network])
        for axis in axes[-1]:
            axis.set_xlabel("payload (bits per pixel)")
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
        bench.save(figure, path)


def main() -> None:
    """Train what is missing, send, look, print, draw, and write the JSON."""
    options = parse()
    networks = options.networks.split(",")
    seeds = bench.read_seeds("--seeds", options.seeds)
    files = {
        f"{network}-{regime}-{seed}": train_once(
            wider(options, network), f"{network}-{regime}", seed, words_of(options, network, regime)
        )
        for network in networks
        for regime in REGIMES
        for seed in seeds
    }
    by_name = make_curves(measure(options, files, options.work.absolute()), "method", "quality")
    curves = {
        (network, regime, seed): by_name[f"{network}-{regime}-{seed}"]
        for network in networks
        for regime in REGIMES
        for seed in seeds
    }
    rows = points_of(curves)
    print(table_of(rows))
    found = gains(curves, networks)
    for name, gain in found.items():
        print(f"{name:<28} {gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]")
    if options.figure:
        draw(options.figure, curves, networks)
    settings = {name: getattr(options, name) for name in ("epochs", "width", "seeds", "sr_steps", "clips")}
    figures = {name: gain["value"] for name, gain in found.items()}
    bench.write_json(options.json, figures, settings=settings, intervals=found, rows=rows)


if __name__ == "__main__":
    run_command(main)
