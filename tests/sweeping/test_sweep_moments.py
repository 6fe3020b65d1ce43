from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.scores.metrics import score
from vidlink.scores.moments import MOMENTS, join, moments, scores, table_moments


def clip(rng, n):
    truth = rng.normal(size=n).clip(-1, 1)
    return 0.6 * truth + 0.2 * rng.normal(size=n) + 0.1, truth


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(0, 10))
def test_scores_of_joined_clips_are_those_of_their_frames(lengths, seed):
    rng = np.random.default_rng(seed)
    clips = [clip(rng, n) for n in lengths]
    counts = rng.integers(0, 3, size=(3, len(clips)))
    found = scores(join(np.array([moments(*each) for each in clips]), counts.astype(float)))
    for draw, times in enumerate(counts):
        x, y = (np.concatenate([np.tile(each[k], n) for each, n in zip(clips, times, strict=True)]) for k in (0, 1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = score(x, y)
        for name in ("cc", "ccc", "rmse"):
            np.testing.assert_allclose(found[name][draw], wanted[name], atol=1e-6)


def test_constant_tracks_score_nothing():
    found = scores(np.array([moments(np.full(9, 0.3), np.arange(9.0)), moments([], [])]))
    assert found["cc"].tolist() == [0, 0]
    assert found["ccc"].tolist() == [0, 0]
    with pytest.warns(UserWarning, match="constant"):
        wanted = score(np.full(9, 0.3), np.arange(9.0))
    assert found["rmse"][0] == pytest.approx(wanted["rmse"])
    assert np.isnan(found["rmse"][1])


def test_rows_count_as_in_the_run_itself():
    table = pd.DataFrame(
        {
            "frame": [0, 1, 2],
            "face": [0, 0, 0],
            "valence": [0.1, 0.2, np.nan],
            "arousal": [0.3, 0.4, 0.5],
            "valence_label": [0.0, 0.5, 0.5],
            "arousal_label": [np.nan, 0.5, 0.5],
            "valence_pristine": [0.1, 0.1, 0.1],
        }
    )
    found = table_moments(table, "labels")
    assert {name: found[name]["n"] for name in ("valence", "arousal")} == {"valence": 1, "arousal": 1}
    assert table_moments(table, "pristine")["valence"]["n"] == 2
    assert table_moments(table[["frame", "face"]], "labels") == {}


def test_within_tracks_only_changes_count():
    generator = np.random.default_rng(0)
    change = generator.normal(size=40)
    face = np.repeat([0, 1], 20)
    table = pd.DataFrame({"face": face, "valence": change + 3 * face, "valence_label": change - 2 * face})
    found = table_moments(table, "labels")
    over, within = (
        scores(np.array([[found[name][part] for part in MOMENTS]])) for name in ("valence", "valence_within")
    )
    assert over["ccc"][0] < 0
    assert within["ccc"][0] == pytest.approx(1)
