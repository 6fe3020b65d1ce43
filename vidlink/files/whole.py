"""Files that are either whole or not there."""

from __future__ import annotations

import glob
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.files.claim import open_held, sweep_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LONGEST_PART = 120


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``path``, flush to the disk, then rename: the old file survives a failure.

    What killed processes left of the same file is removed.

    Raises
    ------
    UserError
        Where the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_files(path.parent.glob(f"{glob.escape(_start(path))}*.partial"))
        put_whole(path, write)
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be written ({error})") from error


def put_whole(path: Path, write: Callable[[Path], object]) -> None:
    """As :func:`write_whole` in a folder that is there; raises what went wrong, and leaves nothing behind."""
    partial = path.with_name(f"{_start(path)}{secrets.token_hex(4)}.partial")
    held = None
    try:
        held = open_held(partial)
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    finally:
        if held is not None:
            os.close(held)
    with suppress(OSError):  # some systems cannot open folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _start(path: Path) -> str:
    return f".{path.name[:_LONGEST_PART]}."
