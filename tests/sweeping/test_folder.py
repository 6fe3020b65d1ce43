from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from vidlink.errors import UserError
from vidlink.files.whole import put_whole
from vidlink.sweeping.folder import PROVENANCE, ResultsFolder

IDENTITY = "ab" * 32


def test_a_record_comes_back(tmp_path):
    with ResultsFolder(tmp_path / "r") as folder:
        assert folder.record(IDENTITY) is None
        folder.write_record({"point": IDENTITY, "status": "done"})
        assert folder.record(IDENTITY) == {"point": IDENTITY, "status": "done"}
        folder.forget(IDENTITY)
        assert folder.record(IDENTITY) is None


@pytest.mark.parametrize("damage", [b"", b'{"point": "ab', b"[]", b'{"point": "cd"}', b"\xff"])
def test_a_damaged_record_is_none(tmp_path, damage):
    with ResultsFolder(tmp_path / "r") as folder:
        (folder.path / "points" / f"{IDENTITY}.json").write_bytes(damage)
        assert folder.record(IDENTITY) is None


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    put_whole(tmp_path / "a", lambda partial: partial.write_bytes(b"old"))

    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="space"):
        put_whole(tmp_path / "a", lambda partial: partial.write_bytes(b"new"))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_killed_while_writing(tmp_path):
    """kill -9 at any moment leaves one of the two contents, complete."""
    code = (
        "import pathlib, sys; from vidlink.files.whole import put_whole\n"
        "while True:\n  for letter in (b'a', b'b'):\n"
        "    put_whole(pathlib.Path(sys.argv[1]), lambda partial: partial.write_bytes(letter * 3_000_000))"
    )
    target = tmp_path / "file"
    for wait_s in (0.0, 0.013, 0.029, 0.041):
        process = subprocess.Popen([sys.executable, "-c", code, str(target)])
        while not target.exists():
            time.sleep(0.005)
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        data = target.read_bytes()
        assert len(data) == 3_000_000
        assert len(set(data)) == 1
        target.unlink()


def test_a_point_belongs_to_one_process_at_a_time(tmp_path):
    code = (
        "import pathlib, sys; from vidlink.sweeping.folder import ResultsFolder\n"
        "folder = ResultsFolder(pathlib.Path(sys.argv[1]))\n"
        "print(folder.locks.take(sys.argv[2]), flush=True); sys.stdin.read()"
    )
    other = "cd" * 32
    with ResultsFolder(tmp_path / "r") as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder.path), IDENTITY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "True\n"
        assert not folder.locks.take(IDENTITY)
        assert folder.locks.take(other)
        process.kill()
        process.communicate()
        assert folder.locks.take(IDENTITY), "the lock ends with its process"
        folder.locks.release(IDENTITY)


def test_other_folders_are_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="not a results folder"):
        ResultsFolder(tmp_path / "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        ResultsFolder(tmp_path / "file")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / PROVENANCE).write_text(json.dumps({"vidlink": "0.0.1"}))
    with pytest.raises(UserError, match=r"vidlink 0\.0\.1.*another folder"):
        ResultsFolder(tmp_path / "old")
    (tmp_path / "old" / PROVENANCE).write_text("{")
    with pytest.raises(UserError, match="cannot be read"):
        ResultsFolder(tmp_path / "old")


def test_what_was_half_written_long_ago_is_swept_away(tmp_path):
    with ResultsFolder(tmp_path / "r") as folder:
        left = folder.path / "points" / f".{IDENTITY}.json.123-abcd"
        left.write_text("{")
    ResultsFolder(tmp_path / "r").locks.close()
    assert left.exists(), "it may be somebody's"
    os.utime(left, (0, 0))
    ResultsFolder(tmp_path / "r").locks.close()
    assert not left.exists()
