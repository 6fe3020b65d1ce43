"""A place that one process at a time writes, and what killed processes left there.

Beside the place lies a hidden folder while somebody writes. It holds a lock of the kernel (``flock``), which ends with
its process however that ends, and everything that is written. So a claim is never stale, and what was left by a
process that was killed is told from what a living one needs.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

_HIDDEN = ".partial-vidlink"
_LOCK = "lock"
_OLD = "old"
_LONGEST_NAME = 255
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
_TRIES, _WAIT_S = 10, 0.05
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class Claim:
    """The right to write a place.

    Parameters
    ----------
    place
        The place, absolute. It may be there or not.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = _hidden(place)
        """The hidden folder, on the same file system as the place."""
        self._file: int | None = None

    def take(self, *, keep: Collection[str] = ()) -> bool:
        """Claim the place and clear away what a killed process left; False where another process has it.

        Parameters
        ----------
        keep
            Names in the hidden folder that may stay.

        Raises
        ------
        OSError
            The place cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                file = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:  # who had it has just let go
                self.folder.mkdir(exist_ok=True)
                continue
            if not _lock_patiently(file):
                os.close(file)
                return False
            if _is(file, self.folder / _LOCK):
                break
            os.close(file)
        self._file = file
        try:
            os.ftruncate(file, 0)
            os.write(file, os.fsencode(f"{socket.gethostname()}\n{self.place.name}\n"))
            restore(self.folder, self.place)
            _clear(self.folder, (_LOCK, *keep))
        except BaseException:
            self.release()
            raise
        return True

    def release(self) -> None:
        """Let go, and remove the hidden folder with all that is in it."""
        if self._file is None:
            with suppress(OSError):  # somebody's lock may lie in it
                self.folder.rmdir()
            return
        _clear(self.folder, (_LOCK,))
        _remove_lock(self.folder)
        os.close(self._file)
        self._file = None

    def replace(self, new: Path) -> Path:
        """Put a folder of the hidden one at the place, which holds an older one; there is a whole one at any moment.

        Returns
        -------
        Path
            Where the older one is now, within the hidden folder.

        Raises
        ------
        OSError
            It cannot be moved; the older one is at its place.
        """
        if exchange(new, self.place):
            return new
        old = self.folder / _OLD
        self.place.rename(old)
        try:  # Killed here, the older one is brought back by whoever claims the place, or sweeps beside it, next.
            new.rename(self.place)
        except OSError:
            old.rename(self.place)
            raise
        return old


def is_claimed(place: Path) -> bool:
    """Whether a living process writes a place."""
    try:
        file = os.open(_hidden(place) / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        return not lock(file)
    finally:
        os.close(file)


def sweep_leftovers(parent: Path) -> None:
    """Remove what killed processes of this machine left in a folder; what a living one has is left alone."""
    for folder in parent.glob(f".*{_HIDDEN}"):
        try:
            file = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:
            with suppress(OSError):
                folder.rmdir()  # killed before it had a lock, or after
            continue
        try:
            if not (lock(file, certain=True) and _is(file, folder / _LOCK)):
                continue
            host, _, name = os.fsdecode(os.read(file, 4096)).partition("\n")
            # Some network file systems know the locks of one machine alone.
            if host not in ("", socket.gethostname()):
                continue
            if name:
                restore(folder, parent / name.rstrip("\n"))
            _clear(folder, (_LOCK,))
            _remove_lock(folder)
        except OSError:
            continue
        finally:
            os.close(file)


def open_held(path: Path) -> int:
    """Make a file that the living are told from the dead by: locked as long as it is open. Gives its descriptor."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        if _lock_patiently(file) and _is(file, path):
            return file
        os.close(file)


def sweep_files(paths: Iterable[Path]) -> None:
    """Remove those files of :func:`open_held` whose processes died."""
    for path in paths:
        with suppress(OSError):
            file = os.open(path, os.O_RDWR)
            try:
                if lock(file, certain=True):
                    path.unlink()
            finally:
                os.close(file)


def restore(folder: Path, place: Path) -> None:
    """Bring back what stood at a place before somebody was killed who was about to replace it."""
    if (folder / _OLD).exists() and not place.exists():
        with suppress(OSError):
            (folder / _OLD).rename(place)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system, or the file system, cannot."""
    import ctypes

    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(swap(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


def _hidden(place: Path) -> Path:
    name = f".{place.name}{_HIDDEN}"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(place.name)).hexdigest()[:32]}{_HIDDEN}"
    return place.parent / name


def _clear(folder: Path, keep: Collection[str]) -> None:
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if path.name in keep:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()


def _remove_lock(folder: Path) -> None:
    """Remove the lock, and the folder unless there is something in it. The lock is still held."""
    if any(path.name != _LOCK for path in folder.iterdir()):
        return
    with suppress(OSError):
        (folder / _LOCK).unlink()
        folder.rmdir()


def lock(file: int, *, certain: bool = False) -> bool:
    """Lock an open file; False where another holds it. Where there are no locks nobody does; nothing is ``certain``."""
    if fcntl is None:
        return not certain
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN and not certain
    return True


def _lock_patiently(file: int) -> bool:
    """Lock a file that somebody may hold for a moment, to see whether anybody does."""
    for _ in range(_TRIES):
        if lock(file):
            return True
        time.sleep(_WAIT_S)
    return False


def _is(file: int, path: Path) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
