"""Real runs in real processes, some of which are killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from swept import COUNT, GRID, Threads, same_tables

import vidlink.sweeping.executors
from vidlink.sweep import main
from vidlink.sweeping.executors import Dask, Processes
from vidlink.sweeping.folder import ResultsFolder
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.outcome import tell_outcome
from vidlink.sweeping.sweep import sweep

SWEEP_FILE = """
[settings]
input = "clip.mp4"
scale = 1
recognizer = "none"
no-scores = true
segment = 0.2

[grid]
quality = [30, 40, 50]
channel = ["perfect", "bernoulli-10"]

[[points]]
quality = 99
"""


@pytest.fixture
def count_records(monkeypatch):
    """How often a record was written, by point."""
    written: dict[str, int] = {}
    write_record = ResultsFolder.write_record

    def count(self, record):
        written[record["point"]] = written.get(record["point"], 0) + 1
        write_record(self, record)

    monkeypatch.setattr(ResultsFolder, "write_record", count)
    return written


def start(clip_folder: Path, out: Path, *options: str) -> subprocess.Popen:
    grid = clip_folder / "sweep.toml"
    if not grid.exists():  # A process that was started before may be reading it.
        grid.write_text(SWEEP_FILE)
    command = [sys.executable, "-m", "vidlink.sweep", str(grid), "--out", str(out), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(condition, timeout_s: float = 120) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def records(folder: Path) -> int:
    return len(list(folder.glob("points/*.json")))


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_reference_is_right(reference):
    table = pd.read_parquet(reference / "results.parquet")
    assert table["status"].tolist() == ["done"] * (COUNT - 1) + ["refused"]
    assert table["rate_payload_bps"][0] > table["rate_payload_bps"][2] > table["rate_payload_bps"][4] > 0
    assert table["frames_ok"][0] == 5
    assert "from 10 to 51" in table["error"][COUNT - 1]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_killed_and_given_again(clip_folder, reference, tmp_path, monkeypatch, capsys):
    process = start(clip_folder, tmp_path / "r", "--workers", "1")
    wait_for(lambda: records(tmp_path / "r") >= 2)
    workers = children(process.pid)
    process.kill()
    process.wait()
    done = records(tmp_path / "r")
    assert 2 <= done < COUNT
    assert not (tmp_path / "r" / "results.parquet").exists()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 20)
    (tmp_path / "r" / "points" / ".half.json.1-ab").write_text('{"po')
    monkeypatch.setattr(vidlink.sweeping.executors, "Processes", lambda workers: Threads())
    main([str(clip_folder / "sweep.toml"), "--out", str(tmp_path / "r"), "--no-report"])
    output = "".join(capsys.readouterr())
    assert f"{COUNT} points" in output
    assert f"{done} done before, {COUNT - done} to run" in output
    assert "1 x  --quality 99" in output
    assert same_tables(tmp_path / "r", reference)


def test_two_processes_on_one_folder(clip_folder, points, reference, tmp_path, count_records):
    other = start(clip_folder, tmp_path / "r", "--workers", "1", "--quiet", "--no-report")
    wait_for(lambda: records(tmp_path / "r") >= 1)
    sweep(points, tmp_path / "r", Threads(), quiet=True)
    output, _ = other.communicate()
    assert other.returncode == 0, output
    assert set(count_records.values()) <= {1}
    assert len(count_records) < COUNT, "the other one did its part"
    assert same_tables(tmp_path / "r", reference)
    assert len(json.loads((tmp_path / "r" / "provenance.json").read_text())["commands"]) == 2


def test_a_point_that_kills_its_process(points, tmp_path, monkeypatch, count_records, capsys):
    (tmp_path / "deadly.py").write_text("import os\nclass Deadly:\n    def __init__(self): os._exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    raw = {**GRID, "grid": {"quality": [30]}, "points": [{"quality": 40, "recognizer": "deadly:Deadly"}]}
    more = list(sweep_from(raw).make_points(Path(points[0].settings.input).parent))
    table = sweep([more[1], more[0], points[2]], tmp_path / "r", Processes(1), quiet=True)
    assert table["status"].tolist() == ["failed", "done", "done"]
    assert "worker process died" in table["error"][0]
    assert set(count_records.values()) == {1}
    with pytest.raises(SystemExit) as end:
        tell_outcome(table, tmp_path / "r")
    assert end.value.code == 1
    assert re.search("1 of 3 points failed.*exit status 3", capsys.readouterr().err)


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, processes of this machine: the address, and the workers."""
    pytest.importorskip("distributed")
    place = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    common = ["--no-dashboard", "--scheduler-file", str(place)]
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common],
        env=os.environ | {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "60s"},
        **quiet,
    )
    wait_for(lambda: place.exists() and place.read_text().endswith("}"), 60)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", *common]
    command += ["--local-directory", str(tmp_path / "dask")]
    workers = [subprocess.Popen(command, **quiet) for _ in range(2)]
    yield json.loads(place.read_text())["address"], workers
    for process in [*workers, scheduler]:
        process.kill()
        process.wait()


def test_a_dask_worker_dies_in_the_middle(points, reference, tmp_path, cluster, count_records):
    address, workers = cluster
    executors = Dask(address)
    executors._client.wait_for_workers(2, timeout=60)
    killed = []
    write_record = ResultsFolder.write_record
    # Held, so that it still has the points it was given when it dies, however fast the other one is.
    workers[0].send_signal(signal.SIGSTOP)

    def kill_one(self, record):
        write_record(self, record)
        if len(count_records) == 2:
            busy = executors._client.processing()
            killed.append(sum(map(len, busy.values())))
            workers[0].send_signal(signal.SIGKILL)

    ResultsFolder.write_record, counting = kill_one, ResultsFolder.write_record
    try:
        sweep(points, tmp_path / "r", executors, quiet=True)
    finally:
        ResultsFolder.write_record = counting
    assert killed[0] > 0, "it was in the middle"
    assert workers[0].wait() == -signal.SIGKILL
    assert len(count_records) == COUNT, "no point is lost"
    assert set(count_records.values()) == {1}, "and none is there twice"
    assert same_tables(tmp_path / "r", reference)


def test_a_script_that_is_in_no_file_is_told_to_be_saved(small_clip):
    script = f"""
import vidlink
if __name__ == "__main__":
    vidlink.compare({str(small_clip)!r}, bitrate=["64k"], recognizer="none", quiet=True, workers=1)
"""
    ended = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith("and <stdin> is no file: save it as one")
