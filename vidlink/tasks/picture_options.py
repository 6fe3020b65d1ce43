"""Options of training on labelled pictures, and what decides the result, made from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.parser import Parser
from vidlink.tasks.task import add_out, add_run, check_least, check_out, without_folder

if TYPE_CHECKING:
    import argparse
    from typing import Any, ClassVar, Protocol

    from vidlink.nets.pictures import PictureNetwork
    from vidlink.nets.pictures import Task as Name
    from vidlink.training.coded import Coding
    from vidlink.training.disturb import Mix
    from vidlink.training.regimes import Regime
    from vidlink.training.scene_batches import PictureSettings

    class OfPictures(Protocol):
        """What of a task its options are made from; :class:`~vidlink.tasks.pictures.PictureTask` says what each is."""

        name: ClassVar[Name]
        about: ClassVar[str]
        kinds: ClassVar[str]
        size: ClassVar[str]
        defaults: ClassVar[dict[str, Any]]
        decodes: ClassVar[bool]


RESTORER_RATE = 1e-3
"""Peak of the learning rate where a restorer alone learns, by AdamW."""
WEIGHT_DECAY = {"sgd": 5e-4, "adamw": 0.02}
"""Weight decay by optimizer; none where a restorer alone learns."""


def training_parser(task: OfPictures) -> Parser:
    """Options of ``vidlink.train`` for a task on pictures."""
    from vidlink.nets.pictures import NETWORKS, WIDTH
    from vidlink.training.losses import TERMS
    from vidlink.training.regimes import regime_names

    names = NETWORKS[task.name].known()
    parser = Parser(prog=f"vidlink.train --task {task.name}", description=task.about)
    add = parser.add_argument
    add("--data", required=True, metavar="KIND:PATH", help=f"labelled pictures: {task.kinds}")
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
    network += f"|{first}+decoder" if task.decodes else ""
    add("--network", metavar=network, help=f"({first}; behind a restorer where the regime has one)")
    add("--restorer-width", type=int, metavar="N", help="channels of the restorer's first layer (its default)")
    add("--width", type=int, default=WIDTH[task.name], help="channels of its first layers (%(default)s)")
    add("--size", default=task.size, metavar="WxH", help="pixels of the pictures that it takes (%(default)s)")
    add("--epochs", type=int, default=task.defaults["epochs"], help="times each picture is seen (%(default)s)")
    add("--batch", type=int, default=task.defaults["batch"], help="pictures a step (%(default)s)")
    add("--optimizer", choices=("sgd", "adamw"), help=f"({task.defaults['optimizer']}; adamw for a restorer alone)")
    add("--learning-rate", type=float, help=f"peak of the one-cycle rate ({task.defaults['learning_rate']:g}; "
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


def settle(task: OfPictures, options: argparse.Namespace) -> None:
    """Refuse wrong options of training, before anything is loaded, and fill in what the regime says."""
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
        options.optimizer = "adamw" if restorer_alone else task.defaults["optimizer"]
    if options.learning_rate is None:
        options.learning_rate = RESTORER_RATE if restorer_alone else task.defaults["learning_rate"]
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
    mix_of(options)
    from vidlink.tasks.picture_network import parse_size

    parse_size(options.size)
    check_out(options)


def settings_of(
    task: OfPictures, options: argparse.Namespace, regime: Regime, network: PictureNetwork
) -> PictureSettings:
    """Everything that decides what is learned."""
    from vidlink.nets.pictures import parts_of
    from vidlink.tasks.affect import digest_of
    from vidlink.training.losses import parse_loss
    from vidlink.training.scene_batches import PictureSettings

    valid = str(options.valid or "")
    pretrained = regime.pretrain and parts_of(network.name).restorer and not options.start
    return PictureSettings(
        task=task.name,
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


def mix_of(options: argparse.Namespace) -> Mix | None:
    """What ``--disturb`` names, or None."""
    from vidlink.training.disturb import parse_mix

    return parse_mix(options.disturb) if options.disturb else None


def coding_of(options: argparse.Namespace) -> Coding | None:
    """What ``--codec-aware`` asks for, or None."""
    if not options.codec_aware:
        return None
    from vidlink.codec.shelf import load_codec
    from vidlink.training.coded import Coding, useful_range

    codec = load_codec(options.codec)
    return Coding(codec=codec, quality=useful_range(codec.quality), share=options.codec_aware, group=4)
