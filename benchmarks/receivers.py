"""Train the receivers that ``benchmarks/rate_accuracy.py`` compares, all alike.

One network (``residual``), one start a seed (five epochs of full-size faces), then four epochs each: ``hr`` on
full-size faces, ``lr-S`` on faces at factor S, ``mix`` on all factors. The same faces, steps, rates and share of coded
faces (0.4) for all; no teacher, no super-resolution. ``mix-uncoded`` learns as ``mix`` does, without coded faces.
Nothing is learned from a face that is nearly a validation face, and the best epoch is chosen by faces of the training
split (:mod:`vidlink.data.apart`).

A killed training goes on where it stopped, and what is trained is not trained again. The weights are kept in half
precision; the table is scored with them.

Figures
-------
REGIME/valence|arousal/s-S
    CCC on the validation split at scale factor S, without a codec, the mean over the seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import torch
from rate_accuracy_ways import RECEIVERS
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from trainings import add_flags, ccc_of, make_quick, pair, score, train_once

from vidlink.command import run_command
from vidlink.data.faces import load_faces
from vidlink.files.whole import write_whole
from vidlink.labels.affect import AFFECT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torch import Tensor

REGIMES = ("mix", "hr", "lr-1.5", "lr-2", "lr-3", "lr-4", "mix-uncoded")
START_EPOCHS, EPOCHS = 5, 4
CODED = 0.4
"""Share of the faces that are coded."""
SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="drawn faces, a tiny network: shows that everything runs, not who wins")
    add_flags(parser, "results/receivers", width=32)
    add = parser.add_argument
    add("--out", type=Path, default=RECEIVERS, metavar="FOLDER", help="weights in half precision (%(default)s)")
    add("--regimes", default=",".join(REGIMES), help="(%(default)s)")
    options = parser.parse_args(arguments)
    make_quick(options)
    if options.quick:
        options.out = options.work / "half"
    return options


def words_of(options: argparse.Namespace, regime: str, seed: int) -> list[str]:
    """What ``vidlink train`` is told for a regime; ``start`` is what the others begin with."""
    begins = regime == "start"
    words = ["--regime", "hr" if begins else regime.removesuffix("-uncoded")]
    words += ["--codec-aware", "0" if regime == "mix-uncoded" else str(CODED)]
    words += ["--epochs", str(START_EPOCHS if begins else EPOCHS), "--learning-rate", "2e-3" if begins else "1e-3"]
    return words if begins else [*words, "--start", str(options.work / f"start-{seed}.safetensors")]


def keep(path: Path, folder: Path) -> Path:
    """Write weights in half precision, and their card, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with safe_open(path, "pt") as file:
        about = file.metadata()
        tensors = {name: _half(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    kept = folder / path.name
    if kept.exists() and _same(load_file(kept), tensors):
        return kept  # written again, its bytes might be in another order
    write_whole(kept, lambda partial: save_file(tensors, partial, about))
    card = path.with_suffix(".json").read_text(encoding="utf-8")
    write_whole(kept.with_suffix(".json"), lambda partial: partial.write_text(card, encoding="utf-8"))
    return kept


def _same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def _half(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float16) if tensor.is_floating_point() else tensor


def main() -> None:
    """Train what is missing, keep it, score it, and write the JSON."""
    options = parse()
    rows: list[dict[str, Any]] = []
    faces = load_faces(options.data, "valid")
    for seed in bench.read_seeds("--seeds", options.seeds):
        train_once(options, "start", seed, words_of(options, "start", seed))
        for regime in options.regimes.split(","):
            kept = keep(train_once(options, regime, seed, words_of(options, regime, seed)), options.out)
            rows.append({"regime": regime, "seed": seed, "scores": score(kept, faces, SCALES)})
    found: dict[tuple[str, float], list[tuple[float, float]]] = {}
    for row in rows:
        for scale in SCALES:
            found.setdefault((row["regime"], scale), []).append(ccc_of(row["scores"], scale))
    figures: dict[str, float | None] = {
        f"{regime}/{name}/s-{scale:g}": sum(each[k] for each in pairs) / len(pairs)
        for (regime, scale), pairs in found.items()
        for k, name in enumerate(AFFECT)
    }
    regimes = dict.fromkeys(row["regime"] for row in rows)
    lines = [[regime, *(pair(found[regime, scale]) for scale in SCALES)] for regime in regimes]
    print(bench.markdown(["CCC valence / arousal", *(f"s = {scale:g}" for scale in SCALES)], lines))
    bench.write_json(options.json, figures, rows=rows)


if __name__ == "__main__":
    run_command(main)
