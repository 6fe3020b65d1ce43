"""What ``benchmarks/receiver_time.py`` makes of answers, and its receivers."""

import numpy as np
import pandas as pd
import pytest
from receiver_time import RATES, compare, mean_ccc, within_tracks
from receiver_time_levers import RECEIVERS, Levers

from vidlink.recognizers.recognize import recognize
from vidlink.scores.metrics import score


def table(rng, noise):
    """Two faces, 30 looks each; each receiver adds noise of its own strength."""
    found = pd.DataFrame({"face": np.repeat([0, 1], 30)})
    for name in ("valence", "arousal"):
        truth = rng.normal(size=60) + found["face"]
        for receiver in RECEIVERS:
            found[f"{name}_{receiver}"] = truth + noise[receiver] * rng.normal(size=60)
            found[f"{name}_{receiver}_label"] = truth
    return found


def test_gains_are_differences_of_mean_ccc():
    rng = np.random.default_rng(0)
    noise = dict.fromkeys(RECEIVERS, 0.8) | {"time": 0.2, "mean3": 0.5, "mean5": 0.6}
    tables = {rate: [table(rng, noise) for _ in range(4)] for rate in RATES}
    figures, rows = compare(tables)
    assert sorted(figures) == sorted(f"{kind}_{rate // 1000}k" for kind in ("gain", "over_mean") for rate in RATES)
    for rate, clips in tables.items():
        means = {receiver: mean_ccc(clips, receiver).mean() for receiver in RECEIVERS}
        assert figures[f"gain_{rate // 1000}k"] == pytest.approx(means["time"] - means["single"])
        assert figures[f"over_mean_{rate // 1000}k"] == pytest.approx(
            means["time"] - max(means["mean3"], means["mean5"])
        )
        row = rows[f"{rate // 1000}k time"]
        assert row["interval"][0] < row["gain"] < row["interval"][1]
        assert rows[f"{rate // 1000}k single"]["interval"] == [0, 0]
        assert (within_tracks(clips, "time") < mean_ccc(clips, "time")).all()


def test_ccc_is_that_of_the_scores():
    rng = np.random.default_rng(1)
    one, other = (table(rng, dict.fromkeys(RECEIVERS, 0.7)) for _ in range(2))
    joined = pd.concat([one, other])
    wanted = [score(joined[f"{n}_time"], joined[f"{n}_time_label"])["ccc"] for n in ("valence", "arousal")]
    assert mean_ccc([one, other], "time") == pytest.approx(wanted, abs=1e-5)
    hidden = pd.DataFrame(
        {f"{n}_time{end}": [0.1, np.nan, 0.3] for n in ("valence", "arousal") for end in ("", "_label")}
    )
    assert mean_ccc([hidden], "time") == pytest.approx([1, 1])


def test_receivers_answer_from_one_look_as_each_would_by_itself():
    from vidlink.recognizers.affect import Affect, AffectOverTime

    levers = Levers(weights=None)
    faces = list(np.random.default_rng(2).integers(0, 256, (20, 48, 48), dtype=np.uint8))
    boxes, times_s = [(0, 0, 48, 48)] * 20, [0.2 * k for k in range(20)]
    found = recognize(levers, faces, boxes, times_s=times_s)
    by = {name: found[:, k : k + 2] for k, name in zip(range(0, 99, 2), RECEIVERS, strict=False)}
    single = recognize(Affect(), faces, boxes)
    # Numbers in half precision differ by where they are rounded.
    assert by["single"] == pytest.approx(single, abs=0.02)
    middle = np.stack([single[k - 1 : k + 2].mean(axis=0) for k in range(1, 19)])
    assert by["mean3"][1:19] == pytest.approx(middle, abs=0.02)
    for name, later in (("time", True), ("live", False)):
        own = recognize(AffectOverTime(), faces, boxes, times_s=times_s, later=later)
        assert by[name][9:11] == pytest.approx(own[9:11], abs=1e-5)
    assert not np.allclose(by["time"], by["nocorrection"])
