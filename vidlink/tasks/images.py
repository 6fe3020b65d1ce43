"""Super-resolution on images: what ``--task sr`` does for restorers of single pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.tasks.task import versions, without_folder

if TYPE_CHECKING:
    import argparse

    import torch
    from torch import Tensor, nn

    from vidlink.training.disturb import Mix
    from vidlink.training.loop import Training
    from vidlink.training.restore import Scores
    from vidlink.training.superresolution import SRSettings

PATCH = {"twin": 32}
"""Default side of a patch for restorers that have one of their own."""
GRID = {"residual": 2}
"""What the side of a patch must be a multiple of."""


def check_images(options: argparse.Namespace) -> None:
    """Refuse wrong options of training on images; raises UserError."""
    low, high = options.least, options.scale
    if high == 1 and not options.disturb:
        raise UserError("--scale 1: takes no detail; give a factor above 1, or what else goes wrong as --disturb")
    if options.network == "espcn" and (low != high or high != int(high) or high < 2):
        raise UserError(f"--scale {high:g}: espcn takes whole scale factors, one, from 2")
    linked = low != high or _mix(options) is not None
    if linked and options.resampling == "literature":
        raise UserError(
            "--resampling literature: is for one scale factor and nothing else that goes wrong; leave it out"
        )
    options.resampling = options.resampling or ("link" if linked else "literature")
    _patch(options)


def _patch(options: argparse.Namespace) -> int:
    """Side of a patch in pixels."""
    grid = int(options.scale) if options.network == "espcn" else GRID.get(options.network, 1)
    side = PATCH.get(options.network, 48 // grid * grid) if options.patch is None else options.patch
    if side < 17 or side % grid:
        raise UserError(f"--patch {side}: at least 17 pixels, and a multiple of {grid} for {options.network}")
    return int(side)


def _mix(options: argparse.Namespace) -> Mix | None:
    """What ``--disturb`` names, or None."""
    from vidlink.training.disturb import parse_mix

    return parse_mix(options.disturb) if options.disturb else None


def train_on_images(
    options: argparse.Namespace, restorer: nn.Module, *, device: torch.device
) -> tuple[dict[str, Tensor], dict[str, Any], Training]:
    """Train, or go on; the weights, the card, and the run, which is not finished yet."""
    from vidlink.data.images import load_images
    from vidlink.report.curves import write_curves
    from vidlink.training.loop import Training
    from vidlink.training.restore import score_restorer
    from vidlink.training.superresolution import RestorerLearner

    settings, mix = _settings(options), _mix(options)
    images, valid = load_images(options.data), load_images(options.valid) if options.valid else {}
    learner = RestorerLearner(restorer, list(images.values()), settings, valid=valid, device=device, disturb=mix)
    checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
    run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
    weights = run.fit(learner)["weights"]
    scores = score_restorer(restorer, valid, options.scale, device=device, disturb=mix)
    write_curves(options.out.with_suffix(".png"), run.log, unit="step")
    return weights, _card(options, settings, len(images), scores), run


def evaluate_on_images(
    options: argparse.Namespace, restorer: nn.Module, scale: float, *, trained: float, device: torch.device
) -> tuple[Scores, dict[str, Any]]:
    """Score on the images that ``--data`` names: the rows, and what else goes into the JSON file."""
    from vidlink.data.images import load_images
    from vidlink.training.restore import score_restorer

    if options.quality is not None:
        raise UserError(f"--quality {options.quality:g}: {options.weights} restores single pictures, uncoded")
    if scale != trained and getattr(restorer, "takes_lr", False):
        raise UserError(f"--scale {scale:g}: {options.weights} restores at {trained:g} and at no other scale factor")
    mix = _mix(options)
    if scale == 1 and mix is None:
        raise UserError("--scale 1: takes no detail; give a factor above 1, or what else goes wrong as --disturb")
    about = {"disturb": options.disturb} if mix else {}
    images = load_images(options.data)
    return score_restorer(restorer.to(device), images, scale, device=device, disturb=mix), about


def _settings(options: argparse.Namespace) -> SRSettings:
    """What decides the result."""
    from vidlink.training.superresolution import SRSettings

    return SRSettings(
        network=options.network,
        width=options.width,
        data=without_folder(options.data),
        scales=(options.least, options.scale),
        resampling=options.resampling,
        disturb=options.disturb or "",
        steps=options.steps,
        batch=options.batch,
        side=_patch(options),
        learning_rate=options.learning_rate,
        seed=options.seed,
    )


def _card(options: argparse.Namespace, settings: SRSettings, count: int, scores: Scores) -> dict[str, Any]:
    from vidlink.training.restore import mean_psnr_db

    mean = {key: round(mean_psnr_db(scores, key), 3) for key in ("psnr_db", "bicubic_db")} if scores else {}
    return {
        "task": "sr",
        **asdict(settings),
        "images": count,
        "valid": Path(options.valid.partition(":")[2]).name if options.valid else None,
        "valid_mean": mean,
        "valid_scores": scores,
        "versions": versions(),
    }
