"""The network that learns from faces, and what it begins as: chance, weights of a file, or super-resolution."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError

if TYPE_CHECKING:
    import argparse

    import torch

    from vidlink.data.face_set import FaceSet
    from vidlink.nets.build import Network
    from vidlink.training.regimes import Regime


def make_network(options: argparse.Namespace, size: int) -> tuple[Network, Any]:
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


def check_restorer(network: str, regime: Regime) -> None:
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


def check_teacher(options: argparse.Namespace, module: Any, teacher: Any, side: int) -> None:
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


def pretrain_encoder(
    options: argparse.Namespace, regime: Regime, module: Any, faces: FaceSet, device: torch.device
) -> None:
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
        return
    try:
        share_early_layers(restorer, module)
    except ValueError as error:
        raise UserError(
            f"--network {options.network}: its first layers are not those of twin, which --regime {regime.name} trains "
            f"for super-resolution first; --regime mix needs none ({error})"
        ) from error
