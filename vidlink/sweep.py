"""Many runs in one table: ``python -m vidlink.sweep sweep.toml --out results/``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.parser import Parser
from vidlink.units import parse_bytes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from vidlink.sweeping.grid import Point

MANY = 10_000
"""More points than this need ``--yes``."""


def sweep_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m vidlink.sweep``."""
    parser = Parser(
        prog="python -m vidlink.sweep",
        description="Run vidlink.simulate at every point of a grid, each point once, and put settings and scores into "
        "one table. Killed, it goes on where it stopped when the same command is given again.",
        epilog="The results folder holds results.parquet, results.csv, provenance.json and the page report.html. The "
        "sweep file is TOML: [settings] for all points, [grid] of lists, [[points]]; keys are the options of "
        "vidlink.simulate.",
        examples=("sweep.toml --dry-run", "sweep.toml --out results/", "--table results/"),
    )
    add = parser.add_argument
    add("file", nargs="?", type=Path, metavar="SWEEP.toml", help="what to run")
    add("--out", type=Path, metavar="FOLDER", help="results folder, new or to go on with")
    add("--workers", type=int, metavar="N", help="processes on this machine (default: one a core)")
    add("--dask", metavar="ADDRESS", help="run on a Dask cluster, like tcp://10.0.0.1:8786")
    add("--keep-runs", action="store_true", help="keep each point's run folder in FOLDER/runs")
    add("--retry", action="store_true", help="run points again whose settings were refused")
    add("--cache", default="2G", metavar="BYTES", help="bound of the cache of what points share; 0: none (default: 2G)")
    add("--dry-run", action="store_true", help="list the points, and end")
    add("--yes", action="store_true", help=f"run more than {MANY:,} points without being asked")
    add("--no-report", action="store_true", help="do not write the page report.html")
    add("--quiet", action="store_true", help="show no progress")
    add("--table", type=Path, metavar="FOLDER", help="print a results folder as Markdown, and end")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """The command ``python -m vidlink.sweep``."""
    arguments = sweep_parser().parse_args(argv)
    if arguments.table:
        from vidlink.sweeping.summary import markdown

        print(markdown(arguments.table))
        return
    if arguments.file is None:
        raise UserError("give a sweep file, or --table FOLDER (see --help)")
    points, text = _points(arguments)
    if arguments.dry_run:
        from vidlink.sweeping.grid import list_points

        print(*list_points(points), sep="\n")
        return
    if arguments.out is None:
        raise UserError("give a results folder as --out FOLDER")
    _run(arguments, points, text)


def _points(arguments: argparse.Namespace) -> tuple[list[Point], str]:
    """The points of the sweep file, after saying how many, and its text."""
    from vidlink.sweeping.grid import read_sweep

    path: Path = arguments.file
    sweep_file = read_sweep(path)
    count = len(sweep_file)
    if count > MANY and not arguments.yes:
        raise UserError(f"{path}: {count:,} points; --yes runs more than {MANY:,}")
    print(f"{count:,} point{'s' if count != 1 else ''}", flush=True)
    try:
        return list(sweep_file.make_points(path.parent)), path.read_text(encoding="utf-8-sig")
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _run(arguments: argparse.Namespace, points: list[Point], text: str) -> None:
    from vidlink.sweeping.executors import choose_executors
    from vidlink.sweeping.outcome import tell_outcome
    from vidlink.sweeping.sweep import clip_count, sweep

    cache_bytes = parse_bytes("--cache", arguments.cache)
    executors = choose_executors(workers=arguments.workers, dask=arguments.dask)
    clips = clip_count(points)

    def announce(done: int, left: int) -> None:
        print(f"{clips} clip{'s' if clips != 1 else ''}; {done:,} done before, {left:,} to run", flush=True)

    try:
        table = sweep(
            points,
            arguments.out,
            executors,
            keep_runs=arguments.keep_runs,
            retry=arguments.retry,
            quiet=arguments.quiet,
            cache_bytes=cache_bytes,
            about={"sweep": text},
            on_start=announce,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("what is done is kept: the same command goes on") from None
    if not arguments.no_report and len(table):
        from vidlink.report.__main__ import make_report

        make_report(arguments.out)
    tell_outcome(table, arguments.out)


if __name__ == "__main__":
    run_command(main)
