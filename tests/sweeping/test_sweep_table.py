from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from vidlink import __version__
from vidlink.errors import UserError
from vidlink.scores.moments import MOMENTS, moments
from vidlink.sweeping.summary import group_keys, markdown, summarize
from vidlink.sweeping.table import as_csv, as_parquet, make_row, make_table, read_table


def record(x, y, **more):
    ccc = float(np.corrcoef(x, y)[0, 1]) if len(x) > 1 else 0.0
    summary = {
        "input": {"path": "/secret/a.mp4", "frames": len(x)},
        "rate": {"wire_bps": 1000.0, "bpp": 0.01},
        "plan": [{"segment": 0, "scale": 2.0, "frame_divisor": 1, "quality": 30.0}] * 2,
        "recognition": {"n": len(x), "ccc": {"valence": ccc}, "against": "labels"},
        "notes": ["turned", "cut"],
    } | more
    values = dict(zip(MOMENTS, moments(x, y).tolist(), strict=True))
    return {"point": "ab", "status": "done", "error": None, "summary": summary, "moments": {"valence": values}}


def rows_of(clips, noises, seeds=(0,)):
    rng = np.random.default_rng(0)
    for noise in noises:
        for clip in range(clips):
            truth = np.sin(np.arange(50) / (3 + clip))
            for seed in seeds:
                x = 0.8 * truth + noise * rng.normal(size=50)
                columns = {"receiver": f"noise {noise}", "input": f"{clip}.mp4", "labels": f"{clip}.csv", "seed": seed}
                yield make_row(columns | {"weights": f"{noise}.safetensors"}, record(x, truth), None)


def test_rows_are_flat_and_typed():
    row = make_row({"quality": 30.0, "nack": False}, record(np.arange(3.0), np.arange(3.0)), "runs/ab")
    bad = make_row({"quality": 40.0, "nack": True}, {"point": "cd", "status": "refused", "error": "no"}, None)
    table = make_table([row, bad])
    assert table["rate_wire_bps"].tolist()[0] == 1000.0
    assert table["recognition_ccc_valence"][0] == pytest.approx(1)
    assert (table["plan_segments"][0], table["plan_mean_scale"][0]) == (2, 2.0)
    assert table["notes"][0] == "turned; cut"
    assert "input_path" not in table
    assert table.dtypes.astype(str)[["nack", "input_frames", "quality"]].tolist() == ["boolean", "Int64", "float64"]
    back = pd.read_parquet(io.BytesIO(as_parquet(table)))
    pd.testing.assert_frame_equal(back, table)
    assert pd.read_csv(io.BytesIO(as_csv(table)))["input_frames"].isna().tolist() == [False, True]


def test_groups_are_settings_not_clips_nor_seeds():
    table = make_table(rows_of(3, [0.1, 0.5], seeds=(0, 1)))
    assert group_keys(table) == ["receiver"], "weights follow the receiver, labels the clip"


def test_intervals_come_from_clips():
    table = make_table(rows_of(6, [0.1, 0.5], seeds=(0, 1)))
    joined, own = summarize(table)
    assert joined["clips"].tolist() == [6, 6]
    for found, score in ((joined, "ccc_valence"), (own, "ccc_valence")):
        assert (found[f"{score}_low"] <= found[score]).all()
        assert (found[score] <= found[f"{score}_high"]).all()
        assert (found[f"{score}_low"] < found[f"{score}_high"]).all()
        assert found[score][0] > found[score][1]
    again = summarize(table)[0]
    pd.testing.assert_frame_equal(joined, again)


def test_more_frames_of_the_same_clips_do_not_narrow_the_interval():
    rng = np.random.default_rng(1)
    rows = {1: [], 20: []}
    for clip in range(5):
        truth = np.sin(np.arange(40) / (2 + clip))
        guess = (0.2 + 0.2 * clip) * truth + 0.1 * rng.normal(size=40)
        for times, into in rows.items():
            into.append(
                make_row({"input": str(clip), "seed": 0}, record(np.tile(guess, times), np.tile(truth, times)), None)
            )
    once, often = (summarize(make_table(each))[0].iloc[0] for each in rows.values())
    width = [row["ccc_valence_high"] - row["ccc_valence_low"] for row in (once, often)]
    assert width[1] == pytest.approx(width[0], rel=0.05)


def test_a_seed_more_is_no_clip_more():
    one, two = (summarize(make_table(rows_of(4, [0.3], seeds)))[0] for seeds in ((0,), (0, 1)))
    assert one["clips"].tolist() == two["clips"].tolist() == [4]


def test_accuracy_is_weighted_by_what_was_classified():
    rows = []
    for clip, (n, accuracy) in enumerate([(10, 1.0), (30, 0.5)]):
        summary = {"recognition": {"n": n, "accuracy": accuracy}}
        rows.append(make_row({"input": str(clip), "seed": 0}, record([0.0], [0.0], **summary), None))
    joined, own = summarize(make_table(rows))
    assert joined["accuracy"][0] == pytest.approx(25 / 40)
    assert own["accuracy"][0] == pytest.approx(0.75)


def written(folder, rows):
    folder.mkdir()
    (folder / "results.parquet").write_bytes(as_parquet(make_table(rows)))
    (folder / "provenance.json").write_text(json.dumps({"vidlink": __version__, "commands": [{"command": "it"}]}))
    return folder


def test_markdown(tmp_path):
    rows = [*rows_of(3, [0.1, 0.5])]
    rows.append(make_row({"input": "9.mp4", "seed": 0}, {"point": "x", "status": "failed", "error": "boom"}, None))
    text = markdown(written(tmp_path / "r", rows))
    assert "7 points, 4 clips" in text
    assert "1 x error: boom" in text
    assert "| noise 0.1 | 3 | 1.0 | 0.0100 | 0.9" in text
    assert text.count("CCC valence") == 2
    assert "[0." in text
    one = markdown(written(tmp_path / "one", [*rows_of(1, [0.1])]))
    assert "One clip gives no interval" in one


def test_a_parquet_cut_short(tmp_path):
    folder = written(tmp_path / "r", rows_of(2, [0.1]))
    whole = (folder / "results.parquet").read_bytes()
    for keep in (0, 3, len(whole) // 2, len(whole) - 1):
        (folder / "results.parquet").write_bytes(whole[:keep])
        with pytest.raises(UserError, match="cut short"):
            read_table(folder)
    (folder / "results.parquet").unlink()
    with pytest.raises(UserError, match="give its command again"):
        read_table(folder)
    with pytest.raises(UserError, match="no such folder"):
        markdown(tmp_path / "none")
