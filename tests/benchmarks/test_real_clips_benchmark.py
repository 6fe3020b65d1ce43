"""Agreement on real clips: what is compared, at which budgets, and what is said where a clip is not there."""

import numpy as np
import pytest
import real_clips

from vidlink.errors import UserError
from vidlink.sweeping.curves import Curve

RATES = (12e3, 24e3, 48e3)


def curve(name, scores, rates=RATES):
    values = {"ccc_mean": np.array([scores, scores], float), "wire_bps": np.array([rates, rates], float)}
    return Curve(name=name, along=tuple(rates), clips=1, missing=(), values=values)


def test_the_gain_is_the_mean_difference_of_agreement_at_equal_rate():
    curves = {"a": curve("a", [0.5, 0.6, 0.7]), "b": curve("b", [0.4, 0.5, 0.6])}
    assert real_clips.gain(curves, "a", "b") == pytest.approx(0.1)
    assert real_clips.gain(curves, "b", "a") == pytest.approx(-0.1)
    assert real_clips.gain(curves, "a", "not run") is None


def test_a_budget_that_does_not_fit_is_a_dash():
    curves = {"a": curve("a", [0.5, 0.6, 0.7]), "b": curve("b", [0.61, 0.7], RATES[1:])}
    assert real_clips.by_rate(curves["b"]) == {24e3: 0.61, 48e3: 0.7}
    assert real_clips.lines_of("clip", curves, list(RATES)) == [
        ["clip: a", "0.500", "0.600", "0.700"],
        ["clip: b", "–", "0.610", "0.700"],
    ]


def test_a_clip_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("VIDLINK_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"clips/expressions_640x360\.mp4: not there; VIDLINK_DATA names the folder"):
        real_clips.find_clips()
    for path in real_clips.CLIPS.values():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    assert list(real_clips.find_clips()) == ["expressions", "selfie", "carphone"]
