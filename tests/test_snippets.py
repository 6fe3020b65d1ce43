"""Every fenced snippet of the pages in PAGES runs, and commands in all documents name options that exist.

A fence after a line ``<!-- not run: REASON -->`` is left out, but for its options.
"""

import re
import runpy
import shlex
import sys
import textwrap
import tomllib
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "docs/recognizers.md")
QUICKER = {
    # The built-in clip takes many times as long; tests/test_simulate.py sends it.
    "vidlink run --bitrate 64k": "vidlink run my.mp4 --bitrate 64k",
}
"""What runs in place of a command."""
ELSEWHERE = {
    "python3 -m venv .venv": "-m venv",
    ". .venv/bin/activate": "/bin/activate",
    "pip install -c constraints.txt .": '--force-reinstall "$work"/wheel/*.whl',
    'pip install -c constraints.txt -e ".[test]"': '--constraint constraints.txt --editable ".[test]"',
    "python -m pytest -n 2": "python -m pytest -n 2",
    "ruff check .": "-m ruff check .",
    "ruff format --check .": "-m ruff format --check .",
    "mypy": "-m mypy",
}
"""Commands of the project itself, with the words by which ``.ci/run`` does the same."""
SWEEP = """
[settings]
input = "my.mp4"
scale = 1
recognizer = "none"

[grid]
quality = [30, 40]
"""


class Snippet(NamedTuple):
    """A fenced block."""

    page: str
    line: int
    language: str
    text: str
    excuse: str | None

    @property
    def file_name(self):
        """The name in a first line such as ``# brightness.py``."""
        first = re.match(r"# ([\w-]+\.(?:py|toml))\n", self.text)
        return first and first[1]

    def commands(self):
        """Shell commands, a line each; of a console those behind the prompt."""
        text = self.text.replace("\\\n", " ")
        if self.language == "console":
            text = "\n".join(line[2:] for line in text.splitlines() if line.startswith("$ "))
        for line in re.split(r"\n|&&", text):
            words = shlex.split(line, comments=True)
            if words:
                yield re.sub(r"\s+", " ", re.split(r"\s#", line)[0].strip())


def snippets_of(text, page):
    fence = re.compile(r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
    for found in fence.finditer(text):
        excuse = re.fullmatch(r"not run: (.+)", found["mark"] or "")
        line = text[: found.start("language")].count("\n") + 1
        yield Snippet(page, line, found["language"], found["text"], excuse and excuse[1])


SNIPPETS = [each for page in PAGES for each in snippets_of((ROOT / page).read_text(encoding="utf-8"), page)]


def of(*languages):
    chosen = [each for each in SNIPPETS if each.language in languages and not each.excuse]
    return pytest.mark.parametrize("snippet", chosen, ids=[f"{each.page}:{each.line}" for each in chosen])


@pytest.fixture
def desk(tmp_path, monkeypatch, small_clip):
    """The current folder: with a clip, a sweep file and the files that snippets say they are; modules come from it."""
    (tmp_path / "my.mp4").symlink_to(small_clip)
    (tmp_path / "sweep.toml").write_text(SWEEP)
    names = [each.file_name for each in SNIPPETS if each.file_name]
    for each in SNIPPETS:
        if each.file_name:
            (tmp_path / each.file_name).write_text(each.text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in names:
        sys.modules.pop(Path(name).stem, None)


def run(monkeypatch, command):
    """Run ``python -m vidlink.NAME ...`` or ``vidlink NAME ...`` in this process; gives its exit status."""
    program, *arguments = shlex.split(command)
    module = "vidlink.__main__"
    if program == "python":
        _, module, *arguments = arguments
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    monkeypatch.setattr("vidlink.parser._CALLED", [])  # what the command before was called
    from vidlink.command import run_command

    try:
        run_command(import_module(module).main)
    except SystemExit as end:
        return end.code or 0
    return 0


@of("python")
def test_python_runs(snippet, desk):
    path = desk / (snippet.file_name or "snippet.py")
    path.write_text(snippet.text)
    runpy.run_path(str(path))


@of("sh", "console")
def test_commands_run(snippet, desk, monkeypatch):
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in snippet.commands():
        if command == ".ci/run":
            workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
            assert f"run: {command}" in workflow, "the workflow does not do this"
        elif command in ELSEWHERE:
            assert ELSEWHERE[command] in ci, f"{command}: .ci/run does not do this"
        else:
            assert command.startswith(("python -m vidlink.", "vidlink ")), f"{command}: nothing runs this"
            assert run(monkeypatch, QUICKER.get(command, command)) == 0, command


@of("toml")
def test_toml_is_taken(snippet, desk, monkeypatch):
    (desk / "snippet.toml").write_text(snippet.text)
    keys = tomllib.loads(snippet.text).keys()
    send = "python -m vidlink.simulate my.mp4 --out run --recognizer none"
    if {"encoder", "implementation"} & keys:
        assert run(monkeypatch, f"{send} --codec snippet.toml --bitrate 200k") == 0
    elif {"rate", "loss"} & keys:
        assert run(monkeypatch, f"{send} --channel snippet.toml --bitrate 64k") == 0
    elif {"grid", "points"} & keys:
        assert run(monkeypatch, "python -m vidlink.sweep snippet.toml --dry-run") == 0
    else:
        assert keys == {"project"}, "expected a codec, a channel, a sweep or a part of pyproject.toml"


def test_every_snippet_is_run_or_says_why_not():
    known = {"python", "sh", "console", "toml"}
    assert [f"{each.page}:{each.line}" for each in SNIPPETS if each.language not in known] == []
    for page in PAGES:
        fences = re.findall(r"^\s*(?:```|~~~)", (ROOT / page).read_text(encoding="utf-8"), re.M)
        assert len(fences) == 2 * sum(each.page == page for each in SNIPPETS), f"{page}: a fence was not understood"
    assert sum(each.excuse is not None for each in SNIPPETS) <= 3
    shown = {command for each in SNIPPETS for command in each.commands() if each.language in ("sh", "console")}
    assert {*QUICKER, *ELSEWHERE} - shown == set(), "no snippet has these any more"


def test_the_readme_shows_the_whole_example():
    shown = next(each.text for each in SNIPPETS if "class Moves" in each.text)
    whole = (ROOT / "examples" / "vidlink-moves" / "vidlink_moves" / "__init__.py").read_text(encoding="utf-8")
    assert whole.endswith(shown)


def documents():
    return [*ROOT.glob("*.md"), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/README.md"))]


def commands_in(text):
    """Every ``python -m vidlink.NAME ...`` and ``vidlink NAME ...`` in a document, as (command, words)."""
    for found in re.finditer(
        r"(python -m vidlink\.\w+|(?:(?<=`)|^)vidlink (?:run|sweep|train|evaluate|reels|report|recommend)\b)([^`\n]*)",
        text.replace("\\\n", " "),
        re.M,
    ):
        yield found[1], [word.strip("\"')") for word in re.split(r"\s#", found[2])[0].split()]


@pytest.mark.parametrize("page", documents(), ids=lambda page: str(page.relative_to(ROOT)))
def test_options_in_documents_exist(page, monkeypatch, capsys):
    for command, words in commands_in(page.read_text(encoding="utf-8")):
        # What the words say decides which options there are, so they come before --help.
        assert run(monkeypatch, shlex.join([*command.split(), *words, "--help-all"])) == 0
        known = set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out))
        unknown = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)} - known
        assert unknown == set(), f"{command} {' '.join(words)}"


def test_what_a_page_holds_is_read():
    page = textwrap.dedent(
        """
        ```python
        # one.py
        x = 1
        ```

        <!-- not run: an hour -->
        ```console
        $ python -m vidlink.train --epochs 9 \\
            --width 4  # long
        done
        ```
        <!-- other -->
        ```
        ```
        """
    )
    python, console, plain = snippets_of(page, "page")
    assert (python.line, python.language, python.file_name, python.excuse) == (2, "python", "one.py", None)
    assert (console.excuse, list(console.commands())) == ("an hour", ["python -m vidlink.train --epochs 9 --width 4"])
    assert (plain.language, plain.excuse) == ("", None)
    assert list(commands_in("`python -m vidlink.reels --count 2` and `other --x`; `vidlink run a --fps 3`")) == [
        ("python -m vidlink.reels", ["--count", "2"]),
        ("vidlink run", ["a", "--fps", "3"]),
    ]
