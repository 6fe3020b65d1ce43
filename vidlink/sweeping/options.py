"""The settings of a point under their command-line names: a sweep file says what ``vidlink.simulate``'s options say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.codec.shelf import is_file_name
from vidlink.errors import UserError, unknown
from vidlink.options import OF_THE_COMMAND, settings_named
from vidlink.settings import CRF, Settings, as_json, declarations

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_SHOWN = tuple(field for field, option in declarations().items() if not option.shown)
"""Settings that have no column and no part in a point's identity."""

_ON_SHELVES = ("codec", "channel")


def known_options() -> list[str]:
    """Every name that a sweep file may set."""
    return [option.name for option in (*declarations().values(), CRF) if option.swept]


def check_option(name: str) -> None:
    """Refuse a name that is no option of ``vidlink.simulate`` or none for a sweep.

    Raises
    ------
    UserError
        It names the nearest known one.
    """
    if name in known_options():
        return
    if name in ("help", *(option.name for option in (*declarations().values(), *OF_THE_COMMAND))):
        raise UserError(f"{name!r} is no setting of a point: the sweep decides it")
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
    for name in values:
        check_option(name)
    return settings_named(values)


def resolved(settings: Settings, folder: Path) -> Settings:
    """The same settings with relative paths taken from ``folder``, absolute, so that any process finds the files."""
    changes: dict[str, Any] = {}
    for name in Settings.__dataclass_fields__:
        value = getattr(settings, name)
        is_file = isinstance(value, Path) or (name == "input" and value is not None)
        if is_file or (name in _ON_SHELVES and is_file_name(value)):
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
