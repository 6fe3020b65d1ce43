"""What an option is, and how every command ends.

A command's exit status: 0 done, 2 the user's input or settings are wrong, 1 a defect.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from vidlink.errors import UserError
from vidlink.units import shown

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """How a setting is given, and what it may be."""

    name: str
    """On the command line and in sweep files, without dashes."""
    kind: type = str
    """What it is: str, int, float or Path; bool for a switch, tuple for what may be given several times."""
    read: Callable[[str, Any], Any] | None = None
    """Makes the value from the option with its dashes, for messages, and text or a number; None where ``kind`` says
    enough."""
    default: Any = None
    """As one would write it; of a switch, what holds without it."""
    choices: tuple[str, ...] = ()
    """The only values, if there are so few."""
    own: bool = False
    """Whether ``package.module:Class`` may be given as well."""
    group: str
    """Heading of ``--help`` that it stands under."""
    metavar: str | None = None
    """What stands for the value in ``--help``."""
    help: str
    """One line; ``{default}`` becomes the default."""
    between: str = ","
    """What stands between the parts of a list."""
    positional: bool = False
    """Whether it is given by its place, not by its name."""
    swept: bool = True
    """Whether a sweep file may set it; if not, it says where a run goes or how fast, not what it is."""
    shown: bool = True
    """Whether it is a column of a sweep's table, and part of what makes two of its points the same."""

    @property
    def flag(self) -> str:
        """The option as messages call it."""
        return f"--{self.name}"

    @property
    def key(self) -> str:
        """The option as a name in Python."""
        return self.name.replace("-", "_")

    @property
    def described(self) -> str:
        """``help`` with the default in its place."""
        is_list = isinstance(self.default, tuple)
        written = ",".join(f"{part:g}" for part in self.default) if is_list else str(self.default)
        return self.help.replace("{default}", written)

    def add_to(self, group: Any) -> None:
        """Add it to an argument group of :mod:`argparse`; what is not given is None there."""
        keywords: dict[str, Any] = {"help": self.described.replace("%", "%%"), "default": None}
        if self.kind is bool:
            keywords |= {"action": "store_const", "const": not self.default}
        else:
            keywords |= {"metavar": self.metavar, "choices": None if self.own else self.choices or None}
        if self.kind is tuple:
            keywords["action"] = "append"
        elif self.kind in (int, float, Path):
            keywords["type"] = self.kind
        if self.positional:
            group.add_argument(self.key, nargs="?", **keywords)
        else:
            group.add_argument(self.flag, **keywords)

    def value(self, found: Any) -> Any:
        """Read and check a value.

        Parameters
        ----------
        found
            As from the command line, a sweep file or Python: text, a number, a list, a path; a boolean for a switch.

        Raises
        ------
        UserError
            It cannot be; the message is the same wherever it comes from.
        """
        if found is None and self.default is None:
            return None
        if self.kind is bool:
            if not isinstance(found, bool):
                raise UserError(f"{self.name} = {shown(found)}: expected true or false")
            return found
        if self.kind is tuple:
            return tuple(self._text(part) for part in (found if isinstance(found, list | tuple) else [found]))
        if self.kind is int and isinstance(found, float) and found.is_integer():
            found = int(found)
        text = self._text(found)
        if self.choices and text not in self.choices and not (self.own and ":" in text):
            known = ", ".join(map(repr, self.choices))
            raise UserError(f"{self.flag}: invalid choice: {text!r} (choose from {known})")
        try:
            value = self.kind(text)
        except ValueError:
            raise UserError(f"{self.flag}: invalid {self.kind.__name__} value: {shown(text)}") from None
        return self.read(self.flag, value) if self.read else value

    def _text(self, found: Any) -> str:
        """The value as one would write it: all that can be written is read in one way."""
        if isinstance(found, list | tuple) and found:
            return self.between.join(self._text(part) for part in found)
        if isinstance(found, bool) or not isinstance(found, str | Real | Path):
            raise UserError(f"{self.name} = {shown(found)}: expected text or a number")
        try:
            return str(found)
        except ValueError:
            raise UserError(f"{self.name}: found {shown(found)}, expected one that can be written") from None


def option(group: str, name: str, default: Any = None, **declared: Any) -> Any:
    """A field of a dataclass that is an option; the keywords are those of :class:`Option`."""
    made = Option(group=group, name=name, default=default, **declared)
    return field(default=made.value(default), metadata={"option": made})


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line on stderr and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one line and exit with status 2."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def run_command(main: Callable[[], None]) -> None:
    """Run a command's ``main`` and turn how it ends into an exit status.

    A :class:`~vidlink.errors.UserError` becomes one line on stderr and status 2, an interrupt one that says what was
    kept and status 130. Anything else keeps its traceback and status 1.
    """
    try:
        main()
    except UserError as error:
        print(f"vidlink: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as stop:
        print(f"vidlink: interrupted; {stop if str(stop) else 'nothing was kept'}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
