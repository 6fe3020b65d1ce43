"""BD figures: known differences come out, and what curves do not support is refused with the reason."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import PchipInterpolator

from vidlink.scores.bd import bd_rate, bd_score, frontier

RATES = np.array([8e3, 12e3, 16e3, 24e3, 48e3])
SCORES = np.array([0.3, 0.45, 0.52, 0.6, 0.66])


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.3])
def test_the_same_scores_at_a_share_of_the_rate(factor):
    found = bd_rate(factor * RATES, SCORES, RATES, SCORES)
    assert found.value == pytest.approx(100 * (factor - 1))
    assert (found.low, found.high, found.dropped) == (0.3, 0.66, 0)


def test_higher_scores_at_the_same_rates():
    found = bd_score(RATES, SCORES + 0.07, RATES, SCORES)
    assert found.value == pytest.approx(0.07)
    assert (found.low, found.high) == pytest.approx((8e3, 48e3))


def test_the_integral_is_that_of_the_interpolated_curves():
    other = SCORES**1.5
    found = bd_rate(RATES, other, RATES, SCORES)
    low, high = max(other[0], SCORES[0]), min(other[-1], SCORES[-1])
    ours, anchor = (PchipInterpolator(x, np.log(RATES)) for x in (other, SCORES))
    area, _ = quad(lambda score: ours(score) - anchor(score), low, high)
    assert found.value == pytest.approx(100 * (np.exp(area / (high - low)) - 1), rel=1e-6)


def test_points_that_cost_more_and_give_no_more_are_dropped():
    rates, scores = frontier([3, 1, 2, 4, 4, 5, np.nan], [0.2, 0.1, 0.3, 0.3, 0.4, np.nan, 1])
    assert rates.tolist() == [1, 2, 4]
    assert scores.tolist() == [0.1, 0.3, 0.4]
    found = bd_rate([*RATES, 60e3], [*SCORES, 0.5], RATES, SCORES)
    assert found.value == pytest.approx(0, abs=1e-9)
    assert found.dropped == 1


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (SCORES + 0.5, "share no range of scores"),
        (SCORES + 0.345, "the range of scores they share is short"),
        (SCORES[::-1], "the curve has 1 points that rise, of 5"),
        (np.full(5, np.nan), "the curve has 0 points that rise, of 0"),
    ],
)
def test_what_the_curves_do_not_support_is_refused(scores, reason):
    found = bd_rate(RATES, scores, RATES, SCORES)
    assert found.value is None
    assert reason in found.reason


def test_rates_without_overlap_are_refused():
    assert "share no range of rates" in bd_score(10 * RATES, SCORES, RATES, SCORES).reason
