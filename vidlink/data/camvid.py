"""Road scenes with a class for every pixel: CamVid, in the layout of SegNet's tutorial, or anything like it.

``PATH`` holds ``images/NAME.jpg`` (or .png, ...) and ``labels/NAME.png``, or ``train/`` and ``val/`` which hold both. A
label map has one channel: 0 to 10 for the classes of :data:`CLASSES`, 11 (or 255) where nothing is labelled. G. Brostow
et al., "Semantic object classes in video: a high-definition ground truth database", Pattern Recognition Letters 30
(2009); the eleven classes are those of V. Badrinarayanan et al., "SegNet", arXiv 1511.00561.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.class_pictures import SPLITS
from vidlink.data.picture_files import SUFFIXES, decode_picture
from vidlink.data.picture_set import Picture, PictureSet, check_map, recording_of
from vidlink.errors import UserError
from vidlink.labels.maps import UNLABELLED
from vidlink.labels.regions import LEAST_SIDE, boxes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
"""Names of the classes, in the order of their indices."""
VOID = 11
"""Index of pixels that nobody labelled, beside 255."""
BOXED = ("car", "pedestrian", "bicyclist")
"""Classes whose connected regions are boxes."""


def camvid_maps(path: str, split: str = "train") -> PictureSet:
    """The pictures with their label maps.

    Parameters
    ----------
    path
        See the module.
    split
        ``train``, ``valid`` or ``all``, where there are such folders; else it says nothing.

    Raises
    ------
    UserError
        There is no such folder, or a picture lacks its map.
    """
    pictures = []
    for image, label in _pairs(path, split):
        read = partial(_image, image)
        about = partial(read_map, label, image)
        pictures.append(Picture(name=str(image), group=recording_of(image.name), read=read, label=about))
    return PictureSet(form="maps", classes=CLASSES, pictures=tuple(pictures))


def camvid_boxes(path: str, split: str = "train") -> PictureSet:
    """The pictures with boxes about the connected regions of :data:`BOXED`; parameters and errors as there.

    Things of one class that touch in the picture are one box: the maps do not tell them apart.
    """
    indices = tuple(CLASSES.index(name) for name in BOXED)
    pictures = []
    for image, label in _pairs(path, split):
        about = partial(_boxes, label, image, indices)
        pictures.append(
            Picture(name=str(image), group=recording_of(image.name), read=partial(_image, image), label=about)
        )
    made = f"boxes about connected regions of label maps, {LEAST_SIDE} pixels wide and high or more"
    return PictureSet(form="boxes", classes=BOXED, pictures=tuple(pictures), about=made)


def _boxes(label: Path, image: Path, indices: tuple[int, ...]) -> NDArray[np.float32]:
    return boxes_of(read_map(label, image), indices)


def _image(file: Path) -> NDArray[np.uint8]:
    return decode_picture(_data(file), str(file))


def read_map(label: Path, image: Path) -> NDArray[np.uint8]:
    """Read a label map: indices of :data:`CLASSES`, 255 where nothing is labelled.

    Raises
    ------
    UserError
        It is missing, damaged, in colour, of another size than its picture, or has unknown classes.
    """
    import cv2

    found = decode_picture(_data(label), str(label), flags=cv2.IMREAD_UNCHANGED)
    shape = _image(image).shape[:2]
    known = np.where(found == VOID, UNLABELLED, found) if found.ndim == 2 else found
    return check_map(known, shape, len(CLASSES), str(label))


def _data(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error


def _pairs(path: str, split: str) -> Iterator[tuple[Path, Path]]:
    """Each picture with the file of its map."""
    for folder in folders_of(path, split):
        for image in images_of(folder):
            label = folder / "labels" / f"{image.stem}.png"
            if not label.is_file():
                raise UserError(f"{image}: no label map {label}")
            yield image, label


def images_of(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted by name; raises UserError where there are none."""
    images = sorted(each for each in (folder / "images").iterdir() if each.suffix.lower() in SUFFIXES)
    if not images:
        raise UserError(f"camvid {folder}: images/ holds no picture ({', '.join(SUFFIXES)})")
    return images


def folders_of(path: str, split: str) -> list[Path]:
    """The folders with ``images/`` and ``labels/``: ``path`` itself, or those of a split below it.

    Raises
    ------
    UserError
        There is none.
    """
    place = Path(path).expanduser()
    if not place.is_dir():
        raise UserError(f"camvid {place}: no such folder")
    if (place / "images").is_dir() and (place / "labels").is_dir():
        return [place]
    below = {}
    for each, names in SPLITS.items():
        with_images = (place / name for name in names if (place / name / "images").is_dir())
        below[each] = next((found for found in with_images if (found / "labels").is_dir()), None)
    found = [each for name, each in below.items() if each and split in (name, "all")]
    if not found:
        raise UserError(f"camvid {place}: holds no images/ and labels/, nor a folder of the split {split!r} with both")
    return found
