"""What an option is, and how every command ends.

A command's exit status: 0 done, 2 the user's input or settings are wrong, 1 a defect; 130 where Ctrl-C stopped it, and
as a shell has it for other signals.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vidlink.errors import UserError, is_disk_full, is_no_name
from vidlink.parser import Parser as Parser
from vidlink.units import check_path, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

_STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that ask a program to stop: Ctrl-C, ``kill``, and the end of its terminal."""
_CAME: list[int] = []
"""Those that came to the command that runs: the exit status tells the first."""


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
    spelt: Callable[[str], str] | None = None
    """Makes the plain number of text that has a unit, as ``400ms``; None where there is none to have."""
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
    common: bool = False
    """Whether ``--help`` names it; ``--help-all`` names all."""
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
            keywords["type"] = self._typed if self.spelt else self.kind
        if self.positional:
            group.add_argument(self.key, nargs="*", **keywords)
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
        text = self.spelt(self._text(found)) if self.spelt else self._text(found)
        if self.choices and text not in self.choices and not (self.own and ":" in text):
            known = ", ".join(map(repr, self.choices))
            raise UserError(f"{self.flag}: invalid choice: {text!r} (choose from {known})")
        try:
            value = self.kind(text)
        except ValueError:
            raise UserError(f"{self.flag}: invalid {self.kind.__name__} value: {shown(text)}") from None
        if self.kind is Path:
            check_path(self.flag, value)
        return self.read(self.flag, value) if self.read else value

    def _typed(self, text: str) -> Any:
        """The number of text with or without a unit, for :mod:`argparse`."""
        try:
            return self.kind(self.spelt(text) if self.spelt else text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"invalid {self.kind.__name__} value: {shown(text)}") from None

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


def run_command(main: Callable[[], None]) -> None:
    """Run a command's ``main`` and turn how it ends into an exit status.

    A :class:`~vidlink.errors.UserError` becomes one line on stderr and status 2, and so do a full disk and a name that
    no file can have. Ctrl-C, SIGTERM and SIGHUP become one line that says what was kept, and the status that a shell
    has for them. Anything else keeps its traceback and status 1.
    """
    with _stoppable():
        try:
            main()
            if sys.stdout is not None:  # a shell may have closed it
                sys.stdout.flush()
        except UserError as error:
            _say(str(error))
            sys.exit(2)
        except KeyboardInterrupt as stop:
            _say(f"interrupted; {stop if str(stop) else 'nothing was kept'}")
            # Where it struck within a text that a library executes, Python would not take it for handled.
            eval("0")
            sys.exit(128 + (_CAME[0] if _CAME else signal.SIGINT))
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)
        except Exception as error:
            if _CAME:  # Libraries make other errors of an interrupt.
                _say("interrupted; nothing was kept")
                sys.exit(128 + _CAME[0])
            if isinstance(error, OSError) and is_no_name(error):
                _say(f"{shown(str(error.filename))}: {error.strerror}")
                sys.exit(2)
            if not is_disk_full(error):
                raise
            _say(f"cannot be written: {error}")
            with suppress(OSError, ValueError):  # What waits for a full stdout would fail once more at the very end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
            sys.exit(2)


def _say(line: str) -> None:
    print(f"vidlink: {' '.join(line.split())}", file=sys.stderr)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let every signal that asks to stop do what Ctrl-C does."""
    _CAME.clear()

    def stop(number: int, _: FrameType | None) -> None:
        _CAME.append(number)
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _STOPPING:
            found = signal.getsignal(number)
            if found in (signal.SIG_DFL, signal.default_int_handler):  # What is ignored, as under nohup, stays so.
                before[number] = found
                signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Stop:
    """Says whether somebody asked to stop, and keeps the first request waiting where that would leave a half.

    A context manager. A request that waits still when its block ends is let through then. A second one never waits.

    Parameters
    ----------
    holding
        Whether requests wait; may be set at any time.
    """

    def __init__(self, *, holding: bool = True) -> None:
        self.holding = holding
        self.asked = 0
        """The signal that came, or 0."""
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def __enter__(self) -> Self:
        """Listen, where this is the main thread: no other is told of signals."""
        if threading.current_thread() is threading.main_thread():
            for number in _STOPPING:
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        asked = self.take()
        if asked in self._before and error is None:
            self._before[asked](asked, None)

    def take(self) -> int:
        """The signal that came, or 0; it is dealt with herewith."""
        asked, self.asked = self.asked, 0
        return asked

    def _hear(self, number: int, frame: FrameType | None) -> None:
        waits = self.holding and not self.asked
        self.asked = number
        _CAME.append(number)
        if not waits:
            self._before[number](number, frame)
