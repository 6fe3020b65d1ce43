"""Any folder of images, as luma: what super-resolution learns from and is scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidlink.data.picture_files import SUFFIXES, PictureFiles, decode_picture
from vidlink.data.sets import read, split_spec
from vidlink.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

STUDIO = np.array([65.481, 128.553, 24.966]) / 255
"""Weights of red, green and blue in luma from 16 to 235, ITU-R BT.601, as MATLAB's rgb2ycbcr gives it."""


def load_images(spec: str) -> dict[str, NDArray[np.uint8]]:
    """Load the images that a command line names.

    Parameters
    ----------
    spec
        ``images:PATH``, a folder (searched at any depth), a zip file or one image; or
        ``package.module:function:PATH``, where the function takes the path and gives what this one does.

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
    """Read a folder (searched at any depth), a zip file or one image; errors are those of :func:`load_images`."""
    files = PictureFiles(path)
    if not files.names:
        raise UserError(f"images {path}: holds no image ({', '.join(SUFFIXES)})")
    return {name: luma_of(files.data(name), files.where(name)) for name in files.names}


def read_luma(file: Path) -> NDArray[np.uint8]:
    """Read one image as 8-bit luma, BT.601 from 16 to 235; a grey image is taken as it is.

    Raises
    ------
    UserError
        Where it is no image.
    """
    return luma_of(file.read_bytes(), str(file))


def luma_of(data: bytes, where: str) -> NDArray[np.uint8]:
    """As :func:`read_luma`, of bytes; messages say where they are from.

    Raises
    ------
    UserError
        Where it is no image.
    """
    import cv2

    image = decode_picture(data, where, flags=cv2.IMREAD_ANYCOLOR)
    if image.ndim == 2:
        return image.astype(np.uint8, copy=False)
    return np.floor(image[..., ::-1] @ STUDIO + 16.5).astype(np.uint8)
