"""Sweeps of runs that do nothing: what is done once, twice, again or not at all."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pytest
from swept import GRID, Threads, same_tables, write_clip

from vidlink.errors import UserError
from vidlink.sweeping.folder import ResultsFolder
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.sweep import sweep

QUALITIES = [30.0, 30.0, 40.0, 40.0, 50.0, 50.0, 99.0]


def run(points, folder, **more) -> pd.DataFrame:
    return sweep(points, folder, Threads(), quiet=True, **more)


def test_each_point_is_run_once(points, tmp_path, fake_runs):
    table = run(points, tmp_path / "r")
    assert table["quality"].tolist() == QUALITIES
    assert table["rate_wire_bps"].tolist() == [1000 * quality for quality in QUALITIES]
    assert len(fake_runs) == 7
    again = run(points, tmp_path / "r")
    assert len(fake_runs) == 7
    pd.testing.assert_frame_equal(table, again)


def test_points_of_the_same_content_are_run_once(tmp_path, fake_runs):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_clip(tmp_path / folder / "clip.mp4")
    raw = {"settings": GRID["settings"], "grid": {"quality": [30, 30], "input": ["one/clip.mp4", "two/clip.mp4"]}}
    table = run(list(sweep_from(raw).make_points(tmp_path)), tmp_path / "r")
    assert len(fake_runs) == 1
    assert table["input"].tolist() == ["one/clip.mp4", "two/clip.mp4"] * 2
    assert table["point"].nunique() == 1


def test_a_grown_grid_runs_what_is_new(points, tmp_path, fake_runs):
    run(points[:3], tmp_path / "r")
    table = run(points, tmp_path / "r")
    assert len(fake_runs) == 7
    assert len(table) == 7


def test_settings_that_are_refused_become_a_row_and_are_not_tried_again(points, tmp_path, fake_runs, monkeypatch):
    import vidlink.simulate

    works = vidlink.simulate.simulate

    def refuse(settings, *, quiet):
        found = works(settings)
        if settings.quality == 40:
            raise UserError("too dull\nto send")
        return found

    monkeypatch.setattr(vidlink.simulate, "simulate", refuse)
    table = run(points, tmp_path / "r")
    assert table["status"].tolist() == ["done", "done", "refused", "refused", "done", "done", "done"]
    assert table["error"].dropna().unique().tolist() == [r"too dull\nto send"]
    run(points, tmp_path / "r")
    assert len(fake_runs) == 7
    run(points, tmp_path / "r", retry=True)
    assert len(fake_runs) == 9


def test_a_defect_becomes_a_row_and_is_tried_again(points, tmp_path, fake_runs, monkeypatch):
    import vidlink.simulate

    works = vidlink.simulate.simulate

    def stumble(settings, *, quiet):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(vidlink.simulate, "simulate", stumble)
    table = run(points[:2], tmp_path / "r")
    assert table["error"].tolist() == ["ZeroDivisionError: oops"] * 2
    record = json.loads((tmp_path / "r" / "points" / f"{table['point'][0]}.json").read_text())
    assert "in stumble" in record["traceback"]
    monkeypatch.setattr(vidlink.simulate, "simulate", works)
    assert run(points[:2], tmp_path / "r")["status"].tolist() == ["done", "done"]


@pytest.mark.parametrize(
    ("happen", "words"),
    [(lambda clip: clip.unlink(), "no such file"), (lambda clip: clip.write_bytes(b"x"), "not the one the sweep")],
)
def test_an_input_that_disappears_or_changes_in_the_middle(tmp_path, fake_runs, monkeypatch, happen, words):
    import vidlink.simulate

    works = vidlink.simulate.simulate
    clip = write_clip(tmp_path / "clip.mp4")
    original = clip.read_bytes()

    def lose(settings, *, quiet):
        if len(fake_runs) == 1:
            happen(clip)
        return works(settings)

    monkeypatch.setattr(vidlink.simulate, "simulate", lose)
    points = list(sweep_from(GRID).make_points(tmp_path))
    table = run(points, tmp_path / "r")
    assert table["status"].tolist() == ["done"] + ["failed"] * 6
    assert table["error"][1:].str.contains(words).all()
    clip.unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"clip\.mp4: no such file"):
        run(points, tmp_path / "r")
    clip.write_bytes(original)
    monkeypatch.setattr(vidlink.simulate, "simulate", works)
    assert set(run(points, tmp_path / "r")["status"]) == {"done"}
    assert len(fake_runs) == 8, "the first run stood, the second was lost"


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_where_results_go(points, tmp_path, fake_runs, monkeypatch):
    undisturbed = run(points, tmp_path / "other")
    writes = []

    def fill_up(file):
        writes.append(file)
        if len(writes) > 6:
            full_disk()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fill_up)
        with pytest.raises(UserError, match="disk is full; what is done is kept"):
            run(points, tmp_path / "r")
    kept = len(list((tmp_path / "r" / "points").glob("*.json")))
    assert 0 < kept < 7
    fake_runs.clear()
    pd.testing.assert_frame_equal(run(points, tmp_path / "r"), undisturbed)
    assert len(fake_runs) == 7 - kept
    assert same_tables(tmp_path / "r", tmp_path / "other")


def test_a_full_disk_where_runs_are_written(points, tmp_path, fake_runs, monkeypatch):
    import vidlink.simulate

    def simulate(settings, *, quiet):
        try:
            full_disk()
        except OSError as error:
            raise UserError("cannot be written") from error

    monkeypatch.setattr(vidlink.simulate, "simulate", simulate)
    with pytest.raises(UserError, match="a disk is full"):
        run(points, tmp_path / "r")
    assert not list((tmp_path / "r" / "points").iterdir())


def test_run_folders_are_kept_on_demand(points, tmp_path, fake_runs):
    table = run(points[:2], tmp_path / "r")
    assert table["run_folder"].isna().all()
    assert not list((tmp_path / "r" / "runs").iterdir())
    table = run(points[:2], tmp_path / "r", keep_runs=True)
    assert len(fake_runs) == 4, "their run folders were not there"
    assert all((tmp_path / "r" / place / "summary.json").is_file() for place in table["run_folder"])
    pd.testing.assert_frame_equal(run(points[:2], tmp_path / "r"), table)
    assert len(fake_runs) == 4


def test_a_damaged_record_is_made_again(points, tmp_path, fake_runs):
    table = run(points, tmp_path / "r")
    record = tmp_path / "r" / "points" / f"{table['point'][2]}.json"
    record.write_bytes(record.read_bytes()[:50])
    before = (tmp_path / "r" / "results.parquet").read_bytes()
    run(points, tmp_path / "r")
    assert len(fake_runs) == 8
    assert (tmp_path / "r" / "results.parquet").read_bytes() == before


def test_what_another_process_does_meanwhile_is_taken_from_it(points, tmp_path, fake_runs, monkeypatch):
    """The lock of one point is held elsewhere; its record appears while the others run."""
    import vidlink.sweeping.locks

    theirs = None
    take = vidlink.sweeping.locks.Locks.take

    def take_unless_theirs(self, identity):
        nonlocal theirs
        theirs = theirs or identity
        if identity == theirs and len(fake_runs) < 6:
            return False
        if identity == theirs:
            record = {"point": theirs, "status": "refused", "error": "done elsewhere"}
            (tmp_path / "r" / "points" / f"{theirs}.json").write_text(json.dumps(record))
        return take(self, identity)

    monkeypatch.setattr(vidlink.sweeping.locks.Locks, "take", take_unless_theirs)
    table = run(points, tmp_path / "r")
    assert table["error"][0] == "done elsewhere"
    assert len(fake_runs) == 6


def test_provenance(points, tmp_path, fake_runs):
    run(points, tmp_path / "r", about={"sweep": "text"})
    run(points, tmp_path / "r", about={"sweep": "text"})
    with ResultsFolder(tmp_path / "r") as folder:
        found = folder.provenance()
    assert (found["points"], found["clips"], found["sweep"], len(found["commands"])) == (7, 1, "text", 2)
    assert found["commands"][0].keys() >= {"command", "git", "versions", "started", "python"}
    assert found["commands"][0]["versions"].keys() >= {"av", "torch", "pandas"}
    assert found["commands"][0]["command"]


def test_paths_in_the_folder_are_relative(points, tmp_path, fake_runs):
    table = run(points, tmp_path / "r", keep_runs=True)
    assert not any(str(tmp_path) in str(value) for value in table.to_numpy().ravel())
    assert Path(table["run_folder"][0]).parts[0] == "runs"
