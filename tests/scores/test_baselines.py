"""What scores are held beside: ceiling, constant answer, chance."""

import numpy as np
import pandas as pd
import pytest

from vidlink.scores.baselines import kept
from vidlink.scores.dimensions import DimensionScores
from vidlink.scores.kinds import CLASSES, kind_of_section
from vidlink.scores.metrics import score


class Gives:
    name, task, gives = "made", "made", ("level",)


def run_of(answers, pristine, label=None, faces=None):
    """The section and the table of a run of one dimension."""
    table = pd.DataFrame({"frame": np.arange(len(answers)), "face": 0 if faces is None else faces, "level": answers})
    table["level_pristine"] = pristine
    if label is not None:
        table["level_label"] = label
    return DimensionScores(Gives(), None).summary(table), table


@pytest.fixture
def slow():
    """A track that wanders slowly, as faces do."""
    rng = np.random.default_rng(3)
    steps = np.convolve(rng.normal(size=600), np.ones(20) / 20, mode="same")
    return steps - steps.mean()


def test_the_ceiling_is_what_the_pristine_pictures_have_against_the_labels(slow):
    rng = np.random.default_rng(0)
    pristine = slow + rng.normal(0, 0.05, 600)
    section, table = run_of(pristine + rng.normal(0, 0.1, 600), pristine, slow)
    found = kind_of_section(section).baselines(section, table)
    assert found["ceiling"]["ccc"]["level"] == pytest.approx(score(pristine, slow)["ccc"], abs=1e-4)
    share = section["ccc"]["level"] / found["ceiling"]["ccc"]["level"]
    assert found["kept"]["ccc"]["level"] == pytest.approx(share, abs=1e-3)
    assert 0 < share < 1
    assert found["above_chance"]["ccc"]["level"] is True


def test_no_constant_answer_has_a_smaller_error_than_the_one_stated(slow):
    section, table = run_of(slow + 1.0, slow)
    found = kind_of_section(section).baselines(section, table)
    errors = [np.sqrt(np.mean((value - slow) ** 2)) for value in np.linspace(-1, 1, 401)]
    assert found["constant"]["rmse"]["level"] == pytest.approx(min(errors), rel=1e-3)
    assert found["above_chance"]["rmse"]["level"] is False  # an offset of 1 is worse than any constant
    assert found["above_chance"]["cc"]["level"] is True


def test_unrelated_slow_tracks_are_seldom_above_chance():
    above = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        one, other = (np.convolve(rng.normal(size=400), np.ones(25) / 25, mode="same") for _ in range(2))
        section, table = run_of(one, other)
        above.append(kind_of_section(section).baselines(section, table)["above_chance"]["cc"]["level"])
    # By independent frames' standards (|r| > 0.1 of 400) most of these would count as related.
    assert np.mean(above) <= 0.15


def test_a_constant_answer_keeps_nothing(slow):
    section, table = run_of(np.full(600, 0.3), slow, slow)
    found = kind_of_section(section).baselines(section, table)
    assert found["kept"]["ccc"]["level"] == 0
    assert found["above_chance"]["ccc"]["level"] is False


def test_too_few_values_tell_nothing_of_chance():
    section, table = run_of([0.1, 0.2, 0.4], [0.1, 0.3, 0.4])
    assert kind_of_section(section).baselines(section, table)["above_chance"]["ccc"]["level"] is None


def windows(named, pristine, label, step_s=1.0):
    table = pd.DataFrame({"face": 0, "class": named, "class_pristine": pristine, "class_label": label})
    table["time_s"] = step_s * np.arange(len(named))
    table["end_s"] = table["time_s"] + 0.9
    right = float((table["class"] == table["class_label"]).mean())
    return {"accuracy": right, "n": len(table), "classes": 4, "against": "labels"}, table


def test_a_constant_name_has_the_share_of_the_commonest_label():
    labels = ["Walk"] * 30 + ["Run"] * 10
    found = CLASSES.baselines(*windows(["Walk"] * 40, labels, labels))
    assert found["constant"]["accuracy"] == 0.75
    assert found["kept"]["accuracy"] == 0
    assert found["above_chance"]["accuracy"] is False


def test_where_there_is_one_label_only_guessing_is_the_measure():
    found = CLASSES.baselines(*windows(["Walk"] * 40, ["Walk"] * 40, ["Walk"] * 40))
    assert found["constant"]["accuracy"] == 0.25
    assert found["above_chance"]["accuracy"] is True


def test_overlapping_windows_prove_no_more_than_those_that_share_nothing():
    many = windows(["Walk"] * 40, ["Walk"] * 40, ["Walk"] * 40, step_s=0.01)
    assert CLASSES.baselines(*many)["above_chance"]["accuracy"] is False  # they are one


def test_kept_has_no_value_where_the_ceiling_is_no_better_than_a_constant():
    assert kept(0.2, 0.0, 0.0) is None
    assert kept(0.4, 0.0, 0.8) == 0.5
    assert kept(0.3, 0.5, 0.1, falls=True) == 0.5  # of an error
    assert kept(0.4, 0.9, 0.5) is None  # pristine pictures are worse than one answer for all
    assert kept(0.4, 0.2, 0.5, falls=True) is None
