"""Linear filters by class of pixel: strips do not show, zero weights change nothing, fitted ones restore."""

import cv2
import numpy as np
import pytest

from vidlink.nets import classified
from vidlink.nets.classified import CLASSES, FEATURES, Around, restored
from vidlink.rtp.weights import noise_levels, noise_of
from vidlink.sender.overfit_fit import fitted, sums_of


@pytest.fixture(scope="module")
def pair():
    """A picture of shapes, and what a coarse quantizer of blurred pixels leaves of it."""
    rng = np.random.default_rng(0)
    picture = np.full((72, 96), 90, np.uint8)
    for _ in range(40):
        x, y = rng.integers(96), rng.integers(72)
        cv2.circle(picture, (int(x), int(y)), int(rng.integers(3, 14)), int(rng.integers(30, 230)), -1)
    blurred = cv2.GaussianBlur(picture, (0, 0), 1.2)
    return picture, (blurred // 12 * 12 + 6).astype(np.uint8)


def error(picture, wanted):
    return float(np.mean(np.square(wanted.astype(float) - picture)))


def test_zero_weights_leave_a_picture_as_it_is(pair):
    _, seen = pair
    assert (restored(Around(seen, seen, seen), np.zeros((CLASSES, FEATURES), np.float32), 4.0) == seen).all()


def test_strips_do_not_show(pair, monkeypatch):
    picture, seen = pair
    weights = np.random.default_rng(1).normal(0, 0.02, (CLASSES, FEATURES)).astype(np.float32)
    around = Around(seen, picture, seen[:, ::-1].copy())
    whole = restored(around, weights, 3.0)
    monkeypatch.setattr(classified, "ROWS", 7)
    assert (restored(around, weights, 3.0) == whole).all()
    assert (whole != seen).any()


def test_fitted_weights_restore_in_few_bits_and_cost_decides_how_few(pair):
    picture, seen = pair
    around, noise = Around(seen, seen, seen), noise_of(error(seen, picture) ** 0.5)
    sums = sums_of([(around, picture)], noise_levels(noise), pixels=10_000)
    found = {bit_db: fitted(sums, noise, bit_db=bit_db) for bit_db in (1e-5, 1e-3, 1.0)}
    free, dear, dearest = (np.count_nonzero(weights.levels) for weights, _ in found.values())
    assert free > dear > dearest == 0
    weights, foretold_db = found[1e-5]
    gained_db = 10 * np.log10(
        error(seen, picture) / error(restored(around, weights.values, weights.noise_levels), picture)
    )
    assert gained_db > 1
    assert gained_db > 0.8 * foretold_db
