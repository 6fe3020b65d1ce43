"""A bounded store on disk of what was computed once, shared by any number of processes.

Entries are files, written beside their place and moved there, so nobody ever reads half of one, on network file systems
too. Each begins with a digest of its content: what a crash or the disk has damaged is computed again. Entries that were
not used for longest go first when the bound is reached.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_DIGEST_BYTES = 16
_BLOCK_BYTES = 4096
"""What a small file takes on most file systems."""
_KEPT = 0.9
"""Share of the bound that is kept when it is reached."""
_LOOKS = 100
"""The store is measured again each time this process wrote one such part of the bound."""


class Cache:
    """A store of bytes by key, never much larger than its bound.

    Several processes may use one folder. Each may exceed the bound by a hundredth before it notices.

    Parameters
    ----------
    folder
        Where; it is made when the first entry is written.
    max_bytes
        Bound on what the entries take on disk.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self.found = 0
        """Entries that were there when asked for."""
        self.missed = 0
        """Entries that had to be computed."""
        self._written: int | None = None
        self._lock = threading.Lock()

    def remember(self, key: str, compute: Callable[[], bytes]) -> bytes:
        """The entry of a key; computed and kept where it is not there. May be called from any thread.

        Parameters
        ----------
        key
            Hexadecimal digits of a digest of everything that the entry depends on.
        compute
            Gives the entry; what it raises is raised, and nothing is kept.
        """
        data = self.get(key)
        if data is not None:
            self.found += 1
            return data
        self.missed += 1
        data = compute()
        self.put(key, data)
        return data

    def get(self, key: str) -> bytes | None:
        """The entry of a key, or None where there is none or it is damaged."""
        path = self._path(key)
        try:
            raw = path.read_bytes()
        except OSError:
            return None
        data = raw[_DIGEST_BYTES:]
        if raw[:_DIGEST_BYTES] != _digest(data):
            return None
        with suppress(OSError):
            os.utime(path)  # used just now
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keep an entry. Where it cannot be written (a full disk) it is not kept; that is no error."""
        path = self._path(key)
        beside = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(_digest(data) + data)
            beside.replace(path)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            return
        with self._lock:
            first = self._written is None
            self._written = (self._written or 0) + _on_disk(len(data) + _DIGEST_BYTES)
            if first or self._written > self.max_bytes / _LOOKS:
                self._written = 0
                self.trim()

    def trim(self) -> None:
        """Remove what was not used for longest, down to nine tenths of the bound, if the bound is exceeded."""
        entries = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):
                status = path.stat()
                entries.append((status.st_mtime_ns, _on_disk(status.st_size), path))
        total = sum(size for _, size, _ in entries)
        if total <= self.max_bytes:
            return
        for _, size, path in sorted(entries, key=lambda entry: entry[0]):
            if total <= _KEPT * self.max_bytes:
                return
            with suppress(OSError):
                path.unlink()
            total -= size

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()


def _on_disk(size: int) -> int:
    """Bytes that a file of ``size`` bytes takes on disk."""
    return -(-size // _BLOCK_BYTES) * _BLOCK_BYTES
