"""Outputs never destroy inputs: where a run may write."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def check_output(
    option: str, path: Path, inputs: Mapping[str, Iterable[Path]], *, overwrite: bool | None = None
) -> None:
    """Refuse to write a file that is an input, whatever name either goes by, and one that cannot be written.

    Parameters
    ----------
    option
        What names the output, for messages.
    path
        The file; what is no plain file (a device, a pipe) is nobody's content.
    inputs
        What is read, by what names it.
    overwrite
        Whether a file that is there may be replaced; None where that is checked elsewhere.

    Raises
    ------
    UserError
        It is an input, it is there already, or its place cannot be written.
    """
    if path.is_dir():
        raise UserError(f"{option} {path}: cannot be written (it is a folder, expected a file)")
    check_apart(option, path, inputs)
    if path.is_file() and overwrite is False:
        raise UserError(f"{option} {path}: exists already; give another name, or --overwrite")
    _try(option, path)


def check_apart(option: str, path: Path, inputs: Mapping[str, Iterable[Path]]) -> None:
    """Refuse a file that is an input, whatever name either goes by. Raises UserError."""
    for name, files in inputs.items():
        for file in files:
            if _same(path, file):
                raise UserError(f"{option} {path}: is the file that {name} reads ({file}); give another name")


def check_folder_output(option: str, folder: Path, inputs: Mapping[str, Iterable[Path]]) -> None:
    """Refuse to replace a folder that an input lies in. Raises UserError."""
    if not folder.exists():
        return
    for name, files in inputs.items():
        for file in files:
            if file.exists() and any(_same(folder, parent) for parent in (file, *file.absolute().parents)):
                raise UserError(f"{option} {folder}: {name} reads {file}, which lies there; give another folder")
            # The same file by another name: a hard link within the folder.
            if file.is_file() and file.stat().st_nlink > 1 and any(_same(file, path) for path in folder.rglob("*")):
                raise UserError(f"{option} {folder}: {name} reads {file}, which lies there, too; give another folder")


def existing_files(*texts: object) -> list[Path]:
    """The paths among values of settings that name something: whole, or after ``KIND:`` or ``KEY=``."""
    found = []
    for text in texts:
        if not isinstance(text, str | Path) or not str(text):
            continue
        whole = str(text)
        parts = {whole, whole.partition(":")[2], whole.partition("=")[2], whole.rpartition(":")[0]}
        for part in parts - {""}:
            try:
                if Path(part).exists():
                    found.append(Path(part))
            except (OSError, ValueError):
                continue
    return found


def _same(one: Path, other: Path) -> bool:
    """Whether two names are of one file: by links of either kind, or (where it is not there yet) by the path."""
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def _try(option: str, path: Path) -> None:
    """Find out now, not after hours, whether a file can be written, and leave everything as it is."""
    path = path.resolve()
    if not path.parent.is_dir():
        raise UserError(f"{option} {path}: cannot be written (no folder {path.parent})")
    if path.exists() and not path.is_file():
        return
    beside = path.with_name(f".vidlink-{os.getpid()}-{path.name}"[:200])
    try:
        beside.write_bytes(b"\0")
    except OSError as error:
        raise UserError(f"{option} {path}: cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):
            beside.unlink()
