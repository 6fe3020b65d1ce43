"""Labels that say what each pixel is: a folder with a picture a frame, whose grey values are numbers of classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import LabelError, UserError
from vidlink.files.csvs import read_csv_file
from vidlink.labels.cells import column_of_numbers
from vidlink.labels.classes import match_class
from vidlink.labels.cover import beyond

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

UNLABELLED = 255
"""The number of pixels that nobody labelled; the one after the last class means the same."""
NAMES = "classes.csv"
"""File in a folder of label maps that says which number is which class: columns ``value`` and ``class``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MapLabels:
    """What each pixel is, frame by frame; pictures are read when they are asked for."""

    files: Mapping[int, Path]
    """The label map of each labelled frame."""
    numbers: NDArray[np.int16]
    """Number of the recognizer's class by value in the files, shape (256,): -1 for no label, -2 for values that nobody
    knows."""
    where: str
    """Begins messages: ``labels FOLDER``."""
    in_order: bool = False
    """Whether nothing but the order of the files says which is of which frame."""

    def at(self, frame: int, size: tuple[int, int]) -> NDArray[np.int16] | None:
        """The labels of a frame; None where it has none.

        Parameters
        ----------
        frame
            Index of the frame.
        size
            Width and height of the clip in pixels.

        Returns
        -------
        NDArray
            Number of each pixel's class, -1 where nobody labelled it, shape (height, width).

        Raises
        ------
        LabelError
            The file is no label map, of another size, or holds a value that stands for no class.
        """
        if frame not in self.files:
            return None
        file = self.files[frame]
        found = read_map(file)
        if found.shape != (size[1], size[0]):
            raise LabelError(
                f"labels {file}: {found.shape[1]}x{found.shape[0]} pixels, and the clip has {size[0]}x{size[1]}; "
                "expected a label for each pixel"
            )
        labels = self.numbers[found]
        if (labels == -2).any():
            value = int(found[labels == -2][0])
            known = np.flatnonzero(self.numbers > -2)
            raise LabelError(
                f"labels {file}: value {value} is no class; known are {', '.join(map(str, known))}; {NAMES} beside it "
                "(value,class) can say more"
            )
        return labels

    def check_cover(self, least: int, most: int) -> None:
        """Refuse label maps that are of another clip, or of which nobody can tell which frame they are of.

        Parameters
        ----------
        least, most
            How many frames the clip has, as far as that is known.

        Raises
        ------
        UserError
            Maps that go by their order are fewer or more than the frames; those that go by numbers begin after the end
            of the clip, or go on for more than half of it after that.
        """
        first, last = min(self.files), max(self.files)
        if self.in_order and not least <= len(self.files) <= most:
            raise UserError(
                f"{self.where}: {len(self.files)} label maps, and the clip has {least} frames; expected one for each, "
                "or names that are the numbers of their frames, from 0"
            )
        if first >= most or last > 1.5 * most + 1:
            raise UserError(
                f"the labels do not match the clip: their maps are of frames {first} to {last}, the clip has frames 0 "
                f"to {most - 1}"
            )

    def beyond(self, frames: int) -> list[str]:
        """What is to be said of maps after the last frame of a clip of so many, as :func:`~.cover.beyond` says it."""
        return beyond(self.where, max(self.files), frames)


def load_map_labels(folder: Path, classes: Sequence[str], pictures: Sequence[Path] = ()) -> MapLabels:
    """Find the label maps of a clip in a folder.

    Which map is of which frame: where the clip is a sequence of images, the map of the same name but for the suffix;
    where all names are numbers, they are those of the frames, from 0; else the maps in the order of their names are
    those of all frames, and have to be as many.

    Values in the maps are the numbers of the recognizer's classes, from 0; 255, and the number after the last class,
    are pixels without a label. A table ``classes.csv`` in the folder (``value``, ``class``; an empty class for no
    label) says something else.

    Parameters
    ----------
    folder
        Holds PNG files.
    classes
        The recognizer's, in the order of their numbers.
    pictures
        The images of the clip, where it is a sequence of them.

    Raises
    ------
    UserError
        No such folder, no label map in it, none for any image of the clip, or ``classes.csv`` names what the recognizer
        does not know.
    """
    where = f"labels {folder}"
    if not folder.is_dir():
        raise UserError(
            f"{where}: no such folder; expected one with a PNG a frame, whose values are numbers of classes"
        )
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".png")
    if not files:
        raise UserError(f"{where}: holds no PNG; expected one a frame, whose values are numbers of classes")
    found = _by_frame(files, pictures, where)
    in_order = not pictures and not all(map(_is_number, files))
    return MapLabels(files=found, numbers=_numbers(folder, classes), where=where, in_order=in_order)


def read_map(file: Path) -> NDArray[np.uint8]:
    """Read a label map: the values of a grey picture, or the indices of one with a palette.

    Returns
    -------
    NDArray
        Shape (height, width).

    Raises
    ------
    LabelError
        It is no picture, or one of colours.
    """
    from PIL import Image

    try:
        with Image.open(file) as picture:
            if picture.mode not in ("L", "P", "1"):
                raise LabelError(
                    f"labels {file}: a picture of mode {picture.mode}; expected 8-bit grey (or a palette) whose values "
                    "are numbers of classes"
                )
            return np.array(picture, np.uint8)
    except LabelError:
        raise
    except Exception as error:  # whatever a damaged file makes the library raise
        raise LabelError(f"labels {file}: not a picture, or damaged ({type(error).__name__})") from error


def _is_number(file: Path) -> bool:
    """Whether a file is named by the number of a frame."""
    return file.stem.isascii() and file.stem.isdecimal()


def _by_frame(files: Sequence[Path], pictures: Sequence[Path], where: str) -> dict[int, Path]:
    named = {file.stem: file for file in files}
    if found := {frame: named[each.stem] for frame, each in enumerate(pictures) if each.stem in named}:
        return found
    if all(map(_is_number, files)):
        return {int(file.stem): file for file in files}
    if pictures:
        raise UserError(
            f"{where}: none is named like an image of the clip, as {pictures[0].stem}.png for {pictures[0].name}, or "
            "by the number of a frame"
        )
    return dict(enumerate(files))


def _numbers(folder: Path, classes: Sequence[str]) -> NDArray[np.int16]:
    numbers = np.full(256, -2, np.int16)
    table = folder / NAMES
    if not table.exists():
        numbers[: len(classes)] = np.arange(min(len(classes), 256))
        numbers[len(classes) : len(classes) + 1] = -1
        numbers[UNLABELLED] = -1
        return numbers
    cells = read_csv_file(table, "labels", ("value", "class"))
    values = column_of_numbers(cells, "value", f"labels {table}", whole=True)
    for value, (line, row) in zip(values, cells.rows, strict=True):
        where = f"labels {table}, line {line}"
        if not 0 <= value <= 255:
            raise UserError(f"{where}: value {value:g}; expected one from 0 to 255")
        name = match_class(row["class"], classes, where) if row["class"] else None
        numbers[int(value)] = -1 if name is None else classes.index(name)
    return numbers
