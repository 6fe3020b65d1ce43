"""What tasks on labelled pictures have in common: options, training, scores by scale factor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from vidlink.errors import UserError
from vidlink.parser import Parser
from vidlink.tasks.task import (
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

    from vidlink.data.picture_set import Form, PictureSet
    from vidlink.nets.pictures import PictureNetwork
    from vidlink.nets.pictures import Task as Name
    from vidlink.training.coded import Coding
    from vidlink.training.pictures import PictureLearner, PictureSettings
    from vidlink.training.regimes import Regime
    from vidlink.training.scenes import Variation

REPORTED_SCALES = (1.0, 2.0, 4.0, 6.0)
"""Scale factors whose scores go into the card."""


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
    """Epochs, batch, learning rate, optimizer, weight decay."""
    shown: ClassVar[tuple[str, ...]]
    """Scores in the table."""

    def variation(self) -> Variation:
        """How training pictures vary."""
        from vidlink.training.scenes import Variation

        return Variation()

    def training_parser(self) -> Parser:
        """Options of ``vidlink.train``."""
        from vidlink.nets.pictures import NETWORKS, WIDTH
        from vidlink.training.regimes import regime_names

        names = NETWORKS[self.name].known()
        parser = Parser(prog=f"vidlink.train --task {self.name}", description=self.about)
        add = parser.add_argument
        add("--data", required=True, metavar="KIND:PATH", help=f"labelled pictures: {self.kinds}")
        add("--valid", metavar="KIND:PATH|SHARE", help="pictures to look at as training goes on, or the share of "
            "--data to hold out (the data's own split; without one 0.2)")  # fmt: skip
        add_out(parser)
        add("--regime", default="hr", metavar="|".join(regime_names()), help="what to train on (%(default)s)")
        network = f"{'|'.join(names)}|RESTORER+{next(iter(names))}|RESTORER/{next(iter(names))}"
        add("--network", metavar=network, help=f"({next(iter(names))}; behind a restorer where the regime has one)")
        add("--width", type=int, default=WIDTH[self.name], help="channels of its first layers (%(default)s)")
        add("--size", default=self.size, metavar="WxH", help="pixels of the pictures that it takes (%(default)s)")
        add("--epochs", type=int, default=self.defaults["epochs"], help="times each picture is seen (%(default)s)")
        add("--batch", type=int, default=self.defaults["batch"], help="pictures a step (%(default)s)")
        add("--learning-rate", type=float, default=self.defaults["learning_rate"],
            help="peak of the one-cycle rate (%(default)s)")  # fmt: skip
        add("--codec-aware", type=float, default=0.0, metavar="SHARE", help="share of the pictures that are coded and "
            "decoded")  # fmt: skip
        add("--codec", default="x264", help="recipe for --codec-aware (%(default)s)")
        add("--disturb", metavar="noise:0-0.05,...", help="what goes wrong with pictures before that (as --task "
            "recognition has it)")  # fmt: skip
        add("--encoder-rate", type=float, metavar="SHARE", help="rate of the early layers, in place of the regime's")
        add("--sr-epochs", type=int, default=5, help="passes of super-resolution pre-training (%(default)s)")
        add("--start", type=Path, metavar="FILE.safetensors", help="weights to start from, in place of pre-training")
        add("--half", action="store_true", help="write the weights in half precision, half as large a file")
        add("--seed", type=int, default=0, help="of weights, order and degradations (%(default)s)")
        add_run(parser)
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        check_least(options, epochs=1, batch=1, width=1, sr_epochs=1)
        if not 0 < options.learning_rate < 100:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        for name in ("codec_aware", "encoder_rate"):
            value = getattr(options, name)
            if value is not None and not 0 <= value <= 1:
                raise UserError(f"--{name.replace('_', '-')} {value}: a share from 0 to 1")
        if options.codec_aware:
            from vidlink.codec.shelf import load_codec
            from vidlink.link.probe import check_codec

            check_codec(load_codec(options.codec))
        if options.disturb:
            from vidlink.training.disturb import parse_mix

            parse_mix(options.disturb)
        from vidlink.tasks.picture_network import parse_size

        parse_size(options.size)
        check_out(options)

    def train(self, options: argparse.Namespace) -> dict[str, Any]:
        """Train, or go on; returns the card."""
        from vidlink.data.picture_set import hold, learn_and_validate
        from vidlink.nets.pictures import describe_pictures
        from vidlink.recognizers.registry import find_device
        from vidlink.report.curves import write_curves
        from vidlink.tasks.picture_network import make_network, pretrain_restorer
        from vidlink.training.answer_kinds import answers_for
        from vidlink.training.checkpoint import save_results
        from vidlink.training.degrade import Degradation
        from vidlink.training.loop import Training
        from vidlink.training.pictures import PictureLearner, SceneBatches
        from vidlink.training.regimes import find_regime

        regime, device = find_regime(options.regime), find_device(options.device)
        train, valid = learn_and_validate(options.data, options.valid, self.form)
        network, module = make_network(self.name, options, train.classes, regime)
        settings = self._settings(options, regime, network)
        size = held_size(train, network.size)
        held, seen = (hold(each, size, quiet=options.quiet) for each in (train, valid))
        batches = SceneBatches(
            held,
            settings,
            self.variation(),
            Degradation(scales=regime.scales),
            disturb=_disturb(options),
            coding=_coding(options),
            device=device,
        )
        checkpoint, log = options.out.with_suffix(".checkpoint"), options.out.with_suffix(".csv")
        if settings.pretrained and not checkpoint.exists():
            pretrain_restorer(options, regime, network, module, batches, device)
        answers = answers_for(self.form, len(held.classes), held.labels if self.form == "maps" else None)
        learner = PictureLearner(module, answers, batches, seen, settings, device=device)
        run = Training(asdict(settings), checkpoint=checkpoint, log=log, device=device, quiet=options.quiet)
        best = run.fit(learner)
        weights = {
            name: tensor.half() if options.half and tensor.is_floating_point() else tensor
            for name, tensor in best["weights"].items()
        }
        card = self._card(settings, learner, {name: each.float() for name, each in weights.items()}, train)
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
        lines = ["scale  " + "  ".join(f"{name:>8}" for name in self.shown)]
        for scale, found in scores.items():
            cells = ["-" if found.get(name) is None else f"{found[name]:.3f}" for name in self.shown]
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
        check_folder(options.json, "--json ")

    def evaluate(self, options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
        """Score weights on pictures."""
        from vidlink.data.picture_set import load_pictures
        from vidlink.recognizers.roads import load_shipped
        from vidlink.tasks.picture_scores import score_pictures
        from vidlink.units import parse_scales

        network, module = load_shipped(self.name, options.weights, options.network or "")
        found = load_pictures(options.data, self.form, options.split)
        scores = score_pictures(network, module, found, parse_scales("--scales", options.scales), options)
        return self.table(scores), {
            "task": self.name,
            "data": options.data,
            "split": options.split,
            "pictures": len(found),
            "classes": list(network.classes),
            "labels": found.about,
            "scores": scores,
        }

    def _settings(self, options: argparse.Namespace, regime: Regime, network: PictureNetwork) -> PictureSettings:
        from vidlink.tasks.affect import digest_of
        from vidlink.tasks.picture_network import restorer_in
        from vidlink.training.pictures import PictureSettings

        valid = str(options.valid or "")
        pretrained = regime.pretrain and restorer_in(network.name) and not options.start
        return PictureSettings(
            task=self.name,
            regime=regime.name,
            network=network.name,
            width=network.width,
            size=network.size,
            data=without_folder(options.data),
            valid=without_folder(valid) if ":" in valid else valid,
            epochs=options.epochs,
            batch=options.batch,
            learning_rate=options.learning_rate,
            optimizer=self.defaults["optimizer"],
            weight_decay=self.defaults["weight_decay"],
            encoder_rate=regime.encoder_rate if options.encoder_rate is None else options.encoder_rate,
            pretrained=f"at {regime.pretrain:g}, {options.sr_epochs} epochs" if pretrained else "",
            start=digest_of(options.start, "--start"),
            coded=options.codec_aware,
            codec=options.codec if options.codec_aware else "",
            disturb=options.disturb,
            seed=options.seed,
        )

    def _card(
        self, settings: PictureSettings, learner: PictureLearner, weights: dict[str, Any], train: PictureSet
    ) -> dict[str, Any]:
        from vidlink.tasks.picture_scores import named

        scores = {}
        for scale in REPORTED_SCALES:
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


def _disturb(options: argparse.Namespace) -> Any:
    from vidlink.training.disturb import parse_mix

    return parse_mix(options.disturb) if options.disturb else None


def _coding(options: argparse.Namespace) -> Coding | None:
    if not options.codec_aware:
        return None
    from vidlink.codec.shelf import load_codec
    from vidlink.training.coded import Coding, useful_range

    codec = load_codec(options.codec)
    return Coding(codec=codec, quality=useful_range(codec.quality), share=options.codec_aware, group=4)
