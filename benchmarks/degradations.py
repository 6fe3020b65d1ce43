"""Restore and recognize what a bad camera gives: the table of the tutorials on low-quality recognition, on faces.

For each thing that goes wrong (low resolution, noise, salt and pepper, blur, occlusion, and mixes) four networks learn
from such faces and are scored on such faces, the same network with the same steps:

- ``LQ-a``: nothing is restored first (HQ is the same on good faces);
- ``LQ-a-non-joint``: the early layers learn to restore what goes wrong, and stay;
- ``LQ-a-joint``: they do, and are tuned with the rest, a tenth as fast;
- ``LQ-a-b-joint``: they learn to restore worse pictures (b) than those that are recognized (a).

After Cheng et al. (ACII 2017) and Liu et al., "Enhance visual recognition under adverse conditions via deep networks",
IEEE TIP 2019.

Figures
-------
WHAT/joint
    Mean CCC of valence and arousal of ``LQ-a-joint`` less that of ``LQ-a``, the mean over the seeds.
WHAT/aggressive
    The same of ``LQ-a-b-joint``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import bench
import torch
from trainings import add_flags, ccc_of, difference_cell, make_quick, pair, paired, score, train_once

from vidlink.command import run_command
from vidlink.data.faces import load_faces
from vidlink.training.disturb import disturb_images, parse_mix

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from vidlink.data.face_set import FaceSet


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """What goes wrong with the pictures that are recognized, and worse of it."""

    name: str
    recognized: str
    worse: str


DEGRADATIONS = (
    Degradation(name="low resolution", recognized="area:4", worse="area:6"),
    Degradation(name="noise", recognized="noise:0.1", worse="noise:0.2"),
    Degradation(name="salt and pepper", recognized="salt:0.15", worse="salt:0.3"),
    Degradation(name="blur", recognized="blur:2", worse="blur:3"),
    Degradation(name="occlusion", recognized="occlusion:0.2", worse="occlusion:0.35"),
    Degradation(name="low resolution and noise", recognized="area:3,noise:0.05", worse="area:4,noise:0.1"),
    Degradation(name="blur and occlusion", recognized="blur:1.5,occlusion:0.15", worse="blur:2.5,occlusion:0.25"),
)
WAYS = ("LQ-a", "LQ-a-non-joint", "LQ-a-joint", "LQ-a-b-joint")
RATES = {"LQ-a": "1", "LQ-a-non-joint": "0", "LQ-a-joint": "0.1", "LQ-a-b-joint": "0.1"}
"""Rate of the early layers."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="two of them, drawn faces, a tiny network: shows that everything runs")
    add_flags(parser, "results/degradations", width=16, epochs=1)
    parser.add_argument("--sr-steps", type=int, default=600, help="of restoring (%(default)s)")
    options = parser.parse_args(arguments)
    make_quick(options)
    if options.quick:
        options.epochs, options.sr_steps = 1, 20
    return options


def words_of(options: argparse.Namespace, what: Degradation, way: str) -> list[str]:
    """What ``vidlink train`` is told."""
    words = ["--regime", "hr", "--disturb", what.recognized, "--encoder-rate", RATES[way]]
    words += ["--epochs", str(options.epochs), "--learning-rate", "2e-3"]
    if way == "LQ-a":
        return words
    first = what.worse if way == "LQ-a-b-joint" else what.recognized
    return [*words, "--pretrain", first, "--sr-steps", str(options.sr_steps)]


def degraded(faces: FaceSet, what: str) -> FaceSet:
    """The faces after what goes wrong, the same for every network."""
    return replace(faces, images=disturb_images(faces.images, parse_mix(what), torch.Generator().manual_seed(0)))


def main() -> None:
    """Train what is missing, score, and write the JSON."""
    options = parse()
    seeds = bench.read_seeds("--seeds", options.seeds)
    faces = load_faces(options.data, "valid")
    plain = ["--regime", "hr", "--epochs", str(options.epochs), "--learning-rate", "2e-3"]
    good = [score(train_once(options, "hq", seed, plain), faces, (1.0,)) for seed in seeds]
    figures: dict[str, float | None] = {}
    lines, rows = [], []
    for what in DEGRADATIONS[: 2 if options.quick else None]:
        seen = degraded(faces, what.recognized)
        scores: dict[str, list[dict[str, Any]]] = {}
        for way in WAYS:
            name = f"{what.name.replace(' ', '-')}_{way}"
            for seed in seeds:
                weights = train_once(options, name, seed, words_of(options, what, way))
                scores.setdefault(way, []).append(score(weights, seen, (1.0,)))
        each = {way: [ccc_of(found, 1.0) for found in scores[way]] for way in WAYS}
        differences = {
            "joint": paired(each["LQ-a-joint"], each["LQ-a"]),
            "aggressive": paired(each["LQ-a-b-joint"], each["LQ-a"]),
        }
        figures |= {f"{what.name}/{name}": found["difference"] for name, found in differences.items()}
        cells = [*(pair(each[way]) for way in WAYS), *(difference_cell(found) for found in differences.values())]
        lines.append([f"{what.name} (`{what.recognized}`)", *cells])
        row = {"what": what.name, "recognized": what.recognized, "worse": what.worse}
        rows.append({**row, "scores": scores, "differences": differences})
    print(f"CCC valence / arousal, validation split, {len(seeds)} seed(s); HQ {pair([ccc_of(s, 1.0) for s in good])}\n")
    print(bench.markdown(["a", *WAYS, "joint less LQ-a", "a-b-joint less LQ-a"], lines))
    bench.write_json(options.json, figures, rows=rows, hq=good)


if __name__ == "__main__":
    run_command(main)
