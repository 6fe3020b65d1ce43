"""The one command: ``vidlink run``, ``vidlink sweep``, ...; ``python -m vidlink`` is the same.

A command is a line in :data:`COMMANDS`: a module whose ``main`` takes the words after the command's name. It is
imported when it is asked for, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.errors import UserError, unknown
from vidlink.parser import Parser, call_as

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "run": ("vidlink.simulate", "send clips over a link and measure what is still recognized"),
    "sweep": ("vidlink.sweep", "make many runs and one table of them"),
    "train": ("vidlink.train", "train a recognizer"),
    "evaluate": ("vidlink.evaluate", "score a recognizer on a data set"),
    "reels": ("vidlink.reels", "make labelled clips from still faces"),
    "report": ("vidlink.report.__main__", "write the page of a run or of a sweep"),
    "check": ("vidlink.check", "list what data hold, and what is wrong with them"),
    "recommend": ("vidlink.recommend", "say which setting to use on a link, how good, how dear and how sure"),
    "demo": ("vidlink.demo", "send the built-in clip over a lossy link: see what comes out"),
}
"""Module and one line of each command, in the order of the help."""

FIRST = """\
vidlink sends video over a thin, lossy link and measures what a machine at the far end still recognizes.

Type first
  vidlink demo                                          the built-in clip over a lossy link (15 s of processor time)
  vidlink run my.mp4 --bitrate 64k                      your own clip, whatever FFmpeg reads
  vidlink run my.mp4 --bitrate 64k --channel lte-drive  over a mobile link

vidlink --help names all commands.
"""
SHELLS = ("bash", "zsh", "fish")


def root_parser() -> Parser:
    """The command line up to the name of the command."""
    width = max(map(len, COMMANDS))
    parser = Parser(
        prog="vidlink",
        usage="vidlink COMMAND [options]",
        description="Send video over a thin, lossy link and measure what a machine at the far end still recognizes.",
        examples=[f"{name:<{width}}  {line}" for name, (_, line) in COMMANDS.items()],
        epilog="vidlink COMMAND --help explains a command.",
    )
    parser.heading = "commands"
    parser.add_argument("command", nargs="?", choices=tuple(COMMANDS), metavar="COMMAND", help="one of those above")
    parser.add_argument("--version", action="store_true", help="print versions of what codes and computes, and end")
    parser.add_argument("--completion", choices=SHELLS, metavar="SHELL", help="print what lets a shell (bash, zsh, "
        'fish) complete words, and end: eval "$(vidlink --completion bash)"')  # fmt: skip
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the first word names with the words after it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if "_ARGCOMPLETE" in os.environ:
        words = _typed()
    if words[:1] == ["--"]:
        words = words[1:]
    if words and words[0] in COMMANDS:
        call_as(f"vidlink {words[0]}")
        import_module(COMMANDS[words[0]][0]).main(words[1:])
        return
    if words and not words[0].startswith("-"):
        if Path(words[0]).exists():
            raise UserError(f"{words[0]}: is no command; vidlink run {shlex.join(words)} sends it")
        raise unknown("command", words[0], COMMANDS)
    options = root_parser().parse_args(words)
    if options.version:
        print(*versions(), sep="\n")
    elif options.completion:
        import argcomplete

        print(argcomplete.shellcode(["vidlink"], shell=options.completion), end="")
    else:
        print(FIRST, end="")


def versions() -> list[str]:
    """What decides a result: vidlink, PyAV, FFmpeg and x264 as PyAV has them, PyTorch."""
    from vidlink import __version__
    from vidlink.report.provenance import describe_versions

    found = describe_versions()
    shown = {"PyAV": "av", "FFmpeg": "ffmpeg", "x264": "x264", "torch": "torch"}
    return [f"vidlink {__version__}", *(f"{name} {found.get(key, 'not there')}" for name, key in shown.items())]


def _typed() -> list[str]:
    """The whole words that stand before the one that a shell wants completed, from the command's name on."""
    typed = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0"))]
    words = typed.split()[1 : None if typed[-1:].isspace() else -1]
    if words and words[0] in COMMANDS:
        os.environ["_ARGCOMPLETE"] = "2"  # argcomplete counts from here: the command is the program
        return words[:1]
    return []


def start() -> None:
    """The console script ``vidlink``."""
    run_command(main)


if __name__ == "__main__":
    start()
