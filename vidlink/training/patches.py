"""Patches of luma before and after a thin link, which restorers learn from: seeded, flipped and turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from vidlink.errors import UserError
from vidlink.training.bicubic import resize_bicubic
from vidlink.training.degrade import area_matrix, downsample_and_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from vidlink.training.disturb import Mix

Resampling = Literal["literature", "link"]
"""How pictures lose their detail.

``literature``: whole images, by antialiased bicubic down and bicubic up, as papers on super-resolution do, unrounded.
``link``: patches, by area down, rounded to 8 bits, and bicubic up, as this project's sender and receiver do.
"""


class Patches:
    """Draws patches from images.

    Parameters
    ----------
    images
        Luma, 8 bits, shape (height, width) each, of any sizes. Those smaller than a patch are left out.
    scales
        Least and largest scale factor, drawn uniformly; equal for ``literature`` and for LR patches.
    side
        Side of a HR patch in pixels; for LR patches a multiple of the scale factor.
    resampling
        How they lose their detail.
    lr
        Whether degraded patches stay at LR size instead of being upsampled.
    disturb
        What goes wrong before they lose detail, for ``link`` alone.

    Raises
    ------
    UserError
        Where no image is as large as a patch.
    ValueError
        If the scale factors are not as said.
    """

    def __init__(
        self,
        images: Sequence[NDArray[np.uint8]],
        scales: tuple[float, float],
        side: int,
        *,
        resampling: Resampling = "literature",
        lr: bool = False,
        disturb: Mix | None = None,
    ) -> None:
        if disturb is not None and resampling == "literature":
            raise ValueError(f"{resampling = }: nothing else goes wrong there")
        if scales[0] != scales[1] and (lr or resampling == "literature"):
            raise ValueError(f"{scales = }: one factor only for {resampling} and for LR patches")
        if lr and side % scales[0]:
            raise ValueError(f"{side = }: no multiple of {scales[0]:g}")
        self.scales, self.side, self.lr, self.disturb = scales, side, lr, disturb
        self.step = int(scales[0]) if lr else 1
        # On the link any size has an LR size; only the literature's way, and LR patches, ask for whole multiples.
        whole = scales[0] if lr or resampling == "literature" else 1
        images = [crop_to_multiple(image, whole) for image in images]
        large = [image for image in images if min(image.shape) >= side]
        if not large:
            raise UserError(f"none of {len(images)} images is at least {side}x{side} pixels, the size of a patch")
        self.targets = [image.astype(np.float32) / 255 for image in large]
        self.given = [self._degraded(target) for target in self.targets] if resampling == "literature" else None
        places = [(target.shape[0] - side + 1) * (target.shape[1] - side + 1) for target in self.targets]
        self.shares = torch.cumsum(torch.tensor(places, dtype=torch.float64), 0) / sum(places)

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw patches, each place in the images as likely as any other.

        Parameters
        ----------
        count
            How many.
        generator
            Source of all randomness.

        Returns
        -------
        given, shape (count, 1, side, side), or side / scale at LR
            What a restorer gets, within [0, 1].
        target, shape (count, 1, side, side)
            What it should give.
        scale, shape (count,)
            Scale factors.
        """
        drawn = torch.rand(count, 3, generator=generator, dtype=torch.float64)
        turns = torch.randint(2, (count, 3), generator=generator).tolist()
        scale = self.scales[0] + (self.scales[1] - self.scales[0]) * torch.rand(count, generator=generator)
        numbers = torch.searchsorted(self.shares, drawn[:, 0].contiguous(), right=True).clamp(max=len(self.targets) - 1)
        places = [
            self._place(number, *at) for number, *at in zip(numbers.tolist(), *drawn[:, 1:].T.tolist(), strict=True)
        ]
        target = _stack(self.targets, places, self.side, turns)
        if self.given is not None:
            places = [(number, top // self.step, left // self.step) for number, top, left in places]
            return _stack(self.given, places, self.side // self.step, turns), target, scale
        source = self.disturb(target, generator) if self.disturb else target
        sides = (self.side / scale).round().long()
        if not self.lr:
            return downsample_and_back(source, sides), target, scale
        down = area_matrix(int(sides[0]), self.side)
        return (down @ source @ down.T * 255).round() / 255, target, scale

    def _place(self, number: int, down: float, right: float) -> tuple[int, int, int]:
        """Image, first row and first column of a patch, on the LR grid where that matters."""
        height, width = self.targets[number].shape
        rows, columns = (height - self.side) // self.step + 1, (width - self.side) // self.step + 1
        return number, int(down * rows) * self.step, int(right * columns) * self.step

    def _degraded(self, target: NDArray) -> NDArray[np.float32]:
        small = shrink(target, self.scales[0])
        return (small if self.lr else resize_bicubic(small, *target.shape)).astype(np.float32)


def shrink(picture: NDArray, scale: float) -> NDArray[np.float64]:
    """Downsample by antialiased bicubic interpolation, neither rounded nor clipped."""
    height, width = (max(1, round(side / scale)) for side in picture.shape)
    return resize_bicubic(picture, height, width)


def crop_to_multiple(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Cut off what a whole scale factor leaves over at the bottom and on the right; other factors cut nothing."""
    if scale != int(scale):
        return image
    height, width = (side - side % int(scale) for side in image.shape)
    return image[:height, :width]


def _stack(
    images: Sequence[NDArray], places: Sequence[tuple[int, int, int]], side: int, turns: Sequence[Sequence[int]]
) -> Tensor:
    """Cut out patches, flipped and transposed: all eight symmetries of a square are as likely."""
    patches = []
    for (number, top, left), (transposed, upside_down, mirrored) in zip(places, turns, strict=True):
        patch = images[number][top : top + side, left : left + side]
        patch = patch.T if transposed else patch
        patches.append(patch[:: -1 if upside_down else 1, :: -1 if mirrored else 1])
    return torch.from_numpy(np.stack(patches))[:, None]
