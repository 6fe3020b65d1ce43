"""What the structure of a file says that FFmpeg does not: several films one after the other, or a damaged Matroska."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable

JOINED = "the file holds several films one after the other, and FFmpeg may not read those after the first"
"""What is said of a file that was made of several by putting one behind the other."""
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_EBML, _SEGMENT, _CLUSTER, _GROUP = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xA0
_IN_SEGMENT = frozenset(
    {_CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF}
)
"""Identifiers of the children of a segment (RFC 9559), and of what may stand anywhere."""
_IN_CLUSTER = frozenset({0xE7, 0xA3, _GROUP, 0xA7, 0xAB, 0x5854, 0xAF, 0xEC, 0xBF})


def holds_more_films(path: str, demuxer: str) -> bool:
    """Whether a second film stands behind the first, in formats of which FFmpeg's reader may leave it out.

    Parameters
    ----------
    path
        A local file.
    demuxer
        FFmpeg's name of its format.
    """
    walk = next((walk for name, walk in _WALKS.items() if name in demuxer.split(",")), None)
    return walk is not None and _tried(path, walk)


def is_whole_matroska(path: str) -> bool:
    """Whether the elements of a Matroska file follow each other, down to the blocks, as their sizes say (RFC 9559)."""
    return _tried(path, _matroska)


def _tried(path: str, walk: Callable[[BinaryIO, int], bool]) -> bool:
    try:
        with Path(path).open("rb") as file:
            return walk(file, Path(path).stat().st_size)
    except (OSError, IndexError, ValueError):
        return False


def _mp4(file: BinaryIO, length: int) -> bool:
    """Boxes of ISO/IEC 14496-12: a second ``moov``."""
    place = films = 0
    while place + 8 <= length and films < 2:
        file.seek(place)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4]), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16])
        if size < 8:
            break
        films += kind == b"moov"
        place += size
    return films > 1


def _flv(file: BinaryIO, length: int) -> bool:
    """Tags of FLV: a second header in the place of one."""
    file.seek(5)
    place = int.from_bytes(file.read(4)) + 4
    while place + 11 <= length:
        file.seek(place)
        head = file.read(11)
        if head.startswith(b"FLV\1"):
            return True
        if head[0] & 0x1F not in (8, 9, 18):
            return False
        place += 11 + int.from_bytes(head[1:4]) + 4
    return False


def _asf(file: BinaryIO, length: int) -> bool:
    """Objects of ASF: a second header."""
    place = 0
    while place + 24 <= length:
        file.seek(place)
        head = file.read(24)
        if place and head.startswith(_ASF_HEADER):
            return True
        size = int.from_bytes(head[16:], "little")
        if size < 24:
            return False
        place += size
    return False


def _segments(file: BinaryIO, length: int) -> bool:
    """Elements of Matroska: a second segment."""
    films = 0
    while file.tell() < length and films < 2:
        found, end = _element(file, length)
        films += found == _SEGMENT
        if end is None or found not in (_EBML, _SEGMENT, 0xEC):
            break
        file.seek(end)
    return films > 1


_WALKS = {"mp4": _mp4, "flv": _flv, "asf": _asf, "matroska": _segments}


def _matroska(file: BinaryIO, length: int) -> bool:
    found, end = _element(file, length)
    if found != _EBML or end is None:
        return False
    file.seek(end)
    found, end = _element(file, length)
    return found == _SEGMENT and end is not None and _children(file, end, _IN_SEGMENT)


def _children(file: BinaryIO, end: int, known: frozenset[int]) -> bool:
    """Whether known elements fill the place up to ``end``."""
    while file.tell() < end:
        found, behind = _element(file, end)
        if found not in known or behind is None:
            return False
        if found == _CLUSTER and not _children(file, behind, _IN_CLUSTER):
            return False
        file.seek(behind)
    return True


def _element(file: BinaryIO, limit: int) -> tuple[int, int | None]:
    """Identifier of the element that begins here, and where it ends; None where it says not, or too far.

    The file is at its content then.
    """
    first = file.read(1)[0]
    identifier = int.from_bytes(bytes([first]) + file.read(8 - first.bit_length()))
    first = file.read(1)[0]
    width = 9 - first.bit_length()
    size = int.from_bytes(bytes([first & (0xFF >> width)]) + file.read(width - 1))
    end = file.tell() + size
    return identifier, None if size == (1 << 7 * width) - 1 or end > limit else end
