"""Trainings of the affect network that benchmarks compare: each done once, and scored on the validation split."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np

from vidlink import train
from vidlink.labels.affect import AFFECT
from vidlink.recognizers.recognize import load_recognizer
from vidlink.sweeping.intervals import interval
from vidlink.tasks.face_scores import score_faces

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from vidlink.data.face_set import FaceSet

Pair = tuple[float, float]
"""CCC of valence and arousal."""


def add_flags(parser: argparse.ArgumentParser, work: str, *, width: int, epochs: int | None = None) -> None:
    """The flags of benchmarks that train."""
    add = parser.add_argument
    ferplus = bench.data("ferplus.zip") or "ferplus.zip"
    add("--data", default=f"ferplus:{ferplus}", metavar="KIND:PATH", help="faces (%(default)s)")
    add("--work", type=Path, default=Path(work), metavar="FOLDER", help="trainings (%(default)s)")
    add("--seeds", default="0", help="(%(default)s)")
    add("--width", type=int, default=width, help="(%(default)s)")
    add("--batch", type=int, default=128, help="(%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    if epochs:
        add("--epochs", type=int, default=epochs, help="of each (%(default)s)")


def make_quick(options: argparse.Namespace) -> None:
    """Drawn faces and a tiny network where ``--quick`` is given."""
    if options.quick:
        options.data, options.width, options.batch = "generated:600", 8, 32
        options.work = options.work / "quick"


def train_once(options: argparse.Namespace, name: str, seed: int, words: Sequence[str]) -> Path:
    """Train, or find it trained; a killed training goes on where it stopped.

    Parameters
    ----------
    options
        With what :func:`add_flags` adds.
    name
        Of the file, before the seed.
    seed
        Of the training.
    words
        What ``vidlink train`` is told besides.

    Returns
    -------
    Path
        The weights; the card lies beside them.
    """
    path: Path = options.work / f"{name}-{seed}.safetensors"
    if path.with_suffix(".json").exists():
        return path
    common = ["--data", options.data, "--width", str(options.width), "--batch", str(options.batch)]
    common += ["--seed", str(seed), "--threads", str(options.threads), "--out", str(path)]
    print(f"{name}, seed {seed}: vidlink train {' '.join([*words, *common])}", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    train.run([*words, *common])
    return path


def score(weights: Path, faces: FaceSet, scales: Sequence[float]) -> dict[str, Any]:
    """CC and CCC of weights on faces, by scale factor; no codec."""
    recognizer = load_recognizer("affect", device="cpu", weights=weights)
    return {f"{row['scale']:g}": row for row in score_faces(recognizer, faces, list(scales))}


def pair(values: Sequence[Pair]) -> str:
    """Mean CCC of valence and arousal over seeds, as a cell of a table."""
    return " / ".join(f"{mean:.3f}" for mean in np.mean(values, axis=0)) if values else ""


def paired(ours: Sequence[Pair], theirs: Sequence[Pair]) -> dict[str, float]:
    """Difference of the mean CCC, seed by seed: mean and 95 % t interval (NaN with one seed)."""
    middle, low, high = interval(np.mean(ours, axis=1) - np.mean(theirs, axis=1))
    return {"difference": middle, "low": low, "high": high}


def difference_cell(found: dict[str, float]) -> str:
    """A difference with its interval, if it has one, as a cell of a table."""
    interval = f" [{found['low']:+.3f}, {found['high']:+.3f}]" if np.isfinite(found["low"]) else ""
    return f"{found['difference']:+.3f}{interval}"


def ccc_of(scores: dict[str, Any], scale: float) -> Pair:
    """CCC of valence and arousal at a scale factor."""
    found = scores[f"{scale:g}"]["ccc"]
    return found[AFFECT[0]], found[AFFECT[1]]
