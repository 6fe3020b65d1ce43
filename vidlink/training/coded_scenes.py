"""Real coding as a degradation of scenes in colour: each picture is a short clip of its own that pans a little.

What :mod:`vidlink.training.coded` does with faces, side by side in one picture, this does with whole scenes: the last
picture of a short closed GOP is what a network sees, so predicted pictures come in as well.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from vidlink.training.coded import code_film
from vidlink.types import Rung

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from vidlink.codec.recipe import Codec
    from vidlink.training.coded import Coding

FRAME_RATE = Fraction(15)
"""Pictures a second."""


def code_scenes(pictures: Tensor, scale: float, coding: Coding, generator: Generator) -> Tensor:
    """Send pictures through the codec, each as a clip of ``coding.frames`` pictures that pans by whole pixels.

    Parameters
    ----------
    pictures
        Shape (n, 3, h, w), even sides, within [0, 1].
    scale
        Scale factor, at least 1.
    coding
        What to draw from; the pictures share a quality.
    generator
        Source of all randomness; on the CPU.

    Returns
    -------
    Tensor
        The same shape, type and device: decoded, and upsampled by bicubic interpolation.
    """
    low, high = sorted(coding.quality)
    quality = coding.codec.quality.rounded(low + (high - low) * float(torch.rand((), generator=generator)))
    rung = Rung(scale=scale, frame_divisor=1, quality=quality)
    pans = torch.randint(-2, 3, (len(pictures), 2), generator=generator).tolist()
    wanted = int(torch.randint(coding.frames, (), generator=generator))
    images = (pictures.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    coded = [_through(_film(image, pan, wanted), rung, coding.codec) for image, pan in zip(images, pans, strict=True)]
    found = torch.from_numpy(np.stack(coded)).permute(0, 3, 1, 2).float() / 255
    return found.to(device=pictures.device, dtype=pictures.dtype)


def _film(image: NDArray[np.uint8], pan: list[int], last: int) -> list[NDArray[np.uint8]]:
    """A clip that pans and ends with the picture itself."""
    down, right = pan
    edge = max(1, last) * 2
    padded = np.pad(image, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
    height, width = image.shape[:2]
    film = []
    for index in range(last + 1):
        top, left = edge + down * (index - last), edge + right * (index - last)
        film.append(np.ascontiguousarray(padded[top : top + height, left : left + width]))
    return film


def _through(film: list[NDArray[np.uint8]], rung: Rung, codec: Codec) -> NDArray[np.uint8]:
    """Code a clip and give back its last picture at HR size."""
    height, width = film[0].shape[:2]
    pictures, _ = code_film(film, rung, codec, frame_rate=FRAME_RATE)
    image = np.asarray(pictures[len(film) - 1].to_ndarray(format="rgb24"), np.uint8)
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
