"""ClassSR: a small classifier sends each patch to a simple, a medium or a complex network.

Kong et al., "ClassSR: a general framework to accelerate super-resolution networks by data characteristic", CVPR 2021,
arXiv 2103.04039: branches are FSRCNN with 16, 36 and 56 channels. While it learns, the result is the sum of all
branches weighted by the classes' probabilities; afterwards the most probable branch alone is computed.

The classifier is smaller than theirs (24 channels for 128), because it is counted, too: for luma theirs would take 30 %
of what the complex branch takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidlink.nets.fsrcnn import AROUND, FSRCNN, KNOWN, known_of
from vidlink.nets.patchwork import CELL, cut, fill, grid_of, pick, put
from vidlink.nets.route import Routed, RoutedNetwork, within

if TYPE_CHECKING:
    from vidlink.nets.patchwork import Grid

WIDTHS = (16, 36, 56)
"""Channels of the branches, from simple to complex."""
STEP = 2
"""Cells a side of what the classifier sees at once."""


class Classifier(nn.Module):
    """Which branch a patch is for: 8x8 pixels at once, three convolutions, and a mean over the patch.

    Parameters
    ----------
    classes
        How many branches there are.
    width
        Channels.
    """

    def __init__(self, classes: int = len(WIDTHS), width: int = 24) -> None:
        super().__init__()
        self.width, self.classes = width, classes
        self.first = nn.Conv2d(CELL * CELL, width, STEP, STEP)
        self.known = nn.Linear(KNOWN, width)
        self.rest = nn.Sequential(
            nn.LeakyReLU(0.1), nn.Conv2d(width, width, 1), nn.LeakyReLU(0.1), nn.Conv2d(width, width, 1),
            nn.LeakyReLU(0.1),
        )  # fmt: skip
        self.last = nn.Linear(width, classes)

    def forward(self, patches: Tensor, known: Tensor) -> Tensor:
        """Logits of the branches, shape (n, classes): of patches of whole cells, shape (n, 1, h, w), within [0, 1]."""
        centred = patches - patches.mean(dim=(-2, -1), keepdim=True)
        features = self.first(functional.pixel_unshuffle(8 * centred, CELL)) + self.known(known)[:, :, None, None]
        return self.last(self.rest(features).mean(dim=(-2, -1)))  # type: ignore[no-any-return]

    def work(self, height: int, width: int) -> int:
        """Multiply-adds for a patch of so many cells."""
        places = (height // STEP) * (width // STEP)
        convolutions = (CELL * STEP) ** 2 * self.width + 2 * self.width**2
        return places * convolutions + KNOWN * self.width + self.width * self.classes


class ClassSR(RoutedNetwork):
    """Upsampled pictures in, restored ones of the same size out; untrained, it changes nothing.

    Parameters
    ----------
    widths
        Channels of the branches, from simple to complex.
    """

    paths = ("simple", "medium", "complex")
    around = AROUND
    """Cells around a patch that the branches see."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.branches = nn.ModuleList(FSRCNN(width) for width in widths)
        self.classifier = Classifier(len(widths))

    def classify(self, patches: Tensor, known: Tensor) -> Tensor:
        """Logits of the branches, shape (n, classes), of patches with what is around them."""
        edge = AROUND * CELL
        return self.classifier(patches[..., edge:-edge, edge:-edge], known)  # type: ignore[no-any-return]

    def weighted(self, patches: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """All branches, weighted, as they learn: what patches lack, (n, 1, h, w), and probabilities, (n, classes)."""
        shares = self.classify(patches, known).float().softmax(dim=1)
        each = torch.cat([branch(patches, known) for branch in self.branches], 1)
        return (each * shares[:, :, None, None]).sum(dim=1, keepdim=True), shares

    def costs(self, grid: Grid) -> list[int]:
        """Multiply-adds of each branch for one patch of a grid."""
        return [branch.work(grid.height, grid.width) for branch in self.branches]  # type: ignore[operator]

    def least(self, height: int, width: int) -> float:
        """Multiply-adds that a picture of so many pixels takes at the least."""
        grid = grid_of(height, width)
        return float(grid.patches * (self.classifier.work(grid.height, grid.width) + min(self.costs(grid))))

    def whole(self, pictures: Tensor, known: Tensor, branch: int = -1) -> Tensor:
        """Restore by one branch, undivided, nothing classified: shape (n, 1, h, w), and back."""
        height, width = pictures.shape[-2:]
        edge = AROUND * CELL
        sides = (edge, edge + -width % CELL, edge, edge + -height % CELL)
        lacking = self.branches[branch](functional.pad(pictures, sides, mode="replicate"), known)
        return pictures + lacking[..., :height, :width]

    def route(self, picture: Tensor, scale: float, qp: float, *, budget: float | None = None) -> Routed:
        """Restore a picture, each patch by the branch that it is for.

        Where that takes more than the budget, patches that have the least to gain get simpler branches, until it is
        kept.
        """
        grid = grid_of(*picture.shape)
        canvas = fill(picture[None, None], grid)
        high, wide = grid.height * CELL, grid.width * CELL
        known = known_of(picture.new_tensor([scale]), picture.new_tensor([qp])).expand(grid.patches, -1)
        chances = self.classifier(cut(canvas, high, wide, 0), known).softmax(dim=1)
        costs = self.costs(grid)
        left = None if budget is None else budget - grid.patches * self.classifier.work(grid.height, grid.width)
        chosen = within(chances, costs, left)
        lacking = torch.empty_like(canvas)
        for number, branch in enumerate(self.branches):
            of_it = (chosen == number).nonzero()[:, 0]
            if len(of_it):
                patches = pick(canvas, high, wide, AROUND * CELL, of_it)
                put(lacking, branch(patches, known[: len(of_it)]), of_it)
        restored = (canvas + lacking)[0, 0, : picture.shape[0], : picture.shape[1]]
        counts = chosen.bincount(minlength=len(costs)).tolist()
        return Routed(
            picture=restored,
            chosen=chosen.reshape(grid.rows, grid.columns),
            patches=dict(zip(self.paths, counts, strict=True)),
        )
