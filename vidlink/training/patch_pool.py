"""Patches with what is around them, cut once out of windows of clips: what networks learn from that choose a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vidlink.nets.fsrcnn import AROUND, known_of
from vidlink.nets.patchwork import CELL, PATCH

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from vidlink.training.sequences import Windows

EDGE = AROUND * CELL
"""Pixels around a window that belong to no patch."""
SIDE = PATCH * CELL
"""Pixels a side of a patch."""
WINDOW = 2 * SIDE + 2 * EDGE
"""Pixels a side of a window: four patches, and what is around them."""


class PatchPool:
    """Windows of four patches each.

    Parameters
    ----------
    windows
        Of one picture and :data:`WINDOW` pixels a side.
    """

    def __init__(self, windows: Windows) -> None:
        self.given, self.target = windows.given[:, :1], windows.target[:, None, EDGE:-EDGE, EDGE:-EDGE]
        self.known = known_of(*windows.known.unbind(1))

    def __len__(self) -> int:
        """Windows."""
        return len(self.given)

    def windows(self, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw windows, all eight symmetries as likely.

        Returns
        -------
        given, shape (count, 1, 144, 144)
            As received and interpolated, within [0, 1].
        target, shape (count, 1, 128, 128)
            What the middle of them should be.
        known, shape (count, 3)
            Of :func:`~vidlink.nets.fsrcnn.known_of`.
        """
        rows = torch.randint(len(self.given), (count,), generator=generator)
        return (*_turned(self.given[rows], self.target[rows], generator), self.known[rows])

    def patches(self, count: int, generator: Generator, of: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Draw patches, as :meth:`windows` does: shapes (count, 1, 80, 80), (count, 1, 64, 64) and (count, 3).

        Parameters
        ----------
        count
            How many.
        generator
            Source of all randomness.
        of
            Numbers of those that may be drawn, four a window; None for all.
        """
        drawn = torch.randint(4 * len(self) if of is None else len(of), (count,), generator=generator)
        given, target, known = self.at(drawn if of is None else of[drawn])
        return (*_turned(given, target, generator), known)

    def at(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Patches by their numbers, 8 bits."""
        rows, places = (numbers // 4).tolist(), (numbers % 4).tolist()
        corners = [(place // 2 * SIDE, place % 2 * SIDE) for place in places]
        wide = SIDE + 2 * EDGE
        given = [self.given[row, :, y : y + wide, x : x + wide] for row, (y, x) in zip(rows, corners, strict=True)]
        target = [self.target[row, :, y : y + SIDE, x : x + SIDE] for row, (y, x) in zip(rows, corners, strict=True)]
        return torch.stack(given), torch.stack(target), self.known[numbers // 4]


def _turned(given: Tensor, target: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Flip and transpose each picture or not, by chance, and bring it within [0, 1]."""
    both = given.float() / 255, target.float() / 255
    for axes in ((-1,), (-2,), None):
        turned = torch.rand(len(given), generator=generator) < 0.5
        for each in both:
            each[turned] = each[turned].mT if axes is None else each[turned].flip(axes)
    return both
