"""The run folder: there when the run ended well, and never half."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vidlink.errors import UserError
from vidlink.report.run_folder import RunFolder, fresh_place, run_name
from vidlink.settings import Settings


def finish(folder, text="{}"):
    (folder.path / "summary.json").write_text(text)


def test_it_appears_only_at_the_end(tmp_path):
    place = tmp_path / "deep" / "run"
    with RunFolder(place) as folder:
        finish(folder)
        assert not place.exists()
    assert [path.name for path in place.iterdir()] == ["summary.json"]
    assert [path.name for path in place.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, UserError])
def test_an_error_leaves_nothing(tmp_path, error):
    with pytest.raises(error), RunFolder(tmp_path / "run") as folder:  # noqa: PT012
        finish(folder)
        raise error
    assert list(tmp_path.iterdir()) == []


def test_overwriting_replaces_the_whole_run_and_only_at_the_end(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        finish(folder, "old")
        (folder.path / "extra.csv").write_text("old")
    with RunFolder(tmp_path / "run", overwrite=True) as folder:
        finish(folder, "new")
        assert (tmp_path / "run" / "summary.json").read_text() == "old"
    assert (tmp_path / "run" / "summary.json").read_text() == "new"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["summary.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_overwriting_that_fails_keeps_the_old_run(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        finish(folder, "old")
    with pytest.raises(KeyboardInterrupt), RunFolder(tmp_path / "run", overwrite=True) as folder:  # noqa: PT012
        finish(folder, "new")
        raise KeyboardInterrupt
    assert (tmp_path / "run" / "summary.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_existing_places(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(UserError, match="exists already"):
        RunFolder(tmp_path / "run")
    RunFolder(tmp_path / "run", overwrite=True)  # an empty folder is nobody's
    (tmp_path / "run" / "thesis.txt").write_text("")
    with pytest.raises(UserError, match="not a run folder"):
        RunFolder(tmp_path / "run", overwrite=True)
    with pytest.raises(UserError, match="not a run folder"):
        RunFolder(tmp_path / "run" / "thesis.txt", overwrite=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"), RunFolder(tmp_path / "run"):
        pass


def test_tables_come_back_as_they_were(tmp_path):
    table = pd.DataFrame({"frame": [0, 1], "psnr_db": [31.25, np.nan], "status": ["ok", "frozen"]})
    for name in ("a", "b"):
        with RunFolder(tmp_path / name) as folder:
            folder.write_tables({"frames": table})
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a" / "frames.csv"), table)
    assert (tmp_path / "a" / "frames.csv").read_bytes() == (tmp_path / "b" / "frames.csv").read_bytes()
    assert b"\r" not in (tmp_path / "a" / "frames.csv").read_bytes()


def test_json_is_json_even_where_numbers_are_not(tmp_path):
    content = {"a": float("nan"), "b": [np.float64(1.5), np.int64(2)], "c": {"d": np.float64("nan")}, "é": None}
    with RunFolder(tmp_path / "run") as folder:
        folder.write_json("summary.json", content)

    def refuse(constant):
        raise AssertionError(constant)

    text = (tmp_path / "run" / "summary.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=refuse) == {"a": None, "b": [1.5, 2], "c": {"d": None}, "é": None}


def test_infinite_numbers_do_not_spoil_the_summary(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        folder.write_json("summary.json", {"a": float("inf"), "b": -np.inf})
    json.loads((tmp_path / "run" / "summary.json").read_text())


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"bitrate_bps": 64000.0}, "builtin-64k-perfect"),
        ({"input": "/a/b/my clip!.mp4", "bitrate_bps": 1.5e6}, "my_clip_-1500k-perfect"),
        ({"scale": 2.0, "quality": 30.0, "channel": "x/slow.toml"}, "builtin-s2_q30-slow"),
    ],
)
def test_run_names(settings, name):
    assert run_name(Settings(**settings)) == name


def test_fresh_places_do_not_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = []
    for _ in range(3):
        place = fresh_place("x")
        place.mkdir(parents=True)
        places.append(place)
    assert places == [Path("runs/x"), Path("runs/x-2"), Path("runs/x-3")]
