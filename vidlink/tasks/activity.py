"""Activity from the command line: ``vidlink.train --task activity``, and class folders in ``vidlink.evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.command import Parser
from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vidlink.data.classfolders import ClipFile, ClipSet
    from vidlink.nets.motion import ActivityNet
    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.scores.classify import Verdicts
    from vidlink.training.motion import ActivitySettings

KIND = "classes"
"""What a ``--data`` of class folders begins with."""
HELD_RATE, HELD_SIZE = 16.0, (112, 84)
"""Frames a second and size in pixels at which clips are held in memory for training."""
SCALES = (1.0, 2.0, 4.0, 8.0, 10.0, 16.0, 20.0)
"""Scale factors that folds are scored at; 320x240 becomes 40x30 at 8 and 16x12 at 20."""


def asked_to_train(arguments: Sequence[str] | None) -> bool:
    """Whether a command line says ``--task activity``."""
    return _option(arguments, "--task") == "activity"


def asked_to_evaluate(arguments: Sequence[str] | None) -> bool:
    """Whether a command line says ``--data classes:PATH``."""
    return (_option(arguments, "--data") or "").startswith(f"{KIND}:")


def _option(arguments: Sequence[str] | None, name: str) -> str | None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument(name, nargs="?", dest="found")
    return parser.parse_known_args(arguments)[0].found


def parse_training(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line of ``vidlink.train --task activity``."""
    parser = Parser(
        prog="vidlink.train --task activity",
        description="Train the activity network: generated figures first, then clips in class folders. Folds by "
        "recording group tell how well; the weights to keep learn from all clips.",
    )
    add = parser.add_argument
    add("--task", choices=("activity",), help=argparse.SUPPRESS)
    add("--data", required=True, metavar="classes:PATH", help="class folders, CLASS/clip.mp4")
    add("--groups", default=r"(\d+)", metavar="REGEX", help="recording group in a file's name (its first number)")
    add("--out", required=True, type=Path, metavar="FILE.safetensors", help="weights to write")
    add("--folds", type=int, default=5, help="folds to score by; 0: none (%(default)s)")
    add("--keep-folds", action="store_true", help="also keep each fold's weights, as FILE.fold1.safetensors, ...")
    add("--figures", type=int, default=700, help="generated clips to learn from first (%(default)s)")
    add("--figure-steps", type=int, default=120, help="steps on them (%(default)s)")
    add("--steps", type=int, default=60, help="steps on the clips (%(default)s)")
    add("--batch", type=int, default=24, help="windows a step (%(default)s)")
    add("--restorer", default="joint", choices=("joint", "alone", "none"), help="low light and low resolution: trained "
        "with all else, trained by itself and left so, or a gamma only (%(default)s)")  # fmt: skip
    add("--largest-scale", type=float, default=20.0, help="largest scale factor to learn (%(default)g)")
    add("--unshifted", action="store_true", help="learn each clip's one low-resolution version, not many shifted ones")
    add("--learning-rate", type=float, default=2e-3, help="peak of the one-cycle rate (%(default)s)")
    add("--seed", type=int, default=0, help="of weights, order and degradations (%(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    add("--overwrite", action="store_true", help="replace the weights at --out")
    add("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(arguments)


def main_training(arguments: Sequence[str] | None) -> None:
    """Run ``vidlink.train --task activity`` and print the scores of the folds."""
    options = parse_training(arguments)
    card = train(options)
    if card["folds"]:
        print(table(card["scores"]))


def parse_evaluation(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line of ``vidlink.evaluate --data classes:PATH``."""
    parser = Parser(
        prog="vidlink.evaluate --data classes:PATH",
        description="Score a recognizer of classes on videos in class folders, scale by scale.",
    )
    add = parser.add_argument
    add("--data", required=True, metavar="classes:PATH", help="class folders, CLASS/clip.mp4")
    add("--groups", default=r"(\d+)", metavar="REGEX", help="recording group in a file's name (its first number)")
    add("--split", default="all", metavar="all|foldN", help="all clips, or those of one of five folds (%(default)s)")
    add("--recognizer", default="activity", metavar="NAME|package.module:Class", help="(%(default)s)")
    add("--recognizer-arg", action="append", default=[], metavar="KEY=VALUE", help="setting of the recognizer")
    add("--scales", default="1,2,4,8,16", help="scale factors (%(default)s)")
    add("--weights", type=Path, metavar="FILE", help="other weights than its own")
    add("--json", type=Path, metavar="FILE", help="also write the scores here")
    add("--confusion", type=Path, metavar="FILE.png", help="draw the confusion at the least and the largest scale")
    add("--device", default="auto", help="auto, cpu, cuda, mps (%(default)s)")
    add("--threads", type=int, default=0, help="CPU threads; 0 for all")
    add("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(arguments)


def main_evaluation(arguments: Sequence[str] | None) -> None:
    """Run ``vidlink.evaluate --data classes:PATH``: print the table, write the JSON file and the picture."""
    options = parse_evaluation(arguments)
    from vidlink.units import parse_scales

    scales = parse_scales("--scales", options.scales)
    for path in (options.json, options.confusion):
        if path and not path.absolute().parent.is_dir():
            raise UserError(f"{path}: no such folder")
    import torch

    from vidlink.recognizers.recognize import load_recognizer

    if options.threads:
        torch.set_num_threads(options.threads)
    recognizer = load_recognizer(
        options.recognizer, device=options.device, weights=options.weights, arguments=options.recognizer_arg
    )
    verdicts = evaluate(recognizer, options, scales)
    print(table(verdicts.scores()))
    if options.confusion:
        draw(options.confusion, verdicts)
    if options.json:
        result = {
            "recognizer": options.recognizer,
            "data": options.data,
            "split": options.split,
            "skipped": verdicts.skipped,
            "unknown": verdicts.unknown,
            "classes": list(verdicts.classes),
            "confusion": {f"{scale:g}": verdicts.confusion(scale).tolist() for scale in verdicts.scales},
            "scores": verdicts.scores(),
        }
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def evaluate(recognizer: Recognizer, options: argparse.Namespace, scales: Sequence[float]) -> Verdicts:
    """Score a recognizer on the clips that a command line names, each decoded at its own size.

    Raises
    ------
    UserError
        There are no clips, or none that the recognizer knows the class of, or it fails.
    """
    from tqdm import tqdm

    from vidlink.data.classfolders import list_clips, read_clips
    from vidlink.scores.classify import evaluate_clips

    files = _split(list_clips(_folder(options.data), options.groups), options.split)
    # A recognizer that takes frames as they come is shown 25 a second.
    frame_rate = 2 * recognizer.wants.frame_rate if recognizer.wants.frame_rate else 25.0
    colour = recognizer.wants.colour
    skipped: dict[str, str] = {}

    def clips() -> Iterator[tuple[str, str, NDArray[np.uint8], int]]:
        reading = tqdm(
            read_clips(files, frame_rate, None, colour), total=len(files), unit="clip", disable=options.quiet
        )
        for file, clip, size in reading:
            if size is None:
                skipped[f"{file.label}/{file.path.name}"] = clip
            else:
                yield file.label, file.group, clip, size[0]

    found = evaluate_clips(recognizer, clips(), frame_rate, scales)
    found.skipped = skipped
    say_skipped(skipped, len(files) - len(skipped))
    for label, count in found.unknown.items():
        print(f"vidlink: class {label!r}: not known to the recognizer, {count} clips left out", file=sys.stderr)
    if not found.done:
        known = ", ".join(found.classes[:12]) + (", ..." if len(found.classes) > 12 else "")
        raise UserError(f"--data {options.data}: no clip that can be scored; the recognizer knows {known}")
    return found


def _split(files: list[ClipFile], split: str) -> list[ClipFile]:
    """All files, or those of one fold of five."""
    from vidlink.data.classfolders import assign_folds

    if split == "all":
        return files
    number = split.removeprefix("fold")
    if not (number.isdecimal() and 1 <= int(number) <= 5):
        raise UserError(f"--split {split}: all, or fold1 to fold5")
    fold = assign_folds(files)
    return [file for file, k in zip(files, fold.tolist(), strict=True) if k == int(number) - 1]


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Train, and write weights, card (``.json``) and the folds' confusion (``.png``); returns the card.

    Raises
    ------
    UserError
        Where options or data are wrong.
    """
    settings = _settings(options)
    import numpy as np
    import torch

    from vidlink.data.classfolders import load_clips
    from vidlink.recognizers.registry import find_device
    from vidlink.training.motion import ActivityTraining, pool_of
    from vidlink.training.windows import Variation

    if options.threads:
        torch.set_num_threads(options.threads)
    found = load_clips(
        _folder(options.data), frame_rate=HELD_RATE, size=HELD_SIZE, pattern=options.groups, quiet=options.quiet
    )
    say_skipped(found.skipped, len(found.clips))
    fold = _folds(options, found) if options.folds else None
    variation = Variation(scales=(1.0, options.largest_scale), shifted=not options.unshifted)
    run = ActivityTraining(settings, variation, device=find_device(options.device), quiet=options.quiet)
    everything = pool_of(found, np.arange(len(found.clips)))
    if not settings.figures:
        run.start(everything)
    verdicts: Verdicts | None = None
    for number in range(options.folds):
        assert fold is not None
        network = run.train(pool_of(found, np.flatnonzero(fold != number)), found.classes, f"fold {number + 1}")
        tested = score(network, found, np.flatnonzero(fold == number))
        if options.keep_folds:
            _save(options.out.with_suffix(f".fold{number + 1}.safetensors"), network, found.classes, settings)
        verdicts = tested if verdicts is None else verdicts
        if verdicts is not tested:
            verdicts.add(tested)
    card = _card(options, settings, found, fold, verdicts)
    _save(options.out, run.train(everything, found.classes, "all clips"), found.classes, settings)
    from vidlink.training.checkpoint import save_card

    save_card(options.out.with_suffix(".json"), card)
    if verdicts is not None:
        draw(options.out.with_suffix(".png"), verdicts)
    return card


def _folds(options: argparse.Namespace, found: ClipSet) -> NDArray[np.int64]:
    """Fold of each clip that could be read: assigned over all that are listed, as :func:`_split` does."""
    import numpy as np

    from vidlink.data.classfolders import assign_folds, list_clips

    listed = list_clips(_folder(options.data), options.groups)
    fold_of = dict(zip((file.path for file in listed), assign_folds(listed, options.folds).tolist(), strict=True))
    return np.array([fold_of[file.path] for file in found.files], np.int64)


def score(network: ActivityNet, found: ClipSet, rows: NDArray[np.int64]) -> Verdicts:
    """Score a network on some clips of a set, held at a small size, at all of :data:`SCALES`."""
    from vidlink.recognizers.activity import Activity
    from vidlink.scores.classify import evaluate_clips

    clips = ((found.files[k].label, found.files[k].group, found.clips[k], found.sizes[k][0]) for k in rows.tolist())
    return evaluate_clips(Activity.around(network, found.classes), clips, found.frame_rate, SCALES)


def draw(path: Path, verdicts: Verdicts) -> None:
    """Draw the confusion at the least and at the largest scale factor."""
    from vidlink.report.class_plot import draw_confusion

    shown = dict.fromkeys((verdicts.scales[0], verdicts.scales[-1]))
    draw_confusion(path, {f"scale factor {s:g}": verdicts.confusion(s) for s in shown}, verdicts.classes)


def say_skipped(skipped: dict[str, str], kept: int) -> None:
    """Name on stderr the clips that could not be read, and count them."""
    for name, why in skipped.items():
        print(f"vidlink: skipped {name}: {' '.join(why.split())}", file=sys.stderr)
    if skipped:
        print(f"vidlink: {len(skipped)} clips skipped, {kept} read", file=sys.stderr)


def table(scores: Sequence[dict[str, Any]]) -> str:
    """Lay the scores out for the terminal, a line a scale."""
    lines = [f"{'scale':>5} {'n':>6}  {'accuracy':>8}  95 % over clips  95 % over groups"]
    for row in scores:
        ranges = ["-" if row[key] is None else "{:.3f} to {:.3f}".format(*row[key]) for key in _INTERVALS]
        lines.append(f"{row['scale']:>5g} {row['n']:>6}  {row['accuracy']:>8.3f}  {ranges[0]:>15}  {ranges[1]:>16}")
    return "\n".join(lines)


_INTERVALS = ("interval", "interval_groups")


def _folder(data: str) -> Path:
    kind, colon, path = data.partition(":")
    if not colon or kind != KIND:
        raise UserError(f"--data {data}: expected {KIND}:PATH, a folder of class folders")
    return Path(path).expanduser()


def _settings(options: argparse.Namespace) -> ActivitySettings:
    from vidlink.training.motion import ActivitySettings

    for name, low in (("folds", 0), ("figures", 0), ("figure_steps", 0), ("steps", 1), ("batch", 2)):
        if getattr(options, name) < low:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: at least {low}")
    if options.folds == 1:
        raise UserError("--folds 1: give 0 for none, or at least 2")
    if not options.learning_rate > 0:
        raise UserError(f"--learning-rate {options.learning_rate}: above 0")
    if not 1 <= options.largest_scale <= 40:
        raise UserError(f"--largest-scale {options.largest_scale:g}: from 1 to 40")
    if options.out.suffix != ".safetensors":
        raise UserError(f"--out {options.out}: the name of a .safetensors file")
    folds = range(1, options.folds + 1) if options.keep_folds else ()
    for path in (options.out, *(options.out.with_suffix(f".fold{number}.safetensors") for number in folds)):
        if path.exists() and not options.overwrite:
            raise UserError(f"--out {path}: exists; --overwrite replaces it")
    return ActivitySettings(
        figures=options.figures,
        figure_steps=options.figure_steps if options.figures else 0,
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.learning_rate,
        restorer=options.restorer,
        seed=options.seed,
    )


def _save(path: Path, network: ActivityNet, classes: Sequence[str], settings: ActivitySettings) -> None:
    from vidlink.training.checkpoint import save_weights

    channels = 0 if settings.restorer == "none" else settings.channels
    # One entry: safetensors writes several in another order each time.
    about = {"classes": list(classes), "restorer": channels, "seed": settings.seed}
    save_weights(path, network.state_dict(), {"activity": json.dumps(about)})


def _card(
    options: argparse.Namespace,
    settings: ActivitySettings,
    found: ClipSet,
    fold: NDArray[np.int64] | None,
    verdicts: Verdicts | None,
) -> dict[str, Any]:
    from importlib.metadata import version

    import vidlink

    folds: list[dict[str, Any]] = []
    for number in range(options.folds if fold is not None else 0):
        held = [
            file.group for file, k in zip(found.files, fold if fold is not None else (), strict=True) if k == number
        ]
        folds.append({"groups": sorted(set(held)), "clips": len(held)})
    return {
        "recognizer": "activity",
        "data": f"{KIND}:{_folder(options.data).name}",
        "classes": list(found.classes),
        "clips": len(found.clips),
        "skipped": found.skipped,
        **asdict(settings),
        "largest_scale": options.largest_scale,
        "shifted": not options.unshifted,
        "folds": folds,
        "scores": verdicts.scores() if verdicts else [],
        "confusion": {f"{s:g}": verdicts.confusion(s).tolist() for s in verdicts.scales} if verdicts else {},
        "versions": {"vidlink": vidlink.__version__, **{name: version(name) for name in ("torch", "numpy")}},
    }
