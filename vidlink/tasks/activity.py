"""What people do, in clips of class folders: ``--task activity``, and ``vidlink.evaluate --data classes:PATH``."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.files.outputs import check_output
from vidlink.parser import Parser
from vidlink.tasks.clip_scores import draw, say_skipped, score, score_clips, table
from vidlink.tasks.task import (
    Task,
    add_machine,
    add_out,
    add_run,
    check_folder,
    check_least,
    check_out,
    inputs_of,
    versions,
    without_folder,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.data.classfolders import ClipFile, ClipSet
    from vidlink.scores.classify import Verdicts
    from vidlink.training.loop import Training
    from vidlink.training.motion import ActivitySettings

HELD_RATE, HELD_SIZE = 16.0, (112, 84)
"""Frames a second and size in pixels at which clips are held in memory for training."""


class ActivityTask(Task):
    """What people do."""

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train --task activity``."""
        parser = Parser(
            prog="vidlink.train --task activity",
            description="Train the activity network: generated figures first, then clips in class folders. Folds by "
            "recording group tell how well; the weights to keep learn from all clips.",
        )
        add = parser.add_argument
        add("--data", required=True, metavar="classes:PATH", help="class folders, CLASS/clip.mp4")
        add("--groups", default=r"(\d+)", metavar="REGEX", help="recording group in a file's name (its first number)")
        add_out(parser)
        add("--folds", type=int, default=5, help="folds to score by; 0: none (%(default)s)")
        add("--keep-folds", action="store_true", help="also keep each fold's weights, as FILE.fold1.safetensors, ...")
        add("--figures", type=int, default=700, help="generated clips to learn from first (%(default)s)")
        add("--figure-steps", type=int, default=120, help="steps on them (%(default)s)")
        add("--steps", type=int, default=60, help="steps on the clips (%(default)s)")
        add("--batch", type=int, default=24, help="windows a step (%(default)s)")
        add("--restorer", default="joint", choices=("joint", "alone", "none"), help="low light and low resolution: "
            "trained with all else, trained by itself and left so, or a gamma only (%(default)s)")  # fmt: skip
        add("--largest-scale", type=float, default=20.0, help="largest scale factor to learn (%(default)g)")
        add(
            "--unshifted",
            action="store_true",
            help="learn each clip's one low-resolution version, not many shifted ones",
        )
        add("--learning-rate", type=float, default=2e-3, help="peak of the one-cycle rate (%(default)s)")
        add("--seed", type=int, default=0, help="of weights, order and degradations (%(default)s)")
        add_run(parser)
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        check_least(options, folds=0, figures=0, figure_steps=0, steps=1, batch=2)
        if options.folds == 1:
            raise UserError("--folds 1: give 0 for none, or at least 2")
        if not options.learning_rate > 0:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        if not 1 <= options.largest_scale <= 40:
            raise UserError(f"--largest-scale {options.largest_scale:g}: from 1 to 40")
        check_out(
            options, *(_fold_file(options, number) for number in range(options.folds if options.keep_folds else 0))
        )

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; also draws the folds' confusion (``.png``). Returns the card."""
        from vidlink.data.classfolders import find_clips, load_clips
        from vidlink.recognizers.registry import find_device
        from vidlink.training.checkpoint import save_results, save_weights
        from vidlink.training.loop import Training

        files = find_clips(options.data, options.groups)
        found = load_clips(files, frame_rate=HELD_RATE, size=HELD_SIZE, quiet=options.quiet)
        say_skipped(found.skipped, len(found.clips))
        device, settings = find_device(options.device), _settings(options)
        run = Training(
            _identity(options, settings, found),
            checkpoint=options.out.with_suffix(".checkpoint"),
            log=options.out.with_suffix(".csv"),
            device=device,
            quiet=options.quiet,
        )
        fold = _folds(files, found, options.folds) if options.folds else None
        verdicts, kept, weights = _learn(options, settings, found, fold, run, device)
        for number, each in enumerate(kept):
            save_weights(_fold_file(options, number), each, _about(found.classes, settings))
        card = _card(options, settings, found, fold, verdicts)
        save_results(options.out, weights, _about(found.classes, settings), card)
        if verdicts is not None:
            draw(options.out.with_suffix(".png"), verdicts)
        run.finish()
        return card

    def report(self, card: dict[str, Any]) -> str:
        """The scores of the folds."""
        return table(card["scores"]) if card["folds"] else ""

    def evaluation_parser(self) -> Parser:
        """Options of ``vidlink.evaluate --data classes:PATH``."""
        parser = Parser(
            prog="vidlink.evaluate --data classes:PATH",
            description="Score a recognizer of classes on videos in class folders, scale by scale.",
        )
        add = parser.add_argument
        add("--data", required=True, metavar="classes:PATH", help="class folders, CLASS/clip.mp4")
        add("--groups", default=r"(\d+)", metavar="REGEX", help="recording group in a file's name (its first number)")
        add(
            "--split", default="all", metavar="all|foldN", help="all clips, or those of one of five folds (%(default)s)"
        )
        add("--recognizer", default="activity", metavar="NAME|package.module:Class", help="(%(default)s)")
        add("--recognizer-arg", action="append", default=[], metavar="KEY=VALUE", help="setting of the recognizer")
        add("--scales", default="1,2,4,8,16", help="scale factors (%(default)s)")
        add("--weights", type=Path, metavar="FILE", help="other weights than its own")
        add("--json", type=Path, metavar="FILE", help="also write the scores here")
        add("--confusion", type=Path, metavar="FILE.png", help="draw the confusion at the least and the largest scale")
        add_machine(parser)
        add("--quiet", action="store_true", help="no progress bar")
        return parser

    def check_evaluation(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of evaluation."""
        from vidlink.units import parse_scales

        parse_scales("--scales", options.scales)
        check_folder(options.json, "")
        check_folder(options.confusion, "")
        if options.confusion is not None:
            if options.confusion.suffix != ".png":
                raise UserError(f"--confusion {options.confusion}: the name of a .png file")
            check_output("--confusion", options.confusion, inputs_of(options))

    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score a recognizer on clips."""
        from vidlink.recognizers.recognize import load_recognizer
        from vidlink.units import parse_scales

        recognizer = load_recognizer(
            options.recognizer, device=options.device, weights=options.weights, arguments=options.recognizer_arg
        )
        verdicts = score_clips(recognizer, options, parse_scales("--scales", options.scales))
        if options.confusion:
            draw(options.confusion, verdicts)
        return table(verdicts.scores()), {
            "recognizer": options.recognizer,
            "data": options.data,
            "split": options.split,
            "skipped": verdicts.skipped,
            "unknown": verdicts.unknown,
            "classes": list(verdicts.classes),
            "confusion": {f"{scale:g}": verdicts.confusion(scale).tolist() for scale in verdicts.scales},
            "scores": verdicts.scores(),
        }


def _learn(
    options: argparse.Namespace,
    settings: ActivitySettings,
    found: ClipSet,
    fold: NDArray[np.int64] | None,
    run: Training,
    device: torch.device,
) -> tuple[Verdicts | None, list[dict[str, Tensor]], dict[str, Tensor]]:
    """Each fold and then all clips, a stage of the run each: verdicts on the folds, their weights, those of all."""
    import numpy as np

    from vidlink.scores.classify import Verdicts
    from vidlink.training.motion import ActivityTraining, copied
    from vidlink.training.pools import pool_of
    from vidlink.training.windows import Variation

    variation = Variation(scales=(1.0, options.largest_scale), shifted=not options.unshifted)
    everything = pool_of(found, np.arange(len(found.clips)))
    training = ActivityTraining(run, settings, variation, everything, device=device)

    def one(number: int) -> dict[str, Any]:
        others = pool_of(found, np.flatnonzero(fold != number))
        network = training.train(others, found.classes, f"fold {number + 1}")
        verdicts = asdict(score(network, found, np.flatnonzero(fold == number)))
        return {"verdicts": verdicts, "weights": copied(network) if options.keep_folds else None}

    done = [run.stage(f"fold {number + 1}", partial(one, number)) for number in range(options.folds)]
    every = run.stage("all clips", lambda: {"weights": copied(training.train(everything, found.classes, "all clips"))})
    verdicts: Verdicts | None = None
    for each in done:
        if verdicts is None:
            verdicts = Verdicts(**each["verdicts"])
        else:
            verdicts.add(Verdicts(**each["verdicts"]))
    return verdicts, [each["weights"] for each in done if options.keep_folds], every["weights"]


def _folds(listed: Sequence[ClipFile], found: ClipSet, count: int) -> NDArray[np.int64]:
    """Fold of each clip that could be read: assigned over all that are listed, as evaluation does."""
    import numpy as np

    from vidlink.data.classfolders import assign_folds

    fold_of = dict(zip((file.path for file in listed), assign_folds(listed, count).tolist(), strict=True))
    return np.array([fold_of[file.path] for file in found.files], np.int64)


def _fold_file(options: argparse.Namespace, number: int) -> Path:
    return Path(options.out.with_suffix(f".fold{number + 1}.safetensors"))


def _settings(options: argparse.Namespace) -> ActivitySettings:
    from vidlink.training.motion import ActivitySettings

    return ActivitySettings(
        figures=options.figures,
        figure_steps=options.figure_steps if options.figures else 0,
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.learning_rate,
        restorer=options.restorer,
        seed=options.seed,
    )


def _identity(options: argparse.Namespace, settings: ActivitySettings, found: ClipSet) -> dict[str, Any]:
    """Everything that decides what a run learns and keeps."""
    files = [f"{file.label}/{file.path.name}" for file in found.files]
    names = ("folds", "keep_folds", "groups", "largest_scale", "unshifted")
    return {**asdict(settings), "data": without_folder(options.data), "clips": files} | {
        n: getattr(options, n) for n in names
    }


def _about(classes: Sequence[str], settings: ActivitySettings) -> dict[str, str]:
    """What the header of weights says of them."""
    from vidlink.nets.weights import Header

    channels = 0 if settings.restorer == "none" else settings.channels
    header = Header(kind="activity", network="motion", arguments={"classes": list(classes), "restorer": channels})
    return header.to_metadata() | {"seed": str(settings.seed)}


def _card(
    options: argparse.Namespace,
    settings: ActivitySettings,
    found: ClipSet,
    fold: NDArray[np.int64] | None,
    verdicts: Verdicts | None,
) -> dict[str, Any]:
    folds: list[dict[str, Any]] = []
    for number in range(options.folds if fold is not None else 0):
        held = [
            file.group for file, k in zip(found.files, fold if fold is not None else (), strict=True) if k == number
        ]
        folds.append({"groups": sorted(set(held)), "clips": len(held)})
    return {
        "recognizer": "activity",
        "data": without_folder(options.data),
        "classes": list(found.classes),
        "clips": len(found.clips),
        "skipped": found.skipped,
        **asdict(settings),
        "largest_scale": options.largest_scale,
        "shifted": not options.unshifted,
        "folds": folds,
        "scores": verdicts.scores() if verdicts else [],
        "confusion": {f"{s:g}": verdicts.confusion(s).tolist() for s in verdicts.scales} if verdicts else {},
        "versions": versions(),
    }
