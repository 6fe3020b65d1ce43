"""The network that learns from pictures, and what it begins as: chance, weights of a file, or super-resolution."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from vidlink.errors import UserError
from vidlink.nets.build import build_restorer
from vidlink.nets.pictures import NETWORKS, PictureNetwork, Task, build_for_pictures
from vidlink.nets.weights import load_weights
from vidlink.training.learner import Learner
from vidlink.training.loop import Training
from vidlink.training.regimes import Regime

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from torch import Generator, Tensor, nn

    from vidlink.training.pictures import SceneBatch, SceneBatches

RESTORER = "srcnn"
"""The restorer in front, where a regime has one and the command line names none."""


def restorer_in(name: str) -> str:
    """The restorer in ``RESTORER+NETWORK`` or ``RESTORER/NETWORK``; empty without one."""
    first, *rest = re.split("[+/]", name)
    return first if rest else ""


def make_network(
    task: Task, options: argparse.Namespace, classes: Sequence[str], regime: Regime
) -> tuple[PictureNetwork, nn.Module]:
    """Make the network, with random weights or those of ``--start``.

    Raises
    ------
    UserError
        There is no such network, or the regime restores and the network has no restorer.
    """
    behind = next(iter(NETWORKS[task].known()))
    name = options.network or (f"{RESTORER}+{behind}" if regime.pretrain else behind)
    if regime.pretrain and not restorer_in(name) and ":" not in name:
        raise UserError(
            f"--network {name}: regime {regime.name} restores first; give RESTORER+{name}, or another regime"
        )
    network = PictureNetwork(
        task=task, name=name, classes=tuple(classes), size=parse_size(options.size), width=options.width
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        module = build_for_pictures(network)
    if options.start:
        load_weights(module, options.start)
    return network, module


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


class PictureRestorer(Learner):
    """A restorer that learns to give back the pictures of a task, mean squared error by Adam.

    Parameters
    ----------
    restorer
        Called with pictures (n, 3, h, w) and scale factors (n,); gives pictures of the same size.
    batches
        What it learns from: pristine pictures and degraded ones.
    epochs
        Passes.
    seed
        Of order and degradations.
    device
        Where to compute.
    """

    clip = None
    learning_rate = 1e-3

    def __init__(
        self, restorer: nn.Module, batches: SceneBatches, epochs: int, seed: int, device: torch.device
    ) -> None:
        self._batches, self.epochs, self._seed = batches, epochs, seed
        self.network = restorer.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=self.learning_rate)

    def steps(self, epoch: int) -> int:
        """As many as the pictures fill batches."""
        return self._batches.steps

    def seed(self, epoch: int) -> int:
        """Seed of an epoch."""
        return self._seed * 1_000_003 + epoch

    def batches(self, epoch: int, generator: Generator) -> Iterator[SceneBatch]:
        """The batches of one pass."""
        return self._batches.epoch(generator)

    def loss(self, batch: SceneBatch) -> Tensor:
        """Mean squared error against the pristine pictures."""
        return functional.mse_loss(self.network(batch.pictures, batch.scales).float(), batch.pristine)


def pretrain_restorer(
    options: argparse.Namespace,
    regime: Regime,
    network: PictureNetwork,
    module: Any,
    batches: SceneBatches,
    device: torch.device,
) -> None:
    """Let the network's restorer learn super-resolution at the regime's factor, on the pictures of the task."""
    factor = regime.pretrain or 1.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        restorer = build_restorer(restorer_in(network.name), channels=3)
    if not options.quiet:
        print(f"super-resolution at {factor:g}, {len(batches.held)} pictures", file=sys.stderr)
    sent = type(batches)(
        batches.held,
        batches.settings,
        batches.variation,
        replace(batches.degradation, scales=(factor, factor)),
        device=device,
    )
    learner = PictureRestorer(restorer, sent, options.sr_epochs, options.seed, device)
    Training({}, device=device, quiet=options.quiet).fit(learner, "super-resolution")
    kept = module.restorer.state_dict()  # with the last layer, or without it
    learned = {key: tensor for key, tensor in restorer.state_dict().items() if key in kept}
    module.restorer.load_state_dict(learned)
