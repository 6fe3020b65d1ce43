"""Run folders that are damaged or half-written: what cannot be used is named, the rest is shown."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from vidlink.errors import UserError
from vidlink.report.page.found import Found, read_run
from vidlink.report.page.run_page import page_of_folder

FILES = ("summary.json", "run.json", "segments.csv", "frames.csv", "packets.csv")


def test_a_whole_run_has_no_problems(run):
    found = read_run(run)
    assert found.problems == []
    assert set(found.tables) == {"segments", "frames", "packets"}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["missing", "empty", "half", "other", "binary"])
def test_what_is_wrong_is_named_and_the_rest_is_shown(run, name, how):
    path = run / name
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        other = b"[1, 2]\n" if name.endswith("json") else b"a,b\n1,2\n"
        halves = {"empty": b"", "half": content[: len(content) // 2], "other": other, "binary": bytes(range(256))}
        path.write_bytes(halves[how])
    page = page_of_folder(run)
    assert "What is missing" in page
    assert f"<li>{name}: " in page
    assert "<video" in page
    for other in set(FILES) - {name}:
        assert f"<li>{other}: " not in page


@pytest.mark.parametrize("name", ["report.mp4", "received.mp4"])
def test_a_film_that_is_cut_short_is_named(run, name):
    (run / name).write_bytes((run / name).read_bytes()[:300])
    page = page_of_folder(run)
    if name == "report.mp4":  # the other film is shown
        assert "<li>report.mp4: damaged" in page
        assert "Film of what was received" in page
    else:
        assert "What is missing" not in page
    assert "<video" in page


def test_no_film_at_all(run):
    for path in run.glob("*.mp4"):
        path.unlink()
    page = page_of_folder(run)
    assert "<video" not in page
    assert "There is no film of this run" in page
    assert 'id="lanes"' in page


def test_a_folder_with_nothing_of_a_run(tmp_path):
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(UserError, match=r"nothing of a run can be read there.*summary.json: missing") as caught:
        page_of_folder(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_run_that_was_stopped_says_so(run):
    summary = json.loads((run / "summary.json").read_text()) | {"complete": False}
    (run / "summary.json").write_text(json.dumps(summary))
    assert "the run was stopped before its end" in page_of_folder(run)


@pytest.mark.parametrize("key", ["input", "rate", "settings", "delivery", "frames", "plan", "timing_s"])
def test_a_summary_without_a_section(run, key):
    summary = json.loads((run / "summary.json").read_text())
    del summary[key]
    (run / "summary.json").write_text(json.dumps(summary))
    page = page_of_folder(run)
    assert "<li>summary.json: damaged" in page
    assert "The summary of the run cannot be read." in page
    assert 'id="lanes"' in page


def test_rows_that_hold_no_numbers_are_left_out(run):
    table = pd.read_csv(run / "frames.csv")
    table.loc[3, "time_s"] = np.nan
    table.loc[4, "time_s"] = np.inf
    table.to_csv(run / "frames.csv", index=False)
    found = read_run(run)
    assert found.problems == [f"frames.csv: 2 of its {len(table)} rows are damaged"]
    assert len(found.tables["frames"]) == len(table) - 2


def test_a_table_of_the_caller_is_not_changed(run):
    table = pd.read_csv(run / "frames.csv")
    before = table.copy()
    Found(folder=run, name="run").take(table, "frames")
    pd.testing.assert_frame_equal(table, before)


@settings(max_examples=20, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_any_bytes_give_a_page_or_a_line(whole_run, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("any") / "run"
    shutil.copytree(whole_run, folder)
    for name in data.draw(st.sets(st.sampled_from((*FILES, "report.mp4")), min_size=1)):
        content = bytearray((folder / name).read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        (folder / name).write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        told = page_of_folder(folder)
    except UserError as error:
        told = str(error)
    assert "</html>" in told or "\n" not in told


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [("segments", "start_s", 1e308), ("frames", "time_s", -1e300), ("segments", "height", 0)],
)
def test_numbers_that_no_run_writes_give_a_page(run, name, column, value):
    table = pd.read_csv(run / f"{name}.csv")
    table[column] = table[column].astype(float)
    table.loc[0, column] = value
    table.to_csv(run / f"{name}.csv", index=False)
    page_of_folder(run)


def test_sizes_that_are_no_numbers_are_named(run):
    table = pd.read_csv(run / "segments.csv").astype({"width": object})
    table.loc[0, "width"] = "<b>wide</b>"
    table.to_csv(run / "segments.csv", index=False)
    assert read_run(run).problems == ["segments.csv: column 'width' holds something other than numbers"]
    assert "<b>wide" not in page_of_folder(run)
