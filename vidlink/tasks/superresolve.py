"""Super-resolution from the command line: ``--task sr`` of ``vidlink.train`` and of ``vidlink.evaluate``."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.command import Parser
from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from vidlink.training.restore import Scores
    from vidlink.training.superresolution import SRSettings

PATCH = {"twin": 32}
"""Default side of a patch for restorers that have one of their own."""


def asked_for(arguments: Sequence[str] | None) -> bool:
    """Whether a command line says ``--task sr``."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--task", nargs="?")
    return parser.parse_known_args(arguments)[0].task == "sr"


def parse_training(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line of ``vidlink.train --task sr``."""
    from vidlink.nets.build import RESTORERS

    parser = Parser(prog="vidlink.train --task sr", description="Train a restorer on a folder of images.")
    add = parser.add_argument
    add("--task", choices=("sr",), help=argparse.SUPPRESS)
    add("--network", default="srcnn", metavar="|".join(RESTORERS), help="(%(default)s)")
    add("--width", type=int, default=48, help="channels of the first layer of residual and twin (%(default)s)")
    add("--scale", type=float, default=3.0, help="scale factor (%(default)g)")
    add("--data", required=True, metavar="images:PATH", help="images to learn from, for example images:T91")
    add("--valid", metavar="images:PATH", help="images to score on as training goes on")
    add("--out", required=True, type=Path, metavar="FILE.safetensors", help="weights to write")
    add("--resampling", default="literature", choices=("literature", "link"), help="what takes the detail: antialiased "
        "bicubic, or area down, 8 bits and bicubic up as on this project's link (%(default)s)")  # fmt: skip
    add("--steps", type=int, default=20_000, help="steps of gradient descent (%(default)s)")
    add("--batch", type=int, default=16, help="patches a step (%(default)s)")
    add("--patch", type=int, metavar="PIXELS", help="side of a HR patch (about 48; 32 for twin)")
    add("--learning-rate", type=float, default=1e-3, help="peak of the one-cycle rate (%(default)s)")
    add("--seed", type=int, default=0, help="of weights and patches (%(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    add("--overwrite", action="store_true", help="replace the weights at --out")
    add("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(arguments)


def parse_evaluation(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line of ``vidlink.evaluate --task sr``."""
    from vidlink.training.restore import __doc__ as protocol

    about = " ".join((protocol or "").partition("**Protocol.** ")[2].split())
    parser = Parser(prog="vidlink.evaluate --task sr", description="Score a restorer on images.", epilog=about)
    add = parser.add_argument
    add("--task", choices=("sr",), help=argparse.SUPPRESS)
    add("--weights", required=True, type=Path, metavar="FILE.safetensors", help="from vidlink.train --task sr")
    add("--data", required=True, metavar="images:PATH", help="images to score on, for example images:Set5")
    add("--scale", type=float, help="scale factor (that of training)")
    add("--json", type=Path, metavar="FILE", help="also write the scores here")
    add("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
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
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before PyTorch is loaded, as in vidlink.train
    settings = _settings(options)
    import torch

    from vidlink.data.images import load_images
    from vidlink.nets.build import build_restorer
    from vidlink.recognizers.registry import find_device
    from vidlink.training.checkpoint import save_card, save_weights, telling_of
    from vidlink.training.loop import save_log
    from vidlink.training.restore import score_restorer
    from vidlink.training.superresolution import SuperResolution

    if options.threads:
        torch.set_num_threads(options.threads)
    device = find_device(options.device)
    images, valid = load_images(options.data), load_images(options.valid) if options.valid else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        restorer = build_restorer(options.network, options.width, options.scale)
    run = SuperResolution(restorer, list(images.values()), settings, device=device)
    checkpoint = options.out.with_suffix(".checkpoint")
    if run.resume(checkpoint) and not options.quiet:
        print(f"going on after step {run.step}, from {checkpoint}", file=sys.stderr)
    with telling_of(checkpoint):
        for _ in run.run(valid, checkpoint, quiet=options.quiet):
            save_log(options.out.with_suffix(".csv"), run.log)
    described = {"name": options.network, "width": options.width, "scale": options.scale}
    save_weights(options.out, restorer.state_dict(), {"restorer": json.dumps(described)})
    card = _card(options, settings, len(images), score_restorer(restorer, valid, options.scale, device=device))
    save_card(options.out.with_suffix(".json"), card)
    checkpoint.unlink(missing_ok=True)
    return card


def load_restorer(path: Path) -> tuple[nn.Module, float]:
    """Load a restorer and the scale factor that it was trained for.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors, or no restorer's.
    """
    from vidlink.nets.build import build_restorer
    from vidlink.nets.weights import load_weights, read_weights

    _, header = read_weights(path)
    try:
        described = json.loads(header["restorer"])
        scale = float(described["scale"])
        restorer = build_restorer(described["name"], int(described["width"]), scale)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"weights {path}: no restorer's; expected a file of vidlink.train --task sr") from error
    load_weights(restorer, path)
    return restorer, scale


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


def main_training(arguments: Sequence[str] | None = None) -> None:
    """Run ``vidlink.train --task sr`` and print the scores, if there are images to score on."""
    card = train(parse_training(arguments))
    if card["valid_scores"]:
        print(table(card["valid_scores"]))


def main_evaluation(arguments: Sequence[str] | None = None) -> None:
    """Run ``vidlink.evaluate --task sr``: print the table and write the JSON file."""
    options = parse_evaluation(arguments)
    if options.json and not options.json.absolute().parent.is_dir():
        raise UserError(f"--json {options.json}: no such folder")
    import torch

    from vidlink.data.images import load_images
    from vidlink.recognizers.registry import find_device
    from vidlink.training.restore import mean_psnr_db, score_restorer

    if options.threads:
        torch.set_num_threads(options.threads)
    device = find_device(options.device)
    restorer, trained = load_restorer(options.weights)
    scale = trained if options.scale is None else options.scale
    if scale != trained and getattr(restorer, "takes_lr", False):
        raise UserError(f"--scale {scale:g}: {options.weights} restores at {trained:g} and at no other scale factor")
    _check_scale(scale)
    scores = score_restorer(restorer.to(device), load_images(options.data), scale, device=device)
    print(table(scores))
    if options.json:
        means = {key: mean_psnr_db(scores, key) for key in ("psnr_db", "bicubic_db")}
        result = {"data": options.data, "scale": scale, **means, "scores": scores}
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _check_scale(scale: float) -> None:
    if not 1 < scale <= 16:
        raise UserError(f"--scale {scale:g}: a scale factor above 1 and up to 16")


def _settings(options: argparse.Namespace) -> SRSettings:
    """Check the options and gather what decides the result."""
    from vidlink.training.superresolution import SRSettings

    for name in ("steps", "batch", "width"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} {getattr(options, name)}: at least 1")
    if not 0 < options.learning_rate < math.inf:
        raise UserError(f"--learning-rate {options.learning_rate}: above 0")
    _check_scale(options.scale)
    if options.network == "espcn" and options.scale != int(options.scale):
        raise UserError(f"--scale {options.scale:g}: espcn takes whole scale factors")
    if options.out.suffix != ".safetensors":
        raise UserError(f"--out {options.out}: the name of a .safetensors file")
    if options.out.exists() and not options.overwrite:
        raise UserError(f"--out {options.out}: exists; --overwrite replaces it")
    grid = int(options.scale) if options.network == "espcn" else 1
    side = PATCH.get(options.network, 48 // grid * grid) if options.patch is None else options.patch
    if side < 17 or side % grid:
        raise UserError(f"--patch {side}: at least 17 pixels, and a multiple of the scale factor for espcn")
    kind, _, path = options.data.partition(":")
    return SRSettings(
        network=options.network,
        width=options.width,
        data=f"{kind}:{Path(path).name}",
        scales=(options.scale, options.scale),
        resampling=options.resampling,
        steps=options.steps,
        batch=options.batch,
        side=side,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )


def _card(options: argparse.Namespace, settings: SRSettings, count: int, scores: Scores) -> dict[str, Any]:
    from importlib.metadata import version

    import vidlink
    from vidlink.training.restore import mean_psnr_db

    mean = {key: round(mean_psnr_db(scores, key), 3) for key in ("psnr_db", "bicubic_db")} if scores else {}
    return {
        "task": "sr",
        **asdict(settings),
        "images": count,
        "valid": Path(options.valid.partition(":")[2]).name if options.valid else None,
        "valid_mean": mean,
        "valid_scores": scores,
        "versions": {"vidlink": vidlink.__version__, **{name: version(name) for name in ("torch", "numpy")}},
    }
