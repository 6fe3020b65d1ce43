from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
from swept import Threads, write_clip

import vidlink
from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.sweep import MANY, main

GRID = '[grid]\nbitrate = ["16k", "32k"]\nseed = [0, 1]\n'


@pytest.fixture
def sweep_file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(GRID)
    return path


def test_dry_run_lists_what_differs(sweep_file, capsys):
    main([str(sweep_file), "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "4 points"
    assert lines[1] == "1  bitrate_bps = 16000.0, seed = 0"
    assert len(lines) == 5


def test_many_points_ask_first(sweep_file, capsys):
    sweep_file.write_text(GRID + f"mtu = {list(range(1000, 1000 + MANY // 4 + 1))}")
    with pytest.raises(UserError, match=r"10,004 points; --yes"):
        main([str(sweep_file), "--out", str(sweep_file.parent / "r")])
    sweep_file.write_text(f"[grid]\nseed = {list(range(1000))}\nmtu = {list(range(1000))}\n")
    start = time.perf_counter()
    with pytest.raises(UserError, match=r"1,000,000 points; --yes"):
        main([str(sweep_file), "--dry-run"])
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "--out"),
        (["--out", "r", "--workers", "0"], "--workers 0"),
        (["--out", "r", "--workers", "2", "--dask", "tcp://127.0.0.1:1"], "one of them"),
        (["--out", "r", "--dask", "nonsense"], "no Dask scheduler answers"),
    ],
)
def test_wrong_options(sweep_file, options, word):
    with pytest.raises(UserError, match=word):
        main([str(sweep_file), *options])


def test_no_file_and_no_table(tmp_path):
    with pytest.raises(UserError, match="give a sweep file"):
        main([])
    with pytest.raises(UserError, match="no such folder"):
        main(["--table", str(tmp_path / "none")])


def test_a_wrong_file_is_one_line_and_status_2(sweep_file):
    sweep_file.write_text("[grid]\nbitrates = ['8k']\n")
    done = subprocess.run(
        [sys.executable, "-m", "vidlink.sweep", str(sweep_file), "--out", "r"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "did you mean 'bitrate'" in done.stderr


def test_help_loads_nothing_heavy():
    code = (
        "import sys\ntry:\n    from vidlink.sweep import main; main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'av', 'cv2', 'numpy', 'pydantic', 'distributed'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "SWEEP.toml" in done.stdout


RECOGNIZERS = """
import sys
import torch
from vidlink import Wants

class Fine:
    name, task, gives = "fine", "t", ("level",)
    wants = Wants(region="frame", height=8, width=8, colour="luma")
    def __init__(self, how: str = ""):
        if how == "exit": sys.exit(0)
        self.how = how
    def __call__(self, pictures, context):
        if self.how == "exit later": sys.exit(0)
        return pictures.mean(dim=(1, 2, 3))[:, None]
"""


@pytest.fixture
def swept(tmp_path, monkeypatch, capfd):
    """Sweeps a short clip in this process: gives exit status, what was printed, and what was complained of."""
    (tmp_path / "mine.py").write_text(RECOGNIZERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    write_clip(tmp_path / "clip.mp4")
    settings = 'input = "clip.mp4"\nscale = 1\nsegment = 0.2\nno-scores = true\nrecognizer = "mine:Fine"\n'

    def run(grid):
        monkeypatch.setattr("vidlink.sweeping.executors.Processes", lambda workers: Threads())
        (tmp_path / "sweep.toml").write_text(f"[settings]\n{settings}[grid]\n{grid}\n")
        status = 0
        try:
            run_command(lambda: main([str(tmp_path / "sweep.toml"), "--out", str(tmp_path / "r"), "--quiet"]))
        except SystemExit as end:
            status = end.code
        return status, *capfd.readouterr()

    yield run
    sys.modules.pop("mine", None)


@pytest.mark.parametrize(
    ("grid", "status", "line"),
    [
        ("quality = [40, 99]", 0, ""),
        ("quality = [98, 99]", 2, "every point was refused, the first with: --quality 98"),
        ('recognizer-arg = "how=exit"\nquality = 40', 2, "making it failed: SystemExit: 0"),
        (
            'recognizer-arg = ["how=", "how=exit later"]\nquality = 40',
            2,
            "failed in 1 of 2 points.*raised SystemExit: 0",
        ),
    ],
)
def test_how_a_sweep_ends(swept, tmp_path, grid, status, line):
    found, out, err = swept(grid)
    assert found == status, err
    assert (tmp_path / "r" / "results.csv").is_file()
    complaints = [each for each in err.splitlines() if each.startswith("vidlink:")]
    assert len(complaints) == bool(line), err
    assert re.search(line, err)
    assert "points done" in out
    assert "Traceback" not in err


SCRIPTS = {
    "compare": "import vidlink\nprint(len(vidlink.compare({clip!r}, quality=[40, 45], out='r', {options}).frame))\n",
    "sweep": (
        "from pathlib import Path\nfrom vidlink.sweeping.executors import Processes\n"
        "from vidlink.sweeping.grid import sweep_from\nfrom vidlink.sweeping.sweep import sweep\n"
        "grid = sweep_from({{'settings': {{'input': {clip!r}, 'scale': 2, 'recognizer': 'none', 'no-scores': True}},"
        " 'grid': {{'quality': [40, 45]}}}})\n"
        "print(len(sweep(list(grid.make_points(Path())), Path('r'), Processes(1), quiet=True)))\n"
    ),
}


@pytest.mark.parametrize(("kind", "guarded"), [("compare", True), ("compare", False), ("sweep", False)])
def test_a_script_without_a_guard_is_told_what_is_missing(tmp_path, small_clip, kind, guarded):
    options = "scale=2, recognizer='none', no_scores=True, quiet=True, workers=1"
    text = SCRIPTS[kind].format(clip=str(small_clip), options=options)
    if guarded:
        text = "if __name__ == '__main__':\n" + "".join(f"    {line}\n" for line in text.splitlines())
    (tmp_path / "script.py").write_text(text)
    command = [sys.executable, "script.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=120)
    if guarded:
        assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
        return
    assert done.returncode != 0
    assert done.stdout == ""
    assert 'put its calls under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]
    assert "memory" not in done.stderr


def test_runs_that_fail_among_others_are_said_in_python(small_clip, monkeypatch):
    monkeypatch.setattr("vidlink.sweeping.executors.Processes", lambda workers: Threads())
    with pytest.warns(UserWarning, match="1 of 2 runs failed, the first with: --quality 99"):
        table = vidlink.compare(
            small_clip, quality=[40, 99], scale=2, recognizer="none", no_scores=True, quiet=True, workers=1
        )
    with pytest.raises(UserError, match="no run has a score"):
        table.plot()
    with pytest.raises(UserError, match="name two columns"):
        table.plot(y="kbps")


@pytest.mark.parametrize("seeds", [0, -1, 10**12, 10**400])
def test_seeds_that_are_no_number_of_runs(seeds):
    with pytest.raises(UserError, match="seeds = "):
        vidlink.compare(seeds=seeds, bitrate="24k")
