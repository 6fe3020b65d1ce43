"""Several runs at once into one folder: each result survives, or the loser is told before it works."""

import json
import subprocess
import sys

import pytest

from vidlink.errors import UserError
from vidlink.report.run_folder import RunFolder

WRITER = """
import sys, time
from pathlib import Path
from vidlink.errors import UserError
from vidlink.report.run_folder import RunFolder

name, mark = sys.argv[1:3]
sys.stdin.readline()
try:
    with RunFolder.fresh(name) if name != "one" else RunFolder(Path("one")) as folder:
        time.sleep(0.3)
        folder.write_json("summary.json", {"mark": mark})
    print("wrote", folder.place, flush=True)
except UserError as error:
    print("told", error, flush=True)
"""


def at_once(tmp_path, name, count):
    """What each of several processes says that begin at the same moment."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, str(mark)],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for mark in range(count)
    ]
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[0].split(maxsplit=1) for process in started]


def test_without_out_each_has_a_folder_of_its_own(tmp_path):
    said = at_once(tmp_path, "clip", 4)
    assert [word for word, _ in said] == ["wrote"] * 4
    places = [tmp_path / place.strip() for _, place in said]
    assert len(set(places)) == 4
    assert {place.name for place in places} == {"clip", "clip-2", "clip-3", "clip-4"}
    for mark, place in enumerate(places):
        assert json.loads((place / "summary.json").read_text())["mark"] == str(mark)
    assert not [path for path in (tmp_path / "runs").iterdir() if path.name.startswith(".")]


def test_with_one_out_the_losers_are_told(tmp_path):
    said = at_once(tmp_path, "one", 4)
    wrote = [mark for mark, (word, _) in enumerate(said) if word == "wrote"]
    assert len(wrote) == 1
    assert json.loads((tmp_path / "one" / "summary.json").read_text())["mark"] == str(wrote[0])
    for word, text in said:
        assert word == "wrote" or "another run is writing there" in text or "exists already" in text
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_claim_is_not_stale_once_its_process_is_killed(tmp_path):
    code = "from pathlib import Path; from vidlink.report.run_folder import RunFolder; import time\n"
    code += "with RunFolder(Path('one')) as folder:\n    print('claimed', flush=True); time.sleep(600)"
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert killed.stdout.readline() == "claimed\n"
    with pytest.raises(UserError, match="another run is writing there"), RunFolder(tmp_path / "one"):
        pass
    killed.kill()
    killed.wait()
    killed.stdout.close()
    with RunFolder(tmp_path / "one") as folder:
        folder.write_json("summary.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
