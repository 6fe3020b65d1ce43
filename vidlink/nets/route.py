"""What networks are that choose a path for each patch, and how they keep within a budget."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Routed:
    """A restored picture, and what became of its patches."""

    picture: Tensor
    """Shape (h, w); may leave [0, 1] a little."""
    chosen: Tensor
    """Which path each patch took, shape (rows, columns): 0 the cheapest."""
    patches: dict[str, int]
    """How many took each path, or each block."""


class RoutedNetwork(nn.Module, ABC):
    """Upsampled pictures in, restored ones of the same size out, each patch by a path of its own."""

    takes_lr = False
    """It takes pictures that were already upsampled to HR size."""
    shrink = 0
    """Pixels that the output lacks on each side."""
    frames = 1
    """Pictures that it looks at."""
    paths: tuple[str, ...]
    """What :attr:`Routed.patches` calls the paths, from the cheapest on."""

    @abstractmethod
    def route(self, picture: Tensor, scale: float, qp: float, *, budget: float | None = None) -> Routed:
        """Restore a picture.

        Parameters
        ----------
        picture
            Shape (h, w), within [0, 1].
        scale, qp
            What is known of it, as :func:`~vidlink.nets.fsrcnn.known_of` takes it.
        budget
            Multiply-adds that all of it may take; None for any.
        """

    @abstractmethod
    def least(self, height: int, width: int) -> float:
        """Multiply-adds that a picture of so many pixels takes at the least."""

    @abstractmethod
    def whole(self, pictures: Tensor, known: Tensor) -> Tensor:
        """Restore by the longest path alone, undivided, nothing chosen: shape (n, 1, h, w), and back."""

    def forward(self, pictures: Tensor, scale: Tensor, qp: Tensor | None = None) -> Tensor:
        """Restore each picture: shape (n, 1, h, w), and back; ``scale`` and ``qp`` are of shape (n,), no QP for 0."""
        each = zip(pictures[:, 0], scale.tolist(), [0.0] * len(pictures) if qp is None else qp.tolist(), strict=True)
        return torch.stack([self.route(picture, *known).picture for picture, *known in each])[:, None]


def within(chances: Tensor, costs: Sequence[float], budget: float | None) -> Tensor:
    """Choose a path for each patch: the most probable one, as long as the budget allows.

    While all together cost too much, the step to a cheaper path that loses the least probability for what it saves is
    taken: so patches about which the classifier is undecided go first, and those that it is sure of go last.

    Parameters
    ----------
    chances
        Probability of each path, shape (n, paths).
    costs
        What each path costs a patch, from the cheapest on.
    budget
        What all may cost together; None for any.

    Returns
    -------
    Tensor
        Shape (n,). Every patch has the cheapest path where the budget is too small for anything.

    Examples
    --------
    >>> chances = torch.tensor([[0.1, 0.9], [0.4, 0.6], [0.8, 0.2]])
    >>> within(chances, [1, 3], None).tolist(), within(chances, [1, 3], 6).tolist()
    ([1, 1, 0], [1, 0, 0])
    """
    chosen = chances.argmax(dim=1)
    if budget is None:
        return chosen
    price = torch.tensor(list(costs), dtype=torch.float64, device=chances.device)
    total = float(price[chosen].sum())
    steps = sorted(
        (_loss(row, top, to) / (costs[top] - costs[to]), patch, to)
        for patch, (row, top) in enumerate(zip(chances.tolist(), chosen.tolist(), strict=True))
        for to in range(top)
    )
    for _, patch, to in steps:
        if total <= budget:
            break
        now = int(chosen[patch])
        if to < now:
            total -= costs[now] - costs[to]
            chosen[patch] = to
    return chosen


def _loss(row: list[float], top: int, to: int) -> float:
    """Probability that a patch loses by a cheaper path: the chance that it needed more than that."""
    return sum(row[to + 1 : top + 1])
