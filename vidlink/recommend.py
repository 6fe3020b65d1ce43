"""Which setting to use: ``python -m vidlink.recommend clips/ --bitrate 64k --channel lte-drive``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.command import run_command
from vidlink.errors import UserError
from vidlink.parser import Parser
from vidlink.settings import declarations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

EXAMPLES = (
    "clips/ --bitrate 64k --channel lte-drive --recognizer activity",
    "clips/ --bitrate 24k --loss 5% --codecs x264 x265 --out results/",
    "a.mp4 b.mp4 --bitrate 128k --recognizer none --sizes 1 2 --rates 1 --runs 20",
)
OF_A_RUN = (
    "bitrate", "channel", "loss", "recognizer", "weights", "recognizer-arg", "recognize-every", "label", "roi",
    "face-detector", "restorer", "objective", "segment", "gop", "deadline", "max-size", "mtu", "device", "seed",
)  # fmt: skip
"""Options of a run that hold for every setting that is tried."""


def recommend_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m vidlink.recommend``."""
    from vidlink.choice.candidates import CODECS, PROTECTIONS, RATES, SIZES

    options = {option.name: option for option in declarations().values()}
    parser = Parser(
        prog="python -m vidlink.recommend",
        description="Try codecs, sizes, frame rates and protection on clips, and say which setting to use on this "
        "link, how good and how dear it is, and how sure that is.",
        epilog="The results folder is that of a sweep, with the page recommendation.html and recommendation.json "
        "beside its tables. Killed, the search goes on where it stopped when the same command is given again.",
        examples=EXAMPLES,
        common=["inputs", "out", "codecs", "sizes", "rates", "protect", "runs"]
        + [options[name].key for name in OF_A_RUN if options[name].common],
    )
    parser.add_argument("inputs", nargs="+", metavar="CLIPS", help="clips, or folders of them with labels beside")
    tried = parser.add_argument_group("what is tried")
    lists: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
    tried.add_argument("--codecs", **lists, help=f"codecs (default: {' '.join(CODECS)}, those that this machine has)")
    tried.add_argument("--sizes", **lists, default=SIZES, help="scale factors, 2 for half the width and height, or "
        f"auto: the planner chooses, segment by segment (default: {' '.join(SIZES)})")  # fmt: skip
    tried.add_argument("--rates", **lists, default=RATES, help="frame divisors, 2 for every second frame, or auto "
        f"(default: {' '.join(RATES)})")  # fmt: skip
    tried.add_argument("--protect", **lists, help="none, nack, a code as --fec takes it, or nack+CODE (default: "
        f"{' '.join(PROTECTIONS)}; none on a channel that loses nothing)")  # fmt: skip
    tried.add_argument("--runs", type=int, default=240, metavar="N", help="about how many runs to make (default: 240)")
    of_a_run = parser.add_argument_group("the same for all, as for a run")
    for name in OF_A_RUN:
        options[name].add_to(of_a_run)
    work = parser.add_argument_group("how")
    work.add_argument("--out", type=Path, default=Path("recommendation"), metavar="FOLDER",
        help="results folder, new or to go on with (default: recommendation/)")  # fmt: skip
    work.add_argument("--workers", type=int, metavar="N", help="processes on this machine (default: one a core)")
    work.add_argument("--dask", metavar="ADDRESS", help="run on a Dask cluster, like tcp://10.0.0.1:8786")
    work.add_argument(
        "--cache", default="2G", metavar="BYTES", help="bound of the cache of what runs share (default: 2G)"
    )
    work.add_argument("--quiet", action="store_true", help="show no progress")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """The command ``python -m vidlink.recommend``."""
    arguments = recommend_parser().parse_args(argv)
    given = {name: value for name in OF_A_RUN if (value := getattr(arguments, name.replace("-", "_"))) is not None}
    if given.get("bitrate") in (None, "auto"):
        raise UserError("give the budget of every setting as --bitrate 64k")
    if arguments.runs < 1:
        raise UserError(f"--runs {arguments.runs}: at least 1")
    from vidlink.choice.answer import lines
    from vidlink.choice.page import PAGE
    from vidlink.choice.search import recommend
    from vidlink.options import settings_named

    answer = recommend(
        arguments.inputs,
        given,
        settings_named(given),
        out=arguments.out,
        tried={name: getattr(arguments, name) for name in ("codecs", "sizes", "rates", "protect")},
        runs=arguments.runs,
        how={name: getattr(arguments, name) for name in ("workers", "dask", "cache", "quiet")},
    )
    print(*answer.left_out, *lines(answer), f"page       {arguments.out / PAGE}", sep="\n")


if __name__ == "__main__":
    run_command(main)
