"""Learned codecs: ``--task codec``, from clips."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.parser import Parser
from vidlink.tasks.task import (
    TASKS,
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

    from vidlink.training.codec_windows import CodecWindows

TRAIN, VALID = "train", "valid"
"""Splits of the folder of clips."""
SCORED, SCORED_AT = 32, (24.0, 30.0, 36.0, 42.0)
"""Windows that are scored, and the values of the quality knob that they take in turn."""


class CodecTask(Task):
    """Codecs that are learned from end to end."""

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train --task codec``."""
        parser = Parser(
            prog="vidlink.train --task codec", description="Train the codec of codecs/dvc.toml on a folder of clips."
        )
        add = parser.add_argument
        add("--task", choices=tuple(TASKS.known()), default="codec", help="%(default)s")
        add("--network", default="dvc", choices=("dvc",), help="(%(default)s)")
        add("--data", required=True, metavar="videos:FOLDER", help="clips: those of the split train are learned from, "
            "those of the split valid are scored on")  # fmt: skip
        add_out(parser)
        add("--windows", type=int, default=3000, help="windows that are cut out of clips (%(default)s)")
        add("--frames", type=int, default=4, help="pictures in a window (%(default)s)")
        add("--patch", type=int, default=96, metavar="PIXELS", help="side of a window (%(default)s)")
        add("--prior-steps", type=int, default=1500, help="steps in which only probabilities learn (%(default)s)")
        add("--steps", type=int, default=10_000, help="steps in which all learns, after that (%(default)s)")
        add("--batch", type=int, default=4, help="windows a step (%(default)s)")
        add("--learning-rate", type=float, default=1e-3, help="peak of the one-cycle rate (%(default)s)")
        add("--seed", type=int, default=0, help="of weights and windows (%(default)s)")
        add_run(parser)
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        from vidlink.nets.dvc.network import STRIDE

        check_least(options, prior_steps=0, steps=1, batch=1, windows=1, frames=2)
        if not 0 < options.learning_rate < math.inf:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        if options.patch < 2 * STRIDE or options.patch % STRIDE:
            raise UserError(f"--patch {options.patch}: a multiple of {STRIDE}, at least {2 * STRIDE}")
        _path_of(options.data)
        check_out(options)

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; returns the card."""
        import torch

        from vidlink.nets.dvc.network import DVC
        from vidlink.nets.weights import Header
        from vidlink.recognizers.registry import find_device
        from vidlink.report.curves import write_curves
        from vidlink.training.checkpoint import save_results
        from vidlink.training.codec import CodecLearner, CodecSettings
        from vidlink.training.codec_priors import learn_priors
        from vidlink.training.loop import Training

        device = find_device(options.device)
        settings = CodecSettings(
            network=options.network,
            data=without_folder(options.data),
            windows=options.windows,
            frames=options.frames,
            prior_steps=options.prior_steps,
            steps=options.steps,
            batch=options.batch,
            side=options.patch,
            learning_rate=options.learning_rate,
            seed=options.seed,
        )
        learned, windows = _windows(options, TRAIN, count=options.windows)
        scored, valid = _windows(options, VALID, count=SCORED, qualities=SCORED_AT)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            network = DVC()
        checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
        run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
        network.load_state_dict(run.stage("probabilities", lambda: learn_priors(run, network, windows, settings)))
        learner = CodecLearner(network, windows, valid, settings, device=device)
        weights = run.fit(learner, "codec")["weights"]
        scores = {key: value for key, value in run.log[-1].items() if key not in ("stage", "step", "loss")}
        write_curves(options.out.with_suffix(".png"), run.log, unit="step")
        card = {
            "task": "codec", **asdict(settings), "clips": learned, "valid": scored, "valid_mean": scores,
            "versions": versions(),
        }  # fmt: skip
        save_results(options.out, weights, Header(kind="codec", network="dvc", arguments={}).to_metadata(), card)
        run.finish()
        return card

    def report(self, card: dict[str, Any]) -> str:
        """Scores on the clips of the split ``valid``."""
        return table(card["valid_mean"])

    def evaluation_parser(self) -> Parser:
        """Options of ``vidlink.evaluate --task codec``."""
        parser = Parser(prog="vidlink.evaluate --task codec", description="Score a learned codec on windows of clips.")
        add = parser.add_argument
        add("--weights", required=True, type=Path, metavar="FILE.safetensors", help="from vidlink.train --task codec")
        add("--data", required=True, metavar="videos:FOLDER", help="clips: those of the split valid are scored on")
        add("--frames", type=int, default=4, help="pictures in a window (%(default)s)")
        add("--patch", type=int, default=96, metavar="PIXELS", help="side of a window (%(default)s)")
        add("--seed", type=int, default=0, help="of the windows (%(default)s)")
        add("--json", type=Path, metavar="FILE", help="also write the scores here")
        add_machine(parser)
        return parser

    def check_evaluation(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of evaluation."""
        check_folder(options.json, "--json ")
        check_least(options, frames=2, patch=64)
        _path_of(options.data)

    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score a codec on windows of the split ``valid``."""
        from vidlink.nets.dvc.weights import load_codec_network
        from vidlink.recognizers.registry import find_device
        from vidlink.training.codec import score_codec

        names, valid = _windows(options, VALID, count=SCORED, qualities=SCORED_AT)
        network = load_codec_network(options.weights).to(find_device(options.device))
        scores = score_codec(network, valid)
        return table(scores), {"data": options.data, "clips": names, **scores}


def table(scores: dict[str, float]) -> str:
    """The scores for the terminal."""
    head = f"{'luma PSNR':>10} {'bits a pixel':>13} {'cost':>9}   mean of predicted pictures"
    return f"{head}\n{scores['psnr_db']:>7.2f} dB {scores['bpp']:>13.4f} {scores['cost']:>9.4f}"


def _path_of(spec: str) -> str:
    kind, _, path = spec.partition(":")
    if kind != "videos" or not path:
        raise UserError(f"--data {spec}: expected videos:FOLDER, a folder of clips")
    return path


def _windows(
    options: argparse.Namespace, split: str, *, count: int, qualities: tuple[float, ...] | None = None
) -> tuple[list[str], CodecWindows]:
    """Names of the clips of a split, and windows of them."""
    from vidlink.data.colour_sequences import read_colour_sequences
    from vidlink.training.codec_windows import CodecWindows

    clips = read_colour_sequences(_path_of(options.data), split)
    how = {"frames": options.frames, "side": options.patch, "seed": options.seed}
    return list(clips), CodecWindows(list(clips.values()), count=count, qualities=qualities, **how)
