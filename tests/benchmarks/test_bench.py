"""What the benchmarks share: clips, runs, sweeps, tables, the JSON file."""

import json
import re
from pathlib import Path

import av
import bench
import pytest

from vidlink.errors import UserError
from vidlink.settings import Settings
from vidlink.sweeping.grid import sweep_from

FAST = {"recognizer": "none", "scale": 4, "quality": 40}


def frame_count(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_data_is_what_the_variable_names(tmp_path, monkeypatch, capsys):
    (tmp_path / "clips").mkdir()
    monkeypatch.setenv("VIDLINK_DATA", str(tmp_path))
    assert bench.data("clips") == tmp_path / "clips"
    assert bench.data("traces") is None
    for unset in ("", None):
        monkeypatch.setenv("VIDLINK_DATA", unset) if unset is not None else monkeypatch.delenv("VIDLINK_DATA")
        assert bench.data("clips", "the built-in clip stands in") is None
        assert "clips: the built-in clip stands in" in capsys.readouterr().err


def test_a_clip_is_run_forwards_and_backwards_once(tmp_path):
    short = bench.builtin_as_file(tmp_path / "short.mp4", seconds=0.2, size=(64, 48))
    assert frame_count(short) == 5
    assert bench.to_length(short, tmp_path / "same.mkv", frames=5) == short
    long = bench.to_length(short, tmp_path / "long.mkv", frames=12)
    frames = [frame.to_ndarray() for _, frame in bench.open_clip(long).frames()]
    assert len(frames) == 12
    assert (frames[5] == frames[3]).all()
    assert (frames[8] == frames[0]).all()
    before = long.stat().st_mtime_ns
    assert bench.to_length(short, long, frames=12) == long
    assert long.stat().st_mtime_ns == before


def test_a_run_and_a_sweep_say_the_same_and_a_sweep_says_it_again(tmp_path, capsys):
    clip = bench.builtin_as_file(tmp_path / "clip.mp4", seconds=0.4, size=(96, 64))
    run = bench.run(Settings(input=str(clip), scale=4, quality=40, recognizer="none"))
    assert len(run.tables["frames"]) == 10
    points = list(sweep_from({"settings": {"input": "clip.mp4", **FAST}, "points": [{}]}).make_points(tmp_path))
    for expected in ("1 points to run, 0 done", "0 points to run, 1 done"):
        table = bench.sweep_table(points, tmp_path / "sweep", 1)
        assert expected in capsys.readouterr().err
    (summary,) = bench.summaries(table, tmp_path / "sweep")
    assert summary["rate"] == run.summary["rate"]
    assert "total" in summary["timing_s"]


def test_a_refused_point_is_a_result_only_where_it_may_be(tmp_path):
    bench.builtin_as_file(tmp_path / "clip.mp4", seconds=0.4, size=(96, 64))
    raw = {"settings": {"input": "clip.mp4", "recognizer": "none"}, "grid": {"bitrate": ["1"]}}
    points = list(sweep_from(raw).make_points(tmp_path))
    table = bench.sweep_table(points, tmp_path / "sweep", 1, may_refuse=True)
    assert bench.summaries(table, tmp_path / "sweep") == [None]
    with pytest.raises(RuntimeError, match=r"1 of 1 points have no result.*lowest rate that works"):
        bench.sweep_table(points, tmp_path / "sweep", 1)


def test_figures_are_printed_and_written(tmp_path, capsys):
    path = tmp_path / "figures.json"
    rows = [{"a": 1, "b": [1, 2]}, {"a": 2, "b": []}]
    bench.report({"wall_ratio": 1.05, "none": None}, path, {"wall_ratio": "<= 1.10"}, rows=rows, quiet=True)
    written = json.loads(path.read_text())
    assert written.pop("made")["commit"]
    assert written == {
        "figures": {"wall_ratio": 1.05, "none": None}, "rows": rows, "quiet": True
    }  # fmt: skip
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["wall_ratio", "1.05", "<=", "1.10"], ["none", "-"]
    ]  # fmt: skip
    assert bench.markdown(["x", "y"], [["a", "1"]]) == "| x | y |\n| --- | ---: |\n| a | 1 |"


def test_flags_data_runs_and_colours_are_the_shared_ones():
    once = re.compile(r"environ\b.*VIDLINK_DATA|ArgumentParser\(|vidlink\.simulate import|run_folder import|\"#\w{6}\"")
    folder = Path(bench.__file__).parent
    without = ("bench.py", "reproduce.py", "same_tables.py", "stored.py", "video_sr_clips.py")  # no benchmarks
    others = [path for path in folder.glob("*.py") if path.name not in without]
    assert len(others) > 12
    assert [path.name for path in others if once.search(path.read_text())] == ["allocation_figures.py"]  # a colour map
    arguments = bench.flags("what", quick="less", figure=True).parse_args(["--quick", "--json", "a.json"])
    assert (arguments.quick, arguments.json, arguments.figure) == (True, Path("a.json"), None)


def test_a_rate_that_is_none_is_named():
    assert bench.read_rates("12k,1.5M") == [12_000, 1_500_000]
    with pytest.raises(UserError, match="--rates 12k,12q: bit rate '12q': expected a positive number"):
        bench.read_rates("12k,12q")
