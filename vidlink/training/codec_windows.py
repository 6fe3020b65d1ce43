"""Short windows of clips in colour, each beginning with a decoded intra picture: what a learned codec learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import torch

from vidlink.codec.intra import decode_intra, encode_intra
from vidlink.data.colour_sequences import planes_of
from vidlink.errors import UserError
from vidlink.nets.dvc.hyperprior import BEST, WORST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Generator, Tensor

    Clip = tuple[NDArray[np.uint8], NDArray[np.uint8]]

INTRA_FINER = 3
"""Intra pictures are coded by a quantization parameter that is smaller by so much."""
FASTER = 0.3
"""Share of windows of which every second picture is left out."""
LARGE = 480
"""Sides of clips above so many pixels are halved before a window is cut out of them; of others half are, too, where the
window still fits."""


class CodecWindows:
    """Windows, cut out once.

    Parameters
    ----------
    clips
        Luma and chroma, as :mod:`vidlink.data.colour_sequences` reads them.
    frames
        Pictures in a window, the intra picture among them.
    count
        How many.
    side
        Side in pixels.
    qualities
        Values of the quality knob that windows take in turn; None to draw them.
    seed
        Of everything that is drawn.

    Raises
    ------
    UserError
        Where no clip is as large or as long as a window.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        frames: int,
        count: int,
        side: int,
        seed: int,
        qualities: Sequence[float] | None = None,
    ) -> None:
        large = [clip for clip in clips if min(clip[0].shape[1:]) >= side and len(clip[0]) >= frames]
        if not large:
            raise UserError(f"none of {len(clips)} clips has {frames} pictures of at least {side}x{side} pixels")
        rng = np.random.default_rng(seed)
        luma, chroma, given = [], [], []
        for number in range(count):
            quality = rng.uniform(BEST, WORST) if qualities is None else qualities[number % len(qualities)]
            window = _cut(large[int(rng.integers(len(large)))], frames, side, rng)
            first = _coded(window[0][0], window[1][0], round(quality) - INTRA_FINER)
            luma.append(np.concatenate([first[0][None], window[0][1:]]))
            chroma.append(np.concatenate([first[1][None], window[1][1:]]))
            given.append(quality)
        self.luma, self.chroma = torch.from_numpy(np.stack(luma)), torch.from_numpy(np.stack(chroma))
        self.quality = torch.tensor(given, dtype=torch.float32)

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw windows, all eight symmetries as likely; see :meth:`take`."""
        rows = torch.randint(len(self.luma), (count,), generator=generator)
        luma, chroma, quality = self.take(rows)
        for axes in ((-1,), (-2,), None):
            turned = torch.rand(count, generator=generator) < 0.5
            for each in (luma, chroma):
                each[turned] = each[turned].mT if axes is None else each[turned].flip(axes)
        return luma, chroma, quality

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Windows by number, within [0, 1].

        Returns
        -------
        luma, shape (count, frames, side, side)
            The first picture is what an intra coder made of it.
        chroma, shape (count, frames, 2, side / 2, side / 2)
            Of the same pictures.
        quality, shape (count,)
            Value of the knob by which that was coded.
        """
        return self.luma[rows].float() / 255, self.chroma[rows].float() / 255, self.quality[rows]


def _cut(clip: Clip, frames: int, side: int, rng: np.random.Generator) -> Clip:
    """A window out of a clip, smaller or faster where it is drawn so."""
    luma, chroma = clip
    step = 2 if rng.random() < FASTER and len(luma) >= 2 * frames else 1
    first = int(rng.integers(len(luma) - step * (frames - 1)))
    least = min(luma.shape[1:])
    shrink = 2 if least >= 2 * side and (least > LARGE or rng.random() < 0.5) else 1
    span = side * shrink
    top, left = (int(rng.integers((own - span) // 2 + 1)) * 2 for own in luma.shape[1:])
    when = slice(first, first + step * (frames - 1) + 1, step)
    window = luma[when, top : top + span, left : left + span]
    half = chroma[when, :, top // 2 : (top + span) // 2, left // 2 : (left + span) // 2]
    if shrink == 1:
        return window, half
    small = [cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in window]
    tiny = [
        [cv2.resize(plane, (side // 2, side // 2), interpolation=cv2.INTER_AREA) for plane in pair] for pair in half
    ]
    return np.stack(small).astype(np.uint8), np.array(tiny, np.uint8)


def _coded(luma: NDArray[np.uint8], chroma: NDArray[np.uint8], qp: int) -> Clip:
    """One picture through the intra coder."""
    side = luma.shape[0]
    planar = np.concatenate([luma, chroma.reshape(side // 2, side)])
    picture = decode_intra(encode_intra(av.VideoFrame.from_ndarray(planar, format="yuv420p"), qp))
    assert picture is not None
    return planes_of(picture)
