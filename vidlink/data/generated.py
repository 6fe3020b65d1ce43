"""Drawn faces by the number: ``generated:COUNT``."""

from __future__ import annotations

import numpy as np

from vidlink.data.face_set import FaceSet
from vidlink.data.synthetic import face_batch
from vidlink.errors import UserError, unknown
from vidlink.labels.affect import EMOTIONS


def draw_faces(count: str, split: str) -> FaceSet:
    """Draw faces of random people with known valence and arousal; nobody voted on them.

    The built-in clip's person is in no split; each split has its own seed, so that no face is in two.

    Raises
    ------
    UserError
        Where the count is no positive number, or there is no such split.
    """
    seeds = {"train": 1, "valid": 2, "test": 3}
    if split not in seeds:
        raise unknown("split of generated faces", split, seeds)
    if not count.isdecimal() or int(count) < 1:
        raise UserError(f"generated:{count}: expected a number of faces, for example generated:2000")
    images, affect = face_batch(np.random.default_rng(seeds[split]), int(count))
    nobody = np.full((len(images), len(EMOTIONS)), np.nan, np.float32)
    nothing = np.full(len(images), -1)
    return FaceSet(name="generated", split=split, images=images, affect=affect, distribution=nobody, majority=nothing)
