"""The specs that name data sets of faces, and of clips of faces: ``ferplus:PATH`` and so on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.face_set import FaceSet
from vidlink.errors import UserError, unknown
from vidlink.labels.affect import EMOTIONS

if TYPE_CHECKING:
    from vidlink.data.clips import LabelledClip


def load_faces(spec: str, split: str) -> FaceSet:
    """Load the faces that a command line names.

    Parameters
    ----------
    spec
        ``ferplus:PATH``, a folder or a zip file; ``recola:PATH`` or ``recola:PATH?delay=SECONDS``; ``afewva:PATH``; or
        ``generated:COUNT``, so many drawn faces.
    split
        The split's name, as the data set calls it.

    Raises
    ------
    UserError
        Where the spec has no kind, the kind is unknown, or the data set is not there or damaged.
    """
    kinds = {"ferplus": _ferplus, "recola": _recola, "afewva": _afewva, "generated": draw_faces}
    kind, colon, path = spec.partition(":")
    if not colon or not path:
        raise UserError(f"data {spec!r}: expected KIND:PATH, for example ferplus:/data/ferplus.zip")
    elsewhere = {"classes": "clips in folders of classes, for --task activity", "images": "pictures, for --task sr"}
    if kind in elsewhere:
        raise UserError(f"data {spec!r}: {elsewhere[kind]}; faces are {', '.join(sorted(kinds))}")
    if kind not in kinds:
        raise unknown("kind of data", kind, kinds)
    return kinds[kind](path, split)


def load_clips(spec: str, split: str) -> list[LabelledClip]:
    """The labelled videos that a command line names: ``recola:PATH`` or ``afewva:PATH``.

    Raises
    ------
    UserError
        As :func:`load_faces` does; and where the data set has stills, no videos.
    """
    from vidlink.data.afewva import afewva_clips
    from vidlink.data.recola import recola_clips

    kind, _, path = spec.partition(":")
    if kind == "recola":
        folder, delay_s = _delay(path)
        return recola_clips(folder, split, delay_s=delay_s)
    if kind == "afewva":
        return afewva_clips(Path(path).expanduser(), split)
    raise UserError(f"data {spec!r}: has no videos; recola:PATH and afewva:PATH have")


def _ferplus(path: str, split: str) -> FaceSet:
    from vidlink.data.ferplus import load_ferplus

    return load_ferplus(Path(path).expanduser(), split)


def _recola(path: str, split: str) -> FaceSet:
    from vidlink.data.recola import load_recola

    folder, delay_s = _delay(path)
    return load_recola(folder, split, delay_s=delay_s)


def _afewva(path: str, split: str) -> FaceSet:
    from vidlink.data.afewva import load_afewva

    return load_afewva(Path(path).expanduser(), split)


def _delay(text: str) -> tuple[Path, float]:
    """``PATH`` or ``PATH?delay=SECONDS``."""
    from vidlink.data.recola import DELAY_S

    path, mark, option = text.partition("?")
    name, _, value = option.partition("=")
    try:
        delay_s = float(value) if mark else DELAY_S
    except ValueError:
        delay_s = -1.0
    if (mark and name != "delay") or not 0 <= delay_s <= 60:
        raise UserError(f"recola:{text}: expected recola:PATH or recola:PATH?delay=SECONDS, from 0 to 60")
    return Path(path).expanduser(), delay_s


def draw_faces(count: str, split: str) -> FaceSet:
    """Draw faces of random people with known valence and arousal; nobody voted on them.

    The built-in clip's person is in no split; each split has its own seed, so that no face is in two.

    Raises
    ------
    UserError
        Where the count is no positive number, or there is no such split.
    """
    from vidlink.data.synthetic import face_batch

    seeds = {"train": 1, "valid": 2, "test": 3}
    if split not in seeds:
        raise unknown("split of generated faces", split, seeds)
    if not count.isdecimal() or int(count) < 1:
        raise UserError(f"generated:{count}: expected a number of faces, for example generated:2000")
    images, affect = face_batch(np.random.default_rng(seeds[split]), int(count))
    nobody = np.full((len(images), len(EMOTIONS)), np.nan, np.float32)
    nothing = np.full(len(images), -1)
    return FaceSet(name="generated", split=split, images=images, affect=affect, distribution=nobody, majority=nothing)
