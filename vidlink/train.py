"""Train a recognizer: ``python -m vidlink.train --regime mix --data ferplus:PATH --out my.safetensors``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.command import Parser, run_command
from vidlink.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from vidlink.data.faces import FaceSet
    from vidlink.training.loop import Settings

REPORTED_SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Scale factors whose scores go into the card."""

DRAWN = 8000
"""Faces drawn for ``--generated``."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from vidlink.training.regimes import REGIMES

    names = [regime.name for regime in REGIMES]
    parser = Parser(prog="vidlink.train", description=__doc__.partition(":")[0] + ".")
    parser.add_argument("--regime", default="mix", metavar="|".join(names), help="what to train on (%(default)s)")
    parser.add_argument("--data", required=True, metavar="KIND:PATH", help="faces, for example ferplus:ferplus.zip")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.safetensors", help="weights to write")
    parser.add_argument("--split", default="train", help="split to train on (%(default)s)")
    parser.add_argument("--valid", default="valid", metavar="SPLIT", help="split to validate on (%(default)s)")
    parser.add_argument("--epochs", type=int, default=30, help="times each face is seen (%(default)s)")
    parser.add_argument("--batch", type=int, default=256, help="faces a step (%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="peak of the one-cycle rate (%(default)s)")
    parser.add_argument("--generated", type=float, default=0.0, metavar="SHARE", help="share of drawn faces in a batch")
    parser.add_argument("--start", type=Path, metavar="FILE.safetensors", help="weights to start from")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and degradations (%(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 for all")
    parser.add_argument("--overwrite", action="store_true", help="replace the weights at --out")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(arguments)


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Train, or go on with the run whose checkpoint lies beside ``options.out``; returns the card.

    The files beside the weights share their name: ``.csv`` the log, ``.json`` the card and, until the run is whole,
    ``.checkpoint``.

    Raises
    ------
    UserError
        Where options or data are wrong.
    """
    _check(options)
    # Threads that spin while they wait take the core from those they wait for wherever the machine is shared: with one
    # other busy process on two cores, training was three times as slow. Read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch

    from vidlink.data.faces import EMOTIONS, load_faces
    from vidlink.nets.recognition import RecognitionNet
    from vidlink.receiver.registry import find_device
    from vidlink.training.checkpoint import save_card, save_weights
    from vidlink.training.degrade import Degradation
    from vidlink.training.loop import Training, save_log
    from vidlink.training.regimes import find_regime

    regime = find_regime(options.regime)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = find_device(options.device)
    faces, valid = load_faces(options.data, options.split), load_faces(options.data, options.valid)
    settings = _settings(options, regime.name)
    degradation = Degradation(scales=regime.scales, coded=regime.coded)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        network = RecognitionNet(faces.images.shape[-1], outputs=2 + len(EMOTIONS))
    if options.start:
        from vidlink.receiver.affect import load_weights

        load_weights(network, options.start)
    generated = load_faces(f"generated:{DRAWN}", options.split) if options.generated else None
    run = Training(network, faces, settings, degradation, generated=generated, device=device)
    checkpoint = options.out.with_suffix(".checkpoint")
    if run.resume(checkpoint) and not options.quiet:
        print(f"going on after epoch {run.epoch}, from {checkpoint}", file=sys.stderr)
    about = {"regime": regime.name, "data": settings.data, "seed": str(settings.seed)}
    for _ in run.run(valid, checkpoint, quiet=options.quiet):
        save_log(options.out.with_suffix(".csv"), run.log)
    save_weights(options.out, run.average, about)
    card = _card(options, settings, faces, valid, run.validate(valid, REPORTED_SCALES))
    save_card(options.out.with_suffix(".json"), card)
    checkpoint.unlink(missing_ok=True)
    return card


def _check(options: argparse.Namespace) -> None:
    for name in ("epochs", "batch"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} {getattr(options, name)}: at least 1")
    if not options.learning_rate > 0:
        raise UserError(f"--learning-rate {options.learning_rate}: above 0")
    if not 0 <= options.generated <= 0.9:
        raise UserError(f"--generated {options.generated}: a share from 0 to 0.9")
    if options.out.suffix != ".safetensors":
        raise UserError(f"--out {options.out}: the name of a .safetensors file")
    if options.out.exists() and not options.overwrite:
        raise UserError(f"--out {options.out}: exists; --overwrite replaces it")


def _settings(options: argparse.Namespace, regime: str) -> Settings:
    import hashlib

    from vidlink.training.loop import Settings

    if options.start and not options.start.is_file():
        raise UserError(f"--start {options.start}: no such file")
    kind, _, path = options.data.partition(":")
    return Settings(
        regime=regime,
        data=f"{kind}:{Path(path).name}",
        epochs=options.epochs,
        batch=options.batch,
        learning_rate=options.learning_rate,
        generated=options.generated,
        seed=options.seed,
        start=hashlib.sha256(options.start.read_bytes()).hexdigest() if options.start else "",
    )


def _card(
    options: argparse.Namespace, settings: Settings, faces: FaceSet, valid: FaceSet, scores: dict[str, float]
) -> dict[str, Any]:
    from dataclasses import asdict
    from importlib.metadata import version

    import vidlink

    return {
        "recognizer": "affect",
        "network": "RecognitionNet",
        **asdict(settings),
        "started_from": _card_beside(options.start) if options.start else None,
        "split": {"train": options.split, "valid": options.valid},
        "faces": {"train": len(faces), "valid": len(valid)},
        "valid_scores": {
            f"{scale:g}": {
                score: {name: scores[f"{name}_{score}_s{scale:g}"] for name in ("valence", "arousal")}
                for score in ("cc", "ccc")
            }
            for scale in REPORTED_SCALES
        },
        "versions": {"vidlink": vidlink.__version__, **{name: version(name) for name in ("torch", "numpy")}},
    }


def _card_beside(weights: Path) -> Any:
    """Read the card of the weights that a run started from; their name where they have none."""
    import json

    try:
        return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return weights.name


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and print the scores on the validation split."""
    card = train(parse(arguments))
    for scale, scores in card["valid_scores"].items():
        print(f"s = {scale:>3}   CCC  valence {scores['ccc']['valence']:.3f}   arousal {scores['ccc']['arousal']:.3f}")


if __name__ == "__main__":
    run_command(main)
