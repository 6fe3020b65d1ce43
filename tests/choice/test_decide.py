"""Paired differences, intervals, and clips that would be needed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vidlink.choice.decide import clips_needed, fair_score, rivals_of


def table_of(scores):
    return pd.DataFrame(
        [
            {"setting": name, "clip": f"c{k}", "score": value}
            for name, values in scores.items()
            for k, value in enumerate(values)
        ]
    )


def test_differences_are_taken_clip_by_clip():
    base = np.array([0.1, 0.5, 0.9, 0.3])  # clips differ far more than settings
    near, far = rivals_of(
        "a", table_of({"far": base - [0.2, 0.25, 0.2, 0.22], "a": base, "near": base - [0, 0.1, 0, -0.05]})
    )
    assert (near.setting, far.setting) == ("near", "far")
    assert (near.told_apart, far.told_apart) == (False, True)
    expected = stats.ttest_rel(base, base - [0.2, 0.25, 0.2, 0.22]).confidence_interval(0.95)
    assert (far.low, far.high) == pytest.approx(tuple(expected))
    assert far.needed < 4 < near.needed


def test_a_setting_on_fewer_clips_is_compared_on_those():
    (rival,) = rivals_of("a", table_of({"a": [1, 2, 3], "b": [0, 2]}))
    assert (rival.clips, rival.score, rival.less) == (2, 1.0, 0.5)


def test_one_clip_tells_nothing_apart():
    (rival,) = rivals_of("a", table_of({"a": [1.0], "b": [0.0]}))
    assert np.isnan([rival.low, rival.high]).all()
    assert not rival.told_apart
    assert rival.needed is None


def test_equal_settings_need_no_number_of_clips():
    (rival,) = rivals_of("a", table_of({"a": [1.0, 0.5], "b": [1.0, 0.5]}))
    assert (rival.less, rival.low, rival.high, rival.needed) == (0, 0, 0, None)


@pytest.mark.parametrize("effect", [0.3, 0.6, 1.2])
def test_so_many_clips_tell_apart_four_times_in_five(effect):
    differences = np.array([effect - 1, effect, effect + 1])  # standard deviation 1
    count = clips_needed(differences)
    rng = np.random.default_rng(0)
    drawn = rng.normal(effect, 1, (4000, count))
    found = stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_more_than_ten_thousand_clips_are_not_counted():
    assert clips_needed([1.0, -0.9999]) is None


def test_the_score_of_choosing_leaves_each_clip_out():
    # Each setting is best on its own clip alone, so what the others choose is never that.
    scores = {f"s{k}": [1.0 if k == clip else 0.0 for clip in range(4)] for k in range(4)}
    assert fair_score(list(scores), table_of(scores)) == 0.0
    assert fair_score(["a"], table_of({"a": [0.5, 0.7]})) == pytest.approx(0.6)
    assert np.isnan(fair_score(["a"], table_of({"a": [0.5]})))
