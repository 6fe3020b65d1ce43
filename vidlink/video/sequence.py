"""Image sequences: where their numbers begin, in which order they go, and what FFmpeg's reader would leave out."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from vidlink.errors import UserError

NUMBER = re.compile(r"%(?:0(\d+))?d")
"""What stands for the number of an image in the name of a sequence."""
_LAST_NUMBER = re.compile(r"(?P<before>.*?)(?P<number>[0-9]+)(?P<after>[^0-9]*)", re.DOTALL)
_FOUND_BY_FFMPEG = 4
"""FFmpeg looks for a first image with a number up to this by itself."""


def by_number(path: str) -> str:
    """The pattern under which images come in the order of their numbers.

    FFmpeg sorts what a ``*`` matches by letters, ``a10.png`` before ``a2.png``. Where the numbers say otherwise, the
    images are one sequence ``a%d.png``.

    Parameters
    ----------
    path
        A path with ``*``, as FFmpeg's reader ``image2`` takes it; any other comes back as it is.

    Raises
    ------
    UserError
        The two orders differ, and the images are not one sequence without gaps.
    """
    if "*" not in path:
        return path
    folder = Path(path).parent
    names = sorted(file.name for file in folder.glob(Path(path).name))
    ordered = sorted(names, key=_natural)
    if ordered == names:
        return path
    parts = [match for name in ordered if (match := _LAST_NUMBER.fullmatch(name))]
    around = {(part["before"], part["after"]) for part in parts}
    numbers = [int(part["number"]) for part in parts]
    padded = [len(part["number"]) for part in parts if part["number"].startswith("0")]
    digits = min(padded, default=1)
    same = all(part["number"] == f"{number:0{digits}d}" for part, number in zip(parts, numbers, strict=True))
    if len(parts) < len(names) or len(around) > 1 or not same or numbers[-1] - numbers[0] + 1 != len(numbers):
        raise UserError(
            f"{path}: by number its images come in another order than by letters ({names[0]}, {names[1]}), "
            "and they are not one sequence without gaps; write all numbers with as many digits, like 0002 and 0010"
        )
    before, after = (text.replace("%", "%%") for text in around.pop())
    pattern = f"{before}%0{digits}d{after}" if digits > 1 else f"{before}%d{after}"
    return str(Path(str(folder).replace("%", "%%")) / pattern)


def first_number(path: str) -> dict[str, str]:
    """FFmpeg's option that says where a sequence like ``img%03d.png`` begins, where it does not find out itself."""
    numbers = numbers_of(path)
    return {"start_number": str(numbers[0])} if numbers and numbers[0] > _FOUND_BY_FFMPEG else {}


def gap_in(path: str) -> str | None:
    """What to say of a sequence like ``img%03d.png`` with a gap in its numbers; None where there is none."""
    numbers = numbers_of(path)
    for here, following in pairwise(numbers):
        if following != here + 1:
            left_out = sum(number > here for number in numbers)
            return f"image {here + 1} is missing: the sequence ends there, {left_out} images after it are left out"
    return None


def numbers_of(path: str) -> list[int]:
    """The numbers of a sequence's images, rising; none where the path has no ``%d`` in its name."""
    return sorted(_numbered(path))


def images_of(path: str) -> list[Path]:
    """The images of a sequence like ``img%03d.png``, in the order of their numbers."""
    found = _numbered(path)
    return [found[number] for number in sorted(found)]


def _numbered(path: str) -> dict[int, Path]:
    name = Path(path).name
    match = NUMBER.search(name)
    if match is None:
        return {}
    digits = int(match[1] or 1)
    before, after = (name[: match.start()].replace("%%", "%"), name[match.end() :].replace("%%", "%"))
    folder = Path(str(Path(path).parent).replace("%%", "%"))
    if not folder.is_dir():
        return {}
    found = {}
    for file in folder.iterdir():
        text = file.name[len(before) : len(file.name) - len(after)]
        is_named = file.name.startswith(before) and file.name.endswith(after) and len(text) < 19
        if is_named and text.isascii() and text.isdecimal() and text == f"{int(text):0{digits}d}":
            found[int(text)] = file
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers by their value, the rest by its letters."""
    return [(int(part), "") if part.isascii() and part.isdecimal() and len(part) < 19 else (-1, part)
            for part in re.split(r"([0-9]+)", name)]  # fmt: skip
