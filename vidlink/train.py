"""Train a recognizer: ``python -m vidlink.train --regime joint-oa --data ferplus:PATH --out my.safetensors``."""

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

    import torch

    from vidlink.data.face_set import FaceSet
    from vidlink.nets.build import Network
    from vidlink.training.coded import Coding
    from vidlink.training.loop import AffectSettings, Training
    from vidlink.training.regimes import Regime

REPORTED_SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Scale factors whose scores go into the card."""

DRAWN = 8000
"""Faces drawn for ``--generated``."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from vidlink.training.regimes import LARGEST, regime_names

    parser = Parser(prog="vidlink.train", description=__doc__.partition(":")[0] + ".")
    add = parser.add_argument
    add("--task", choices=("recognition", "sr", "activity"), default="recognition", help="sr: a restorer, "
        "activity: what people do; see --task sr --help, --task activity --help")  # fmt: skip
    add("--regime", default="joint-oa", metavar="|".join(regime_names()), help="what to train on (%(default)s)")
    add("--data", required=True, metavar="KIND:PATH", help="faces, for example ferplus:ferplus.zip")
    add("--out", required=True, type=Path, metavar="FILE.safetensors", help="weights to write")
    add("--split", default="train", help="split to train on (%(default)s)")
    add("--valid", default="valid", metavar="SPLIT", help="split to validate on (%(default)s)")
    add("--network", default="residual", metavar="residual|recognition|RESTORER+RECOGNIZER", help="(%(default)s)")
    add("--width", type=int, default=48, help="channels of its first layers (%(default)s)")
    add("--epochs", type=int, default=30, help="times each face is seen (%(default)s)")
    add("--batch", type=int, default=256, help="faces a step (%(default)s)")
    add("--learning-rate", type=float, default=1e-3, help="peak of the one-cycle rate (%(default)s)")
    add("--generated", type=float, default=0.0, metavar="SHARE", help="share of drawn faces in a batch")
    add("--codec-aware", type=float, default=0.0, metavar="SHARE", help="share of faces that are coded and decoded")
    add("--codec", default="x264", help="recipe for --codec-aware (%(default)s)")
    add("--disturb", metavar="noise:0-0.05,...", help="what goes wrong with faces before that: noise, salt, blur, "
        "occlusion, dark, area, bicubic (KIND:STRENGTH or KIND:LEAST-LARGEST, @SHARE)")  # fmt: skip
    add("--teacher", type=Path, metavar="FILE.safetensors", help="HR-trained weights whose features to come close to")
    add("--distil", type=float, default=2.0, metavar="WEIGHT", help="weight of that distance (%(default)s)")
    add("--encoder-rate", type=float, metavar="SHARE", help="rate of the early layers, in place of the regime's")
    add("--pretrain", type=float, metavar="FACTOR", help="super-resolution at this factor first, whatever the regime")
    add("--sr-data", metavar="images:PATH", help="pictures for super-resolution pre-training; by default the faces")
    add("--sr-steps", type=int, default=4000, help="its steps of 32 patches (%(default)s)")
    add("--start", type=Path, metavar="FILE.safetensors", help="weights to start from, in place of pre-training")
    add("--patience", type=int, default=0, metavar="EPOCHS", help="stop when so many brought nothing (0: never)")
    add("--seed", type=int, default=0, help="of weights, order and degradations (%(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    add("--overwrite", action="store_true", help="replace the weights at --out")
    add("--quiet", action="store_true", help="no progress bar")
    parser.epilog = f"Regimes that cover a range of scale factors go from 1 to {LARGEST:g}."
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
    from dataclasses import replace

    import torch

    from vidlink.data.faces import load_faces
    from vidlink.nets.build import to_header
    from vidlink.nets.weights import load_network
    from vidlink.recognizers.registry import find_device
    from vidlink.training.checkpoint import save_card, save_weights, telling_of
    from vidlink.training.degrade import Degradation
    from vidlink.training.loop import Training, save_log
    from vidlink.training.regimes import find_regime

    regime = find_regime(options.regime)
    if options.pretrain:
        regime = replace(regime, pretrain=options.pretrain)
    if regime.pretrain and not options.start:
        _check_restorer(options.network, regime)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = find_device(options.device)
    faces, valid = load_faces(options.data, options.split), load_faces(options.data, options.valid)
    settings = _settings(options, regime)
    teacher = load_network(options.teacher)[1] if options.teacher else None
    network, module = _network(options, faces.images.shape[-1])
    if teacher is not None:
        _check_teacher(options, module, teacher, faces.images.shape[-1])
    checkpoint = options.out.with_suffix(".checkpoint")
    if settings.pretrained and not checkpoint.exists():
        _pretrain(options, regime, module, faces, device)
    generated = load_faces(f"generated:{DRAWN}", options.split) if options.generated else None
    run = Training(
        module,
        faces,
        settings,
        Degradation(scales=regime.scales),
        generated=generated,
        coding=_coding(options),
        teacher=teacher,
        device=device,
    )
    if run.resume(checkpoint) and not options.quiet:
        print(f"going on after epoch {run.epoch}, from {checkpoint}", file=sys.stderr)
    with telling_of(checkpoint):
        for _ in run.run(valid, checkpoint, quiet=options.quiet):
            save_log(options.out.with_suffix(".csv"), run.log)
    about = {"network": to_header(network), "regime": regime.name, "data": settings.data, "seed": str(settings.seed)}
    save_weights(options.out, run.best["weights"], about)
    card = _card(options, settings, faces, valid, run)
    save_card(options.out.with_suffix(".json"), card)
    checkpoint.unlink(missing_ok=True)
    return card


def _network(options: argparse.Namespace, size: int) -> tuple[Network, Any]:
    """Make the network, with random weights or those of ``--start``."""
    import torch

    from vidlink.labels.affect import AFFECT, EMOTIONS
    from vidlink.nets.build import Network, build
    from vidlink.nets.weights import load_weights

    network = Network(name=options.network, size=size, outputs=len(AFFECT) + len(EMOTIONS), width=options.width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        module = build(network)
    if options.start:
        load_weights(module, options.start)
    return network, module


def _check_restorer(network: str, regime: Regime) -> None:
    """Before anything is loaded: a restorer that works at one factor only cannot learn another."""
    from vidlink.nets.build import build_restorer

    first, plus, _ = network.partition("+")
    if not plus:
        return
    restorer = build_restorer(first)
    if getattr(restorer, "takes_lr", False) and restorer.scale != regime.pretrain:
        raise UserError(
            f"--network {network}: {first} restores by {restorer.scale} only, and {regime.name} pre-trains at "
            f"{regime.pretrain:g}; --pretrain {restorer.scale} fits"
        )


def _check_teacher(options: argparse.Namespace, module: Any, teacher: Any, side: int) -> None:
    """A teacher's features must be as many as the network's."""
    import torch

    counts = []
    for each in (module, teacher):
        with torch.inference_mode():
            counts.append(each.eval().features(torch.zeros(1, 1, side, side)).shape[1])
    if counts[0] != counts[1]:
        raise UserError(
            f"--teacher {options.teacher}: has {counts[1]} features, the network to train {counts[0]}; "
            "both must be of one kind and --width"
        )


def _coding(options: argparse.Namespace) -> Coding | None:
    if not options.codec_aware:
        return None
    from vidlink.codec.shelf import load_codec
    from vidlink.training.coded import Coding, useful_range

    codec = load_codec(options.codec)
    return Coding(codec=codec, quality=useful_range(codec.quality), share=options.codec_aware)


def _pretrain(options: argparse.Namespace, regime: Regime, module: Any, faces: FaceSet, device: torch.device) -> None:
    """Let the network's encoder learn super-resolution at the regime's factor, on ``--sr-data`` or on the faces."""
    import torch

    from vidlink.data.images import load_images
    from vidlink.nets.build import build_restorer
    from vidlink.nets.joint import JointNet, share_early_layers
    from vidlink.training.superresolution import pretrain

    images = list(load_images(options.sr_data).values()) if options.sr_data else list(faces.images)
    cascade = isinstance(module, JointNet)
    name = options.network.partition("+")[0] if cascade else "twin"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        restorer = build_restorer(name, options.width)
    side = 48 if cascade else 32
    if not options.quiet:
        print(f"super-resolution at {regime.pretrain:g}, {len(images)} images", file=sys.stderr)
    pretrain(
        restorer,
        images,
        regime.pretrain or 1.0,
        steps=options.sr_steps,
        side=side,
        seed=options.seed,
        device=device,
        quiet=options.quiet,
    )
    if cascade:
        learned = {key: tensor for key, tensor in restorer.state_dict().items() if not key.startswith("last.")}
        module.restorer.load_state_dict(learned)
    else:
        share_early_layers(restorer, module)


def _check(options: argparse.Namespace) -> None:
    for name in ("epochs", "batch", "width", "sr_steps"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: at least 1")
    if not options.learning_rate > 0:
        raise UserError(f"--learning-rate {options.learning_rate}: above 0")
    if not 0 <= options.generated <= 0.9:
        raise UserError(f"--generated {options.generated}: a share from 0 to 0.9")
    if not 0 <= options.codec_aware <= 1:
        raise UserError(f"--codec-aware {options.codec_aware}: a share from 0 to 1")
    if options.encoder_rate is not None and not 0 <= options.encoder_rate <= 1:
        raise UserError(f"--encoder-rate {options.encoder_rate}: a share from 0 to 1")
    if options.pretrain is not None and not 1 < options.pretrain <= 16:
        raise UserError(f"--pretrain {options.pretrain}: a factor above 1, at most 16")
    if options.pretrain and options.start:
        raise UserError("--pretrain and --start: one of them; both say what the early layers begin as")
    if options.codec_aware:
        from vidlink.codec.shelf import load_codec

        load_codec(options.codec)
    if options.disturb:
        from vidlink.training.disturb import parse_mix

        parse_mix(options.disturb)
    if not options.distil >= 0:
        raise UserError(f"--distil {options.distil}: a weight of 0 or more")
    if options.out.suffix != ".safetensors":
        raise UserError(f"--out {options.out}: the name of a .safetensors file")
    if options.out.exists() and not options.overwrite:
        raise UserError(f"--out {options.out}: exists; --overwrite replaces it")


def _settings(options: argparse.Namespace, regime: Regime) -> AffectSettings:
    from vidlink.training.loop import AffectSettings

    kind, _, path = options.data.partition(":")
    pretrained = ""
    if regime.pretrain and not options.start:
        images = options.sr_data or options.data
        kind_sr, _, path_sr = images.partition(":")
        pretrained = f"{kind_sr}:{Path(path_sr).name} at {regime.pretrain:g}, {options.sr_steps} steps"
    return AffectSettings(
        regime=regime.name,
        network=options.network,
        width=options.width,
        data=f"{kind}:{Path(path).name}",
        split={"train": options.split, "valid": options.valid},
        epochs=options.epochs,
        batch=options.batch,
        learning_rate=options.learning_rate,
        generated=options.generated,
        seed=options.seed,
        start=_digest(options.start, "--start"),
        encoder_rate=regime.encoder_rate if options.encoder_rate is None else options.encoder_rate,
        pretrained=pretrained,
        coded=options.codec_aware,
        codec=options.codec if options.codec_aware else "",
        disturb=options.disturb,
        teacher=_digest(options.teacher, "--teacher"),
        distil=options.distil if options.teacher else 0.0,
        patience=options.patience,
    )


def _digest(path: Path | None, option: str) -> str:
    import hashlib

    if path is None:
        return ""
    if not path.is_file():
        raise UserError(f"{option} {path}: no such file")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _card(
    options: argparse.Namespace, settings: AffectSettings, faces: FaceSet, valid: FaceSet, run: Training
) -> dict[str, Any]:
    from dataclasses import asdict
    from importlib.metadata import version

    import vidlink

    scores = run.validate(valid, REPORTED_SCALES, run.best["weights"])
    return {
        "recognizer": "affect",
        **asdict(settings),
        "best_epoch": run.best["epoch"],
        "started_from": _card_beside(options.start) if options.start else None,
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
    from vidlink.tasks import activity, superresolve

    if superresolve.asked_for(arguments):
        superresolve.main_training(arguments)
        return
    if activity.asked_to_train(arguments):
        activity.main_training(arguments)
        return
    card = train(parse(arguments))
    for scale, scores in card["valid_scores"].items():
        print(f"s = {scale:>3}   CCC  valence {scores['ccc']['valence']:.3f}   arousal {scores['ccc']['arousal']:.3f}")


if __name__ == "__main__":
    run_command(main)
