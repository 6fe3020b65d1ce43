"""Any folder of images, as luma: what super-resolution learns from and is scored on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.sets import read, split_spec
from vidlink.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Files in a folder that count as images; others are left alone."""

STUDIO = np.array([65.481, 128.553, 24.966]) / 255
"""Weights of red, green and blue in luma from 16 to 235, ITU-R BT.601, as MATLAB's rgb2ycbcr gives it."""


def load_images(spec: str) -> dict[str, NDArray[np.uint8]]:
    """Load the images that a command line names.

    Parameters
    ----------
    spec
        ``images:PATH``, a folder (searched at any depth) or one image; or ``package.module:function:PATH``, where the
        function takes the path and gives what this one does.

    Returns
    -------
    dict
        Luma of each image by its name (path in the folder), shape (height, width); ordered by name.

    Raises
    ------
    UserError
        Where the spec has another kind, there is no such folder, it holds no image, or a file is no image.
    """
    kind, path = split_spec(spec)
    if not kind:
        raise UserError(f"data {spec!r}: expected images:PATH, for example images:/data/T91")
    images: dict[str, NDArray[np.uint8]] = read(
        kind, "images", path, into=dict, what="kind of data for super-resolution"
    )
    return images


def read_images(path: str) -> dict[str, NDArray[np.uint8]]:
    """Read a folder (searched at any depth) or one image; errors are those of :func:`load_images`."""
    place = Path(path).expanduser()
    if place.is_file():
        return {place.name: read_luma(place)}
    if not place.is_dir():
        raise UserError(f"images {place}: no such folder")
    files = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise UserError(f"images {place}: holds no image ({', '.join(SUFFIXES)})")
    return {file.relative_to(place).as_posix(): read_luma(file) for file in files}


def read_luma(file: Path) -> NDArray[np.uint8]:
    """Read one image as 8-bit luma, BT.601 from 16 to 235; a grey image is taken as it is.

    Raises
    ------
    UserError
        Where it is no image.
    """
    import cv2

    data = np.frombuffer(file.read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR) if len(data) else None
    if image is None:
        raise UserError(f"{file}: not an image, or damaged")
    if image.ndim == 2:
        return image.astype(np.uint8, copy=False)
    return np.floor(image[..., ::-1] @ STUDIO + 16.5).astype(np.uint8)
