"""Real coding as a degradation: batches of faces go through an encoder and a decoder, a few pictures at a time.

Tiled faces make a picture like a video conference; a few pictures of it, each face moving a little, make a short closed
GOP. It is downsampled, coded and decoded by the sender's and the receiver's own code, so that a network meets the very
losses it will meet behind a link: predicted pictures included, and damage spilling over from the tile next door.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import torch
from torch.nn import functional

from vidlink.receiver.decode import decode
from vidlink.sender.encode import encode
from vidlink.types import CLOCK, Clip, Rung, Segment
from vidlink.video.park import fetched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from vidlink.codec.recipe import Codec, QualityKnob

FRAME_RATE = Fraction(25)


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How much of the training pictures is coded, and how; draws are uniform."""

    codec: Codec
    """The recipe."""
    share: float = 0.5
    """Share of the pictures that are coded."""
    quality: tuple[float, float]
    """Best and worst value of the recipe's quality knob."""
    group: int = 64
    """Pictures tiled into one; they share a factor and a quality."""
    frames: int = 4
    """Pictures of one short GOP; one of them is drawn."""
    motion: float = 0.7
    """Largest motion in pixels from one picture to the next, in each direction."""


def useful_range(knob: QualityKnob) -> tuple[float, float]:
    """The part of a quality knob at which faces are sent over thin links: from 0.29 of it to 0.98, best to worst.

    CRF 22 to 50 of x264.
    """
    length = knob.worst - knob.best
    return knob.rounded(knob.best + 12 / 41 * length), knob.rounded(knob.best + 40 / 41 * length)


def code(pictures: Tensor, scale: float, coding: Coding, generator: Generator) -> tuple[Tensor, float]:
    """Send a group of pictures through the codec.

    Parameters
    ----------
    pictures
        Square luma, shape (n, 1, side, side), within [0, 1]; tiled as they come.
    scale
        Scale factor, at least 1.
    coding
        What to draw from.
    generator
        Source of all randomness; on the CPU.

    Returns
    -------
    pictures
        The same shape, type and device: decoded, and upsampled by bicubic interpolation.
    quality
        Value of the quality knob that was drawn.
    """

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator)

    low, high = sorted(coding.quality)
    quality = coding.codec.quality.rounded(float(draw(low, high)))
    wanted = int(torch.randint(coding.frames, (), generator=generator))
    velocity = draw(-coding.motion, coding.motion, len(pictures), 2)
    columns = math.ceil(math.sqrt(len(pictures)))
    film = [_tile(_shifted(pictures, velocity * (frame - wanted)), columns) for frame in range(coding.frames)]
    decoded = _through(film, wanted, Rung(scale=scale, frame_divisor=1, quality=quality), coding.codec)
    side = pictures.shape[-1]
    tiles = decoded.reshape(decoded.shape[0] // side, side, columns, side).swapaxes(1, 2).reshape(-1, 1, side, side)
    found = torch.from_numpy(tiles[: len(pictures)].astype(np.float32) / 255)
    return found.to(device=pictures.device, dtype=pictures.dtype), quality


def _shifted(pictures: Tensor, pixels: Tensor) -> Tensor:
    """Shift each picture by its own (right, down) in pixels, shape (n, 2), edges replicated."""
    affine = torch.eye(2, 3).repeat(len(pictures), 1, 1)
    affine[:, :, 2] = -2 * pixels / pictures.shape[-1]
    grid = functional.affine_grid(affine.to(pictures), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _tile(pictures: Tensor, columns: int) -> NDArray[np.uint8]:
    """Lay pictures side by side, row by row; what is left of the last row is grey."""
    images = (pictures[:, 0].clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    rows, side = math.ceil(len(images) / columns), images.shape[-1]
    padded = np.full((rows * columns, side, side), 128, np.uint8)
    padded[: len(images)] = images
    return padded.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)


def _through(film: list[NDArray[np.uint8]], wanted: int, rung: Rung, codec: Codec) -> NDArray[np.uint8]:
    """Code a short clip and give back one of its pictures at HR size."""
    height, width = film[0].shape
    picture = code_film(film, rung, codec)[0][wanted]
    luma = np.asarray(picture.to_ndarray(), np.uint8)[: picture.height, : picture.width]
    if luma.shape == (height, width):
        return luma
    return np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def code_film(
    film: Sequence[NDArray[np.uint8]], rung: Rung, codec: Codec, *, frame_rate: Fraction = FRAME_RATE
) -> tuple[dict[int, av.VideoFrame], dict[int, float]]:
    """Code a short clip as one closed GOP, by the sender's and the receiver's own code.

    Parameters
    ----------
    film
        Luma, shape (height, width) each, or red, green and blue, shape (height, width, 3); even sides.
    rung
        How it is coded.
    codec
        The recipe.
    frame_rate
        Pictures a second.

    Returns
    -------
    pictures
        Decoded LR pictures, ``yuv420p``, by their place in the film.
    qp
        Mean QP of each, NaN where the decoder does not say it.
    """
    height, width = film[0].shape[:2]
    frames = tuple(grey_picture(picture) if picture.ndim == 2 else colour_picture(picture) for picture in film)
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = int(index / frame_rate / CLOCK), CLOCK
    clip = Clip(name="film", width=width, height=height, frame_rate=frame_rate, pixel_format="yuv420p", seconds=None)
    segment = Segment(
        index=0,
        first_frame=0,
        frames=frames,
        times_s=np.arange(len(frames)) / float(frame_rate),
        duration_s=len(frames) / float(frame_rate),
        last=True,
    )
    coded = encode(segment, rung, clip=clip, codec=codec)
    units = [(unit.frame, unit.nals) for unit in coded.units]
    qp: dict[int, float] = {}
    size = coded.width, coded.height
    pictures = decode(units, codec=codec, size=size, parameter_sets=coded.parameter_sets, qp=qp)
    return {place: fetched(picture) for place, picture in pictures.items()}, qp


def colour_picture(image: NDArray[np.uint8]) -> av.VideoFrame:
    """A ``yuv420p`` picture from red, green and blue of even sides, shape (height, width, 3)."""
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")


def grey_picture(luma: NDArray[np.uint8]) -> av.VideoFrame:
    """A ``yuv420p`` picture without colour from luma of even sides, shape (height, width)."""
    height, width = luma.shape
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = luma
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")
