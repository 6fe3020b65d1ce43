"""Super-resolution: ``--task sr``, restorers on folders of images."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.parser import Parser
from vidlink.tasks.task import (
    Task,
    add_machine,
    add_out,
    add_run,
    check_folder,
    check_least,
    check_out,
    versions,
    without_folder,
)

if TYPE_CHECKING:
    import argparse

    from vidlink.training.restore import Scores
    from vidlink.training.superresolution import SRSettings

PATCH = {"twin": 32}
"""Default side of a patch for restorers that have one of their own."""


class SuperResolutionTask(Task):
    """Restorers: what a scale factor took, they give back."""

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train --task sr``."""
        from vidlink.nets.build import RESTORERS

        parser = Parser(prog="vidlink.train --task sr", description="Train a restorer on a folder of images.")
        add = parser.add_argument
        add("--network", default="srcnn", metavar="|".join(RESTORERS.known()), help="(%(default)s)")
        add("--width", type=int, default=48, help="channels of the first layer of residual and twin (%(default)s)")
        add("--scale", type=float, default=3.0, help="scale factor (%(default)g)")
        add("--data", required=True, metavar="images:PATH", help="images to learn from, for example images:T91")
        add("--valid", metavar="images:PATH", help="images to score on as training goes on")
        add_out(parser)
        add("--resampling", default="literature", choices=("literature", "link"), help="what takes the detail: "
            "antialiased bicubic, or area down, 8 bits and bicubic up as on this "
            "project's link (%(default)s)")  # fmt: skip
        add("--steps", type=int, default=20_000, help="steps of gradient descent (%(default)s)")
        add("--batch", type=int, default=16, help="patches a step (%(default)s)")
        add("--patch", type=int, metavar="PIXELS", help="side of a HR patch (about 48; 32 for twin)")
        add("--learning-rate", type=float, default=1e-3, help="peak of the one-cycle rate (%(default)s)")
        add("--seed", type=int, default=0, help="of weights and patches (%(default)s)")
        add_run(parser)
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        check_least(options, steps=1, batch=1, width=1)
        if not 0 < options.learning_rate < math.inf:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        _check_scale(options.scale)
        if options.network == "espcn" and options.scale != int(options.scale):
            raise UserError(f"--scale {options.scale:g}: espcn takes whole scale factors")
        check_out(options)
        _patch(options)

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; returns the card."""
        import torch

        from vidlink.data.images import load_images
        from vidlink.nets.build import build_restorer
        from vidlink.nets.weights import Header
        from vidlink.recognizers.registry import find_device
        from vidlink.report.curves import write_curves
        from vidlink.training.checkpoint import save_results
        from vidlink.training.loop import Training
        from vidlink.training.restore import score_restorer
        from vidlink.training.superresolution import RestorerLearner

        device, settings = find_device(options.device), _settings(options)
        images, valid = load_images(options.data), load_images(options.valid) if options.valid else {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            restorer = build_restorer(options.network, options.width, options.scale)
        learner = RestorerLearner(restorer, list(images.values()), settings, valid=valid, device=device)
        checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
        run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
        weights = run.fit(learner)["weights"]
        arguments = {"width": options.width, "scale": options.scale}
        header = Header(kind="restorer", network=options.network, arguments=arguments)
        card = _card(options, settings, len(images), score_restorer(restorer, valid, options.scale, device=device))
        write_curves(options.out.with_suffix(".png"), run.log, unit="step")
        save_results(options.out, weights, header.to_metadata(), card)
        run.finish()
        return card

    def report(self, card: dict[str, Any]) -> str:
        """PSNR, if there are images to score on."""
        return table(card["valid_scores"]) if card["valid_scores"] else ""

    def evaluation_parser(self) -> Parser:
        """Options of ``vidlink.evaluate --task sr``."""
        from vidlink.training.restore import __doc__ as protocol

        about = " ".join((protocol or "").partition("**Protocol.** ")[2].split())
        parser = Parser(prog="vidlink.evaluate --task sr", description="Score a restorer on images.", epilog=about)
        add = parser.add_argument
        add("--weights", required=True, type=Path, metavar="FILE.safetensors", help="from vidlink.train --task sr")
        add("--data", required=True, metavar="images:PATH", help="images to score on, for example images:Set5")
        add("--scale", type=float, help="scale factor (that of training)")
        add("--network", metavar="package.module:Class", help="that of the weights, where it is code of your own")
        add("--json", type=Path, metavar="FILE", help="also write the scores here")
        add_machine(parser)
        return parser

    def check_evaluation(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of evaluation."""
        check_folder(options.json, "--json ")

    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score a restorer on images."""
        from vidlink.data.images import load_images
        from vidlink.nets.weights import load_restorer
        from vidlink.recognizers.registry import find_device
        from vidlink.training.restore import mean_psnr_db, score_restorer

        device = find_device(options.device)
        restorer, trained = load_restorer(options.weights, own=options.network or "")
        scale = trained if options.scale is None else options.scale
        if scale != trained and getattr(restorer, "takes_lr", False):
            raise UserError(
                f"--scale {scale:g}: {options.weights} restores at {trained:g} and at no other scale factor"
            )
        _check_scale(scale)
        scores = score_restorer(restorer.to(device), load_images(options.data), scale, device=device)
        means = {key: mean_psnr_db(scores, key) for key in ("psnr_db", "bicubic_db")}
        return table(scores), {"data": options.data, "scale": scale, **means, "scores": scores}


def table(scores: Scores) -> str:
    """Lay the scores out for the terminal, a line an image and one for their mean."""
    from vidlink.training.restore import mean_psnr_db

    means = {"image": "mean", **{key: mean_psnr_db(scores, key) for key in ("psnr_db", "bicubic_db")}}
    wide = max(len("image"), *(len(row["image"]) for row in scores))
    lines = [f"{'image':<{wide}} {'bicubic':>8} {'restored':>9} {'gain':>6}   luma PSNR in dB"]
    for row in (*scores, means):
        gain = row["psnr_db"] - row["bicubic_db"]
        lines.append(f"{row['image']:<{wide}} {row['bicubic_db']:>8.2f} {row['psnr_db']:>9.2f} {gain:>+6.2f}")
    return "\n".join(lines)


def _check_scale(scale: float) -> None:
    if not 1 < scale <= 16:
        raise UserError(f"--scale {scale:g}: a scale factor above 1 and up to 16")


def _patch(options: argparse.Namespace) -> int:
    """Side of a patch in pixels."""
    grid = int(options.scale) if options.network == "espcn" else 1
    side = PATCH.get(options.network, 48 // grid * grid) if options.patch is None else options.patch
    if side < 17 or side % grid:
        raise UserError(f"--patch {side}: at least 17 pixels, and a multiple of the scale factor for espcn")
    return int(side)


def _settings(options: argparse.Namespace) -> SRSettings:
    """What decides the result."""
    from vidlink.training.superresolution import SRSettings

    return SRSettings(
        network=options.network,
        width=options.width,
        data=without_folder(options.data),
        scales=(options.scale, options.scale),
        resampling=options.resampling,
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
