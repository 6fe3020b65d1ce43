"""A first look: ``vidlink demo`` sends the built-in clip over a lossy link."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence

SENT = ("--bitrate", "24k", "--channel", "gilbert-elliott")
"""What the demonstration sends the built-in clip with."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(
        prog="python -m vidlink.demo",
        description="Send the built-in, labelled clip of ten seconds at 24 kb/s over a channel that loses packets in "
        "bursts, and measure what is still recognized.",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="run folder (default: a new one in runs/)")
    options = parser.parse_args(arguments)
    from vidlink.options import parse_arguments, settings_from
    from vidlink.report.terminal import print_summary
    from vidlink.simulate import run_into

    print(f"vidlink run {' '.join(SENT)}", flush=True)
    run = run_into(options.out, settings_from(parse_arguments(SENT)))
    print_summary(run.summary, str(run.folder))
    print(f"\nLook at plot.png and received.mp4 in {run.folder}. Then send a clip of yours:")
    print("vidlink run my.mp4 --bitrate 64k --channel gilbert-elliott")


if __name__ == "__main__":
    run_command(main)
