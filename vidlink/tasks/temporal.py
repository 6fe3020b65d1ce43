"""Valence and arousal over time: ``--task temporal`` learns what follows a network that looks at single pictures."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.command import Parser
from vidlink.data.apart import LEAST
from vidlink.errors import UserError
from vidlink.tasks.affect import AffectTask, digest_of
from vidlink.tasks.task import TASKS, add_out, add_run, check_least, check_out, versions, without_folder

if TYPE_CHECKING:
    import argparse

    import torch

    from vidlink.codec.recipe import Codec
    from vidlink.data.face_set import FaceSet
    from vidlink.nets.build import Network
    from vidlink.training.plans import Step
    from vidlink.training.temporal import Looks, TemporalSettings

STILLS = 6000
"""Faces that are seen as stills, too."""
CHOSEN_REELS, CHOSEN_S = 8, 10.0
"""Reels by which the best epoch is chosen, and the length of each."""
FRAME_RATE = 5.0
"""Looks a second."""


class TemporalTask(AffectTask):
    """Valence and arousal of faces over time; scored on faces like the network that it follows."""

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train``."""
        parser = Parser(
            prog="vidlink.train",
            description="Train what follows faces over time, behind a network that looks at single pictures and stays "
            "as it is. It learns from reels of the faces, coded by plans that the planner made.",
        )
        add = parser.add_argument
        add("--task", choices=tuple(TASKS.known()), default="temporal", help="%(default)s")
        add("--data", required=True, metavar="KIND:PATH", help="faces, for example ferplus:ferplus.zip")
        add_out(parser)
        add("--start", type=Path, required=True, metavar="FILE.safetensors", help="the network for single pictures")
        add("--network", default="", metavar="package.module:Class", help="of those weights, if it is code of your own")
        add("--plans", type=Path, required=True, metavar="FOLDER", help="runs, or a sweep, whose plans code the reels")
        add("--codec", default="x264", help="the recipe that these plans are of (%(default)s)")
        add("--split", default="train", help="split to learn from (%(default)s)")
        add("--valid", default="valid", metavar="SPLIT", help="split to score on; its faces are never learned from, "
            "nor faces that are nearly the same (%(default)s)")  # fmt: skip
        add("--choose", type=int, default=3000, metavar="N", help="faces of that split which nothing is learned from: "
            "by them the best epoch is chosen (%(default)s)")  # fmt: skip
        add("--reels", type=int, default=60, help="reels to learn from (%(default)s)")
        add("--seconds", type=float, default=10.0, help="length of each (%(default)s)")
        add("--frames", type=int, default=9, help="looks in a window, five a second (%(default)s)")
        add("--hidden", type=int, default=32, help="units of the recurrent layer, each way (%(default)s)")
        add("--epochs", type=int, default=5, help="(%(default)s)")
        add("--steps", type=int, default=80, help="steps of an epoch (%(default)s)")
        add("--batch", type=int, default=384, help="windows a step (%(default)s)")
        add("--learning-rate", type=float, default=3e-3, help="peak of the one-cycle rate (%(default)s)")
        add("--seed", type=int, default=0, help="of reels, weights, order and dropout (%(default)s)")
        add_run(parser)
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        check_least(options, choose=LEAST, reels=1, frames=2, hidden=1, epochs=1, steps=1, batch=8)
        if options.frames > 256:
            raise UserError(f"--frames {options.frames}: at most 256")
        if not 1 <= options.seconds <= 600:
            raise UserError(f"--seconds {options.seconds:g}: from 1 to 600")
        if not options.learning_rate > 0:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        from vidlink.codec.shelf import load_codec
        from vidlink.link.probe import check_codec

        check_codec(load_codec(options.codec))
        check_out(options)

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; returns the card."""
        import torch

        from vidlink.codec.shelf import load_codec
        from vidlink.data.apart import set_apart
        from vidlink.data.faces import load_faces
        from vidlink.nets.weights import Windows, build_temporal, describe_temporal, load_network
        from vidlink.recognizers.registry import find_device
        from vidlink.training.checkpoint import save_results
        from vidlink.training.degrade import Degradation
        from vidlink.training.looks import looks_at_stills
        from vidlink.training.loop import Training
        from vidlink.training.plans import load_plans
        from vidlink.training.temporal import Looks, TemporalLearner, alone

        network, base = load_network(options.start, own=options.network)
        plans, codec, device = load_plans(options.plans), load_codec(options.codec), find_device(options.device)
        settings = _settings(options, plans)
        windows = Windows(hidden=options.hidden, frames=options.frames, frame_rate=FRAME_RATE)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            module = build_temporal(network, windows)
        module.base.load_state_dict(base.state_dict())
        every, valid = load_faces(options.data, options.split), load_faces(options.data, options.valid)
        apart = set_apart(every, valid, options.choose, options.seed)
        learned, chosen = apart.learned, apart.chosen

        run = Training(
            asdict(settings),
            checkpoint=options.out.with_suffix(".checkpoint"),
            log=options.out.with_suffix(".csv"),
            device=device,
            quiet=options.quiet,
        )

        def looks(name: str, faces: FaceSet, reels: int, seconds: float, *, usual: bool) -> Looks:
            found = run.stage(name, lambda: _looks(options, module.base, network, faces, plans, codec, device,
                name, reels, seconds, usual=usual))  # fmt: skip
            return Looks(**found)

        tracks = looks("reels", learned, options.reels, options.seconds, usual=False)
        by = looks("reels to choose by", chosen, CHOSEN_REELS, CHOSEN_S, usual=True)
        some = learned.take(np.random.default_rng(options.seed).permutation(len(learned))[:STILLS])
        stills = Looks(
            **run.stage("stills", lambda: vars(looks_at_stills(module.base, some, Degradation(), options.seed, device)))
        )
        learner = TemporalLearner(module, tracks, stills, by, settings, step_s=1 / FRAME_RATE)
        best = run.fit(learner, "time")
        card = {
            "recognizer": "affect",
            **asdict(settings),
            "best_epoch": best["epoch"],
            "faces": apart.counts(valid),
            "chosen_scores": {
                "single pictures": alone(module, by),
                "mean of three looks": alone(module, by, 1),
                "over time": max((row for row in run.log if row["stage"] == "time"), key=learner.score),
            },
            "versions": versions(),
        }
        about = {"data": settings.data, "seed": str(settings.seed)}
        save_results(options.out, best["weights"], describe_temporal(network, windows).to_metadata() | about, card)
        run.finish()
        return card

    def report(self, card: dict[str, Any]) -> str:
        """CCC on the reels by which the best epoch was chosen."""
        return "\n".join(
            f"{name:<20} CCC  valence {scores['valence_ccc']:.3f}   arousal {scores['arousal_ccc']:.3f}"
            for name, scores in card["chosen_scores"].items()
        )


def _settings(options: argparse.Namespace, plans: list[tuple[Step, ...]]) -> TemporalSettings:
    from vidlink.training.temporal import TemporalSettings

    return TemporalSettings(
        data=without_folder(options.data),
        split={"train": options.split, "valid": options.valid},
        start=digest_of(options.start, "--start"),
        plans=hashlib.sha256(repr(plans).encode()).hexdigest(),
        codec=options.codec,
        reels=options.reels,
        seconds=options.seconds,
        choose=options.choose,
        frames=options.frames,
        hidden=options.hidden,
        epochs=options.epochs,
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )


def _looks(
    options: argparse.Namespace,
    base: torch.nn.Module,
    network: Network,
    faces: FaceSet,
    plans: list[tuple[Step, ...]],
    codec: Codec,
    device: torch.device,
    name: str,
    reels: int,
    seconds: float,
    *,
    usual: bool,
) -> dict[str, torch.Tensor]:
    """Code reels, and look at them with the network for single pictures."""
    from tqdm import tqdm

    from vidlink.recognizers.affect import Affect
    from vidlink.training.looks import looks_at_tracks
    from vidlink.training.tracks import code_reels

    wants = replace(Affect.wants, height=network.size, width=network.size)
    seed = options.seed * 10 + (6 if usual else 5)
    with tqdm(total=reels, desc=name, unit="reel", disable=options.quiet) as bar:
        tracks = code_reels(
            faces,
            plans,
            reels=reels,
            seconds=seconds,
            wants=wants,
            codec=codec,
            seed=seed,
            usual=usual,
            watch=lambda _: bar.update() and None,
        )
    with tqdm(total=tracks.scale.size, desc=name, unit="look", disable=options.quiet) as bar:
        return vars(looks_at_tracks(base, tracks, device, lambda count: bar.update(count) and None))
