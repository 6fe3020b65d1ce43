"""The command line of ``python -m vidlink.simulate``, and settings from what it says; made from the declarations.

``python -m vidlink.options`` prints the table in ``docs/options.md``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.command import Option, run_command
from vidlink.errors import UserError, unknown
from vidlink.parser import Parser
from vidlink.settings import BUILTIN, CRF, GROUPS, RUN, Settings, declarations, unless_given

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

OF_THE_COMMAND = (
    Option(
        name="out",
        kind=Path,
        group=RUN,
        metavar="FOLDER",
        help="run folder (default: a new one in runs/)",
        swept=False,
        common=True,
    ),
    Option(
        name="overwrite",
        kind=bool,
        default=False,
        group=RUN,
        help="replace an existing run folder, and captures",
        swept=False,
    ),
    Option(
        name="resume",
        kind=bool,
        default=False,
        group=RUN,
        help="go on with a run that was stopped (give its command again), or start it",
        swept=False,
    ),
    Option(
        name="list",
        choices=("codecs", "channels", "estimators", "face-detectors", "recognizers", "restorers"),
        group=RUN,
        help="print what there is, and end",
        swept=False,
        common=True,
    ),
)
"""Options that are no settings of a run."""


def all_options() -> tuple[Option, ...]:
    """Every option of a run: its settings, their other names, and those of the command."""
    return (*declarations().values(), CRF, *OF_THE_COMMAND)


EXAMPLES = (
    "my.mp4 --bitrate 64k",
    "my.mp4 --bitrate 64k --channel gilbert-elliott --nack",
    "my.mp4 --bitrate auto --channel lte-drive",
)


def simulate_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m vidlink.simulate``."""
    parser = Parser(
        prog="python -m vidlink.simulate",
        description="Send a video over a thin, lossy link and measure what a machine at the far end still recognizes.",
        epilog="Without INPUT a built-in, labelled clip is sent. The run folder holds summary.json, the tables "
        "segments.csv, frames.csv, packets.csv and predictions.csv, received.mp4, plot.png and the page report.html.",
        examples=EXAMPLES,
        common=[option.key for option in all_options() if option.common],
    )
    for title in GROUPS:
        group = parser.add_argument_group(title)
        for option in all_options():
            if option.group == title:
                option.add_to(group)
    return parser


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line of ``python -m vidlink.simulate``; ``--list`` prints what there is, and ends."""
    arguments = simulate_parser().parse_args(argv)
    if arguments.list:
        from vidlink.report.shelf import print_shelf

        print_shelf(arguments.list)
        raise SystemExit(0)
    return arguments


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that the command line gives; of several inputs those of the first.

    Raises
    ------
    UserError
        A value that cannot be; the message names the option, what was found and what is right.
    """
    found = {field: getattr(arguments, option.key) for field, option in declarations().items()} | {"crf": arguments.crf}
    inputs = found.pop("input")
    found["input"] = inputs[0] if inputs else None
    return _settings({field: value for field, value in found.items() if value is not None})


def settings_of(**options: Any) -> Settings:
    """The settings that options give from Python, under their names on the command line with underscores.

    ``settings_of(input="my.mp4", bitrate="48k", scales=[1, 2, 4], max_size=(320, 240), no_video=True)``

    Parameters
    ----------
    options
        Text, numbers, paths, lists, and booleans for switches; None is as if not given.

    Raises
    ------
    UserError
        As the command line would say; of an unknown name, which known one is nearest.
    """
    known = {option.key: option.name for option in (*declarations().values(), CRF)}
    for name in options:
        if name not in known:
            raise unknown("setting", name, known)
    return settings_named({known[name]: value for name, value in options.items() if value is not None})


def settings_named(values: Mapping[str, Any]) -> Settings:
    """The settings that values under their command-line names give, as :func:`settings_of`; the names must be known."""
    fields = {option.name: field for field, option in declarations().items()}
    given = {}
    for name, value in values.items():
        if name == CRF.name:
            given[name] = value
            continue
        option = declarations()[fields[name]]
        if option.positional:
            if not isinstance(value, str | Path):
                raise UserError(f"{name} = {value!r}: expected a path, or {BUILTIN!r}")
            value = None if value == BUILTIN else value
        elif option.kind is bool:
            if not option.value(value):
                continue
            value = not option.default
        given[fields[name]] = value
    return _settings(given)


def _settings(given: Mapping[str, Any]) -> Settings:
    """Settings from the fields that were given, the others as those decide."""
    if given.get("bitrate_bps") == "auto":
        given = {**given, "bitrate_bps": None, "live": True}
    if "crf" in given:
        given = _as_quality(given)
    settings = Settings(**given)
    settings.check_together(given)
    settings.check_budget()
    if settings.face_detector != declarations()["face_detector"].default:
        from vidlink.faces.detector import check_detector

        check_detector(settings.face_detector)
    if settings.restorer != declarations()["restorer"].default:
        from vidlink.restorers.registry import check_restorer

        check_restorer(settings.restorer, settings.restorer_budget)
    if settings.live:
        from vidlink.sender.estimator import check_estimator

        check_estimator(settings.estimator)
    return replace(settings, **{name: value for name, value in unless_given(settings).items() if name not in given})


def _as_quality(given: Mapping[str, Any]) -> dict[str, Any]:
    """``--crf`` as ``--quality``, of a codec that has one."""
    crf = CRF.value(given["crf"])
    if "quality" in given:
        raise UserError("--crf and --quality are the same: give one of them")
    from vidlink.codec.shelf import load_codec

    name = str(given.get("codec", declarations()["codec"].default))
    knob = load_codec(name).quality.option
    if knob != CRF.name:
        raise UserError(f"--crf {crf:g}: the quality of codec {name!r} is its {knob}; give --quality {crf:g}")
    return {key: value for key, value in given.items() if key != "crf"} | {"quality": crf}


def options_table() -> str:
    """The table of all options in Markdown."""
    fields = {option.name: field for field, option in declarations().items()}
    lines = [
        "# Options of a run",
        "",
        "The options of `python -m vidlink.simulate`, made from their declarations in `vidlink/settings.py` by",
        "`python -m vidlink.options > docs/options.md`. A sweep file has them without their dashes; in Python they are",
        "fields of `vidlink.settings.Settings`, where `--bitrate auto` is `live`.",
    ]
    for title in GROUPS:
        lines += [
            "",
            f"## {title[0].upper()}{title[1:]}",
            "",
            "| option | what | field | in sweeps |",
            "| --- | --- | --- | --- |",
        ]
        for option in all_options():
            if option.group == title:
                value = (
                    option.metavar or "|".join(option.choices) or ("" if option.kind is bool else option.key.upper())
                )
                shown = value if option.positional else f"{option.flag} {value}".strip()
                field = f"`{fields[option.name]}`" if option.name in fields else ""
                cells = (f"`{shown}`", option.described, field, "yes" if option.swept else "no")
                lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command ``python -m vidlink.options``: print the table of all options in Markdown."""
    Parser(prog="python -m vidlink.options", description="Print the table of all options of a run.").parse_args()
    print(options_table(), end="")


if __name__ == "__main__":
    run_command(main)
