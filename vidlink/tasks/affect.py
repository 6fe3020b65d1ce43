"""Faces with valence and arousal: ``--task recognition``, the one of a command line that names none."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.data.apart import LEAST
from vidlink.errors import UserError
from vidlink.nets.build import NAMES
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

    from vidlink.data.apart import Apart
    from vidlink.data.face_set import FaceSet
    from vidlink.tasks.affect_network import Pretraining
    from vidlink.training.affect import AffectLearner, AffectSettings
    from vidlink.training.coded import Coding
    from vidlink.training.regimes import Regime

REPORTED_SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Scale factors whose scores go into the card."""
DRAWN = 8000
"""Faces drawn for ``--generated``."""


class AffectTask(Task):
    """Valence and arousal of faces."""

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train``."""
        from vidlink.training.regimes import LARGEST, regime_names

        parser = Parser(
            prog="vidlink.train",
            description="Train a recognizer.",
            examples=(
                "--data ferplus:ferplus.zip --out my.safetensors",
                "--data ferplus:ferplus.zip --out my.safetensors --start their.safetensors --epochs 5",
                "--task activity --data classes:clips/ --out activity.safetensors",
            ),
            common=("task", "regime", "data", "out", "split", "valid", "epochs", "codec_aware", "start", "overwrite"),
        )
        add = parser.add_argument
        add("--task", choices=tuple(TASKS.known()), default="recognition", help="sr: a restorer, "
            "activity: what people do; see --task sr --help, --task activity --help")  # fmt: skip
        add("--regime", default="joint-oa", metavar="|".join(regime_names()), help="what to train on (%(default)s)")
        add("--data", required=True, metavar="KIND:PATH", help="faces, for example ferplus:ferplus.zip")
        add_out(parser)
        add("--split", default="train", help="split to train on (%(default)s)")
        add("--valid", default="valid", metavar="SPLIT", help="split to score on: nothing is learned from its faces or "
            "from faces nearly the same, and nothing is chosen by them (%(default)s)")  # fmt: skip
        add("--choose", type=int, metavar="N", help="faces of the split to train on from which nothing is learned: by "
            "them the best epoch is chosen (a tenth, at most 3000)")  # fmt: skip
        add("--network", default="residual", metavar="|".join(NAMES), help="(%(default)s)")
        add("--width", type=int, default=48, help="channels of its first layers (%(default)s)")
        add("--size", type=int, default=48, help="side in pixels of the pictures that it takes (%(default)s)")
        add("--epochs", type=int, default=30, help="times each face is seen (%(default)s)")
        add("--batch", type=int, default=256, help="faces a step (%(default)s)")
        add("--learning-rate", type=float, default=1e-3, help="peak of the one-cycle rate (%(default)s)")
        add("--generated", type=float, default=0.0, metavar="SHARE", help="share of drawn faces in a batch")
        add("--codec-aware", type=float, default=0.0, metavar="SHARE", help="share of faces that are coded and decoded")
        add("--codec", default="x264", help="recipe for --codec-aware (%(default)s)")
        add("--disturb", metavar="noise:0-0.05,...", help="what goes wrong with faces before that: noise, salt, blur, "
            "occlusion, dark, area, bicubic (KIND:STRENGTH or KIND:LEAST-LARGEST, @SHARE)")  # fmt: skip
        add(
            "--teacher",
            type=Path,
            metavar="FILE.safetensors",
            help="HR-trained weights whose features to come close to",
        )
        add("--distil", type=float, default=2.0, metavar="WEIGHT", help="weight of that distance (%(default)s)")
        add("--encoder-rate", type=float, metavar="SHARE", help="rate of the early layers, in place of the regime's")
        add("--pretrain", metavar="FACTOR|LOW-HIGH|KIND:STRENGTH", help="what the early layers learn to restore first, "
            "whatever the regime: a scale factor, a range of them, or what goes wrong, as for --disturb")  # fmt: skip
        add("--sr-data", metavar="images:PATH", help="pictures for super-resolution pre-training; by default the faces")
        add("--sr-steps", type=int, default=4000, help="its steps of 32 patches (%(default)s)")
        add("--start", type=Path, metavar="FILE.safetensors", help="weights to start from, in place of pre-training")
        add("--patience", type=int, default=0, metavar="EPOCHS", help="stop when so many brought nothing (0: never)")
        add("--seed", type=int, default=0, help="of weights, order and degradations (%(default)s)")
        add_run(parser)
        parser.epilog = f"Regimes that cover a range of scale factors go from 1 to {LARGEST:g}."
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        check_least(options, size=8, epochs=1, batch=1, width=1, sr_steps=1)
        if not options.learning_rate > 0:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        if not 0 <= options.generated <= 0.9:
            raise UserError(f"--generated {options.generated}: a share from 0 to 0.9")
        if not 0 <= options.codec_aware <= 1:
            raise UserError(f"--codec-aware {options.codec_aware}: a share from 0 to 1")
        if options.choose is not None:
            check_least(options, choose=LEAST)
        if options.encoder_rate is not None and not 0 <= options.encoder_rate <= 1:
            raise UserError(f"--encoder-rate {options.encoder_rate}: a share from 0 to 1")
        if options.pretrain is not None:
            from vidlink.tasks.affect_network import Pretraining

            Pretraining.parse(options.pretrain)
        if options.codec_aware:
            from vidlink.codec.shelf import load_codec
            from vidlink.link.probe import check_codec

            check_codec(load_codec(options.codec))
        if options.disturb:
            from vidlink.training.disturb import parse_mix

            parse_mix(options.disturb)
        if not options.distil >= 0:
            raise UserError(f"--distil {options.distil}: a weight of 0 or more")
        check_out(options)

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; returns the card."""
        from vidlink.data.apart import set_apart
        from vidlink.data.faces import load_faces
        from vidlink.nets.weights import describe, load_network
        from vidlink.recognizers.registry import find_device
        from vidlink.report.curves import write_curves
        from vidlink.tasks.affect_network import (
            check_restorer,
            check_teacher,
            make_network,
            pretrain_encoder,
            pretraining_of,
        )
        from vidlink.training.affect import AffectLearner
        from vidlink.training.checkpoint import save_results
        from vidlink.training.degrade import Degradation
        from vidlink.training.loop import Training
        from vidlink.training.regimes import find_regime

        regime = find_regime(options.regime)
        if not regime.for_faces:
            raise UserError(f"--regime {regime.name}: for pictures (--task classification, segmentation, detection)")
        pretraining = pretraining_of(options, regime)
        if pretraining:
            check_restorer(options.network, regime, pretraining)
        device = find_device(options.device)
        sets = load_faces(options.data, options.split), load_faces(options.data, options.valid)
        apart = set_apart(*sets, options.choose, 0)
        faces, chosen, valid = (each.at_size(options.size) for each in (apart.learned, apart.chosen, sets[1]))
        settings = _settings(options, regime, pretraining)
        teacher = load_network(options.teacher, own=options.network)[1] if options.teacher else None
        network, module = make_network(options, faces.images.shape[-1])
        if teacher is not None:
            check_teacher(options, module, teacher, faces.images.shape[-1])
        checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
        if pretraining and not checkpoint.exists():
            pretrain_encoder(options, pretraining, module, faces, device)
        learner = AffectLearner(
            module,
            faces,
            chosen,
            settings,
            Degradation(scales=regime.scales),
            generated=load_faces(f"generated:{DRAWN}", options.split).at_size(options.size)
            if options.generated
            else None,
            coding=_coding(options),
            teacher=teacher,
            device=device,
        )
        run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
        best = run.fit(learner)
        about = {"regime": regime.name, "data": settings.data, "seed": str(settings.seed)}
        card = _card(options, settings, apart, valid, learner, best)
        write_curves(options.out.with_suffix(".png"), run.log)
        save_results(options.out, best["weights"], describe(network).to_metadata() | about, card)
        run.finish()
        return card

    def report(self, card: dict[str, Any]) -> str:
        """CCC on the validation split, a line a scale factor."""
        return "\n".join(
            f"s = {scale:>3}   CCC  valence {scores['ccc']['valence']:.3f}   arousal {scores['ccc']['arousal']:.3f}"
            for scale, scores in card["valid_scores"].items()
        )

    def evaluation_parser(self) -> Parser:
        """Options of ``vidlink.evaluate``."""
        parser = Parser(
            prog="vidlink.evaluate",
            description="Score a recognizer on labelled faces, scale by scale.",
            examples=(
                "--data ferplus:ferplus.zip",
                "--data ferplus:ferplus.zip --weights my.safetensors --scales 1,2,4",
                "--data classes:clips/",
            ),
        )
        add = parser.add_argument
        add("--task", choices=tuple(TASKS.known()), default="recognition", help="also --task sr --help, "
            "--task activity --help")  # fmt: skip
        add("--recognizer", default="affect", metavar="NAME|package.module:Class", help="(%(default)s)")
        add("--data", required=True, metavar="KIND:PATH", help="faces, for example ferplus:ferplus.zip; "
            "class folders of videos, classes:PATH (--data classes: --help)")  # fmt: skip
        add("--split", default="valid", help="split to score (%(default)s)")
        add("--scales", default="1,1.5,2,3,4,6", help="scale factors (%(default)s)")
        add("--codec", metavar="NAME", help="also code the faces by this recipe (with --quality)")
        add("--quality", metavar="30,38", help="values of the codec's quality knob (codec: x264)")
        add("--disturb", metavar="noise:0.05,...", help="what goes wrong with the faces before the link: "
            "noise, salt, blur, occlusion, dark, area, bicubic (KIND:STRENGTH or KIND:LEAST-LARGEST, "
            "@SHARE)")  # fmt: skip
        add("--recognizer-arg", action="append", default=[], metavar="KEY=VALUE", help="setting of it")
        add("--weights", type=Path, metavar="FILE.safetensors", help="other weights than its own")
        add("--json", type=Path, metavar="FILE", help="also write the scores here")
        add_machine(parser)
        return parser

    def check_evaluation(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of evaluation."""
        from vidlink.codec.shelf import load_codec
        from vidlink.tasks.face_scores import parse_qualities, parse_scales

        parse_scales(options.scales)
        check_folder(options.json, "--json ")
        if options.codec and options.quality is None:
            raise UserError(f"--codec {options.codec}: give the quality too, like --quality 30")
        parse_qualities(options.quality, load_codec(options.codec or "x264"))
        if options.disturb:
            from vidlink.training.disturb import parse_mix

            parse_mix(options.disturb)

    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score a recognizer on faces."""
        import torch

        from vidlink.codec.shelf import load_codec
        from vidlink.data.faces import load_faces
        from vidlink.link.probe import check_codec
        from vidlink.recognizers.recognize import load_recognizer
        from vidlink.tasks.face_scores import parse_qualities, parse_scales, score_faces, table

        codec = check_codec(load_codec(options.codec or "x264"))
        recognizer = load_recognizer(
            options.recognizer, device=options.device, weights=options.weights, arguments=options.recognizer_arg
        )
        faces = load_faces(options.data, options.split)
        if options.disturb:
            from vidlink.training.disturb import disturb_images, parse_mix

            source = torch.Generator().manual_seed(0)
            faces = replace(faces, images=disturb_images(faces.images, parse_mix(options.disturb), source))
        qualities = parse_qualities(options.quality, codec)
        scores = score_faces(recognizer, faces, parse_scales(options.scales), codec=codec, qualities=qualities)
        return table(scores), {
            "recognizer": options.recognizer,
            "data": options.data,
            "split": options.split,
            "codec": None if options.quality is None else codec.name,
            "disturb": options.disturb,
            "skipped": faces.skipped,
            "scores": scores,
        }


def _coding(options: argparse.Namespace) -> Coding | None:
    if not options.codec_aware:
        return None
    from vidlink.codec.shelf import load_codec
    from vidlink.training.coded import Coding, useful_range

    codec = load_codec(options.codec)
    return Coding(codec=codec, quality=useful_range(codec.quality), share=options.codec_aware)


def _settings(options: argparse.Namespace, regime: Regime, pretraining: Pretraining | None) -> AffectSettings:
    from vidlink.training.affect import AffectSettings

    pretrained = ""
    if pretraining:
        images = without_folder(options.sr_data or options.data)
        how = "against" if pretraining.disturb else "at"
        pretrained = f"{images} {how} {pretraining}, {options.sr_steps} steps"
    return AffectSettings(
        regime=regime.name,
        network=options.network,
        width=options.width,
        size=options.size,
        data=without_folder(options.data),
        split={"train": options.split, "valid": options.valid},
        choose=options.choose or 0,
        epochs=options.epochs,
        batch=options.batch,
        learning_rate=options.learning_rate,
        generated=options.generated,
        seed=options.seed,
        start=digest_of(options.start, "--start"),
        encoder_rate=regime.encoder_rate if options.encoder_rate is None else options.encoder_rate,
        pretrained=pretrained,
        coded=options.codec_aware,
        codec=options.codec if options.codec_aware else "",
        disturb=options.disturb,
        teacher=digest_of(options.teacher, "--teacher"),
        distil=options.distil if options.teacher else 0.0,
        patience=options.patience,
    )


def digest_of(path: Path | None, option: str) -> str:
    """SHA-256 of the file that an option names; empty without one."""
    from vidlink.recognizers.content import digest_file

    if path is None:
        return ""
    if not path.is_file():
        raise UserError(f"{option} {path}: no such file")
    return digest_file(path)


def _card(
    options: argparse.Namespace,
    settings: AffectSettings,
    apart: Apart,
    valid: FaceSet,
    learner: AffectLearner,
    best: dict[str, Any],
) -> dict[str, Any]:
    scores = learner.scores(valid, REPORTED_SCALES, best["weights"])
    return {
        "recognizer": "affect",
        **asdict(settings),
        "best_epoch": best["epoch"],
        "started_from": _card_beside(options.start) if options.start else None,
        "faces": apart.counts(valid),
        "valid_scores": {
            f"{scale:g}": {
                score: {name: scores[f"{name}_{score}_s{scale:g}"] for name in ("valence", "arousal")}
                for score in ("cc", "ccc")
            }
            for scale in REPORTED_SCALES
        },
        "versions": versions(),
    }


def _card_beside(weights: Path) -> Any:
    """Read the card of the weights that a run started from; their name where they have none."""
    try:
        return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return weights.name
