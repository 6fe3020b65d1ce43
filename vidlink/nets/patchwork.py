"""Pictures as patches, and back: a grid of equal patches, cut out with what is around them.

Sizes are in cells, blocks of 4x4 pixels that become the channels of one place (:data:`CELL`). A picture that no grid
fits is continued by its edge at the bottom and on the right, and cut again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

CELL = 4
"""Pixels a side of a cell."""
PATCH = 16
"""Cells a side of a patch, about: the nearest size by which a picture is divided without much left over."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How a picture is divided."""

    rows: int
    """Patches from top to bottom."""
    columns: int
    """Patches from left to right."""
    height: int
    """Cells of a patch from top to bottom."""
    width: int
    """Cells of a patch from left to right."""

    @property
    def patches(self) -> int:
        """How many there are."""
        return self.rows * self.columns

    @property
    def cells(self) -> int:
        """Cells of a patch."""
        return self.height * self.width


def grid_of(height: int, width: int) -> Grid:
    """The grid of a picture of so many pixels.

    Examples
    --------
    >>> grid_of(288, 352)
    Grid(rows=4, columns=6, height=18, width=15)
    """
    down, right = math.ceil(height / CELL), math.ceil(width / CELL)
    rows, columns = max(1, round(down / PATCH)), max(1, round(right / PATCH))
    return Grid(rows=rows, columns=columns, height=math.ceil(down / rows), width=math.ceil(right / columns))


def fill(pictures: Tensor, grid: Grid) -> Tensor:
    """Continue pictures by their edges until the grid fits: shape (n, c, h, w) in pixels."""
    down = grid.rows * grid.height * CELL - pictures.shape[-2]
    right = grid.columns * grid.width * CELL - pictures.shape[-1]
    return functional.pad(pictures, (0, right, 0, down), mode="replicate")


def cut(maps: Tensor, height: int, width: int, around: int) -> Tensor:
    """Cut maps into patches, each with what is around it; beyond the edge is the edge.

    Parameters
    ----------
    maps
        Shape (n, c, rows * height, columns * width).
    height, width
        Of a patch.
    around
        So much of its neighbours a patch has on each side.

    Returns
    -------
    Tensor
        Shape (n * rows * columns, c, height + 2 * around, width + 2 * around), row by row.
    """
    parts = _parts(maps, height, width, around)
    return parts.permute(0, 2, 3, 1, 4, 5).reshape(-1, maps.shape[1], height + 2 * around, width + 2 * around)


def pick(maps: Tensor, height: int, width: int, around: int, numbers: Tensor) -> Tensor:
    """Cut some patches out of one map, as :func:`cut` does: ``numbers`` of them, counted row by row."""
    parts = _parts(maps, height, width, around)[0]
    columns = parts.shape[2]
    return parts[:, numbers // columns, numbers % columns].swapaxes(0, 1)


def put(maps: Tensor, patches: Tensor, numbers: Tensor) -> None:
    """Lay patches into one map, in place: those of these numbers, counted row by row."""
    height, width = patches.shape[-2:]
    parts = maps[0].unfold(1, height, height).unfold(2, width, width)
    columns = parts.shape[2]
    parts[:, numbers // columns, numbers % columns] = patches.swapaxes(0, 1)


def _parts(maps: Tensor, height: int, width: int, around: int) -> Tensor:
    padded = functional.pad(maps, (around,) * 4, mode="replicate") if around else maps
    return padded.unfold(2, height + 2 * around, height).unfold(3, width + 2 * around, width)


def join(patches: Tensor, rows: int, columns: int) -> Tensor:
    """Lay patches side by side: shape (n * rows * columns, c, height, width) to (n, c, rows * height, ...)."""
    channels, height, width = patches.shape[1:]
    parts = patches.reshape(-1, rows, columns, channels, height, width).permute(0, 3, 1, 4, 2, 5)
    return parts.reshape(-1, channels, rows * height, columns * width)
