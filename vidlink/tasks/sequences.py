"""Super-resolution on clips: what ``--task sr`` does for restorers that look at several pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.tasks.task import check_least, versions, without_folder

if TYPE_CHECKING:
    import argparse

    import torch
    from torch import Tensor, nn

    from vidlink.training.loop import Training
    from vidlink.training.restore import Scores
    from vidlink.training.sequences import Through
    from vidlink.training.temporal_sr import ClipSettings

NETWORKS = ("temporal",)
"""Restorers that learn from clips."""
SIDE = 96
"""Default side of a patch in pixels."""
SCORED = 20
"""Pictures of each held-out clip that are scored."""
TRAIN, VALID = "train", "valid"
"""Splits of the folder of clips."""


def check_clips(options: argparse.Namespace) -> None:
    """Refuse wrong options of training on clips; raises UserError."""
    check_least(options, patches=8)
    if options.resampling == "literature":
        raise UserError("--resampling literature: clips lose their detail as on this project's link; leave it out")
    if options.disturb:
        raise UserError(f"--disturb {options.disturb}: is for restorers of single pictures; leave it out")
    path = Path(options.data.partition(":")[2]).expanduser()
    if path.is_file() and not options.valid:
        raise UserError(f"--data {options.data}: one clip, and none to score on; give a folder of clips, or --valid")
    side = options.patch or SIDE
    if side < 32 or side % 4:
        raise UserError(f"--patch {side}: at least 32 pixels, and a multiple of 4 for {options.network}")


def train_on_clips(
    options: argparse.Namespace, restorer: nn.Module, *, device: torch.device
) -> tuple[dict[str, Tensor], dict[str, Any], Training]:
    """Train, or go on; the weights, the card, and the run, which is not finished yet.

    Clips of the split ``train`` of ``--data`` are learned from, those of ``valid`` are scored on, or all of ``--valid``
    """
    from vidlink.data.sequences import load_sequences
    from vidlink.data.videos import ALL
    from vidlink.report.curves import write_curves
    from vidlink.training.loop import Training
    from vidlink.training.sequences import score_windows
    from vidlink.training.temporal_sr import ClipLearner

    settings, through = _settings(options), through_of(options)
    clips = load_sequences(options.data, TRAIN)
    valid = load_sequences(options.valid, ALL) if options.valid else load_sequences(options.data, VALID)
    learner = ClipLearner(restorer, clips, settings, through, valid=valid, device=device)  # type: ignore[arg-type]
    checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
    run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
    weights = run.fit(learner)["weights"]
    scores = score_windows(
        restorer.cpu(), valid, through, scale=options.scale, frames=learner.network.frames, count=SCORED,
        still=settings.still,
    )  # fmt: skip
    write_curves(options.out.with_suffix(".png"), run.log, unit="step")
    return weights, _card(settings, list(clips), scores), run


def evaluate_on_clips(options: argparse.Namespace, restorer: nn.Module, scale: float) -> tuple[Scores, dict[str, Any]]:
    """Score on the clips that ``--data`` names, all of them: the rows, and what else goes into the JSON file."""
    from vidlink.data.sequences import load_sequences
    from vidlink.data.videos import ALL
    from vidlink.training.sequences import score_windows

    if options.disturb:
        raise UserError(f"--disturb {options.disturb}: is for restorers of single pictures; leave it out")
    clips = load_sequences(options.data, ALL)
    frames: Any = restorer.frames
    how = {"scale": scale, "quality": options.quality, "frames": frames, "count": SCORED}
    return score_windows(restorer, clips, through_of(options), **how), {"quality": options.quality}


def through_of(options: argparse.Namespace) -> Through:
    """What clips go through."""
    from vidlink.codec.shelf import load_codec
    from vidlink.training.coded import useful_range
    from vidlink.training.sequences import Through

    codec = load_codec(options.codec)
    best, worst = useful_range(codec.quality)
    middle = (best + worst) / 2  # beyond it little is left that could be restored
    scales = (getattr(options, "least", None) or 1.0, options.scale or 1.0)
    return Through(codec=codec, scales=scales, quality=(best, codec.quality.rounded(middle)))


def _settings(options: argparse.Namespace) -> ClipSettings:
    """What decides the result."""
    from vidlink.training.temporal_sr import ClipSettings

    return ClipSettings(**learned_from(options), width=options.width, side=options.patch or SIDE)


def learned_from(options: argparse.Namespace) -> dict[str, Any]:
    """What decides the result of every training on clips, by the names of its settings."""
    through = through_of(options)
    return {
        "network": options.network,
        "data": without_folder(options.data),
        "scales": through.scales,
        "codec": options.codec,
        "quality": through.quality,
        "patches": options.patches,
        "steps": options.steps,
        "batch": options.batch,
        "learning_rate": options.learning_rate,
        "seed": options.seed,
    }


def _card(settings: ClipSettings, clips: list[str], scores: Scores) -> dict[str, Any]:
    from vidlink.training.restore import mean_psnr_db

    return {
        "task": "sr",
        **asdict(settings),
        "clips": clips,
        "valid": [row["image"] for row in scores],
        "valid_mean": {key: round(mean_psnr_db(scores, key), 3) for key in ("psnr_db", "bicubic_db")},
        "valid_scores": scores,
        "versions": versions(),
    }
