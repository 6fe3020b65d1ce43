"""What the benchmark of rate against accuracy runs and compares: receivers, ways of sending, the best of a family."""

import json
from dataclasses import replace
from pathlib import Path

import bench
import numpy as np
import pandas as pd
import pytest
import rate_accuracy as benchmark
import rate_accuracy_points as points
import rate_accuracy_ways
import receivers
import torch
from panel import ByPlanner, Panel, RestoredPanel, arguments
from rate_accuracy_tables import (
    bd_table,
    by_task_table,
    lossy_table,
    print_by_task,
    print_lossy,
    print_pairs,
    print_tables,
    rank_correlations,
    waterfall,
)
from safetensors.torch import load_file

from vidlink.data.reels import make_reel
from vidlink.errors import UserError
from vidlink.nets.build import Network, build
from vidlink.nets.weights import describe, load_network
from vidlink.recognizers.affect import Affect
from vidlink.recognizers.recognizer import Context
from vidlink.scores.moments import MOMENTS
from vidlink.sweeping.curves import Curve
from vidlink.training.checkpoint import save_weights


def curve(name, scores, rates=(12e3, 24e3, 48e3)):
    """A curve of three clips that are all alike."""
    scores = np.array(scores, float)
    values = {name: np.tile(scores, (4, 1)) for name in ("ccc_mean", "ccc_valence", "ccc_arousal", "ssim")}
    values |= {"wire_bps": np.tile(rates, (4, 1)), "psnr_db": np.tile(30 + scores, (4, 1))}
    return Curve(name=name, along=tuple(rates), clips=3, missing=(), values=values)


@pytest.fixture
def curves():
    made = [
        curve("hr, s = 1, every frame, key frame a second", [0.2, 0.3, 0.4]),
        curve("hr, s = 1", [0.3, 0.4, 0.5]),
        curve("lr-2, s = 2", [0.4, 0.5, 0.6]),
        curve("lr-4, s = 4", [0.5, 0.5, 0.55]),
        curve("mix, s = 1, every frame, key frame a second", [0.3, 0.4, 0.5]),
        curve("mix, s = 1", [0.4, 0.5, 0.55]),
        curve("mix, s = 2", [0.45, 0.55, 0.6]),
        curve("mix, adaptive", [0.4, 0.5, 0.6], rates=(6e3, 12e3, 24e3)),
        curve("mix, adaptive, by task", [0.3, 0.4, 0.5], rates=(6e3, 12e3, 24e3)),
    ]
    return {each.name: each for each in made}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two tiny networks with random weights."""
    folder = tmp_path_factory.mktemp("receivers")
    for seed, name in enumerate(("hr", "mix")):
        torch.manual_seed(seed)
        network = Network(name="residual", size=48, outputs=10, width=8)
        save_weights(folder / f"{name}-0.safetensors", build(network).state_dict(), describe(network).to_metadata())
    return rate_accuracy_ways.find_receivers(folder, [0])


def test_a_panel_gives_what_its_networks_give_alone(files):
    words = dict(word.split("=", 1) for word in arguments(files, ("hr", "mix"), "mix"))
    panel = Panel(**words)
    assert panel.gives == ("hr.valence", "hr.arousal", "mix.valence", "mix.arousal")
    pictures, context = torch.rand(3, 1, 48, 48), Context.pristine(3)
    alone = [Affect(weights=files[name])(pictures, context) for name in ("hr", "mix")]
    assert torch.equal(panel(pictures, context), torch.cat(alone, dim=1))
    assert not torch.equal(*alone)
    assert ByPlanner(None, panel)._recognizer is panel.members["mix"]
    with pytest.raises(UserError, match="no receiver 'lr-2'; there are hr, mix"):
        arguments(files, ("lr-2",))


def test_each_way_is_seen_by_those_it_is_for(files):
    plan = replace(rate_accuracy_ways.QUICK, factors=(1, 2))
    ways = {way.name: way for way in rate_accuracy_ways.make_ways({**files, "lr-2": files["hr"]}, plan, "mix", "judge")}
    assert ways["s = 1"].receivers == ("hr", "mix")
    assert ways["s = 2, every frame"].receivers == ("lr-2", "mix")
    assert ways["s = 2, every frame"].settings == {"scale": 2, "divisors": "1"}
    assert ways["adaptive, by task"].receivers == ("mix", "hr", "judge")
    assert ways["adaptive, by task"].as_method({**files, "judge": files["hr"]})["objective"] == "panel:ByPlanner"
    restored = ways["s = 2, pixels restored"].as_method(files)
    assert (restored["restorer"], RestoredPanel.restored) == ("temporal", True)
    assert restored["recognizer"] == "panel:RestoredPanel"
    assert restored["recognizer-arg"] == arguments(files, ("hr",))


def test_points_are_each_way_clip_and_budget_and_the_rows_each_receivers(files, tmp_path):
    plan = replace(rate_accuracy_ways.QUICK, clips=2, seconds=0.2)
    clips = points.make_clips("generated:60", "valid", plan, tmp_path / "reels", [0, 3], files)
    assert [clip["name"] for clip in clips] == ["00 of 0", "00 of 3"]
    assert len({Path(clip["input"]).read_bytes() for clip in clips}) == 2
    labels = pd.read_csv(clips[0]["labels"])
    assert labels["hr.valence"].equals(labels["mix.valence"])
    ways = rate_accuracy_ways.make_ways(files, plan, "mix", None)
    made = points.make_points(ways, files, clips, plan)
    assert len(made) == (len(ways) - 1) * 2 * len(plan.rates) + len(plan.by_task[1])
    budgets = sorted({point.settings.bitrate_bps for point in made})
    assert len(budgets) == 2 * len(plan.rates)  # spread over the clips
    rows = [
        {"method": way.name, "input": clip, "bitrate_bps": bps, "point": f"{way.name}{clip}{bps}", "status": "done"}
        | {f"moments_{name}.valence_n": k + 1 for k, name in enumerate(way.receivers)}
        for way in ways
        for clip, bps in (("a", 11_900), ("b", 12_200))
    ]
    table = points.by_receiver(pd.DataFrame(rows), ways, plan.rates, files)
    assert set(table["bitrate_bps"]) == {12e3}
    assert len(table) == 2 * sum(len(way.receivers) for way in ways)
    found = table.set_index("method")["moments_valence_n"]
    assert set(found["hr, s = 1"]) == {1}
    assert set(found["mix, s = 1"]) == {2}


def test_a_receiver_of_two_training_seeds_is_one_method(files, tmp_path):
    for name in ("hr", "mix"):
        for seed in (0, 1):
            (tmp_path / f"{name}-{seed}.safetensors").write_bytes(files[name].read_bytes())
    both = rate_accuracy_ways.find_receivers(tmp_path, [0, 1])
    assert list(both) == ["hr", "mix", "hr.seed1", "mix.seed1"]
    way = next(
        way
        for way in rate_accuracy_ways.make_ways(both, rate_accuracy_ways.QUICK, "mix", None)
        if way.name == "adaptive"
    )
    assert way.receivers == ("hr", "mix")
    assert way.as_method(both)["recognizer-arg"] == arguments(both, ("hr", "hr.seed1", "mix", "mix.seed1"))
    (tmp_path / "mix-1.safetensors").unlink()
    with pytest.raises(UserError, match=r"holds no mix-1\.safetensors"):
        rate_accuracy_ways.find_receivers(tmp_path, [0, 1])
    with pytest.raises(UserError, match=r"holds no NAME-7\.safetensors"):
        rate_accuracy_ways.find_receivers(tmp_path, [7])


def test_each_training_seed_has_its_own_figures(files):
    """The second seed of the adaptive sender needs half of the bits, the first as many as full size."""
    both = {**files, "mix.seed1": files["mix"]}
    ways = [rate_accuracy_ways.Way(name=name, receivers=("mix",)) for name in ("s = 1", "adaptive")]
    rows = []
    for way in ways:
        for step, bps in enumerate((12e3, 24e3, 48e3, 96e3)):
            for clip in "ab":
                row = {"method": way.name, "input": clip, "bitrate_bps": bps, "rate_wire_bps": bps, "status": "done"}
                for member in ("mix", "mix.seed1"):
                    more = member == "mix.seed1" and way.name == "adaptive"
                    values = (10, 0.0, 0.0, 1.0, 1.0, 0.2 * (step + 1 + more))
                    for name in ("valence", "arousal"):
                        row |= {f"moments_{member}.{name}_{part}": v for part, v in zip(MOMENTS, values, strict=True)}
                rows.append(row | {"point": f"{way.name}{clip}{bps}"})
    table = points.by_receiver(pd.DataFrame(rows), ways, ("12k", "24k", "48k", "96k"), both)
    assert benchmark.curves_of(table)[0]["mix, adaptive"].estimate("ccc_mean") == pytest.approx([0.3, 0.5, 0.7, 0.9])
    roles = {"adaptive": "mix, adaptive", "fixed": "mix, s = 1"}
    found = benchmark.by_training(table, roles, "mix").set_index("part").loc["bd_rate_vs_best_fixed"]
    assert [found["training 0"], found["training 1"]] == pytest.approx([0, -50], abs=0.5)
    assert benchmark.by_training(table[table["training"] == 0], roles, "mix").empty


def test_what_is_lost_is_drawn_several_times(files):
    plan = replace(rate_accuracy_ways.QUICK, clips=2, loss_rate="26k", draws=3)
    clips = [{"name": str(index), "input": f"{index}.mkv"} for index in range(2)]
    made = points.make_lossy(
        rate_accuracy_ways.make_ways(files, plan, "mix", None), files, clips, ["bernoulli-5"], plan
    )
    lossy = [point.settings.seed for point in made if point.settings.channel == "bernoulli-5"]
    assert len(made) - len(lossy) == 4 * 2  # without loss one draw is all
    assert sorted(lossy) == sorted(list(range(6)) * 4)


def test_seeds_are_whole_numbers_each_once():
    assert bench.read_seeds("--seeds", "2,0") == [2, 0]
    for text in ("", "1,", "1,1", "-1", "1.5", "a"):
        with pytest.raises(UserError, match=r"--seeds .*: different whole numbers"):
            bench.read_seeds("--seeds", text)


def test_the_best_of_each_family_stands_for_it(curves):
    assert benchmark.chosen_methods(curves, "mix") == {
        "plain": "hr, s = 1, every frame, key frame a second",
        "full": "hr, s = 1",
        "lr": "lr-4, s = 4",
        "fixed": "mix, s = 2",
        "adaptive": "mix, adaptive",
    }


def test_the_figures_are_the_bd_rates_of_the_adaptive_sender(curves, capsys):
    figures, intervals = benchmark.headline(curves, benchmark.chosen_methods(curves, "mix"))
    assert figures["bd_rate_vs_full_hr"] == pytest.approx(-75)
    assert intervals["bd_rate_vs_full_hr"]["interval"] == pytest.approx([-75, -75])
    assert figures["bd_rate_vs_fixed_lr"] is None
    assert "the anchor has 2 points that rise, of 3" in capsys.readouterr().out


def test_the_tables_show_every_method_part_and_refusal(curves, capsys):
    roles = benchmark.chosen_methods(curves, "mix")
    ours = roles["adaptive"]
    by_task = {name: curves[name] for name in ("mix, adaptive", "mix, adaptive, by task")}
    parts = waterfall(curves, by_task, roles, "mix")
    assert parts["part"].tolist()[:2] == ["receiver trained at all factors", "any scale factor"]
    print_by_task(by_task_table(by_task))
    assert "| mix, adaptive, by task | " in capsys.readouterr().out
    assert parts.set_index("part").loc["any scale factor", "value"] == pytest.approx(-50, abs=1)
    pairs = [(ours, name) for name in curves if name != ours]
    tables = {"bd": bd_table(curves, pairs), "ranks": rank_correlations(curves), "waterfall": parts}
    print_tables(curves, tables, ours)
    out = capsys.readouterr().out
    assert all(name in out for name in curves)
    assert "refused: the anchor has 2 points that rise, of 3" in out
    ranks = tables["ranks"].set_index(["receiver", "picture", "score", "over"])["rho"]
    assert ranks["mix", "psnr_db", "ccc_mean", "all points"] == pytest.approx(1)


def test_methods_are_compared_at_each_loss_rate(capsys):
    losses = (0.0, 5.0)
    lossy = {
        "mix, s = 1": curve("mix, s = 1", [0.7, 0.6], losses),
        "mix, adaptive": curve("mix, adaptive", [0.7, 0.55], losses),
        "mix, adaptive, parity": curve("mix, adaptive, parity", [0.6], losses[1:]),
        "hr, adaptive": curve("hr, adaptive", [0.7, 0.5], losses),  # nothing to hold it against
    }
    table = lossy_table(lossy).set_index(["method", "loss"])
    assert table["value"].to_dict() == pytest.approx(
        {("mix, adaptive", 0.0): 0, ("mix, adaptive", 5.0): -0.05, ("mix, adaptive, parity", 5.0): 0.05}
    )
    assert (table["low"] == table["high"]).all(), "its clips are all alike"
    print_lossy(lossy_table(lossy))
    assert (
        "| mix, adaptive | mix, s = 1 | +0.000 [+0.000, +0.000] | -0.050 [-0.050, -0.050] |" in capsys.readouterr().out
    )


def test_pairs_are_two_methods(curves, capsys):
    first, second = list(curves)[:2]
    pairs = benchmark.parse_pairs([f"{first} against {second}"], curves)
    assert pairs == [(first, second)]
    print_pairs(bd_table(curves, pairs))
    assert f"| {first} | {second} | " in capsys.readouterr().out
    with pytest.raises(UserError, match="METHOD against METHOD"):
        benchmark.parse_pairs([f"{first} against nothing"], curves)


def test_receivers_are_kept_in_half_precision_and_trained_alike(files, tmp_path):
    path = files["mix"]
    path.with_suffix(".json").write_text(json.dumps({"regime": "mix"}))
    kept = receivers.keep(path, tmp_path)
    assert kept.stat().st_size < 0.6 * path.stat().st_size
    whole, half = load_file(path), load_network(kept)[1].state_dict()
    assert all(torch.allclose(whole[name], half[name], atol=1e-3) for name in whole)
    options = receivers.parse(["--quick"])
    words = {regime: receivers.words_of(options, regime, 1) for regime in ("start", "hr", "lr-2", "mix-uncoded")}
    assert words["start"][1] == "hr"
    assert "--start" not in words["start"]
    differing = [a for a, b in zip(words["hr"], words["lr-2"], strict=True) if a != b]
    assert differing == ["hr"]  # the regime alone
    assert words["mix-uncoded"][words["mix-uncoded"].index("--codec-aware") + 1] == "0"


def test_reels_of_several_paces_share_no_face(files):
    from vidlink.data.faces import load_faces

    faces = load_faces("generated:600", "valid")
    reels = [
        make_reel(faces, seconds=2, index=k, hold_s=(1.2 * pace, 2.8 * pace), apart_s=0.6)
        for k, pace in enumerate((0.5, 2))
    ]
    shown = [{row for tile in reel.tiles for row in tile.rows} for reel in reels]
    assert not shown[0] & shown[1]
    assert len(shown[0]) > len(shown[1])
