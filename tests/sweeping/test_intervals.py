"""Intervals hold the truth as often as they say."""

import numpy as np
import pytest
from scipy import stats

from vidlink.scores.moments import join, moments, scores
from vidlink.sweeping.intervals import interval, jackknife

CLIPS, FRAMES, SWEEPS = 5, 60, 400


@pytest.fixture(scope="module")
def sweeps():
    """Moments of clips that differ in level, spread and in how well they are recognized, shape (sweeps, clips, 6)."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(SWEEPS * CLIPS):
        truth = rng.normal(0, 0.3) + rng.uniform(0.2, 0.6) * np.sin(np.arange(FRAMES) / rng.uniform(3, 12))
        found.append(
            moments(0.7 * truth + rng.normal(0, 0.15) + rng.uniform(0.05, 0.25) * rng.normal(size=FRAMES), truth)
        )
    return np.array(found).reshape(SWEEPS, CLIPS, -1)


def ccc(clips, counts):
    return scores(join(clips, counts))["ccc"]


def test_joined_scores_are_within_their_interval_as_often_as_it_says(sweeps):
    every = sweeps.reshape(SWEEPS * CLIPS, -1)
    truth = float(ccc(every, np.ones((1, len(every))))[0])
    rng = np.random.default_rng(1)
    counts = np.concatenate([np.ones((1, CLIPS)), 1 - np.eye(CLIPS)])
    drawn = rng.multinomial(CLIPS, np.full(CLIPS, 1 / CLIPS), size=500).astype(float)
    held = {"jackknife": 0, "percentiles": 0}
    for clips in sweeps:
        found = ccc(clips, counts)
        low, high = jackknife(float(found[0]), found[1:], "ccc")
        held["jackknife"] += low <= truth <= high
        low, high = np.percentile(ccc(clips, drawn), [2.5, 97.5])
        held["percentiles"] += low <= truth <= high
    shares = {name: float(count / SWEEPS) for name, count in held.items()}
    print(shares)  # which docs/sweeps.md quotes
    assert 0.92 <= shares["jackknife"] <= 0.99, shares
    assert shares["percentiles"] < 0.9, shares


def test_the_jackknife_of_a_mean_is_students(sweeps):
    values = np.random.default_rng(2).normal(3, 1, size=7)
    without = (values.sum() - values) / 6
    expected = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    assert jackknife(float(values.mean()), without, "rmse") == pytest.approx(expected)
    assert interval(values) == pytest.approx((values.mean(), *expected))


def test_an_interval_ends_where_the_score_does():
    low, high = jackknife(0.99, np.array([0.95, 0.999, 0.9]), "cc_valence")
    assert -1 <= low < 0.99 < high <= 1
    assert jackknife(0.02, np.array([0.01, 0.2, 0.02]), "rmse")[0] == 0.0
    assert jackknife(1.0, np.array([1.0, 1.0]), "ccc") == pytest.approx((1.0, 1.0))


def test_what_gives_no_interval():
    for without in ([0.5], [], [0.5, np.nan]):
        assert np.isnan(jackknife(0.5, np.array(without), "ccc")).all()
    assert interval([2.0])[0] == 2.0
    assert np.isnan(interval([2.0])[1])
    assert np.isnan(interval([])[0])
    assert interval([1.0, np.nan, 3.0])[0] == 2.0
