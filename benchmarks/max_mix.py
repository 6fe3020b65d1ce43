"""Whether it pays to let the early layers learn super-resolution first, and to tune them slowly (Max-Mix).

Every network learns from faces at all factors from 1 to 6 (the regime ``mix``), with the same steps, rates and share of
coded faces. They differ in where they begin (chance, or weights that learned from full-size faces), in what the early
layers learn to restore before (nothing, factor 6, factors 1 to 6), and in the rate of the early layers against that of
the others (1, or 0.1 as in Cheng et al., ACII 2017). Each is compared with the one that begins alike, restores nothing
and has rate 1: the difference of the mean CCC over valence, arousal and the factors, seed by seed, with a t interval.
All have the same layers, so what restores nothing says whether it is just more parameters.

Figures
-------
BEGIN/RESTORES/RATE
    That difference, the mean over the seeds; positive where it pays.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
from trainings import add_flags, ccc_of, difference_cell, make_quick, pair, paired, score, train_once

from vidlink.command import run_command
from vidlink.data.faces import load_faces

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

BEGINS, RESTORES, RATES = ("random", "hr"), ("none", "6", "1-6"), ("1", "0.1")
PLAIN = ("none", "1")
"""What the others are compared with."""
SCALES = (1.0, 2.0, 3.0, 4.0, 6.0)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="drawn faces, a tiny network: shows that everything runs, not who wins")
    add_flags(parser, "results/max_mix", width=16, epochs=3)
    add = parser.add_argument
    add("--start-epochs", type=int, default=3, help="of full-size faces, for what begins so (%(default)s)")
    add("--sr-steps", type=int, default=600, help="of restoring (%(default)s)")
    add("--codec-aware", default="0.4", metavar="SHARE", help="(%(default)s)")
    options = parser.parse_args(arguments)
    make_quick(options)
    if options.quick:
        options.epochs, options.start_epochs, options.sr_steps = 1, 1, 20
    return options


def words_of(options: argparse.Namespace, begins: str, restores: str, rate: str, seed: int) -> list[str]:
    """What ``vidlink train`` is told."""
    words = ["--regime", "mix", "--codec-aware", options.codec_aware, "--encoder-rate", rate]
    words += ["--epochs", str(options.epochs), "--learning-rate", "2e-3" if begins == "random" else "1e-3"]
    if begins == "hr":
        words += ["--start", str(options.work / f"start-{seed}.safetensors")]
    return words if restores == "none" else [*words, "--pretrain", restores, "--sr-steps", str(options.sr_steps)]


def main() -> None:
    """Train what is missing, score, compare, and write the JSON."""
    options = parse()
    faces = load_faces(options.data, "valid")
    seeds = bench.read_seeds("--seeds", options.seeds)
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for seed in seeds:
        start = ["--regime", "hr", "--codec-aware", options.codec_aware, "--epochs", str(options.start_epochs)]
        train_once(options, "start", seed, [*start, "--learning-rate", "2e-3"])
        for begins, restores, rate in product(BEGINS, RESTORES, RATES):
            words = words_of(options, begins, restores, rate, seed)
            weights = train_once(options, f"{begins}_{restores}_{rate}", seed, words)
            found.setdefault((begins, restores, rate), []).append(score(weights, faces, SCALES))
    figures: dict[str, float | None] = {}
    lines, rows = [], []
    for (begins, restores, rate), scores in found.items():
        cells = [pair([ccc_of(each, scale) for each in scores]) for scale in SCALES]
        ours, theirs = (_means(found[begins, *which]) for which in ((restores, rate), PLAIN))
        difference = paired(ours, theirs)
        name = f"{begins}/{restores}/{rate}"
        if (restores, rate) != PLAIN:
            figures[name] = difference["difference"]
            cells.append(difference_cell(difference))
        lines.append([begins, restores, rate, *cells])
        rows.append({"begins": begins, "restores": restores, "rate": rate, "scores": scores, **difference})
    head = ["begins with", "restores first", "early layers", *(f"s = {scale:g}" for scale in SCALES), "against plain"]
    print(f"CCC valence / arousal, validation split, {len(seeds)} seed(s)\n")
    print(bench.markdown(head, [line + [""] * (len(head) - len(line)) for line in lines]))
    bench.write_json(options.json, figures, rows=rows)


def _means(scores: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """Mean CCC over the factors, of each seed."""
    each = [np.mean([ccc_of(found, scale) for scale in SCALES], axis=0) for found in scores]
    return [(float(valence), float(arousal)) for valence, arousal in each]


if __name__ == "__main__":
    run_command(main)
