"""Several clips by one ``run``: a folder each, a table, and one that fails does not stop the others."""

import shutil

import pandas as pd
import pytest
from PIL import Image

FAST = ("--recognizer", "none", "--scales", "1,2", "--no-video", "--no-plot", "--no-report")


@pytest.fixture
def clips(tmp_path, small_clip):
    (tmp_path / "my").mkdir()
    for name in ("a", "b"):
        shutil.copy(small_clip, tmp_path / "my" / f"{name}.mp4")
    return tmp_path


def table_of(place):
    return pd.read_csv(place / "table.csv").set_index("clip")


def test_options_may_stand_before_and_between_the_clips(command, clips):
    ended = command("--bitrate", "48k", "my/a.mp4", *FAST, "my/b.mp4", "--out", "out")
    assert ended.status == 0, ended.err
    table = table_of(clips / "out")
    assert list(table.index) == ["a", "b"]
    assert table.loc["a"].equals(table.loc["b"])
    assert 8_000 < table.loc["a", "rate_wire_bps"] <= 48_000
    assert table.loc["a", "quality_psnr_db"] > 15
    assert table.loc["a", "frames_ok_share"] == 1
    for name in ("a", "b"):
        assert (clips / "out" / name / "summary.json").is_file()
    assert "2 of 2  my/b.mp4" in ended.out
    assert ended.out.splitlines()[-1] == "run folders, table.csv  out"


LEVEL = """
import torch
from vidlink import Wants


class Level:
    name, task, classes = "level", "shade", ("dark", "bright")
    wants = Wants(region="frame", height=8, width=8, colour="rgb")

    def __call__(self, windows, context):
        level = windows.mean(dim=(1, 2, 3, 4)) - 0.5
        return torch.stack([-level, level], dim=1) * 100
"""


def test_pictures_in_class_folders_are_clips_of_one_frame_and_the_folder_is_their_label(command, tmp_path):
    (tmp_path / "level.py").write_text(LEVEL)
    for name, level in (("bright", 230), ("dark", 20), ("grey", 20)):
        (tmp_path / "shades" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (level,) * 3).save(tmp_path / "shades" / name / "a.png")
    few = ("--no-video", "--no-plot", "--no-report", "--no-scores", "--scale", "1", "--quality", "30")
    ended = command("shades", "--bitrate", "48k", "--recognizer", "level.py:Level", *few, "--out", "out")
    assert ended.status == 0, ended.err
    table = table_of(tmp_path / "out")
    assert table["recognition_accuracy"].to_dict() == {"bright-a": 1, "dark-a": 1, "grey-a": 1}
    assert table["recognition_against"].to_dict() == {"bright-a": "labels", "dark-a": "labels", "grey-a": "pristine"}


def test_a_clip_that_fails_does_not_stop_the_others(command, clips):
    (clips / "my" / "a.mp4").write_bytes(b"no film")
    ended = command("my", "--bitrate", "48k", *FAST, "--out", "out")
    assert ended.status == 2
    assert ended.err.splitlines()[-1].startswith("vidlink: 1 of 2 clips failed, the first with: my/a.mp4: not a video")
    assert "failed: my/a.mp4: not a video" in ended.out
    table = table_of(clips / "out")
    assert "not a video" in table.loc["a", "error"]
    assert pd.isna(table.loc["a", "rate_wire_bps"])
    assert table.loc["b", "rate_wire_bps"] > 8_000
    assert not (clips / "out" / "a").exists()


def test_what_is_there_is_kept_and_gone_on_with(command, clips):
    given = ("my", "--bitrate", "48k", *FAST, "--out", "out")
    assert command(*given).status == 0
    first = table_of(clips / "out")
    shutil.rmtree(clips / "out" / "b")
    kept = (clips / "out" / "a" / "summary.json").stat().st_mtime_ns
    ended = command(*given)
    assert (ended.status, ended.out) == (2, "")
    assert "has a already" in ended.err
    assert command(*given, "--resume").status == 0
    assert (clips / "out" / "a" / "summary.json").stat().st_mtime_ns == kept
    pd.testing.assert_frame_equal(table_of(clips / "out"), first)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--labels", "a.csv"), ("--labels a.csv", "of one clip", "these are 2")),
        (("--pcap", "a.pcap"), ("--pcap", "one clip")),
        (("--resume",), ("--resume", "--out FOLDER")),
    ],
)
def test_what_is_of_one_run_is_refused_for_several(command, clips, options, parts):
    ended = command("my", "--bitrate", "48k", *FAST, *options)
    assert (ended.status, ended.out) == (2, "")
    assert all(part in ended.err for part in parts)
    assert [each.name for each in clips.iterdir()] == ["my"]


def test_an_interrupt_says_how_to_go_on(command, clips, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("vidlink.simulate.run_into", stopped)
    ended = command("my", "--bitrate", "48k", *FAST, "--out", "out")
    assert ended.status == 130
    assert "the same command with --out out --resume goes on" in ended.err
