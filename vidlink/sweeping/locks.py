"""Which process works on which point: one byte of a lock file for each point, locked by the kernel.

Byte-range locks (POSIX ``fcntl``) end with their process however it ends, so none is ever stale, and they work between
the machines of an NFS or Lustre file system. Where there are none (Windows, some network file systems) two processes
on one folder may do a point twice; results are replaced whole, so even then nothing is damaged.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER_OFFSET = 1 << 61
"""The byte that stands for the folder itself, beyond those of all points."""


class Locks:
    """The locks of one results folder. Within one process there must be one such object for a folder.

    Parameters
    ----------
    path
        The lock file; it stays empty.

    Raises
    ------
    OSError
        The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)

    def close(self) -> None:
        """Let go of everything."""
        os.close(self._file)

    def take(self, identity: str) -> bool:
        """Lock a point; False where another process has it."""
        if fcntl is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(identity))
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True

    def release(self, identity: str) -> None:
        """Unlock a point."""
        if fcntl is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _offset(identity))

    @contextmanager
    def whole_folder(self) -> Iterator[None]:
        """Wait for, and hold, what only one process may do at a time."""
        if fcntl is not None:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, _FOLDER_OFFSET)
        try:
            yield
        finally:
            if fcntl is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _FOLDER_OFFSET)


def _offset(identity: str) -> int:
    """A byte for an identity: its first 60 bits."""
    return int(identity[:15], 16)
