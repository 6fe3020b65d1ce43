"""Faces that two sets share."""

import numpy as np
import pytest

from vidlink.data.face_set import FaceSet
from vidlink.data.twins import twins_of


def faces(images):
    count = len(images)
    nothing = np.zeros((count, 2), np.float32)
    return FaceSet(
        name="made",
        split="train",
        images=np.asarray(images, np.uint8),
        affect=nothing,
        distribution=np.full((count, 8), 0.125, np.float32),
        majority=np.zeros(count, np.int64),
    )


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    rough = rng.integers(60, 190, (5, 6, 6)).astype(np.float32)
    return np.kron(rough, np.ones((8, 8), np.float32)).astype(np.uint8)


def test_the_same_and_nearly_the_same_are_found_mirrored_too(images):
    rng = np.random.default_rng(1)
    others = np.stack(
        [
            images[3],
            np.clip(images[0] * 0.8 + 30, 0, 255),  # other light
            images[1][:, ::-1],
            np.clip(images[2] + rng.normal(0, 6, (48, 48)), 0, 255),  # noise
        ]
    )
    assert twins_of(faces(images), faces(others)).tolist() == [True, True, True, True, False]
    strictly = twins_of(faces(images), faces(others), alike=0.9995).tolist()
    assert strictly == [True, True, False, True, False]


def test_flat_faces_and_empty_sets_have_no_twins(images):
    flat = np.full((2, 48, 48), 90)
    assert not twins_of(faces(flat), faces(flat)).any()
    assert twins_of(faces(images), faces(images[:0])).tolist() == [False] * 5
    assert twins_of(faces(images[:0]), faces(images)).shape == (0,)


def test_ferplus_shares_faces_between_its_splits(data):
    from vidlink.data.ferplus import load_ferplus

    valid = load_ferplus(data / "ferplus.zip", "valid")
    some = valid.take(np.arange(300))
    assert twins_of(some, valid).all()
    assert not twins_of(some.take(np.arange(40)), some.take(np.arange(150, 200))).all()
