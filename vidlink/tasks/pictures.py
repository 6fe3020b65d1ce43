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
    from collections.abc import Sequence

    from vidlink.data.picture_set import Form, PictureSet
    from vidlink.nets.pictures import PictureNetwork
    from vidlink.nets.pictures import Task as Name
    from vidlink.training.coded import Coding
    from vidlink.training.pictures import PictureLearner, PictureSettings
    from vidlink.training.regimes import Regime
    from vidlink.training.scenes import Variation

RESTORER_RATE = 1e-3
"""Peak of the learning rate where a restorer alone learns, by AdamW."""
WEIGHT_DECAY = {"sgd": 5e-4, "adamw": 0.02}
"""Weight decay by optimizer; none where a restorer alone learns."""


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
        from vidlink.nets.pictures import NETWORKS, WIDTH
        from vidlink.training.losses import TERMS
        from vidlink.training.regimes import regime_names

        names = NETWORKS[self.name].known()
        parser = Parser(prog=f"vidlink.train --task {self.name}", description=self.about)
        add = parser.add_argument
        add("--data", required=True, metavar="KIND:PATH", help=f"labelled pictures: {self.kinds}")
        add("--valid", metavar="KIND:PATH|SHARE", help="pictures to look at as training goes on, or the share of "
            "--data to hold out (the data's own split; without one 0.2)")  # fmt: skip
        add_out(parser)
        add(
            "--regime",
            default="hr",
            metavar="|".join(regime_names(pictures=True)),
            help="what to train on (%(default)s)",
        )
        first = next(iter(names))
        network = f"{'|'.join(names)}|RESTORER+{first}|RESTORER/{first}"
        network += f"|{first}+decoder" if self.decodes else ""
        add("--network", metavar=network, help=f"({first}; behind a restorer where the regime has one)")
        add("--restorer-width", type=int, metavar="N", help="channels of the restorer's first layer (its default)")
        add("--width", type=int, default=WIDTH[self.name], help="channels of its first layers (%(default)s)")
        add("--size", default=self.size, metavar="WxH", help="pixels of the pictures that it takes (%(default)s)")
        add("--epochs", type=int, default=self.defaults["epochs"], help="times each picture is seen (%(default)s)")
        add("--batch", type=int, default=self.defaults["batch"], help="pictures a step (%(default)s)")
        add("--optimizer", choices=("sgd", "adamw"), help=f"({self.defaults['optimizer']}; adamw for a restorer alone)")
        add("--learning-rate", type=float, help=f"peak of the one-cycle rate ({self.defaults['learning_rate']:g}; "
            f"{RESTORER_RATE:g} for a restorer alone)")  # fmt: skip
        add("--codec-aware", type=float, default=0.0, metavar="SHARE", help="share of the pictures that are coded and "
            "decoded")  # fmt: skip
        add("--codec", default="x264", help="recipe for --codec-aware (%(default)s)")
        add("--disturb", metavar="noise:0-0.05,...", help="what goes wrong with pictures before that (as --task "
            "recognition has it)")  # fmt: skip
        add("--loss", metavar="TERM[:WEIGHT],...", help=f"what is learned from, in place of the regime's: some of "
            f"{', '.join(TERMS)}")  # fmt: skip
        add("--teacher", type=Path, metavar="FILE.safetensors", help="network of the loss distil; it sees pristine "
            "pictures")  # fmt: skip
        add("--encoder-rate", type=float, metavar="SHARE", help="rate of the early layers (of the restorer, if there "
            "is one), in place of the regime's")  # fmt: skip
        add("--recognizer-rate", type=float, metavar="SHARE", help="rate of all others, in place of the regime's; 0 "
            "leaves the recognizer as it is")  # fmt: skip
        add("--sr-epochs", type=int, default=5, help="passes of super-resolution pre-training (%(default)s)")
        add("--start", type=Path, action="append", default=[], metavar="FILE.safetensors", help="weights to start "
            "from, in place of pre-training: of the network, or of its recognizer")  # fmt: skip
        add("--scales", default="1,2,4,6", help="scale factors whose scores go into the card (%(default)s)")
        add("--half", action="store_true", help="write the weights in half precision, half as large a file")
        add("--seed", type=int, default=0, help="of weights, order and degradations (%(default)s)")
        add_run(parser)
        return parser

    def check(self, options: argparse.Namespace) -> None:
        """Refuse wrong options of training."""
        from vidlink.training.losses import parse_loss
        from vidlink.training.regimes import find_regime
        from vidlink.units import parse_scales

        check_least(options, epochs=1, batch=1, width=1, sr_epochs=1)
        if options.restorer_width is not None:
            check_least(options, restorer_width=1)
        for name in ("codec_aware", "encoder_rate", "recognizer_rate"):
            value = getattr(options, name)
            if value is not None and not 0 <= value <= 1:
                raise UserError(f"--{name.replace('_', '-')} {value}: a share from 0 to 1")
        regime = find_regime(options.regime)
        for name in ("encoder_rate", "recognizer_rate", "loss"):
            if getattr(options, name) is None:
                setattr(options, name, getattr(regime, name))
        if not options.encoder_rate and not options.recognizer_rate:
            raise UserError("--encoder-rate 0 and --recognizer-rate 0: nothing is left to learn")
        restorer_alone = not options.recognizer_rate
        if options.optimizer is None:
            options.optimizer = "adamw" if restorer_alone else self.defaults["optimizer"]
        if options.learning_rate is None:
            options.learning_rate = RESTORER_RATE if restorer_alone else self.defaults["learning_rate"]
        if not 0 < options.learning_rate < 100:
            raise UserError(f"--learning-rate {options.learning_rate}: above 0")
        if ("distil" in parse_loss(options.loss)) != (options.teacher is not None):
            raise UserError(
                f"--loss {options.loss}: with --teacher FILE.safetensors, give distil:WEIGHT; without, leave it out"
            )
        parse_scales("--scales", options.scales)
        if options.codec_aware:
            from vidlink.codec.shelf import load_codec
            from vidlink.link.probe import check_codec

            check_codec(load_codec(options.codec))
        _disturb(options)
        from vidlink.tasks.picture_network import parse_size

        parse_size(options.size)
        check_out(options)

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
        from vidlink.training.pictures import PictureLearner, SceneBatches
        from vidlink.training.regimes import find_regime
        from vidlink.units import parse_scales

        regime, device = find_regime(options.regime), find_device(options.device)
        train, valid = learn_and_validate(options.data, options.valid, self.form)
        network, module, begun = make_network(self.name, options, train.classes, regime)
        loss = parse_loss(options.loss)
        loss.check(module, network.name)
        teacher = load_teacher(options.teacher, network, module) if options.teacher else None
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
        _disturb(options)
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
        scores = score_pictures(network, module, found, scales, options, disturb=_disturb(options))
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

    def _settings(self, options: argparse.Namespace, regime: Regime, network: PictureNetwork) -> PictureSettings:
        from vidlink.nets.pictures import parts_of
        from vidlink.tasks.affect import digest_of
        from vidlink.training.losses import parse_loss
        from vidlink.training.pictures import PictureSettings

        valid = str(options.valid or "")
        pretrained = regime.pretrain and parts_of(network.name).restorer and not options.start
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
            optimizer=options.optimizer,
            weight_decay=WEIGHT_DECAY[options.optimizer] if options.recognizer_rate else 0.0,
            encoder_rate=options.encoder_rate,
            recognizer_rate=options.recognizer_rate,
            restorer_width=network.restorer_width,
            loss=str(parse_loss(options.loss)),
            teacher=digest_of(options.teacher, "--teacher"),
            pretrained=f"at {regime.pretrain:g}, {options.sr_epochs} epochs" if pretrained else "",
            start=",".join(digest_of(path, "--start") for path in options.start),
            coded=options.codec_aware,
            codec=options.codec if options.codec_aware else "",
            disturb=options.disturb,
            seed=options.seed,
        )

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
