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

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import torch
from rate_accuracy_points import RECEIVERS
from safetensors import safe_open
from safetensors.torch import save_file

from vidlink import train
from vidlink.command import run_command
from vidlink.data.faces import load_faces
from vidlink.files.whole import write_whole
from vidlink.labels.affect import AFFECT
from vidlink.recognizers.recognize import load_recognizer
from vidlink.tasks.face_scores import score_faces

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torch import Tensor

    from vidlink.data.face_set import FaceSet

REGIMES = ("mix", "hr", "lr-1.5", "lr-2", "lr-3", "lr-4", "mix-uncoded")
START_EPOCHS, EPOCHS = 5, 4
CODED = 0.4
"""Share of the faces that are coded."""
SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = bench.flags(__doc__, quick="drawn faces, a tiny network: shows that everything runs, not who wins")
    add = parser.add_argument
    ferplus = bench.data("ferplus.zip") or "ferplus.zip"
    add("--data", default=f"ferplus:{ferplus}", metavar="KIND:PATH", help="faces (%(default)s)")
    add("--work", type=Path, default=Path("results/receivers"), metavar="FOLDER", help="trainings (%(default)s)")
    add("--out", type=Path, default=RECEIVERS, metavar="FOLDER", help="weights in half precision (%(default)s)")
    add("--regimes", default=",".join(REGIMES), help="(%(default)s)")
    add("--seeds", default="0", help="(%(default)s)")
    add("--width", type=int, default=32, help="(%(default)s)")
    add("--batch", type=int, default=128, help="(%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    options = parser.parse_args(arguments)
    if options.quick:
        options.data, options.width, options.batch = "generated:600", 8, 32
        options.work, options.out = options.work / "quick", options.work / "quick" / "half"
    return options


def words_of(options: argparse.Namespace, regime: str, seed: int) -> list[str]:
    """The words of ``vidlink train`` for a regime; ``start`` is what the others begin with."""
    begins = regime == "start"
    coded = 0.0 if regime == "mix-uncoded" else CODED
    words = ["--regime", "hr" if begins else regime.removesuffix("-uncoded"), "--data", options.data]
    words += ["--width", str(options.width), "--batch", str(options.batch), "--codec-aware", str(coded)]
    words += ["--epochs", str(START_EPOCHS if begins else EPOCHS), "--learning-rate", "2e-3" if begins else "1e-3"]
    words += ["--seed", str(seed), "--threads", str(options.threads)]
    words += ["--out", str(options.work / f"{regime}-{seed}.safetensors")]
    return words if begins else [*words, "--start", str(options.work / f"start-{seed}.safetensors")]


def train_one(options: argparse.Namespace, regime: str, seed: int) -> Path:
    """Train a regime, or find it trained; its weights."""
    path: Path = options.work / f"{regime}-{seed}.safetensors"
    if not path.with_suffix(".json").exists():
        print(f"{regime}, seed {seed}: vidlink train {' '.join(words_of(options, regime, seed))}", file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        train.run(words_of(options, regime, seed))
    return path


def keep(path: Path, folder: Path) -> Path:
    """Write weights in half precision, and their card, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with safe_open(path, "pt") as file:
        about = file.metadata()
        tensors = {name: _half(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    kept = folder / path.name
    write_whole(kept, lambda partial: save_file(tensors, partial, about))
    card = path.with_suffix(".json").read_text(encoding="utf-8")
    write_whole(kept.with_suffix(".json"), lambda partial: partial.write_text(card, encoding="utf-8"))
    return kept


def _half(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float16) if tensor.is_floating_point() else tensor


def score(weights: Path, faces: FaceSet) -> dict[str, Any]:
    """CC and CCC of kept weights, by scale factor."""
    recognizer = load_recognizer("affect", device="cpu", weights=weights)
    return {f"{row['scale']:g}": row for row in score_faces(recognizer, faces, list(SCALES))}


def main() -> None:
    """Train what is missing, keep it, score it, and write the JSON."""
    options = parse()
    rows, faces = [], load_faces(options.data, "valid")
    for seed in map(int, options.seeds.split(",")):
        train_one(options, "start", seed)
        for regime in options.regimes.split(","):
            kept = keep(train_one(options, regime, seed), options.out)
            rows.append({"regime": regime, "seed": seed, "scores": score(kept, faces)})
    figures = {
        f"{regime}/{name}/s-{scale:g}": _mean(rows, regime, name, f"{scale:g}")
        for regime in dict.fromkeys(row["regime"] for row in rows)
        for name in AFFECT
        for scale in SCALES
    }
    lines = [
        [regime, *(" / ".join(f"{figures[f'{regime}/{name}/s-{scale:g}']:.3f}" for name in AFFECT) for scale in SCALES)]
        for regime in dict.fromkeys(row["regime"] for row in rows)
    ]
    print(bench.markdown(["CCC valence / arousal", *(f"s = {scale:g}" for scale in SCALES)], lines))
    bench.write_json(options.json, figures, rows=rows)


def _mean(rows: list[dict[str, Any]], regime: str, name: str, scale: str) -> float:
    found = [row["scores"][scale]["ccc"][name] for row in rows if row["regime"] == regime]
    return sum(found) / len(found)


if __name__ == "__main__":
    run_command(main)
