"""Super-resolution: ``--task sr``, restorers on folders of images, or of clips (:mod:`vidlink.tasks.sequences`)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.parser import Parser
from vidlink.tasks.images import check_images, evaluate_on_images, train_on_images
from vidlink.tasks.routed import check_routed, train_routed
from vidlink.tasks.sequences import NETWORKS, check_clips, evaluate_on_clips, train_on_clips
from vidlink.tasks.task import (
    Task,
    add_machine,
    add_out,
    add_run,
    check_folder,
    check_least,
    check_out,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from torch import nn

    from vidlink.training.restore import Scores

MOST = 16.0
"""Largest scale factor."""


class SuperResolutionTask(Task):
    """Restorers: what a scale factor took, they give back."""

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train --task sr``."""
        parser = Parser(prog="vidlink.train --task sr", description="Train a restorer on a folder of images or clips.")
        add = parser.add_argument
        add("--network", default="srcnn", metavar="|".join(_names()), help="(%(default)s)")
        add(
            "--width",
            type=int,
            help="channels of the first layer, if they can be chosen (48; temporal, boost: 32; denoiser, tone: 16)",
        )
        add("--scale", type=float, default=3.0, help="scale factor; 1 with --disturb for none (%(default)g)")
        add("--least", type=float, metavar="S", help="least scale factor, where a range is learned (that of --scale)")
        add("--data", required=True, metavar="KIND:PATH", help="what to learn from: images:T91, or for temporal "
            "videos:FOLDER, the split train of its clips")  # fmt: skip
        add("--valid", metavar="KIND:PATH", help="what to score on as training goes on (of clips: the split valid)")
        add_out(parser)
        add("--resampling", choices=("literature", "link"), help="what takes the detail: antialiased bicubic, or area "
            "down, 8 bits and bicubic up as on this project's link (literature; link for clips, for a range of factors "
            "and with --disturb)")  # fmt: skip
        add("--disturb", metavar="KIND:STRENGTH,...", help="what goes wrong before that, and is to be made good: "
            "noise:0.05-0.2, haze:0.5-2, dark:0.5-0.9, ...")  # fmt: skip
        add("--codec", default="x264", metavar="NAME", help="what codes some of the clips (%(default)s)")
        add("--patches", type=int, default=4096, help="patches that are cut out of clips (%(default)s)")
        add("--steps", type=int, default=20_000, help="steps of gradient descent (%(default)s)")
        add("--batch", type=int, default=16, help="patches a step (%(default)s)")
        add("--patch", type=int, metavar="PIXELS", help="side of a HR patch (about 48; 32 for twin)")
        add("--learning-rate", type=float, default=1e-3, help="peak of the one-cycle rate (%(default)s)")
        add("--seed", type=int, default=0, help="of weights and patches (%(default)s)")
        add_run(parser)
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        from vidlink.nets.build import RESTORER_WIDTH, WIDTH

        if options.width is None:
            options.width = RESTORER_WIDTH.get(options.network, WIDTH)
        check_least(options, steps=1, batch=1, width=1)
        if not 0 < options.learning_rate < math.inf:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        options.least = options.scale if options.least is None else options.least
        if not 1 <= options.scale <= MOST:
            raise UserError(f"--scale {options.scale:g}: a scale factor from 1 to {MOST:g}")
        if not 1 <= options.least <= options.scale:
            raise UserError(f"--least {options.least:g}: from 1 to --scale ({options.scale:g})")
        check_out(options)
        if options.network in _routed():
            check_routed(options)
        else:
            (check_clips if options.network in NETWORKS else check_images)(options)

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; returns the card."""
        import torch

        from vidlink.nets.build import build_restorer
        from vidlink.nets.routes import ROUTES, describe_routed
        from vidlink.nets.weights import Header
        from vidlink.recognizers.registry import find_device
        from vidlink.training.checkpoint import save_results

        device = find_device(options.device)
        routed, name = options.network in _routed(), options.network
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            restorer: Any = ROUTES.make(name, {}) if routed else build_restorer(name, options.width, options.scale)
        learn: Any = train_routed if routed else train_on_clips if name in NETWORKS else train_on_images
        weights, card, run = learn(options, restorer, device=device)
        arguments = {"width": options.width, "scale": options.scale, "least": options.least}
        header = Header(kind="restorer", network=name, arguments=arguments)
        if routed:
            header = describe_routed(name, (options.least, options.scale))
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
        add("--data", required=True, metavar="KIND:PATH", help="what to score on: images:Set5, or for restorers that "
            "look at several pictures videos:PATH, all clips of a folder")  # fmt: skip
        add("--scale", type=float, help="scale factor (that of training, the largest one)")
        add("--disturb", metavar="KIND:STRENGTH,...", help="what goes wrong with images before that")
        add("--codec", default="x264", metavar="NAME", help="what codes clips (%(default)s)")
        add("--quality", type=float, metavar="Q", help="how clips are coded (CRF); not at all where it is left out")
        add("--network", metavar="package.module:Class", help="that of the weights, where it is code of your own")
        add("--json", type=Path, metavar="FILE", help="also write the scores here")
        add_machine(parser)
        return parser

    def check_evaluation(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of evaluation."""
        check_folder(options.json, "--json ")

    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score a restorer on images or clips."""
        from vidlink.recognizers.registry import find_device
        from vidlink.training.restore import mean_psnr_db

        device = find_device(options.device)
        restorer, (_, trained) = _load(options)
        scale = trained if options.scale is None else options.scale
        if not 1 <= scale <= MOST:
            raise UserError(f"--scale {scale:g}: a scale factor from 1 to {MOST:g}")
        of_clips = getattr(restorer, "frames", 1) > 1 or options.data.startswith("videos:")
        if of_clips and hasattr(restorer, "frames"):
            scores, about = evaluate_on_clips(options, restorer, scale)
        else:
            scores, about = evaluate_on_images(options, restorer, scale, trained=trained, device=device)
        means = {key: mean_psnr_db(scores, key) for key in ("psnr_db", "bicubic_db")}
        return table(scores), {"data": options.data, "scale": scale, **about, **means, "scores": scores}


def _routed() -> Collection[str]:
    from vidlink.nets.routes import ROUTES

    return ROUTES.known()


def _names() -> list[str]:
    from vidlink.nets.build import RESTORERS

    return [*RESTORERS.known(), *_routed()]


def _load(options: argparse.Namespace) -> tuple[nn.Module, tuple[float, float]]:
    """The restorer of ``--weights``, of either kind."""
    from vidlink.nets.routes import is_routed, load_routed
    from vidlink.nets.weights import load_restorer_range

    if is_routed(options.weights):
        return load_routed(options.weights)
    return load_restorer_range(options.weights, own=options.network or "")


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
