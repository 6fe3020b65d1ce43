"""Super-resolution where it pays: what ``--task sr`` does for networks that choose a path for each patch."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.tasks.sequences import SCORED, TRAIN, VALID, learned_from, through_of
from vidlink.tasks.task import check_least, versions

if TYPE_CHECKING:
    import argparse

    import torch
    from torch import Tensor

    from vidlink.nets.route import RoutedNetwork
    from vidlink.training.loop import Training
    from vidlink.training.restore import Scores
    from vidlink.training.routed import RoutedSettings


def check_routed(options: argparse.Namespace) -> None:
    """Refuse wrong options of training; raises UserError."""
    check_least(options, patches=8)
    name = options.network
    if options.resampling == "literature":
        raise UserError("--resampling literature: clips lose their detail as on this project's link; leave it out")
    if options.disturb:
        raise UserError(f"--disturb {options.disturb}: {name} learns from clips as they are; leave it out")
    if options.patch is not None:
        raise UserError(f"--patch {options.patch}: {name} learns from patches of 64 pixels; leave it out")
    if options.scale == 1:
        raise UserError("--scale 1: takes no detail; give a factor above 1")


def train_routed(
    options: argparse.Namespace, network: RoutedNetwork, *, device: torch.device
) -> tuple[dict[str, Tensor], dict[str, Any], Training]:
    """Train, or go on; the weights, the card, and the run, which is not finished yet.

    Clips of the split ``train`` of ``--data`` are learned from; those of ``valid``, or all of ``--valid``, are scored.
    """
    from vidlink.data.sequences import load_sequences
    from vidlink.data.videos import ALL
    from vidlink.report.curves import write_curves
    from vidlink.training.classsr import learn_classsr
    from vidlink.training.loop import Training
    from vidlink.training.patch_pool import WINDOW, PatchPool
    from vidlink.training.path_restore import learn_path_restore
    from vidlink.training.sequences import Windows, score_windows

    settings, through = _settings(options), through_of(options)
    clips = load_sequences(options.data, TRAIN)
    valid = load_sequences(options.valid, ALL) if options.valid else load_sequences(options.data, VALID)
    count = -(-settings.patches // 4)
    windows = Windows(list(clips.values()), through, frames=1, count=count, side=WINDOW, seed=settings.seed)
    checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
    run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
    learn: Any = learn_classsr if settings.network == "classsr" else learn_path_restore
    learn(network.to(device), PatchPool(windows), settings, run, device=device)
    network = network.cpu().eval()
    scores = {
        name: score_windows(how, valid, through, scale=options.scale, frames=1, count=SCORED)  # type: ignore[arg-type]
        for name, how in (("routed", network), ("longest", Longest(network)))
    }
    write_curves(options.out.with_suffix(".png"), run.log, unit="step")
    return network.state_dict(), _card(settings, list(clips), scores), run


class Longest:
    """The longest path alone, for comparison."""

    def __init__(self, network: RoutedNetwork) -> None:
        self.network = network

    def eval(self) -> None:
        """It is ready."""

    def __call__(self, pictures: Tensor, scale: Tensor, qp: Tensor) -> Tensor:
        """Restore."""
        from vidlink.nets.fsrcnn import known_of

        return self.network.whole(pictures, known_of(scale, qp))


def _settings(options: argparse.Namespace) -> RoutedSettings:
    """What decides the result."""
    from vidlink.training.routed import RoutedSettings

    return RoutedSettings(**learned_from(options))


def _card(settings: RoutedSettings, clips: list[str], scores: dict[str, Scores]) -> dict[str, Any]:
    from vidlink.training.restore import mean_psnr_db

    routed = scores["routed"]
    return {
        "task": "sr",
        **asdict(settings),
        "clips": clips,
        "valid": [row["image"] for row in routed],
        "valid_mean": {
            **{key: round(mean_psnr_db(routed, key), 3) for key in ("psnr_db", "bicubic_db")},
            "longest_path_db": round(mean_psnr_db(scores["longest"]), 3),
        },
        "valid_scores": routed,
        "versions": versions(),
    }
