"""Boxes in COCO's JSON: ``coco:labels.json``, its pictures beside it.

T.-Y. Lin et al., "Microsoft COCO: common objects in context", ECCV 2014, arXiv 1405.0312; the format is the one of
https://cocodataset.org/#format-data: ``images`` (``id``, ``file_name``, ``width``, ``height``), ``annotations``
(``image_id``, ``category_id``, ``bbox`` = left, top, width, height, perhaps ``iscrowd``) and ``categories`` (``id``,
``name``). Pictures are looked for beside the file, in ``images/`` there, and in folders named like the file.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.data.picture_files import decode_picture
from vidlink.data.picture_set import Picture, PictureSet
from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

OVER = 1.0
"""Pixels by which a box may reach out of its picture: people round, some up."""
_FARTHEST = 1e9
"""What a coordinate can be at most."""


@dataclass(frozen=True, kw_only=True)
class CocoFile:
    """What a file says."""

    file: Path
    """Where it is."""
    images: dict[Any, dict[str, Any]]
    """Its images by id."""
    categories: dict[Any, str]
    """Names of its categories by id, in the order of the ids."""
    annotations: list[dict[str, Any]]
    """Its boxes; those of crowds are left out."""


def coco_boxes(path: str, split: str = "train") -> PictureSet:
    """The pictures of a COCO file with their boxes; the file is one split, whatever ``split`` says.

    Raises
    ------
    UserError
        The file is missing or no COCO file, or something in it is wrong (see :func:`wrong_in`): the first thing, and
        how many more there are.
    """
    found = read_coco(path)
    wrong = list(wrong_in(found))
    if wrong:
        more = f" (and {len(wrong) - 1} more: vidlink check coco:{path})" if len(wrong) > 1 else ""
        raise UserError(f"{wrong[0]}{more}")
    number = {each: index for index, each in enumerate(found.categories)}
    rows: dict[Any, list[list[float]]] = {each: [] for each in found.images}
    for each in found.annotations:
        left, top, width, height = map(float, each["bbox"])
        image = found.images[each["image_id"]]
        right, bottom = min(left + width, float(image["width"])), min(top + height, float(image["height"]))
        rows[each["image_id"]].append([max(0.0, left), max(0.0, top), right, bottom, number[each["category_id"]]])
    pictures = (
        Picture(
            name=str(image["file_name"]),
            read=partial(_read, found, image),
            label=partial(_boxes, rows[each]),
        )
        for each, image in found.images.items()
    )
    in_order = tuple(sorted(pictures, key=lambda picture: picture.name))
    return PictureSet(form="boxes", classes=tuple(found.categories.values()), pictures=in_order)


def read_coco(path: str) -> CocoFile:
    """Read a file.

    Raises
    ------
    UserError
        It is missing, no JSON, or lacks what a COCO file of detection has.
    """
    file = Path(path).expanduser()
    try:
        read = json.loads(file.read_bytes())
    except OSError as error:
        raise UserError(f"coco {file}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"coco {file}: no JSON ({error})") from error
    parts = {}
    for name, keys in _KEYS.items():
        rows = read.get(name) if isinstance(read, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UserError(f"coco {file}: no list of {name}; expected images, annotations and categories")
        for number, row in enumerate(rows):
            lacking = next((key for key in keys if not isinstance(row.get(key), keys[key])), None)
            if lacking:
                raise UserError(f"coco {file}: {name}[{number}] has no {lacking}, or it is {row.get(lacking)!r}")
        parts[name] = rows
    if not parts["images"] or not parts["categories"]:
        raise UserError(f"coco {file}: no images, or no categories")
    if len({row["id"] for row in parts["images"]}) < len(parts["images"]):
        raise UserError(f"coco {file}: two images with one id")
    categories = {
        row["id"]: row["name"] for row in sorted(parts["categories"], key=lambda row: str(row["id"]).zfill(9))
    }
    if len(set(categories.values())) < len(parts["categories"]):
        raise UserError(f"coco {file}: two categories with one id or one name")
    return CocoFile(
        file=file,
        images={row["id"]: row for row in parts["images"]},
        categories=categories,
        annotations=[row for row in parts["annotations"] if not row.get("iscrowd")],
    )


_KEYS: dict[str, dict[str, Any]] = {
    "images": {"id": (int, str), "file_name": str, "width": int, "height": int},
    "annotations": {"image_id": (int, str), "category_id": (int, str), "bbox": list},
    "categories": {"id": (int, str), "name": str},
}


def wrong_in(found: CocoFile) -> Iterator[str]:
    """What is wrong, a line each: pictures that are not there, boxes that are none, outside, or of unknown things."""
    for image in found.images.values():
        if _place(found, image) is None:
            yield f"coco {found.file}: picture {image['file_name']} is not there, nor in {_folders(found)[1].name}/"
    for number, each in enumerate(found.annotations):
        where = f"coco {found.file}: box {each.get('id', number)}"
        image = found.images.get(each["image_id"], {})
        if not image:
            yield f"{where} is of image {each['image_id']}, which is not in images"
        elif each["category_id"] not in found.categories:
            yield f"{where} is of category {each['category_id']}, which is not in categories"
        else:
            why = _wrong_box(each["bbox"], image["width"], image["height"])
            if why:
                yield f"{where} of {image['file_name']}: {each['bbox']} {why}"


def _wrong_box(box: list[Any], wide: int, high: int) -> str:
    numbers = len(box) == 4 and all(isinstance(each, int | float) for each in box)
    if not numbers or not all(-_FARTHEST <= each <= _FARTHEST for each in box):  # nor is NaN
        return "are not four numbers up to 1e9; expected left, top, width, height"
    left, top, width, height = box
    if width <= 0 or height <= 0:
        return "is empty or negative; expected width and height above 0"
    if left < -OVER or top < -OVER or left + width > wide + OVER or top + height > high + OVER:
        return f"reaches out of the picture of {wide}x{high}"
    if min(left + width, wide) <= max(left, 0) or min(top + height, high) <= max(top, 0):
        return f"lies outside the picture of {wide}x{high}"
    return ""


def _folders(found: CocoFile) -> list[Path]:
    beside = found.file.parent
    return [beside, beside / "images", beside / found.file.stem]


def _place(found: CocoFile, image: dict[str, Any]) -> Path | None:
    for each in _folders(found):
        with suppress(OSError):  # a name that no file can have
            if (file := each / image["file_name"]).is_file():
                return file
    return None


def _read(found: CocoFile, image: dict[str, Any]) -> NDArray[np.uint8]:
    file = _place(found, image)
    if file is None:
        raise UserError(f"coco {found.file}: picture {image['file_name']} is not there")
    picture = decode_picture(file.read_bytes(), str(file))
    said = (image["height"], image["width"])
    if picture.shape[:2] != said:
        raise UserError(
            f"{file}: {picture.shape[1]}x{picture.shape[0]}, but {found.file} says {said[1]}x{said[0]}, in which its "
            "boxes are"
        )
    return picture


def _boxes(rows: list[list[float]]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 5)
