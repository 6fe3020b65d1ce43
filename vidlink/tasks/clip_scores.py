"""Score a recognizer of classes on clips in class folders; tables, pictures and words about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.progress import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from vidlink.data.classfolders import ClipFile, ClipSet
    from vidlink.nets.motion import ActivityNet
    from vidlink.recognizers.recognizer import Recognizer
    from vidlink.scores.classify import Verdicts

SCALES = (1.0, 2.0, 4.0, 8.0, 10.0, 16.0, 20.0)
"""Scale factors that folds are scored at; 320x240 becomes 40x30 at 8 and 16x12 at 20."""


def score_clips(recognizer: Recognizer, options: argparse.Namespace, scales: Sequence[float]) -> Verdicts:
    """Score a recognizer on the clips that a command line names, each decoded at its own size.

    Raises
    ------
    UserError
        There are no clips, or none that the recognizer knows the class of, or it fails.
    """
    from vidlink.data.classfolders import find_clips, read_clips
    from vidlink.scores.classify import evaluate_clips

    files = _split(find_clips(options.data, options.groups), options.split)
    # A recognizer that takes frames as they come is shown 25 a second.
    frame_rate = 2 * recognizer.wants.frame_rate if recognizer.wants.frame_rate else 25.0
    colour = recognizer.wants.colour
    skipped: dict[str, str] = {}

    def clips() -> Iterator[tuple[str, str, NDArray[np.uint8], int]]:
        clips = read_clips(files, frame_rate, None, colour)
        reading = counted(clips, "clip", total=len(files), quiet=options.quiet)
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
