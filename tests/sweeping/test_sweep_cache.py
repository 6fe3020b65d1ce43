"""Real runs that share a cache give what runs without one give."""

from __future__ import annotations

import pandas as pd
from swept import GRID, Threads, same_tables

from vidlink.sender import memory
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.sweep import sweep


def test_points_that_differ_in_the_channel_share_their_trials(clip_folder, tmp_path, monkeypatch):
    made = []
    encode = memory.encode
    monkeypatch.setattr(memory, "encode", lambda *given, **named: made.append(given) or encode(*given, **named))
    raw = {
        "settings": {**GRID["settings"], "bitrate": "600k"},
        "grid": {"channel": ["perfect", "bernoulli-5", "bernoulli-10"]},
    }
    del raw["settings"]["scale"]
    points = list(sweep_from(raw).make_points(clip_folder))
    table = sweep(points, tmp_path / "without", Threads(), quiet=True)
    assert set(table["status"]) == {"done"}
    without = len(made)
    made.clear()
    cached = sweep(points, tmp_path / "with", Threads(), quiet=True, cache_bytes=10**7)
    pd.testing.assert_frame_equal(table, cached)
    assert same_tables(tmp_path / "without", tmp_path / "with")
    assert len(made) <= without / 3
