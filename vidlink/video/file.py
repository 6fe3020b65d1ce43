"""Files as FFmpeg gets them: opened by Python, and what a playlist names only where the playlist is.

FFmpeg would take ``12:30:05.mp4`` and ``concat:a|b`` for protocols and look elsewhere.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError

if TYPE_CHECKING:
    from os import PathLike

PLAYLIST = b"#EXTM3U"
"""A playlist of HTTP Live Streaming begins so (RFC 8216)."""
SCRIPT = b"ffconcat"
"""A script of FFmpeg's demuxer ``concat`` begins so."""
_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def as_path(name: str) -> str:
    """A name that FFmpeg takes for a path: with a slash before any colon it is no protocol."""
    return name if name.startswith("/") else f"./{name}"


class File:
    """A file that Python reads, under a name that FFmpeg takes for a path."""

    def __init__(self, name: str | PathLike[str]) -> None:
        self._file = Path(name).open("rb")  # noqa: SIM115 - FFmpeg's reader closes it
        self.name = as_path(str(name))

    def begins_with(self, head: bytes) -> bool:
        """Whether the file begins so; it is read from its start after that."""
        found = self._file.read(len(head))
        self._file.seek(0)
        return found == head

    def read(self, size: int) -> bytes:
        """The next bytes."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere in the file; an error as FFmpeg gives it where that is before its start."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            return -(error.errno or errno.EINVAL)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()

    def close(self) -> None:
        """Close it."""
        self._file.close()


class Beside:
    """Opens what a playlist names: files in its own folder, and below.

    Parameters
    ----------
    playlist
        The file that the user named.
    named
        Paths are added here as they are opened.
    """

    def __init__(self, playlist: str, named: list[Path] | None) -> None:
        self._playlist, self._named = playlist, named
        self._folder = Path(playlist).parent.resolve()

    def __call__(self, url: str, flags: int, options: dict[str, Any]) -> File:
        """As PyAV calls it.

        Raises
        ------
        UserError
            It is not in the folder, or no file.
        """
        name = url.removeprefix("file:")
        if _PROTOCOL.match(name):
            raise UserError(f"{self._playlist}: names {url}, which is no local file; a playlist may name files only")
        path = Path(name).resolve()
        if not path.is_relative_to(self._folder):
            raise UserError(f"{self._playlist}: names {name}, which is outside its folder")
        if not path.is_file():
            raise UserError(f"{self._playlist}: names {name}, which is no file")
        if self._named is not None:
            self._named.append(Path(name))
        return File(path)


def scripted(script: Path) -> list[Path]:
    """Files that a script of FFmpeg's ``concat`` names; safe ones have no character that must be quoted."""
    lines = script.read_text(encoding="utf-8", errors="replace").splitlines()
    words = [line.split(None, 1) for line in lines]
    return [script.parent / word[1].strip().strip("'\"") for word in words if len(word) == 2 and word[0] == "file"]
