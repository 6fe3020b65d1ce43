"""Errors say what is wrong, and travel between processes."""

import pickle

import pytest

from vidlink.errors import BudgetError, UserError, unknown


def test_a_budget_that_is_too_low_names_the_least_one_in_words_and_as_a_number():
    error = BudgetError(1000.0, 2340)
    assert isinstance(error, UserError)
    assert str(error) == (
        "--bitrate 1k is below what the smallest rung of this clip needs: the lowest rate that works is 2.34k"
    )
    again = pickle.loads(pickle.dumps(error))
    assert (again.asked_bps, again.lowest_bps, str(again)) == (1000.0, 2340, str(error))


@pytest.mark.parametrize(("found", "hint"), [("gccc", "did you mean 'gcc'? known are gcc, throughput"), ("z", "known")])
def test_an_unknown_name_is_told_its_neighbours(found, hint):
    assert hint in str(unknown("estimator", found, ["throughput", "gcc"]))
