"""What the benchmark of rate against accuracy runs and compares: methods, points, and the best of each family."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rate_accuracy as benchmark
import rate_accuracy_points as points
from rate_accuracy_tables import bd_table, print_pairs, print_tables, rank_correlations

from vidlink.errors import UserError
from vidlink.sweeping.curves import Curve
from vidlink.sweeping.identity import identify


def curve(name, scores, rates=(12e3, 24e3, 48e3)):
    """A curve of three clips whose draws are the estimate itself."""
    scores = np.array(scores, float)
    values = {name: np.tile(scores, (4, 1)) for name in ("ccc_mean", "ccc_valence", "ccc_arousal")}
    values |= {
        "wire_bps": np.tile(rates, (4, 1)),
        "psnr_db": np.tile(30 + scores, (4, 1)),
        "ssim": np.tile(scores, (4, 1)),
    }
    return Curve(name=name, along=tuple(rates), clips=3, missing=(), values=values)


@pytest.fixture
def curves():
    made = [
        curve("hr, s = 1", [0.3, 0.4, 0.5]),
        curve("lr-2, s = 2", [0.4, 0.5, 0.6]),
        curve("lr-4, s = 4", [0.5, 0.5, 0.55]),
        curve("oa, s = 1", [0.4, 0.5, 0.55]),
        curve("oa, s = 2", [0.45, 0.55, 0.6]),
        curve("oa, adaptive by PSNR", [0.4, 0.5, 0.6], rates=(6e3, 12e3, 24e3)),
        curve("oa, adaptive by task", [0.3, 0.4, 0.5], rates=(6e3, 12e3, 24e3)),
    ]
    return {each.name: each for each in made}


@pytest.mark.parametrize(
    ("receiver", "factor"),
    [
        ("hr", 1),
        ("lr-2", 2),
        ("non-joint-4", 4),
        ("joint-1.5", 1.5),
        ("joint-4-from-6", 4),
        ("joint-oa", None),
        ("mix", None),
    ],
)
def test_names_tell_what_a_receiver_is_for(receiver, factor):
    assert points.factor_of(receiver) == factor


def test_each_receiver_gets_what_it_is_for(tmp_path):
    receivers = dict.fromkeys(["hr", "lr-4", "mix", "joint-oa"], tmp_path / "a.safetensors")
    methods = points.make_methods(receivers, (1.0, 2.0), "joint-oa")
    assert [method["name"] for method in methods] == [
        "hr, s = 1",
        "hr, s = 1, any frame rate",
        "lr-4, s = 4",
        "mix, adaptive by PSNR",
        "joint-oa, s = 1",
        "joint-oa, s = 2",
        "joint-oa, adaptive by PSNR",
        "joint-oa, adaptive by task",
    ]
    assert methods[2]["scale"] == 4
    assert "scale" not in methods[-1]
    with pytest.raises(UserError, match="no one-for-all receiver of that name; there are mix, joint-oa"):
        points.main_receiver(receivers, "hr")


def test_points_of_both_parts_share_what_is_the_same(tmp_path):
    plan = replace(points.QUICK, clips=2, seconds=0.2, seeds=2)
    clips = points.make_clips("generated:40", "valid", plan, tmp_path / "reels", seed=0)
    methods = points.make_methods({"shipped": None}, plan.factors, "shipped")
    by_rate, by_loss = points.make_points(methods, clips, points.write_channels(tmp_path), plan, "shipped")
    assert len(by_rate) == 4 * 2 * 4
    lossless = [point for point in by_loss if point.settings.channel == "perfect"]
    assert len(lossless) == 4 * 2
    assert len(by_loss) == len(lossless) * (1 + 2 * len(points.LOSSES))
    shared = {identify(point.settings) for point in by_rate} & {identify(point.settings) for point in lossless}
    assert len(shared) == 3 * 2  # all but the one with parity
    losses = {(point.settings.input, point.settings.seed) for point in by_loss if point.settings.channel != "perfect"}
    assert sorted(seed for _, seed in losses) == [0, 1, 10, 11]
    assert {points.loss_of(point.settings.channel) for point in by_loss} == {0, *points.LOSSES}


def test_the_best_of_each_family_stands_for_it(curves):
    assert benchmark.chosen_methods(curves, "oa") == {
        "full": "hr, s = 1",
        "lr": "lr-4, s = 4",
        "fixed": "oa, s = 2",
        "psnr": "oa, adaptive by PSNR",
        "task": "oa, adaptive by task",
    }


def test_the_figures_are_the_bd_rates_of_the_adaptive_sender(curves, capsys):
    figures = benchmark.headline(curves, benchmark.chosen_methods(curves, "oa"), "oa")
    assert figures["bd_rate_vs_full_hr"] == pytest.approx(-50)
    assert figures["bd_rate_vs_fixed_lr"] is None
    assert "the anchor has 2 points that rise, of 3" in capsys.readouterr().out


def test_the_tables_show_every_method_and_every_refusal(curves, capsys):
    pairs = [(name, "hr, s = 1") for name in curves if name != "hr, s = 1"]
    tables = {"bd": bd_table(curves, pairs), "ranks": rank_correlations(curves)}
    print_tables(curves, tables, "hr, s = 1")
    out = capsys.readouterr().out
    assert all(name in out for name in curves)
    assert "refused: the curve has 2 points that rise, of 3" in out
    ranks = tables["ranks"].set_index(["receiver", "picture", "score", "over"])["rho"]
    assert ranks["oa", "psnr_db", "ccc_mean", "all points"] == pytest.approx(1)
    assert isinstance(tables["bd"], pd.DataFrame)


def test_pairs_are_two_methods(curves, capsys):
    first, second = list(curves)[:2]
    pairs = benchmark.parse_pairs([f"{first} against {second}"], curves)
    assert pairs == [(first, second)]
    print_pairs(bd_table(curves, pairs))
    assert f"| {first} | {second} | " in capsys.readouterr().out
    print_pairs(bd_table(curves, []))
    assert capsys.readouterr().out == ""
    for wrong in (first, f"{first} against nothing", f"nothing against {second}"):
        with pytest.raises(UserError, match="METHOD against METHOD"):
            benchmark.parse_pairs([wrong], curves)


def test_receivers_are_name_and_file(tmp_path):
    file = tmp_path / "a.safetensors"
    file.touch()
    assert benchmark.parse_receivers([f"hr={file}"]) == {"hr": file}
    assert benchmark.parse_receivers([]) == {"shipped": None}
    for wrong in (["hr"], [f"hr={file}x"], [f"hr={file}", f"hr={file}"]):
        with pytest.raises(UserError, match="--receivers"):
            benchmark.parse_receivers(wrong)
