"""The settings of a point under their command-line names: a sweep file says what ``vidlink.simulate``'s options say."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from vidlink.errors import UserError, unknown
from vidlink.options import settings_from, simulate_parser
from vidlink.settings import Settings, as_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

NOT_SWEPT = ("help", "list", "out", "overwrite", "workers", "pcap", "pcap-received")
"""Options that say where a run goes or how fast, not what it is."""

NOT_SHOWN = ("workers", "pcap", "pcap_received", "save_video", "save_plot")
"""The settings behind them, which have no column and no part in a point's identity."""

BUILTIN = "builtin"
"""As ``input``: the built-in clip."""

_ON_SHELVES = ("codec", "channel")


@cache
def _parser() -> argparse.ArgumentParser:
    parser = simulate_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(message.removeprefix("argument "))

    parser.error = refuse  # type: ignore[method-assign]
    return parser


@cache
def known_options() -> dict[str, bool]:
    """Every name that a sweep file may set, and whether it is a switch (true or false)."""
    found = {}
    for action in _parser()._actions:
        name = max(action.option_strings, key=len, default=action.dest).removeprefix("--")
        if name not in NOT_SWEPT:
            found[name] = action.nargs == 0
    return found


def check_option(name: str) -> None:
    """Refuse a name that is no option of ``vidlink.simulate`` or none for a sweep.

    Raises
    ------
    UserError
        It names the nearest known one.
    """
    if name in NOT_SWEPT:
        raise UserError(f"{name!r} is no setting of a point: the sweep decides it")
    if name not in known_options():
        raise unknown("setting", name, known_options())


def to_settings(values: Mapping[str, Any]) -> Settings:
    """Settings from values under their command-line names.

    Parameters
    ----------
    values
        Text, numbers, lists of them (``scales = [1, 2, 4]``), and booleans for switches.

    Raises
    ------
    UserError
        As the command line of ``vidlink.simulate`` would say.
    """
    arguments: list[str] = []
    source: list[str] = []
    for name, value in values.items():
        check_option(name)
        if known_options()[name]:
            if not isinstance(value, bool):
                raise UserError(f"{name} = {value!r}: expected true or false")
            arguments += [f"--{name}"] if value else []
        elif name == "input":
            if not isinstance(value, str):
                raise UserError(f"input = {value!r}: expected a path, or {BUILTIN!r}")
            source = [] if value == BUILTIN else ["--", value]
        elif name == "recognizer-arg":  # may be given several times
            arguments += [f"--{name}={_text(name, part)}" for part in (value if isinstance(value, list) else [value])]
        else:
            arguments.append(f"--{name}={_text(name, value)}")
    return settings_from(_parser().parse_args([*arguments, *source]))


def _text(name: str, value: Any) -> str:
    if isinstance(value, list) and value:
        return ",".join(_text(name, part) for part in value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UserError(f"{name} = {value!r}: expected text or a number")
    return str(value)


def resolved(settings: Settings, folder: Path) -> Settings:
    """The same settings with relative paths taken from ``folder``, absolute, so that any process finds the files."""
    changes: dict[str, Any] = {}
    for name in Settings.__dataclass_fields__:
        value = getattr(settings, name)
        is_file = isinstance(value, Path) or (name == "input" and value is not None)
        if is_file or (name in _ON_SHELVES and (value.endswith(".toml") or "/" in value)):
            changes[name] = type(value)((folder / value).absolute())
    return replace(settings, **changes)


def as_columns(settings: Settings) -> dict[str, Any]:
    """The settings as columns of a table: numbers, booleans and text, lists as ``1,2,4``."""
    return {
        name: ",".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value)
        if isinstance(value, list)
        else value
        for name, value in as_json(settings).items()
        if name not in NOT_SHOWN
    }
