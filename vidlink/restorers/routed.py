"""Restorers that compute where it pays: each patch of a picture takes a path of its own, within a budget."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np
import torch

from vidlink.nets.routes import load_routed
from vidlink.restorers.count import MultiplyAdds
from vidlink.restorers.network import REACH, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.restorers.restorer import Look


class RoutedRestorer:
    """A network that chooses a path for each patch; pictures of other scale factors stay as they are.

    Parameters
    ----------
    path
        Its weights.
    device
        Where to compute; None for the CPU.
    budget
        Multiply-adds that a picture may take, a pixel of full size; None for any.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or another network's.
    """

    frames = 1

    def __init__(self, path: Path, *, device: torch.device | None = None, budget: float | None = None) -> None:
        network, self.scales = load_routed(path)
        self.device, self.budget = device or torch.device("cpu"), budget
        self._network = network.to(self.device).eval()
        self._count = MultiplyAdds(network)
        self.multiply_adds = 0.0
        self.patches: dict[str, int] = {}
        """How many patches of the last picture took each path."""
        self.chosen: NDArray[np.int64] = np.zeros((0, 0), np.int64)
        """Which path each of them took, shape (rows, columns)."""

    def suits(self, scale: float) -> bool:
        """Whether pictures of a scale factor are restored."""
        low, high = self.scales
        return low / REACH <= scale <= high * REACH

    def least(self, height: int, width: int) -> float:
        """Multiply-adds that a picture of so many pixels takes at the least, a pixel."""
        return self._network.least(height, width) / (height * width)

    def __call__(self, looks: Sequence[Look]) -> NDArray[np.uint8]:
        """Restore the picture, or leave it as it is."""
        asked = looks[0]
        self.multiply_adds, self._count.total, self.patches = 0.0, 0, {}
        if not self.suits(asked.scale):
            return asked.large
        large = asked.large
        budget = None if self.budget is None else self.budget * large.size
        with torch.inference_mode():
            found = self._network.route(self._tensor(large), asked.scale, asked.qp, budget=budget)
        self.multiply_adds, self.patches = self._count.total / large.size, found.patches
        self.chosen = found.chosen.cpu().numpy()
        return rounded(found.picture.clamp(0, 1).cpu().numpy())

    def _tensor(self, picture: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(picture)).to(self.device).float() / 255


class _Shipped(RoutedRestorer):
    shipped: str
    """File of its weights in ``vidlink.weights``."""

    def __init__(self, *, device: torch.device | None = None, budget: float | None = None) -> None:
        with as_file(files("vidlink.weights") / self.shipped) as path:
            super().__init__(path, device=device, budget=budget)


class ClassSR(_Shipped):
    """A classifier sends each patch to a simple, a medium or a complex network, for scale factors from 2 to 4."""

    shipped = "restorer-classsr.safetensors"


class PathRestore(_Shipped):
    """Block by block, a path finder says where more is computed, for scale factors from 2 to 4."""

    shipped = "restorer-path-restore.safetensors"
