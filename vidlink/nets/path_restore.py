"""Path-Restore: block after block, a path finder says for each patch whether more is computed or a bypass is taken.

Yu et al., "Path-Restore: learning network path selection for image restoration", IEEE TPAMI 44 (2022), arXiv
1904.10343: each block has a shared path that all patches take, and behind it a dynamic one: a residual block or a
bypass. The path finder (convolutions, a recurrent cell with memory of the blocks before, a softmax) has the same
weights at every block. Fewer blocks and channels than theirs, and pictures come in upsampled and folded, as for
:mod:`~vidlink.nets.fsrcnn`. The shared path sees one cell where theirs sees nine: four of theirs, one after another,
are already as good a network as a short training makes, and residual blocks had nothing to add.

All paths share one space of features, so shared paths work on the whole picture, and a residual block sees the true
features around its patch: where patches with different paths meet there is nothing to blend, and nothing is computed
twice but for one row of cells around each patch that takes the longer path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidlink.nets.fsrcnn import KNOWN, RECTIFIED, known_of
from vidlink.nets.patchwork import CELL, cut, fill, grid_of, pick, put
from vidlink.nets.route import Routed, RoutedNetwork

if TYPE_CHECKING:
    from vidlink.nets.patchwork import Grid

BLOCKS = 4
"""How many there are; the paper has six."""
HIDDEN = 32
"""Units of the path finder's memory, as in the paper."""
FINDER = 16
"""Channels of its convolutions."""
STEP = 4
"""Cells a side of what it sees at once."""
BYPASS, LONG = 0, 1
"""The dynamic paths."""


def _convolution(before: int, after: int, padding: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=padding, padding_mode="replicate")


class Block(nn.Module):
    """A shared path, one 1x1 convolution beside a short cut, and a residual block that may be left out.

    Parameters
    ----------
    width
        Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shared = nn.Conv2d(width, width, 1)
        self.first, self.second = _convolution(width, width, 0), _convolution(width, width, 0)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def together(self, features: Tensor) -> Tensor:
        """The shared path, of whole pictures: shape (n, c, rows, columns), and back."""
        return features + self.shared(functional.leaky_relu(features, RECTIFIED))  # type: ignore[no-any-return]

    def longer(self, patches: Tensor) -> Tensor:
        """The residual block, of patches with two cells around each: shape (n, c, h + 4, w + 4) to (n, c, h, w)."""
        return patches[..., 2:-2, 2:-2] + self.second(self.first(functional.leaky_relu(patches, RECTIFIED)).relu())  # type: ignore[no-any-return]


class PathFinder(nn.Module):
    """Which dynamic path a patch takes, from its features and from what was decided before.

    Parameters
    ----------
    width
        Channels of the features.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, FINDER, STEP, STEP)
        self.gather = nn.Linear(2 * FINDER + KNOWN, HIDDEN)
        self.memory = nn.LSTMCell(HIDDEN, HIDDEN)
        self.last = nn.Linear(HIDDEN, 2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(
        self, patches: Tensor, known: Tensor, memory: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Logits of both paths, shape (n, 2), and the memory for the next block."""
        seen = functional.leaky_relu(self.look(patches), 0.1).flatten(2)
        gathered = torch.cat([seen.mean(dim=2), seen.amax(dim=2), known], 1)
        memory = self.memory(self.gather(gathered).relu(), memory)
        return self.last(memory[0]), memory

    def work(self, grid: Grid, width: int) -> int:
        """Multiply-adds for a patch of a grid, at one block."""
        places = (grid.height // STEP) * (grid.width // STEP)
        rest = (2 * FINDER + KNOWN) * HIDDEN + 8 * HIDDEN**2 + 2 * HIDDEN
        return places * STEP**2 * width * FINDER + rest


class PathRestore(RoutedNetwork):
    """Upsampled pictures in, restored ones of the same size out; untrained, it changes nothing.

    Parameters
    ----------
    width
        Channels of the blocks.
    blocks
        How many there are.
    """

    paths = ("bypass", "residual")

    def __init__(self, width: int = 24, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.width = width
        self.first = _convolution(CELL * CELL, width)
        nn.init.kaiming_normal_(self.first.weight)
        self.known = nn.Linear(KNOWN, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.finder = PathFinder(width)
        self.last = _convolution(width, CELL * CELL)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def begin(self, pictures: Tensor, known: Tensor) -> Tensor:
        """First features, shape (n, c, rows, columns) in cells: of pictures of shape (n, 1, h, w), whole cells."""
        return self.first(functional.pixel_unshuffle(pictures - 0.5, CELL)) + self.known(known)[:, :, None, None]  # type: ignore[no-any-return]

    def end(self, features: Tensor) -> Tensor:
        """What the pictures lack, shape (n, 1, h, w)."""
        return functional.pixel_shuffle(self.last(functional.leaky_relu(features, RECTIFIED)), CELL)

    def costs(self, grid: Grid) -> tuple[int, int]:
        """Multiply-adds for one patch of a grid: what all take together, and a residual block."""
        cells, square = grid.cells, 9 * self.width**2
        shared = (
            cells * (2 * 9 * CELL**2 * self.width + len(self.blocks) * self.width**2)
            + KNOWN * self.width // grid.patches
        )
        longer = (cells + (grid.height + 2) * (grid.width + 2)) * square
        return shared + len(self.blocks) * self.finder.work(grid, self.width), longer

    def least(self, height: int, width: int) -> float:
        """Multiply-adds that a picture of so many pixels takes at the least."""
        grid = grid_of(height, width)
        return float(grid.patches * self.costs(grid)[0] + KNOWN * self.width)

    def whole(self, pictures: Tensor, known: Tensor, path: int = LONG) -> Tensor:
        """Restore with one dynamic path everywhere, nothing sought: shape (n, 1, h, w), and back."""
        height, width = pictures.shape[-2:]
        filled = functional.pad(pictures, (0, -width % CELL, 0, -height % CELL), mode="replicate")
        features = self.begin(filled, known)
        blocks: Any = self.blocks
        for block in blocks:
            features = block.together(features)
            if path == LONG:
                features = block.longer(functional.pad(features, (2, 2, 2, 2), mode="replicate"))
        return (filled + self.end(features))[..., :height, :width]

    def route(self, picture: Tensor, scale: float, qp: float, *, budget: float | None = None) -> Routed:
        """Restore a picture, each patch by the paths that are found for it.

        What a budget leaves for residual blocks is shared among the blocks that are still to come, and at each the
        patches for which it is least probable are bypassed.
        """
        grid = grid_of(*picture.shape)
        canvas = fill(picture[None, None], grid)
        known = known_of(picture.new_tensor([scale]), picture.new_tensor([qp]))
        of_patches = known.expand(grid.patches, -1)
        longer = self.costs(grid)[1]
        most = None if budget is None else int(max(0.0, budget - self.least(*picture.shape)) // longer)
        features, memory = self.begin(canvas, known), None
        counts = torch.zeros(grid.patches, dtype=torch.long, device=picture.device)
        blocks: Any = self.blocks
        for number, block in enumerate(blocks):
            features = block.together(features)
            logits, memory = self.finder(cut(features, grid.height, grid.width, 0), of_patches, memory)
            room = grid.patches if most is None else (most - int(counts.sum())) // (len(self.blocks) - number)
            chosen = choose(logits, room)
            features = take_longer(block, features, chosen, grid)
            counts[chosen] += 1
        restored = (canvas + self.end(features))[0, 0, : picture.shape[0], : picture.shape[1]]
        long = int(counts.sum())
        return Routed(
            picture=restored,
            chosen=counts.reshape(grid.rows, grid.columns),
            patches={"bypass": grid.patches * len(self.blocks) - long, "residual": long},
        )


def choose(logits: Tensor, room: int) -> Tensor:
    """Numbers of the patches that take the longer path: the more probable one, of so many patches at the most."""
    gain = logits[:, LONG] - logits[:, BYPASS]
    order = gain.argsort(descending=True, stable=True)[:room]
    return order[gain[order] > 0]


def take_longer(block: Block, features: Tensor, chosen: Tensor, grid: Grid) -> Tensor:
    """Features after the dynamic path: of the chosen patches by the residual block, of the others as they are."""
    if not len(chosen):
        return features
    lengthened = features.clone()
    put(lengthened, block.longer(pick(features, grid.height, grid.width, 2, chosen)), chosen)
    return lengthened
