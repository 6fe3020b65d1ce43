"""The clips that settings are tried on: files, and all that lie in folders, with the labels beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.videos import SUFFIXES, labels_beside
from vidlink.errors import UserError
from vidlink.recognizers.recognize import load_recognizer
from vidlink.scores.kinds import kind_of
from vidlink.video.input import find_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialClip:
    """A clip to try settings on."""

    path: str
    """The file."""
    labels: Path | None = None
    """Its labels; None where there is no ``name.csv`` beside it."""

    @property
    def group(self) -> str:
        """The folder that it lies in, often named like a class."""
        return str(Path(self.path).parent)


def find_clips(inputs: Sequence[str]) -> list[TrialClip]:
    """Every clip of files and folders, of folders within folders too, each once.

    Raises
    ------
    UserError
        There is no such file, or a folder without clips.
    """
    found: dict[str, TrialClip] = {}
    for name in inputs:
        folder = Path(name)
        paths = [name]
        if folder.is_dir():
            paths = [str(path) for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
            if not paths:
                expected = f"clips like name.mp4 ({', '.join(SUFFIXES[1:])}), each with its labels name.csv beside it"
                raise UserError(f"{name}: no clip in this folder; expected {expected} where there are some")
        else:
            find_input(name)
        for path in paths:
            found[path] = TrialClip(path=path, labels=labels_beside(Path(path)))
    return list(found.values())


def in_turn(clips: Sequence[TrialClip], seed: int) -> list[TrialClip]:
    """The clips in an order in which any few first ones are of many folders: shuffled, one of each folder in turn."""
    rng = np.random.default_rng(seed)
    groups: dict[str, list[TrialClip]] = {}
    for place in rng.permutation(len(clips)):
        groups.setdefault(clips[place].group, []).append(clips[place])
    rounds = zip_longest(*(groups[name] for name in sorted(groups)))
    return [clip for clip in chain.from_iterable(rounds) if clip is not None]


def with_labels(clips: Sequence[TrialClip], settings: Settings) -> tuple[list[TrialClip], str]:
    """The clips that have labels for the recognizer, and what was left out; all of them where none has labels.

    Raises
    ------
    UserError
        There is no such recognizer, or labels are wrong.
    """
    if settings.recognizer == "none":
        return [replace(clip, labels=None) for clip in clips], ""
    recognizer = load_recognizer(
        settings.recognizer, device=settings.device, weights=settings.weights, arguments=settings.recognizer_args
    )
    kind = kind_of(recognizer)

    def labelled(clip: TrialClip) -> bool:
        if kind.attribute == "gives":  # read where the clip is
            return clip.labels is not None
        return kind.labels(replace(settings, input=clip.path, labels=clip.labels), recognizer, None) is not None

    found = [clip for clip in clips if labelled(clip)]
    missing = len(clips) - len(found)
    if not found or not missing:
        return list(clips), ""
    return found, f"{missing} of {len(clips)} clips have no labels and were left out: scores are against labels"
