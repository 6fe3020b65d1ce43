"""Stored results: what they were made from, and when they are stale."""

import json
import re
import subprocess
import sys
from pathlib import Path

import bench
import pytest
import reproduce
from reproduce import state_of
from stored import RESULTS, Result

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A repository with one file of code, and a way to commit to it."""

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", "-C", tmp_path, *who, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("commit", "-qm", "first")
    return tmp_path, git


def test_a_result_is_stale_when_what_it_measures_has_changed(checkout, monkeypatch):
    folder, git = checkout
    result = Result(name="a", file="a.json", command="", pages=(), code=("code.py",), weights=("affect",))

    def state(**made):
        (folder / "a.json").write_text(json.dumps({"figures": {}, "made": made}))
        return state_of(result, folder)[1]

    assert state_of(result, folder)[1] == "never made"
    assert state() == "does not say from which commit it is"
    commit, weights = git("rev-parse", "HEAD"), bench.made()["weights"]
    assert state(commit=commit, weights=weights) == ""
    assert state(commit=f"{commit}-dirty", weights=weights) == "made with changes that were not committed"
    assert state(commit=commit, weights={"affect": "other"}) == "other weights by now: affect"
    assert state(commit="0" * 40, weights=weights) == "its commit 000000000 is not in this checkout"
    (folder / "other.py").write_text("2")
    git("add", ".")
    git("commit", "-qm", "another file")
    assert state(commit=commit, weights=weights) == ""
    (folder / "code").mkdir()
    (folder / "code" / "new.py").write_text("3")
    git("add", ".")
    git("commit", "-qm", "a new file beside what it measures")
    wide = Result(name="a", file="a.json", command="", pages=(), code=("code.py", "code"), weights=("affect",))
    assert state_of(wide, folder)[1] == "", "what was not there was not measured"
    (folder / "code.py").write_text("2")
    git("commit", "-qam", "what it measures")
    assert state(commit=commit, weights=weights) == "changed since: code.py"


def test_every_stored_result_and_what_it_measures_is_listed():
    stored = {str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.json")}
    assert stored <= {result.file for result in RESULTS}
    pages = [ROOT / page for result in RESULTS for page in result.pages]
    called = reproduce.commands_in(sorted((ROOT / "docs").glob("*.md")))
    assert called <= {Path(result.command.split()[1]).stem for result in RESULTS}
    assert all(page.exists() for page in pages)
    shown = {result.file: {ROOT / page for page in result.pages} for result in RESULTS}
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for file in re.findall(r"--json (docs/\S+\.json)", page.read_text(encoding="utf-8")):
            assert page in shown[file], f"{page.name} has the command of {file}, and is not among its pages"
    assert all((ROOT / path).exists() for result in RESULTS for path in result.code)


def test_json_files_say_what_they_were_made_from_without_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDLINK_DATA", "/some/where")
    words = ["/x/benchmarks/a.py", "--data", "ferplus:/some/where/f.zip", "--out", "/tmp/my/out"]
    monkeypatch.setattr(sys, "argv", words)
    bench.write_json(tmp_path / "a.json", {"x": 1.0})
    made = json.loads((tmp_path / "a.json").read_text())["made"]
    assert made["command"] == "python benchmarks/a.py --data 'ferplus:$VIDLINK_DATA/f.zip' --out out"
    assert {"affect", "activity"} <= made["weights"].keys()
    assert made["commit"]
    monkeypatch.setattr(sys, "argv", [*words, "--redraw", str(tmp_path / "a.json")])
    (tmp_path / "a.json").write_text(json.dumps({"made": {"commit": "abc"}}))
    bench.write_json(tmp_path / "b.json", {"x": 1.0})
    assert json.loads((tmp_path / "b.json").read_text())["made"] == {"commit": "abc"}
