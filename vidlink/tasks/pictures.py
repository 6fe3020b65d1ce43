"""What tasks on labelled pictures have in common: options, training, scores by scale factor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from vidlink.parser import Parser
from vidlink.tasks.picture_options import coding_of, mix_of, settings_of, settle, training_parser
from vidlink.tasks.task import (
    Task,
    add_machine,
    check_folder,
    versions,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from vidlink.data.picture_set import Form, PictureSet
    from vidlink.nets.pictures import Task as Name
    from vidlink.training.pictures import PictureLearner
    from vidlink.training.scene_batches import PictureSettings
    from vidlink.training.scenes import Variation


class PictureTask(Task):
    """A task on labelled pictures; each says what is its own."""

    name: ClassVar[Name]
    """As ``--task`` has it."""
    form: ClassVar[Form]
    """The form of its labels."""
    about: ClassVar[str]
    """A sentence for ``--help``."""
    kinds: ClassVar[str]
    """Kinds of data, for ``--help``."""
    size: ClassVar[str]
    """Default size of the network's pictures."""
    defaults: ClassVar[dict[str, Any]]
    """Epochs, batch, learning rate, optimizer."""
    shown: ClassVar[tuple[str, ...]]
    """Scores in the table."""
    decodes: ClassVar[bool] = True
    """Whether its networks may have a second decoder."""

    def variation(self) -> Variation:
        """How training pictures vary."""
        from vidlink.training.scenes import Variation

        return Variation()

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train``."""
        return training_parser(self)

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        settle(self, options)

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; returns the card."""
        from vidlink.data.picture_set import hold, learn_and_validate
        from vidlink.nets.pictures import describe_pictures
        from vidlink.recognizers.registry import find_device
        from vidlink.report.curves import write_curves
        from vidlink.tasks.picture_network import load_teacher, make_network, pretrain_restorer
        from vidlink.training.answer_kinds import answers_for
        from vidlink.training.checkpoint import save_results
        from vidlink.training.degrade import Degradation
        from vidlink.training.loop import Training
        from vidlink.training.losses import parse_loss
        from vidlink.training.pictures import PictureLearner
        from vidlink.training.regimes import find_regime
        from vidlink.training.scene_batches import SceneBatches
        from vidlink.units import parse_scales

        regime, device = find_regime(options.regime), find_device(options.device)
        train, valid = learn_and_validate(options.data, options.valid, self.form)
        network, module, begun = make_network(self.name, options, train.classes, regime)
        loss = parse_loss(options.loss)
        loss.check(module, network.name)
        teacher = load_teacher(options.teacher, network, module, own=options.network or "") if options.teacher else None
        settings = settings_of(self, options, regime, network)
        size = held_size(train, network.size)
        held, seen = (hold(each, size, quiet=options.quiet) for each in (train, valid))
        batches = SceneBatches(
            held,
            settings,
            self.variation(),
            Degradation(scales=regime.scales),
            disturb=mix_of(options),
            coding=coding_of(options),
            device=device,
        )
        checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
        if settings.pretrained and not checkpoint.exists():
            pretrain_restorer(options, regime, network, module, batches, device)
        answers = answers_for(self.form, len(held.classes), held.labels if self.form == "maps" else None)
        learner = PictureLearner(
            module, answers, batches, seen, settings, loss=loss, teacher=teacher, whiten=not begun, device=device
        )
        run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
        best = run.fit(learner)
        weights = {
            name: tensor.half() if options.half and tensor.is_floating_point() else tensor
            for name, tensor in best["weights"].items()
        }
        scales = parse_scales("--scales", options.scales)
        card = self._card(settings, learner, {name: each.float() for name, each in weights.items()}, train, scales)
        write_curves(options.out.with_suffix(".png"), run.log)
        about = {"regime": regime.name, "data": settings.data, "seed": str(settings.seed)}
        save_results(options.out, weights, describe_pictures(network).to_metadata() | about, card)
        run.finish()
        return card

    def report(self, card: dict[str, Any]) -> str:
        """The scores on the pictures to validate on, a line a scale factor."""
        return self.table(card["valid_scores"])

    def table(self, scores: dict[str, dict[str, float | None]]) -> str:
        """Lay scores out for the terminal, a line a scale factor."""
        shown = [*self.shown, *(name for name in ("psnr",) if any(name in found for found in scores.values()))]
        lines = ["scale  " + "  ".join(f"{name:>8}" for name in shown)]
        for scale, found in scores.items():
            cells = ["-" if found.get(name) is None else f"{found[name]:.3f}" for name in shown]
            lines.append(f"{scale:>5}  " + "  ".join(f"{cell:>8}" for cell in cells))
        return "\n".join(lines)

    def evaluation_parser(self) -> Parser:
        """Options of ``vidlink.evaluate``."""
        parser = Parser(
            prog=f"vidlink.evaluate --task {self.name}",
            description=f"Score weights of vidlink.train --task {self.name} on labelled pictures, scale by scale.",
        )
        add = parser.add_argument
        add("--data", required=True, metavar="KIND:PATH", help=f"labelled pictures: {self.kinds}")
        add("--split", default="valid", choices=("train", "valid", "all"), help="which, where the data have splits "
            "(%(default)s)")  # fmt: skip
        self.add_weights(parser)
        add("--scales", default="1,2,4,6", help="scale factors (%(default)s)")
        add("--disturb", metavar="KIND:STRENGTH,...", help="what goes wrong with pictures before that")
        add("--network", metavar="package.module:Class", help="that of the weights, where it is code of your own")
        add("--json", type=Path, metavar="FILE", help="also write the scores here")
        add_machine(parser)
        add("--quiet", action="store_true", help="no progress bar")
        return parser

    def add_weights(self, parser: Parser) -> None:
        """Add ``--weights``."""
        parser.add_argument("--weights", type=Path, required=True, metavar="FILE.safetensors", help="what to score")

    def check_evaluation(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of evaluation."""
        from vidlink.units import parse_scales

        parse_scales("--scales", options.scales)
        mix_of(options)
        check_folder(options.json, "--json ")

    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score weights on pictures."""
        from vidlink.data.picture_set import load_pictures
        from vidlink.recognizers.roads import load_shipped
        from vidlink.tasks.picture_scores import score_pictures
        from vidlink.units import parse_scales

        network, module = load_shipped(self.name, options.weights, options.network or "")
        found = load_pictures(options.data, self.form, options.split)
        scales = parse_scales("--scales", options.scales)
        scores = score_pictures(network, module, found, scales, options, disturb=mix_of(options))
        return self.table(scores), {
            "task": self.name,
            "data": options.data,
            "split": options.split,
            "pictures": len(found),
            "classes": list(network.classes),
            "labels": found.about,
            **({"disturb": options.disturb} if options.disturb else {}),
            "scores": scores,
        }

    def _card(
        self,
        settings: PictureSettings,
        learner: PictureLearner,
        weights: dict[str, Any],
        train: PictureSet,
        scales: Sequence[float],
    ) -> dict[str, Any]:
        from vidlink.tasks.picture_scores import named

        scores = {}
        for scale in scales:
            found = learner.scores(learner.valid, scale, weights)  # type: ignore[arg-type]
            scores[f"{scale:g}"] = named(found, train.classes)
        return {
            **asdict(settings),
            "classes": list(train.classes),
            "labels": train.about,
            "pictures": {"train": len(train), "valid": len(learner.valid or ())},
            "parameters": sum(each.numel() for each in learner.network.parameters()),
            "valid_scores": scores,
            "versions": versions(),
        }


def held_size(found: PictureSet, size: tuple[int, int]) -> tuple[int, int]:
    """Size in which pictures are held for training: the first one's own where it is up to twice the network's."""
    high, wide = found.pictures[0].read().shape[:2]
    if all(wanted <= own <= 2 * wanted for own, wanted in zip((wide, high), size, strict=True)):
        return wide, high
    return size
