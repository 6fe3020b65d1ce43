"""Files that are either whole or not there."""

from __future__ import annotations

import glob
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.files.claim import lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LONGEST_PART = 120


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path``, flush to the disk, then rename: the old file survives a failure.

    Raises
    ------
    UserError
        Where the disk is full or the folder cannot be written.
    """
    start = f".{path.name[:_LONGEST_PART]}."
    partial = path.with_name(f"{start}{secrets.token_hex(4)}.partial")
    held = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent, start)
        held = os.open(partial, os.O_RDWR | os.O_CREAT, 0o666)
        lock(held)  # tells the living from the dead
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if not isinstance(error, (OSError, RuntimeError)):
            raise
        raise UserError(f"{path}: cannot be written ({error})") from error
    finally:
        if held is not None:
            os.close(held)


def _sweep(folder: Path, start: str) -> None:
    """Remove what killed processes left beside a file that they were writing."""
    for left in folder.glob(f"{glob.escape(start)}*.partial"):
        with suppress(OSError):
            file = os.open(left, os.O_RDWR)
            try:
                if lock(file, certain=True):
                    left.unlink()
            finally:
                os.close(file)
