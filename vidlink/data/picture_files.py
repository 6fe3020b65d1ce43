"""Files below a folder, or in a zip file, read alike: ``data/cifar10``, ``cifar10.zip``, ``cifar10.zip/train``."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Files that count as pictures; others are left alone."""


class PictureFiles:
    """The pictures at and below a place.

    Parameters
    ----------
    path
        A folder, a zip file, a folder within a zip file, or one picture.

    Raises
    ------
    UserError
        Where there is nothing, or a zip file cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.place = Path(path).expanduser()
        self._zip: zipfile.ZipFile | None = None
        self._prefix = ""
        if self.place.is_dir():
            files = (each for each in self.place.rglob("*") if each.is_file())
            found = [each.relative_to(self.place).as_posix() for each in files]
        elif self.place.suffix.lower() in SUFFIXES and self.place.is_file():
            found, self.place = [self.place.name], self.place.parent
        else:
            found = self._open_zip()
        self.names = sorted(each for each in found if PurePosixPath(each).suffix.lower() in SUFFIXES)
        """Path of each picture below the place, sorted."""

    def _open_zip(self) -> list[str]:
        archive = next((each for each in (self.place, *self.place.parents) if each.is_file()), None)
        if archive is None:
            raise UserError(f"images {self.place}: no such folder, zip file or picture")
        try:
            self._zip = zipfile.ZipFile(archive)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f"images {archive}: neither a folder, a picture nor a zip file ({error})") from error
        inside = self.place.relative_to(archive).as_posix()
        self._prefix = "" if inside == "." else f"{inside}/"
        found = [each.removeprefix(self._prefix) for each in self._zip.namelist() if each.startswith(self._prefix)]
        if not found:
            raise UserError(f"images {self.place}: no such folder in {archive}")
        return found

    def where(self, name: str) -> str:
        """Where a picture is, for messages."""
        return str(self.place / name)

    def data(self, name: str) -> bytes:
        """The bytes of a file; raises UserError where it cannot be read."""
        try:
            if self._zip is None:
                return (self.place / name).read_bytes()
            return self._zip.read(self._prefix + name)
        except (OSError, KeyError, RuntimeError, zipfile.BadZipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
            raise UserError(f"{self.where(name)}: damaged, or cannot be read ({error})") from error

    def picture(self, name: str) -> NDArray[np.uint8]:
        """A picture as red, green and blue, shape (height, width, 3); raises UserError where it is none."""
        return decode_picture(self.data(name), self.where(name))


def decode_picture(data: bytes, where: str, *, flags: int | None = None) -> NDArray[np.uint8]:
    """Decode a picture.

    Parameters
    ----------
    data
        The file.
    where
        What messages call it.
    flags
        As OpenCV's ``imdecode`` takes them: then the picture comes as it gives it. By default 8-bit red, green, blue.

    Raises
    ------
    UserError
        It is no picture.
    """
    import cv2

    raw = np.frombuffer(data, np.uint8)
    try:
        found: Any = cv2.imdecode(raw, cv2.IMREAD_COLOR if flags is None else flags) if len(raw) else None
    except cv2.error:  # larger than OpenCV allows
        found = None
    if found is None:
        raise UserError(f"{where}: not an image, or damaged")
    return found if flags is not None else np.ascontiguousarray(found[..., ::-1]).astype(np.uint8, copy=False)
