"""The command ``vidlink report``."""

import json
import subprocess
import sys
import time
import webbrowser

import pytest

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.report.__main__ import main


@pytest.fixture(scope="module")
def folder(simulated, small_clip, tmp_path_factory):
    fixed = ("--scale", "2", "--quality", "45", "--recognizer", "none", "--no-plot", "--no-report")
    return simulated(tmp_path_factory.mktemp("command") / "run", small_clip, *fixed).path


def test_the_page_is_written_and_opened(folder, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not shown.append(address))
    main([str(folder), "--open"])
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert shown == [(folder / "report.html").as_uri()]
    assert "report.mp4" not in (folder / "report.html").read_text()
    assert "Film of what was received" in (folder / "report.html").read_text()


def test_without_a_browser(folder, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    with pytest.raises(UserError, match=r"no browser was found; open .*report.html in one"):
        main([str(folder), "--open"])


def test_one_line_and_status_2(tmp_path, capsys):
    (tmp_path / "film.mp4").write_bytes(b"")
    for place, words in (
        (tmp_path / "none", "no such folder"),
        (tmp_path / "film.mp4", "is a file"),
        (tmp_path, "nothing of a run"),
    ):
        with pytest.raises(SystemExit) as end:
            run_command(lambda place=place: main([str(place)]))
        assert end.value.code == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert words in err


def test_help_imports_little():
    script = (
        "import sys\nfrom vidlink.report.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'torch', 'av', 'pandas', 'matplotlib', 'jinja2'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    assert "FOLDER" in subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout


def test_the_page_of_a_run_takes_little_time(folder):
    from vidlink.report.page.run_page import page_of_folder

    page_of_folder(folder)
    start = time.process_time()
    page_of_folder(folder)
    assert time.process_time() - start < 1
    assert json.loads((folder / "summary.json").read_text())["settings"]["save_report"] is False
