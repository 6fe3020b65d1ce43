"""Curves of a sweep's table: scores of the concatenation, the same draws for all, no point where a clip is missing."""

import numpy as np
import pandas as pd
import pytest

from vidlink.errors import UserError
from vidlink.scores.metrics import score
from vidlink.scores.moments import MOMENTS, moments
from vidlink.sweeping.curves import compare, make_curves

RATES = (8e3, 16e3, 32e3, 64e3)


def tracks(clip, noise, seed):
    """Label and prediction of one clip; the noise is that of the method at a rate."""
    rng = np.random.default_rng([clip, 99])
    label = rng.normal(size=200) + clip / 4
    return label + noise * np.random.default_rng([clip, seed]).normal(size=200), label


def row(method, clip, rate, noise, seed, **more):
    found = {
        "point": f"{method} {clip} {rate:g} {seed}",
        "method": method,
        "input": f"{clip}.mkv",
        "status": "done",
        "bitrate_bps": rate,
        "rate_wire_bps": 0.9 * rate,
    }
    found |= {"rate_bpp": rate / 1e6, "quality_psnr_db": 30.0 + clip, "quality_ssim": 0.9}
    for name, shift in (("valence", 0), ("arousal", 1)):
        values = moments(*tracks(clip + 10 * shift, noise, seed))
        found |= {f"moments_{name}_{key}": value for key, value in zip(MOMENTS, values, strict=True)}
    return found | more


@pytest.fixture
def table():
    """Method ``good`` needs half the rate of ``plain``: the same predictions at half of it."""
    rows = []
    for clip in range(5):
        for step, rate in enumerate(RATES):
            rows.append(row("plain", clip, rate, 1.6 / (1 + step), step))
            rows.append(row("good", clip, rate / 2, 1.6 / (1 + step), step))
    return pd.DataFrame(rows)


def test_scores_are_those_of_the_concatenated_clips(table):
    curve = make_curves(table, "method")["plain"]
    assert curve.along == RATES
    assert curve.clips == 5
    predictions, labels = (
        np.concatenate(part) for part in zip(*(tracks(clip, 0.8, 1) for clip in range(5)), strict=True)
    )
    expected = score(predictions, labels)
    assert curve.estimate("ccc_valence")[1] == pytest.approx(expected["ccc"], abs=1e-6)
    assert curve.estimate("cc_valence")[1] == pytest.approx(expected["cc"], abs=1e-6)
    assert curve.estimate("wire_bps").tolist() == pytest.approx([0.9 * rate for rate in RATES])
    assert curve.estimate("psnr_db") == pytest.approx(32.0)
    mean = (curve.estimate("ccc_valence") + curve.estimate("ccc_arousal")) / 2
    assert curve.estimate("ccc_mean") == pytest.approx(mean)
    low, high = curve.interval("ccc_valence")
    assert (low < curve.estimate("ccc_valence")).all()
    assert (curve.estimate("ccc_valence") < high).all()


def test_half_the_rate_is_minus_fifty_percent_in_every_draw(table):
    curves = make_curves(table, "method")
    found = compare(curves["good"], curves["plain"], "ccc_mean", of_rate=True)
    assert found.difference.value == pytest.approx(-50)
    assert (found.low, found.high) == pytest.approx((-50, -50))
    assert found.refused == 0
    assert compare(curves["good"], curves["plain"], "ccc_mean", of_rate=False).difference.value > 0.02


def test_a_point_that_a_clip_lacks_is_no_point(table):
    table.loc[(table["method"] == "plain") & (table["input"] == "2.mkv") & (table["bitrate_bps"] == 8e3), "status"] = (
        "refused"
    )
    curve = make_curves(table, "method")["plain"]
    assert curve.along == RATES[1:]
    assert curve.missing == (8e3,)


def test_one_clip_has_no_interval(table):
    curves = make_curves(table[table["input"] == "0.mkv"], "method")
    assert np.isnan(curves["plain"].interval("ccc_mean")).all()
    found = compare(curves["good"], curves["plain"], "ccc_mean", of_rate=True)
    assert found.difference.value == pytest.approx(-50)
    assert np.isnan(found.low)


def test_a_method_without_points_is_refused_with_the_reason(table):
    table.loc[table["method"] == "plain", "status"] = "failed"
    curves = make_curves(table, "method")
    found = compare(curves["good"], curves["plain"], "ccc_mean", of_rate=True)
    assert found.difference.value is None
    assert found.difference.reason == "plain has no point"


def test_seeds_of_a_clip_count_as_one_long_clip(table):
    twice = pd.concat([table, pd.DataFrame([row("plain", clip, 16e3, 0.3, 9) for clip in range(5)])])
    curve = make_curves(twice, "method")["plain"]
    assert curve.clips == 5
    parts = [tracks(clip, noise, seed) for clip in range(5) for noise, seed in ((0.8, 1), (0.3, 9))]
    predictions, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert curve.estimate("ccc_valence")[1] == pytest.approx(score(predictions, labels)["ccc"], abs=1e-6)
    again = pd.concat([table, table])  # the same point twice is one
    assert make_curves(again, "method")["plain"].estimate("ccc_mean") == pytest.approx(
        make_curves(table, "method")["plain"].estimate("ccc_mean")
    )


def test_the_table_alone_decides(table):
    one, other = (make_curves(table.sample(frac=1, random_state=k), "method")["good"] for k in (1, 2))
    assert np.array_equal(one.values["ccc_mean"], other.values["ccc_mean"])


def test_tables_without_points_scores_or_columns_say_so():
    settings = {"method": ["a", "b"], "input": ["x", "x"], "bitrate_bps": [1e4, 2e4], "point": ["1", "2"]}
    nothing = pd.DataFrame(settings | {"status": "refused", "error": "no"})
    curves = make_curves(nothing, "method")
    assert [(curve.along, curve.values) for curve in curves.values()] == [((), {}), ((), {})]
    assert compare(curves["a"], curves["b"], "ccc_mean", of_rate=True).difference.reason == "a has no point"
    bare = pd.DataFrame(settings | {"status": "done", "rate_wire_bps": [9e3, 1.9e4], "quality_psnr_db": pd.NA})
    curves = make_curves(bare, "method")
    assert curves["a"].estimate("wire_bps").tolist() == [9e3]
    with pytest.raises(UserError, match="unknown score of a 'ccc_mean'"):
        compare(curves["a"], curves["b"], "ccc_mean", of_rate=True)
    for by, along, word in (("methods", "bitrate_bps", "unknown column 'methods'"), ("method", "input", "no numbers")):
        with pytest.raises(UserError, match=word):
            make_curves(bare, by, along)
    with pytest.raises(UserError, match="no numbers"):
        make_curves(bare.assign(bitrate_bps=pd.NA), "method")
