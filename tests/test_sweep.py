from __future__ import annotations

import subprocess
import sys
import time

import pytest

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
