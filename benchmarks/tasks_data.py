"""What ``benchmarks/tasks.py`` learns from: a part of CIFAR-10, CamVid made smaller, or drawn pictures instead."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import cv2
import numpy as np

from vidlink.data.camvid import CLASSES, camvid_maps
from vidlink.data.picture_files import PictureFiles
from vidlink.data.picture_set import resize
from vidlink.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]

SPLITS = {"train": "train", "val": "valid"}
"""Folders that are written, and the splits that they hold."""


def prepare(name: str, folder: Path, *, pictures: int, tested: int, quick: bool) -> str:
    """Write what a claim learns from into a folder, unless it is there; as ``--data`` takes it.

    Parameters
    ----------
    name
        ``cifar`` or ``camvid-WIDTHxHEIGHT``.
    folder
        Where.
    pictures, tested
        How many of CIFAR-10's to learn from and to test on; all classes alike often.
    quick
        Drawn pictures in place of both.

    Raises
    ------
    UserError
        VIDLINK_DATA does not hold what is needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if name == "cifar":
        file = folder / ("drawn.zip" if quick else f"cifar-{pictures}-{tested}.zip")
        if not file.exists():
            _write_classes(file, _drawn_classes() if quick else _cifar(pictures, tested))
        return f"images:{file}"
    wide, high = (int(side) for side in name.partition("-")[2].split("x"))
    place = folder / (f"drawn-{wide}x{high}" if quick else name)
    if not (place / "whole").exists():
        for below, split in SPLITS.items():
            _write_scenes(place / below, _drawn_scenes(split) if quick else _camvid(split), (wide, high))
        (place / "whole").touch()
    return f"camvid:{place}"


def _cifar(pictures: int, tested: int) -> Iterator[tuple[str, bytes]]:
    """The first pictures of each class, as they are in the zip file."""
    files = PictureFiles(_needed("cifar10.zip"))
    taken: dict[str, int] = {}
    for name in files.names:
        split, kind, _ = name.split("/")
        group = f"{split}/{kind}"
        if taken.setdefault(group, 0) < (pictures if split == "train" else tested) // 10:
            taken[group] += 1
            yield name, files.data(name)


def _camvid(split: str) -> Iterator[Pair]:
    for each in camvid_maps(str(_needed("camvid")), split).pictures:
        yield each.read(), each.label()


def _needed(name: str) -> Path:
    found = bench.data(name)
    if found is None:
        raise UserError(f"no pictures: set VIDLINK_DATA to a folder with {name}, or give --quick")
    return found


def _write_classes(file: Path, found: Iterator[tuple[str, bytes]]) -> None:
    beside = file.with_name(f"partial-{file.name}")
    with zipfile.ZipFile(beside, "w") as archive:
        for name, data in found:
            archive.writestr(name, data)
    beside.replace(file)


def _write_scenes(folder: Path, found: Iterator[Pair], size: tuple[int, int]) -> None:
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index, (picture, labels) in enumerate(found):
        smaller = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(folder / "images" / f"{index:04}.png"), resize(picture, size)[..., ::-1])
        cv2.imwrite(str(folder / "labels" / f"{index:04}.png"), smaller)


SHAPES = ("ring", "cross", "bars")
"""Classes of drawn pictures."""


def _drawn_classes() -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 8)):
        for shape in SHAPES:
            for index in range(count):
                _, data = cv2.imencode(".png", _draw_shape(shape, rng))
                yield f"{split}/{shape}/{index:03}.png", data.tobytes()


def _draw_shape(shape: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    colour: Sequence[Any] = rng.integers(120, 256, 3).tolist()
    picture = rng.integers(0, 60, (32, 32, 3)).astype(np.uint8)
    x, y = rng.integers(12, 20, 2).tolist()
    if shape == "ring":
        cv2.circle(picture, (x, y), 9, colour, 2)
    elif shape == "cross":
        cv2.line(picture, (x - 9, y), (x + 9, y), colour, 2)
        cv2.line(picture, (x, y - 9), (x, y + 9), colour, 2)
    else:
        for left in range(x % 6, 32, 6):
            picture[:, left : left + 2] = colour
    return picture


def _drawn_scenes(split: str) -> Iterator[Pair]:
    """Sky above a road, with cars and people on it."""
    rng = np.random.default_rng(1 if split == "train" else 2)
    index = {name: CLASSES.index(name) for name in ("sky", "road", "car", "pedestrian")}
    colours = {"sky": (150, 180, 230), "road": (90, 90, 90), "car": (180, 30, 40), "pedestrian": (40, 150, 70)}
    for _ in range(8 if split == "train" else 4):
        labels = np.full((240, 320), index["road"], np.uint8)
        labels[: int(rng.integers(80, 120))] = index["sky"]
        left, top = int(rng.integers(0, 200)), int(rng.integers(110, 150))
        labels[top : top + 50, left : left + 90] = index["car"]
        left, top = int(rng.integers(0, 280)), int(rng.integers(100, 130))
        labels[top : top + 80, left : left + 28] = index["pedestrian"]
        picture = np.zeros((240, 320, 3), np.int64)
        for name, colour in colours.items():
            picture[labels == index[name]] = colour
        yield np.clip(picture + rng.integers(-12, 13, picture.shape), 0, 255).astype(np.uint8), labels
