"""The network that learns from faces, and what it begins as: chance, weights of a file, or super-resolution."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError

if TYPE_CHECKING:
    import argparse

    import torch

    from vidlink.data.face_set import FaceSet
    from vidlink.nets.build import Network
    from vidlink.training.regimes import Regime


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """What the early layers learn to restore before the network learns to recognize."""

    scales: tuple[float, float]
    """Least and largest scale factor."""
    disturb: str | None = None
    """What goes wrong besides, as :func:`~vidlink.training.disturb.parse_mix` reads it; None for nothing."""

    def __str__(self) -> str:
        """As a command line has it."""
        low, high = self.scales
        return self.disturb or (f"{low:g}" if low == high else f"{low:g}-{high:g}")

    @classmethod
    def parse(cls, text: str) -> Pretraining:
        """A scale factor, a range of them, or what goes wrong with pictures.

        Raises
        ------
        UserError
            It is none of them.

        Examples
        --------
        >>> Pretraining.parse("6").scales, Pretraining.parse("1-6").scales, Pretraining.parse("noise:0.1").scales
        ((6.0, 6.0), (1.0, 6.0), (1.0, 1.0))
        """
        from vidlink.training.disturb import parse_mix

        if ":" in text:
            parse_mix(text)
            return cls(scales=(1.0, 1.0), disturb=text)
        try:
            parts = [float(part) for part in text.split("-")]
        except ValueError:
            parts = []
        if len(parts) not in (1, 2) or not (1 <= parts[0] <= parts[-1] <= 16 and parts[-1] > 1):
            raise UserError(
                f"--pretrain {text}: a factor above 1, at most 16, a range like 1-6, or what goes wrong like noise:0.1"
            )
        return cls(scales=(parts[0], parts[-1]))


def pretraining_of(options: argparse.Namespace, regime: Regime) -> Pretraining | None:
    """What ``--pretrain`` says; without it what the regime says, unless there are weights to start from."""
    if options.pretrain:
        return Pretraining.parse(options.pretrain)
    if regime.pretrain and not options.start:
        return Pretraining(scales=(regime.pretrain, regime.pretrain))
    return None


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


def check_restorer(network: str, regime: Regime, pretraining: Pretraining) -> None:
    """Before anything is loaded: a restorer that works at one factor only cannot learn another."""
    from vidlink.nets.build import build_restorer

    first, plus, _ = network.replace("/", "+").partition("+")
    if not plus:
        return
    restorer = build_restorer(first)
    if getattr(restorer, "takes_lr", False) and pretraining.scales != (restorer.scale, restorer.scale):
        raise UserError(
            f"--network {network}: {first} restores by {restorer.scale} only, and {regime.name} pre-trains at "
            f"{pretraining}; --pretrain {restorer.scale} fits"
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
    options: argparse.Namespace,
    pretraining: Pretraining,
    module: Any,
    faces: FaceSet,
    device: torch.device,
) -> None:
    """Let the network's encoder learn to restore ``--sr-data`` or the faces; with ``--start`` from its weights on."""
    import torch

    from vidlink.data.images import load_images
    from vidlink.nets.build import build_restorer
    from vidlink.nets.joint import Cascade, JointNet, share_early_layers
    from vidlink.training.disturb import parse_mix
    from vidlink.training.superresolution import pretrain

    images = list(load_images(options.sr_data).values()) if options.sr_data else list(faces.images)
    whole = isinstance(module, Cascade)
    cascade = whole or isinstance(module, JointNet)
    name = options.network.replace("/", "+").partition("+")[0] if cascade else "twin"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        restorer = build_restorer(name, options.width)
    if cascade and options.start:
        restorer.load_state_dict(module.restorer.state_dict(), strict=False)  # it has all but the last layer
    side = 48 if cascade else 32
    if not options.quiet:
        what = "restoration of" if pretraining.disturb else "super-resolution at"
        print(f"{what} {pretraining}, {len(images)} images", file=sys.stderr)
    pretrain(
        restorer,
        images,
        pretraining.scales,
        disturb=parse_mix(pretraining.disturb) if pretraining.disturb else None,
        steps=options.sr_steps,
        side=side,
        seed=options.seed,
        device=device,
        quiet=options.quiet,
    )
    if cascade:
        kept = restorer.state_dict().items()
        learned = {key: tensor for key, tensor in kept if whole or not key.startswith("last.")}
        module.restorer.load_state_dict(learned)
        return
    try:
        share_early_layers(restorer, module)
    except ValueError as error:
        raise UserError(
            f"--network {options.network}: its first layers are not those of twin, which --regime {options.regime} "
            f"trains for super-resolution first; --regime mix needs none ({error})"
        ) from error
