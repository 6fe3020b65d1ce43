"""How every command ends: status 0 done, 2 the user's input or settings are wrong, 1 a defect."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable


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
