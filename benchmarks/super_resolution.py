"""Two classic networks of super-resolution, trained on the 91 images and scored on Set5 at a factor of 3.

SRCNN (Dong et al., arXiv 1501.00092) and ESPCN (Shi et al., arXiv 1609.05158), by the commands that ``vidlink train``
has for everyone. What they reach says whether training and scoring do what the literature does; it says nothing about
faces or coded pictures. The images are the folders ``sr/T91`` and ``sr/Set5`` of ``VIDLINK_DATA``.

Figures
-------
bicubic
    PSNR of luma on Set5 in dB, mean over the images. The literature has 30.39.
srcnn, espcn
    The same of the networks, the mean over the seeds. SRCNN was published with 32.39 (9-1-5, the 91 images).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bench
import numpy as np

from vidlink import train
from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.training.restore import mean_psnr_db

STEPS = {"srcnn": (6000, 8), "espcn": (20_000, 16)}
"""Steps of each network, and patches a step."""
TARGETS = {"bicubic": "30.39", "srcnn": ">= 32.39"}


def trained(network: str, seed: int, words: list[str], work: Path) -> dict[str, Any]:
    """The card of a training, which is done once and goes on where it was killed."""
    card = work / f"{network}-{seed}.json"
    if not card.exists():
        out = ["--network", network, "--seed", str(seed), "--out", str(card.with_suffix(".safetensors"))]
        train.run(["--task", "sr", "--scale", "3", *out, *words])
    found: dict[str, Any] = json.loads(card.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Train what is missing, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="fifty steps: shows that everything runs")
    add = parser.add_argument
    add("--seeds", default="0,1", help="(%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    add("--work", type=Path, default=Path("results/super_resolution"), metavar="FOLDER", help="trainings (%(default)s)")
    options = parser.parse_args()
    learned, scored = bench.data("sr/T91"), bench.data("sr/Set5")
    if learned is None or scored is None:
        raise UserError("VIDLINK_DATA names no folder with sr/T91 and sr/Set5")
    seeds = bench.read_seeds("--seeds", options.seeds)
    work = options.work / "quick" if options.quick else options.work
    work.mkdir(parents=True, exist_ok=True)
    figures: dict[str, float | None] = {}
    lines, rows = [], []
    for network, (whole, batch) in STEPS.items():
        steps = 50 if options.quick else whole
        words = ["--data", f"images:{learned}", "--valid", f"images:{scored}", "--threads", str(options.threads)]
        words += ["--steps", str(steps), "--batch", str(batch)]
        scores = [trained(network, seed, words, work)["valid_scores"] for seed in seeds]
        each = [mean_psnr_db(found, "psnr_db") for found in scores]
        figures["bicubic"] = mean_psnr_db(scores[0], "bicubic_db")
        figures[network] = float(np.mean(each))
        lines.append([network, str(steps), *(f"{value:.2f}" for value in each)])
        rows += [{"network": network, "seed": seed, "scores": found} for seed, found in zip(seeds, scores, strict=True)]
    head = ["Set5 at x3, dB", "steps", *(f"seed {seed}" for seed in seeds)]
    print(bench.markdown(head, [["bicubic", "", *[f"{figures['bicubic']:.2f}"] * len(seeds)], *lines]))
    bench.report(figures, options.json, TARGETS, rows=rows)


if __name__ == "__main__":
    run_command(main)
