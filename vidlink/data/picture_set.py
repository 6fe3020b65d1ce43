"""Labelled pictures, whatever data set they come from: a class each, a class for every pixel, or boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vidlink.data.sets import DATA_SETS, is_own, kinds_of, read, split_spec
from vidlink.errors import UserError
from vidlink.labels.maps import UNLABELLED
from vidlink.progress import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

Form = Literal["labels", "maps", "boxes"]
HELD_OUT = 0.2
"""Share of the pictures that are held out where nothing else is there to validate on."""
EXAMPLE = {"labels": "images:/data/cifar10.zip", "maps": "camvid:/data/camvid", "boxes": "coco:/data/labels.json"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """One picture, still in its file."""

    name: str
    """Path in the data set."""
    group: str = ""
    """What it belongs to: its class, or its recording. Pictures are held out group by group, the last ones of each."""
    read: Callable[[], NDArray[np.uint8]]
    """Gives red, green and blue, shape (height, width, 3)."""
    label: Callable[[], Any]
    """Gives the index of its class, a map of shape (height, width), 255 where there is no label, or boxes: left, upper,
    right, lower edge in pixels and index of the class, shape (k, 5)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureSet:
    """Pictures with one form of label."""

    form: Form
    """``labels`` (a class a picture), ``maps`` (a class for every pixel) or ``boxes``."""
    classes: tuple[str, ...]
    """Names of the classes."""
    pictures: tuple[Picture, ...]
    """In order of their names."""
    about: str = ""
    """What was made of the data set's own labels, for cards; empty for nothing."""

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.pictures)

    def divided(self, share: float) -> tuple[PictureSet, PictureSet]:
        """Hold out a share: the last pictures of each group, so that neighbours in time are parted once only.

        Raises
        ------
        UserError
            One of the two parts would be empty.
        """
        groups: dict[str, list[Picture]] = {}
        for each in self.pictures:
            groups.setdefault(each.group, []).append(each)
        kept: list[Picture] = []
        held: list[Picture] = []
        for members in groups.values():
            cut = len(members) - round(share * len(members))
            kept += members[:cut]
            held += members[cut:]
        if not kept or not held:
            raise UserError(f"{len(self)} pictures in {len(groups)} groups: too few to hold out {share:g} of them")
        return replace(self, pictures=tuple(kept)), replace(self, pictures=tuple(held))


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Pictures in memory, all of one size."""

    form: Form
    """As in :class:`PictureSet`."""
    classes: tuple[str, ...]
    """Names of the classes."""
    images: NDArray[np.uint8]
    """Shape (n, height, width, 3)."""
    labels: Any
    """Indices of shape (n,), maps of shape (n, height, width), or a list of boxes (k, 5), in pixels of ``images``."""

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.images)


def load_pictures(spec: str, form: Form, split: str = "train") -> PictureSet:
    """Find the labelled pictures that a command line names; pictures and maps stay in their files.

    Parameters
    ----------
    spec
        ``images:PATH``, ``camvid:PATH``, ``coco:FILE.json``, or ``package.module:function:PATH``, where the function
        takes path and split and gives a :class:`PictureSet`.
    form
        The form of label that is wanted.
    split
        ``train``, ``valid``, or ``all``, where the data set has splits; one without gives all for each.

    Raises
    ------
    UserError
        Where the spec has no kind, the kind is unknown or has no such labels, or the data are missing or damaged.
    """
    kind, path = split_spec(spec)
    if not kind:
        raise UserError(f"data {spec!r}: expected KIND:PATH, for example {EXAMPLE[form]}")
    if kind in DATA_SETS and form not in DATA_SETS[kind].reads and not is_own(kind):
        raise UserError(f"data {spec!r}: has no {form}; {' and '.join(kinds_of(form))} have")
    found = read(kind, form, path, split)
    if not isinstance(found, PictureSet):
        raise UserError(f"data {spec!r}: {kind} gives {type(found).__name__}, expected a PictureSet")
    if found.form != form:
        raise UserError(f"data {spec!r}: has {found.form}, expected {form}")
    return found


def learn_and_validate(spec: str, valid: str | None, form: Form) -> tuple[PictureSet, PictureSet]:
    """The pictures to learn from, and those to validate on.

    Parameters
    ----------
    spec
        As :func:`load_pictures` takes it.
    valid
        Another one, or the share of ``spec`` to hold out as text. None: the data set's own split, where it has one,
        else :data:`HELD_OUT`.
    form
        The form of label.

    Raises
    ------
    UserError
        As :func:`load_pictures`; and where both have not the same classes.
    """
    found = load_pictures(spec, form, "train")
    share = _share(valid)
    if share:
        return found.divided(share)
    if valid:
        other = load_pictures(valid, form, "valid")
    else:
        other = load_pictures(spec, form, "valid")
        if {each.name for each in other.pictures} & {each.name for each in found.pictures}:
            return found.divided(HELD_OUT)
    if other.classes != found.classes:
        strange = sorted(set(other.classes) ^ set(found.classes))
        raise UserError(f"--valid {valid}: other classes than {spec} ({', '.join(strange[:5]) or 'in another order'})")
    return found, other


def _share(valid: str | None) -> float:
    try:
        share = float(valid or "")
    except ValueError:
        return 0.0
    if not 0 < share < 1:
        raise UserError(f"--valid {valid}: KIND:PATH, or a share between 0 and 1 of --data to hold out")
    return share


def check_map(found: NDArray[Any], shape: tuple[int, ...], classes: int, where: str) -> NDArray[np.uint8]:
    """Hold a label map against its picture and its classes.

    Raises
    ------
    UserError
        It is of another size, has colours in place of indices, or unknown classes.
    """
    if found.ndim != 2:
        raise UserError(f"{where}: a label map in colour; expected one channel, a class index a pixel")
    if found.shape != shape:
        raise UserError(f"{where}: {found.shape[1]}x{found.shape[0]}, its picture is {shape[1]}x{shape[0]}")
    strange = np.unique(found[(found >= classes) & (found != UNLABELLED)])
    if len(strange):
        raise UserError(
            f"{where}: unknown class {strange[0]}; expected 0 to {classes - 1}, or {UNLABELLED} for not labelled"
        )
    return found.astype(np.uint8, copy=False)


def hold(found: PictureSet, size: tuple[int, int], *, quiet: bool = True) -> Held:
    """Read pictures into memory, each brought to a size with its labels.

    Parameters
    ----------
    found
        The pictures.
    size
        Width and height in pixels.
    quiet
        No progress bar.

    Raises
    ------
    UserError
        Where a picture or its label is missing or damaged; it names the file.
    """
    if not found.pictures:
        raise UserError("data: no pictures")
    images = np.empty((len(found), size[1], size[0], 3), np.uint8)
    labels: list[Any] = []
    for row, (image, label) in enumerate(counted(_read(found), "picture", total=len(found), quiet=quiet)):
        images[row] = resize(image, size)
        labels.append(_resized_label(label, found.form, image.shape, size))
    held: Any = labels if found.form == "boxes" else np.array(labels)
    return Held(form=found.form, classes=found.classes, images=images, labels=held)


def _read(found: PictureSet) -> Iterator[tuple[NDArray[np.uint8], Any]]:
    for each in found.pictures:
        yield each.read(), each.label()


def resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a picture to width and height: smaller by area, larger by bicubic interpolation."""
    import cv2

    if image.shape[1::-1] == size:
        return image
    smaller = size[0] * size[1] < image.shape[0] * image.shape[1]
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return np.asarray(resized, np.uint8)


def _resized_label(label: Any, form: Form, shape: tuple[int, ...], size: tuple[int, int]) -> Any:
    import cv2

    if form == "boxes":
        return label * np.array([size[0] / shape[1], size[1] / shape[0]] * 2 + [1], np.float32)
    if form == "maps" and label.shape[::-1] != size:
        return cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
    return label


def recording_of(name: str) -> str:
    """The recording that a picture is of: its name up to the first underscore."""
    return Path(name).stem.partition("_")[0]
