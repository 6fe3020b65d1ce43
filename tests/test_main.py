"""The one command: what it calls, what it says first, versions, completion."""

import os
import re
import subprocess
import sys
from importlib import import_module

import pytest

from vidlink.__main__ import COMMANDS, FIRST, SHELLS, main, versions
from vidlink.command import run_command


def ended(capsys, *words):
    """Exit status, stdout and stderr of the command in this process."""
    status = 0
    try:
        run_command(lambda: main(words))
    except SystemExit as end:
        status = end.code or 0
    return status, *capsys.readouterr()


@pytest.fixture(autouse=True)
def called_as_before(monkeypatch):
    monkeypatch.setattr("vidlink.parser._CALLED", [])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(capsys, name):
    status, out, err = ended(capsys, name, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: vidlink {name} ")
    assert not re.search(r"^ +python -m", out, re.M)
    status, whole, _ = ended(capsys, name, "--help-all")
    assert status == 0
    assert len(whole) >= len(out)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_module_of_a_command_takes_words(name):
    assert callable(import_module(COMMANDS[name][0]).main)


def test_without_words_it_says_what_to_type_first(capsys):
    assert ended(capsys) == (0, FIRST, "")
    for line in FIRST.splitlines():
        typed = re.match(r"  vidlink (\w+)", line)
        assert not typed or typed[1] in COMMANDS


def test_the_help_of_a_run_is_short_and_has_three_examples(capsys):
    _, out, _ = ended(capsys, "run", "--help")
    assert len(re.findall(r"^  vidlink run ", out, re.M)) == 3
    explained = re.findall(r"^  (--[\w-]+|INPUT)", out, re.M)
    assert 8 <= len(explained) <= 14, explained
    assert "--help-all shows" in out
    assert "--shortest-segment" not in out
    assert "--shortest-segment" in ended(capsys, "run", "--help-all")[1]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("runn", "my.mp4"), ("unknown command 'runn'", "did you mean 'run'", "demo, evaluate")),
        (("run", "--birtate", "64k"), ("vidlink run:", "--birtate", "did you mean --bitrate?")),
        (("train", "--dtaa", "x"), ("--dtaa", "did you mean --data?")),
        (("run", "--s", "3"), ("ambiguous option: --s", "--scale", "--seed")),
        (("--versoin",), ("--versoin", "did you mean --version?")),
        (("run", "--zzzzzz"), ("unrecognized arguments: --zzzzzz (see",)),
        (("--completion", "cmd"), ("invalid choice: 'cmd'",)),
    ],
)
def test_what_is_misspelt_is_named_with_the_nearest(capsys, words, parts):
    status, out, err = ended(capsys, *words)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    for part in parts:
        assert part in err


def test_a_clip_in_place_of_a_command(capsys, tmp_path):
    clip = tmp_path / "my.mp4"
    clip.write_bytes(b"")
    status, _, err = ended(capsys, str(clip), "--bitrate", "64k")
    assert status == 2
    assert f"vidlink run {clip} --bitrate 64k" in err


def test_versions(capsys):
    import torch

    import vidlink

    lines = ended(capsys, "--version")[1].splitlines()
    assert lines == versions()
    assert [line.split()[0] for line in lines] == ["vidlink", "PyAV", "FFmpeg", "x264", "torch"]
    assert lines[0] == f"vidlink {vidlink.__version__}"
    assert lines[-1] == f"torch {torch.__version__}"
    assert re.fullmatch(r"x264 core \d+.*", lines[3])


def test_the_help_imports_nothing_heavy():
    heavy = ("numpy", "torch", "cv2", "pandas", "av", "matplotlib", "scipy", "pydantic", "argcomplete")
    code = (
        "import sys, time\nfrom vidlink.__main__ import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules], time.process_time())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found, seconds = done.stdout.splitlines()[-1].rsplit(" ", 1)
    assert found == "[]"
    assert float(seconds) < 0.5


def completed(typed):
    """The words that a shell is told for what was typed."""
    shell = {"_ARGCOMPLETE": "1", "COMP_LINE": typed, "COMP_POINT": str(len(typed)), "COMP_TYPE": "9"}
    code = "import os, sys; os.dup2(1, 8); from vidlink.__main__ import main; main([])"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **shell, "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_SUPPRESS_SPACE": "1"},
        capture_output=True,
        text=True,
    )
    return told.stdout.split()


@pytest.mark.skipif(os.name != "posix", reason="shells of POSIX ask through a file descriptor")
def test_completion_of_commands_options_and_choices():
    assert set(COMMANDS) <= set(completed("vidlink "))
    assert completed("vidlink sw") == ["sweep"]
    assert completed("vidlink run --bitr") == ["--bitrate"]
    assert completed("vidlink run my.mp4 --search ") == ["guided", "exhaustive", "best-fixed", "ladder"]
    assert "--codec-aware" in completed("vidlink train --co")


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_shell_evaluates(capsys, shell):
    status, out, _ = ended(capsys, "--completion", shell)
    assert status == 0
    assert "vidlink" in out


def test_the_demonstration_is_a_run(capsys, tmp_path, monkeypatch):
    asked = {}

    def run_into(place, settings):
        asked.update(place=place, settings=settings)
        raise KeyboardInterrupt

    monkeypatch.setattr("vidlink.simulate.run_into", run_into)
    status, out, _ = ended(capsys, "demo", "--out", str(tmp_path / "seen"))
    assert status == 130
    assert out.startswith("vidlink run --bitrate 24k --channel gilbert-elliott\n")
    assert asked["place"] == tmp_path / "seen"
    assert (asked["settings"].input, asked["settings"].bitrate_bps) == (None, 24_000)


LONG = "a" * 300


@pytest.mark.parametrize(
    "words",
    [
        (LONG,),
        ("report", LONG),
        ("run", "--bitrate", "64k", "--out", LONG),
        ("run", "--bitrate", "64k", "--pcap", LONG),
        ("run", "--bitrate", "64k", "--labels", LONG),
        ("reels", "--data", f"images:{LONG}", "--out", LONG),
        ("sweep", "s.toml", "--out", LONG),
        ("demo", "--out", "loop"),
        ("run", "--bitrate", "64k", "--labels", "loop"),
        ("sweep", "s.toml", "--out", "loop"),
    ],
)
def test_names_that_no_file_can_have_are_one_line(capsys, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "s.toml").write_text('[settings]\nbitrate = "64k"\n[grid]\nseed = [1]\n')
    status, _, err = ended(capsys, *words)
    assert status == 2
    assert len(err.splitlines()) == 1
    assert len(err) < 200
    assert "too long" in err or "symbolic links" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop", "s.toml"]


def test_a_name_with_a_zero_in_it_is_refused_from_python(tmp_path):
    import vidlink

    for options in ({"out": "a\0"}, {"labels": "a\0"}, {"pcap": "a\0"}, {"weights": "a\0"}):
        with pytest.raises(vidlink.UserError, match="no file can have such a name"):
            vidlink.run(bitrate="64k", quiet=True, **options)


def test_two_dashes_before_the_command_hide_nothing(capsys):
    assert ended(capsys, "--", "run", "--help") == ended(capsys, "run", "--help")


@pytest.mark.skipif(sys.platform == "win32", reason="the shell of Windows closes nothing")
@pytest.mark.parametrize("words", [("--version",), ("run", "--help"), ("--completion", "bash")])
def test_without_a_stdout_nothing_breaks(words):
    line = f'exec "{sys.executable}" -m vidlink {" ".join(words)} >&-'
    ended = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=100)
    assert (ended.returncode, ended.stderr) == (0, "")
