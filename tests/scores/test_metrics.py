import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vidlink.scores.metrics import accuracy, correlations, score, score_table


def closed_form_ccc(x, y, ddof):
    covariance = np.cov(x, y, ddof=ddof)
    return 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (x.mean() - y.mean()) ** 2)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(2, 60),
    gain=st.floats(-2, 2),
    offset=st.floats(-3, 3),
    noise=st.floats(0.01, 2),
    seed=st.integers(0, 10_000),
)
def test_scores_equal_independent_references(count, gain, offset, noise, seed):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=count)
    x = gain * y + offset + noise * generator.normal(size=count)
    found = score(x, y)
    assert found["n"] == count
    assert found["cc"] == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert found["ccc"] == pytest.approx(closed_form_ccc(x, y, ddof=1), abs=1e-9)
    assert found["rmse"] == pytest.approx(np.sqrt(((x - y) ** 2).mean()), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(2, 200), columns=st.integers(1, 3), offset=st.floats(-1e3, 1e3), seed=st.integers(0, 9999))
def test_correlations_are_those_of_torchmetrics(count, columns, offset, seed):
    import torch
    from torchmetrics.functional.regression import concordance_corrcoef, pearson_corrcoef

    generator = np.random.default_rng(seed)
    y = generator.normal(size=(count, columns))
    x = 0.5 * y + offset + generator.normal(size=y.shape)
    both = [torch.from_numpy(each.squeeze(1) if columns == 1 else each) for each in (x, y)]
    expected = [np.atleast_1d(compute(*both).numpy()) for compute in (pearson_corrcoef, concordance_corrcoef)]
    for found, wanted in zip(correlations(x, y), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_variance_convention_is_the_one_stated():
    x, y = np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 5.0])
    difference = x.mean() - y.mean()
    population, sample = closed_form_ccc(x, y, ddof=0), score(x, y)["ccc"]
    assert sample == pytest.approx(closed_form_ccc(x, y, ddof=1))
    total = x.var() + y.var() + difference**2
    assert sample - population == pytest.approx(population * difference**2 / (3 * total), rel=0.1, abs=1e-3)


@pytest.mark.parametrize("constant", [0.0, 0.3, -1e6])
def test_constant_predictions_score_zero_with_a_warning(constant):
    with pytest.warns(UserWarning, match="valence: constant predictions"):
        found = score(np.full(10, constant), np.linspace(-1, 1, 10), name="valence")
    assert found["cc"] == 0
    assert found["ccc"] == 0
    assert np.isfinite(found["rmse"])


def test_rounding_noise_on_a_constant_is_still_constant():
    wobble = np.float32(0.1) * (1 + np.finfo(np.float32).eps * np.array([0, 1, -1, 1, 0]))
    with pytest.warns(UserWarning, match="constant"):
        assert score(wobble, np.arange(5.0))["cc"] == 0


def test_small_but_real_variation_is_not_constant():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert score(0.5 + 1e-4 * np.arange(5.0), np.arange(5.0))["cc"] == pytest.approx(1)


def test_one_pair_has_an_error_but_no_correlation():
    with pytest.warns(UserWarning, match="1 pairs"):
        assert score([0.5], [0.1]) == {"cc": 0.0, "ccc": 0.0, "rmse": pytest.approx(0.4), "n": 1}


def test_nothing_to_score_is_none_in_tables():
    with pytest.warns(UserWarning, match="valence: 0 pairs"):
        table = score_table(["valence"], np.full((3, 1), np.nan), np.zeros((3, 1)))
    assert table == {"cc": {"valence": None}, "ccc": {"valence": None}, "rmse": {"valence": None}}


def test_missing_predictions_are_left_out():
    x, y = np.array([0.1, np.nan, 0.5, 0.9]), np.array([0.0, 5.0, 0.4, 1.0])
    kept = [0, 2, 3]
    assert score(x, y) == score(x[kept], y[kept])


def test_table_has_a_map_for_each_score():
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(20, 2)), generator.normal(size=(20, 2))
    table = score_table(("valence", "arousal"), x, y)
    assert list(table) == ["cc", "ccc", "rmse"]
    assert table["ccc"]["arousal"] == score(x[:, 1], y[:, 1])["ccc"]


@pytest.mark.parametrize(("x", "y"), [(np.zeros(3), np.zeros(4)), (np.zeros((3, 2)), np.zeros((3, 2)))])
def test_other_shapes_are_refused(x, y):
    with pytest.raises(ValueError, match="shape"):
        score(x, y)


def test_accuracy_leaves_out_faces_without_a_label():
    assert accuracy([1, 2, 3, 4], [1, 0, 3, -1]) == pytest.approx(2 / 3)
    assert accuracy([1], [-1]) is None
