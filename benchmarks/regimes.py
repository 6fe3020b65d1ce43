"""One model for every scale factor against models trained for one: the table of the training regimes.

Trains a network in each regime (``python -m vidlink.train``, one after another; a killed run goes on where it stopped,
and what is trained already is not trained again) and scores it on the validation split at each scale factor, without a
codec. A row ``lr-S`` holds at each factor S the network that was trained at S alone.

Figures
-------
REGIME/valence|arousal/s-S
    CCC on the validation split at scale factor S, the mean over the seeds.

``rows`` in the JSON has CC and CCC of each seed; ``settings`` what was trained.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
from matplotlib.figure import Figure

from vidlink import train
from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.labels.affect import AFFECT
from vidlink.report.style import BLACK, BLUE, FRAME, GREEN, GREY, ORANGE, SKY, VERMILION

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SCALES = ("1", "1.5", "2", "3", "4", "6")
ROWS = ("hr", "lr-S", "non-joint-S", "joint-S", "joint-S-from-6", "mix", "joint-oa")
"""Regimes in the order of the table."""
STYLES = {
    "hr": (GREY, ":", "o"),
    "lr-S": (ORANGE, "", "s"),
    "non-joint-S": (VERMILION, "", "v"),
    "joint-S": (BLUE, "", "D"),
    "joint-S-from-6": (SKY, "", "^"),
    "mix": (GREEN, "--", "x"),
    "joint-oa": (BLACK, "-", "P"),
}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    quick = "drawn faces, tiny networks: shows that everything runs, not who wins"
    parser = bench.flags(__doc__, quick=quick, figure=True)
    add = parser.add_argument
    add(
        "--data",
        default=f"ferplus:{bench.data('ferplus.zip') or 'ferplus.zip'}",
        metavar="KIND:PATH",
        help="faces (%(default)s)",
    )
    add("--sr-data", default=f"images:{bench.data('sr/T91') or 'sr/T91'}", metavar="images:PATH", help="(%(default)s)")
    add("--out", type=Path, default=Path("results/regimes"), metavar="FOLDER", help="weights and cards (%(default)s)")
    add("--rows", default=",".join(ROWS), help="regimes (%(default)s)")
    add("--dedicated", default="2,4,6", metavar="SCALES", help="factors of the regimes with an S (%(default)s)")
    add("--seeds", default="0", help="(%(default)s)")
    add("--epochs", type=int, default=4, help="(%(default)s)")
    add("--width", type=int, default=32, help="(%(default)s)")
    add("--batch", type=int, default=128, help="(%(default)s)")
    add("--learning-rate", type=float, default=2e-3, help="(%(default)s)")
    add("--sr-steps", type=int, default=1500, help="(%(default)s)")
    add("--device", default="auto", help="(%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    options = parser.parse_args(arguments)
    if options.quick:
        options.data, options.sr_data, options.dedicated = "generated:600", "", "4"
        options.epochs, options.batch, options.width, options.sr_steps = 4, 16, 8, 20
        options.out = options.out / "quick"
    return options


def regimes_of(row: str, dedicated: Sequence[str]) -> dict[str, str]:
    """The regimes that a row needs: one for all factors (under ``""``), or one a factor."""
    if "S" not in row:
        return {"": row}
    base = row.partition("-from-")[2]
    return {scale: row.replace("S", scale) for scale in dedicated if not base or float(scale) < float(base)}


def card_of(options: argparse.Namespace, regime: str, seed: int) -> dict[str, Any]:
    """Train a regime, or find it trained; its card."""
    path = options.out / f"{regime}-{seed}.safetensors"
    if path.with_suffix(".json").exists():
        return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    words = ["--regime", regime, "--data", options.data, "--out", str(path), "--seed", str(seed)]
    for name in ("epochs", "width", "batch", "learning_rate", "sr_steps", "device", "threads"):
        words += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    if options.sr_data:
        words += ["--sr-data", options.sr_data]
    print(f"{regime}, seed {seed}", file=sys.stderr)
    return train.run(words)


def score(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Train what is missing; a row for each regime, seed and scale factor."""
    dedicated = options.dedicated.split(",")
    rows = []
    for row in options.rows.split(","):
        for seed in bench.read_seeds("--seeds", options.seeds):
            for scale, regime in regimes_of(row, dedicated).items():
                scores = card_of(options, regime, seed)["valid_scores"]
                rows += [
                    {"row": row, "seed": seed, "scale": float(at), **scores[at]}
                    for at in scores
                    if not scale or float(at) == float(scale)
                ]
    return rows


def means(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[float]]:
    """CCC of every seed by row, dimension and scale factor."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        for dimension in AFFECT:
            found.setdefault((row["row"], dimension, f"{row['scale']:g}"), []).append(row["ccc"][dimension])
    return found


def markdown(rows: list[dict[str, Any]], score_name: str) -> str:
    """Lay one score out as a table: valence / arousal, and the spread over the seeds where there are several."""
    lines = []
    for name in dict.fromkeys(row["row"] for row in rows):
        cells = []
        for scale in SCALES:
            found = [row[score_name] for row in rows if row["row"] == name and row["scale"] == float(scale)]
            pair = []
            for dimension in AFFECT:
                values = [scores[dimension] for scores in found]
                spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
                pair.append(f"{sum(values) / len(values):.3f}{spread}" if values else "")
            cells.append(" / ".join(filter(None, pair)))
        lines.append([name, *cells])
    return bench.markdown([score_name.upper(), *(f"s = {scale}" for scale in SCALES)], lines)


def draw(rows: list[dict[str, Any]], path: Path, faces: str) -> None:
    """Draw CCC against the scale factor."""
    found = means(rows)
    with mpl.rc_context(FRAME):
        figure = Figure(figsize=(9, 3.8), layout="constrained", dpi=110)
        axes = figure.subplots(1, 2, sharey=True)
        for axis, dimension in zip(axes, AFFECT, strict=True):
            for name in dict.fromkeys(row["row"] for row in rows):
                points = [
                    (float(s), sum(v) / len(v)) for (row, d, s), v in found.items() if (row, d) == (name, dimension)
                ]
                colour, line, marker = STYLES.get(name, (BLACK, "-", "."))
                axis.plot(*zip(*sorted(points), strict=True), line, color=colour, marker=marker, label=name, ms=6)
            axis.set(title=dimension, xlabel="scale factor", xticks=[float(scale) for scale in SCALES])
            axis.set_xticklabels(SCALES)
            axis.grid(alpha=0.25)
        axes[0].set_ylabel("CCC")
        axes[0].legend(fontsize=8, frameon=False)
        figure.suptitle(f"{faces}, validation split, no codec", fontsize=10)
        bench.save(figure, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse(arguments)
    unknown = set(options.rows.split(",")) - set(ROWS)
    if unknown:
        raise UserError(f"--rows: {sorted(unknown)[0]!r} is none of {', '.join(ROWS)}")
    rows = score(options)
    print(markdown(rows, "ccc"), markdown(rows, "cc"), sep="\n\n")
    if options.figure:
        draw(rows, options.figure, options.data.partition(":")[0])
    figures = {f"{row}/{dimension}/s-{scale}": sum(v) / len(v) for (row, dimension, scale), v in means(rows).items()}
    settings = {name: getattr(options, name) for name in ("epochs", "width", "batch", "learning_rate", "sr_steps")}
    bench.write_json(options.json, figures, settings=settings, rows=rows)


if __name__ == "__main__":
    run_command(main)
