"""Pictures in class folders, ``CLASS/picture.jpg``, or in a zip file of them: CIFAR-10, ImageNet and the like."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vidlink.data.picture_files import PictureFiles
from vidlink.data.picture_set import Picture, PictureSet
from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

SPLITS = {"train": ("train", "training"), "valid": ("val", "valid", "validation", "test")}
"""Names of the folders of a split; the first one that is there counts."""


def class_pictures(path: str, split: str = "train") -> PictureSet:
    """The pictures of class folders.

    Parameters
    ----------
    path
        A folder, a zip file, or a folder in a zip file. It holds folders named like classes, or ``train`` and ``val``
        (``valid``, ``validation``, ``test``) which hold them.
    split
        ``train`` or ``valid``, where there are such folders; ``all`` for both.

    Raises
    ------
    UserError
        There are no such folders, or fewer than two classes.
    """
    files = PictureFiles(path)
    names = of_split(files.names, split)
    parts = {name: name.split("/")[:-1] for name in names}
    loose = next((name for name in names if not parts[name]), None)
    classes = tuple(sorted({part[-1] for part in parts.values() if part}))
    if loose or len(classes) < 2:
        held = f"one class folder with pictures, {classes[0]}" if classes else "no pictures in class folders"
        why = f"{loose} lies in no class folder" if loose else f"holds {held}"
        raise UserError(
            f"images {path}: {why}; expected CLASS/picture.jpg, two classes or more (--task sr alone takes pictures "
            "without classes)"
        )
    number = {name: index for index, name in enumerate(classes)}

    def picture(name: str) -> Picture:
        label = number[parts[name][-1]]
        return Picture(name=name, group=parts[name][-1], read=partial(files.picture, name), label=lambda: label)

    return PictureSet(form="labels", classes=classes, pictures=tuple(picture(name) for name in names))


def of_split(names: Sequence[str], split: str) -> list[str]:
    """The files of a split, where the topmost folders are named like splits; else all of them."""
    tops = {name.partition("/")[0] for name in names}
    found = {each: next((top for top in folders if top in tops), None) for each, folders in SPLITS.items()}
    if not found["train"] or not found["valid"]:
        return list(names)
    wanted = set(found.values()) if split == "all" else {found.get(split)}
    return [name for name in names if name.partition("/")[0] in wanted]
