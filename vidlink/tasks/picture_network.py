"""The network that learns from pictures, and what it begins as: chance, weights of files, or restoration."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from vidlink.errors import UserError
from vidlink.nets.build import build_restorer
from vidlink.nets.joint import Cascade
from vidlink.nets.pictures import NETWORKS, PictureNetwork, Task, build_for_pictures, load_for_pictures, parts_of
from vidlink.nets.tensors import open_stored
from vidlink.nets.weights import load_weights, read_header
from vidlink.training.answers import ClassAnswers
from vidlink.training.loop import Training
from vidlink.training.losses import parse_loss
from vidlink.training.pictures import PictureLearner

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from vidlink.training.regimes import Regime
    from vidlink.training.scene_batches import SceneBatches

RESTORER = "srcnn"
"""The restorer in front, where a regime has one and the command line names none."""


def make_network(
    task: Task, options: argparse.Namespace, classes: Sequence[str], regime: Regime
) -> tuple[PictureNetwork, nn.Module, bool]:
    """Make the network, with random weights or those of ``--start``; and whether its recognizer has weights of a file.

    Raises
    ------
    UserError
        There is no such network; the regime restores and the network has no restorer; or it leaves the recognizer as it
        is, and that has no weights.
    """
    behind = next(iter(NETWORKS[task].known()))
    sign = "" if regime.recognizer_rate else "/"
    sign = "+" if regime.pretrain else sign
    name = options.network or (f"{RESTORER}{sign}{behind}" if sign else behind)
    parts = parts_of(name)
    if regime.pretrain and not parts.restorer and ":" not in name:
        raise UserError(
            f"--network {name}: regime {regime.name} restores first; give RESTORER+{name}, or another regime"
        )
    if not options.recognizer_rate and not parts.whole:
        raise UserError(
            f"--network {name}: the recognizer is to stay as it is; expected RESTORER/{parts.recognizer}, whose "
            "restorer learns"
        )
    if options.restorer_width and not parts.restorer:
        raise UserError(f"--restorer-width {options.restorer_width}: --network {name} has no restorer in front")
    network = PictureNetwork(
        task=task,
        name=name,
        classes=tuple(classes),
        size=parse_size(options.size),
        width=options.width,
        restorer_width=options.restorer_width,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        module = build_for_pictures(network)
    for path in options.start:
        _begin(module, network, path)
    if not options.recognizer_rate and not options.start:
        raise UserError(
            f"--network {name}: {parts.recognizer} is to stay as it is (regime {regime.name}); give its weights as "
            "--start"
        )
    return network, module, bool(options.start)


def _begin(module: Any, network: PictureNetwork, path: Path) -> None:
    """Fill the network, or its recognizer, with the weights of a file."""
    header, name = read_header(open_stored(path).about), network.name
    parts = parts_of(name)
    behind = parts.recognizer if parts.whole or parts.decoder else ""
    if header is None or header.network == name:
        part = module
    elif header.network == behind:
        part = module.recognizer
    else:
        other = f" or {behind!r}" if behind else ""
        raise UserError(f"--start {path}: weights of {header.network!r}; expected those of {name!r}{other}")
    classes = header.arguments.get("classes", list(network.classes)) if header else list(network.classes)
    if classes != list(network.classes):
        raise UserError(
            f"--start {path}: tells {', '.join(map(str, classes[:6]))} apart; the pictures have "
            f"{', '.join(network.classes[:6])}"
        )
    load_weights(part, path)


def load_teacher(path: Path, network: PictureNetwork, module: nn.Module, *, own: str = "") -> nn.Module:
    """The teacher of ``--teacher``: a network of the same task whose features have the shape of the network's.

    Raises
    ------
    UserError
        The weights are missing, damaged or another task's, or the features differ in shape.
    """
    about, teacher = load_for_pictures(path, network.task, own=own)
    shapes = []
    for each in (module, teacher):
        with torch.inference_mode():
            pictures = torch.zeros(1, 3, network.size[1], network.size[0])
            shapes.append(tuple(each.eval().features(pictures, torch.ones(1)).shape[1:]))  # type: ignore[operator]
    if shapes[0] != shapes[1]:
        raise UserError(
            f"--teacher {path}: {about.name} has features of shape {shapes[1]}, {network.name} of {shapes[0]}; both "
            "must be of one kind and --width"
        )
    return teacher


def parse_size(text: str) -> tuple[int, int]:
    """Parse ``320x240``: width and height in pixels, multiples of 4 from 16 to 2048.

    Raises
    ------
    UserError
        It is something else.
    """
    wide, _, high = text.partition("x")
    sides = [int(each) if each.isdecimal() else 0 for each in (wide, high)]
    if not all(16 <= side <= 2048 and side % 4 == 0 for side in sides):
        raise UserError(f"--size {text}: expected like 320x240, multiples of 4 from 16 to 2048")
    return sides[0], sides[1]


def pretrain_restorer(
    options: argparse.Namespace,
    regime: Regime,
    network: PictureNetwork,
    module: Any,
    batches: SceneBatches,
    device: torch.device,
) -> None:
    """Let the network's restorer learn to restore at the regime's factor, on the pictures of the task.

    What ``--disturb`` names goes wrong there, too.
    """
    factor = regime.pretrain or 1.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        restorer = build_restorer(parts_of(network.name).restorer, network.restorer_width, channels=3)
    if not options.quiet:
        print(f"super-resolution at {factor:g}, {len(batches.held)} pictures", file=sys.stderr)
    settings = replace(
        batches.settings,
        epochs=options.sr_epochs,
        learning_rate=1e-3,
        optimizer="adamw",
        weight_decay=0.0,
        encoder_rate=1.0,
        recognizer_rate=0.0,
        loss="restoration",
    )
    sent = type(batches)(
        batches.held,
        settings,
        batches.variation,
        replace(batches.degradation, scales=(factor, factor)),
        disturb=batches.disturb,
        device=device,
    )
    alone = Cascade(restorer, nn.Identity())
    learner = PictureLearner(
        alone, ClassAnswers(), sent, None, settings, loss=parse_loss(settings.loss), whiten=False, device=device
    )
    Training({}, device=device, quiet=options.quiet).fit(learner, "super-resolution")
    kept = module.restorer.state_dict()  # with the last layer, or without it
    learned = {key: tensor for key, tensor in restorer.state_dict().items() if key in kept}
    module.restorer.load_state_dict(learned)
