"""Networks as restorers: any file that ``vidlink.train --task sr`` writes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from vidlink.nets.temporal_sr import align
from vidlink.nets.weights import load_restorer_range
from vidlink.restorers.count import MultiplyAdds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.restorers.restorer import Look

REACH = math.sqrt(2)
"""A network restores pictures whose scale factor is at most this many times above or below those of its training."""
GRID = 4
"""Pictures are padded to a multiple of so many pixels, for networks that fold them."""


class NetworkRestorer:
    """A trained network; pictures of scale factors that it was not trained for stay as they are.

    One that was trained at no scale factor (against noise, haze, low light) restores every picture.

    Parameters
    ----------
    path
        Its weights.
    device
        Where to compute; None for the CPU.

    Raises
    ------
    UserError
        Where the weights are missing, damaged, no safetensors or no restorer's.
    """

    def __init__(self, path: Path, *, device: torch.device | None = None) -> None:
        network, self.scales = load_restorer_range(path)
        self.device = device or torch.device("cpu")
        self._network: Any = network.to(self.device).eval()
        self.frames = int(getattr(network, "frames", 1))
        self.multiply_adds = 0.0
        self._count = MultiplyAdds(network)

    def suits(self, scale: float) -> bool:
        """Whether pictures of a scale factor are restored."""
        low, high = self.scales
        if self._network.takes_lr:
            return round(scale, 1) == high
        return high == 1 or low / REACH <= scale <= high * REACH

    def __call__(self, looks: Sequence[Look]) -> NDArray[np.uint8]:
        """Restore the first picture, or leave it as it is."""
        asked = looks[0]
        self.multiply_adds, self._count.total = 0.0, 0
        if not self.suits(asked.scale):
            return asked.large
        with torch.inference_mode():
            restored = self._restored(looks).float().clamp(0, 1).cpu().numpy()
        self.multiply_adds = self._count.total / asked.large.size
        found = rounded(restored)
        height, width = asked.large.shape
        return found if found.shape == (height, width) else _resized(found, width, height)

    def _restored(self, looks: Sequence[Look]) -> Tensor:
        """Luma within about [0, 1]; of networks that take LR pictures a whole multiple of those."""
        asked = looks[0]
        scale = torch.tensor([asked.scale], device=self.device)
        if self._network.takes_lr:
            return self._network(self._tensor(asked.small)[None, None], scale)[0, 0]  # type: ignore[no-any-return]
        if self.frames > 1:
            window = align(torch.stack([self._tensor(look.large) for look in looks]))
            qp = torch.tensor([asked.qp], device=self.device)
            return self._network(window[None], scale, qp)[0, 0]  # type: ignore[no-any-return]
        height, width = asked.large.shape
        edge = self._network.shrink
        sides = (edge, edge + -width % GRID, edge, edge + -height % GRID)
        given = functional.pad(self._tensor(asked.large)[None, None], sides, mode="replicate")
        return self._network(given, scale)[0, 0, :height, :width]  # type: ignore[no-any-return]

    def _tensor(self, picture: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(picture)).to(self.device).float() / 255


class Temporal(NetworkRestorer):
    """Super-resolution from five pictures, aligned and weighted pixel by pixel, for scale factors from 2 to 4."""

    shipped = "restorer-temporal.safetensors"
    """File of its weights in ``vidlink.weights``."""

    def __init__(self, *, device: torch.device | None = None) -> None:
        from importlib.resources import as_file, files

        with as_file(files("vidlink.weights") / self.shipped) as path:
            super().__init__(path, device=device)


def rounded(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture within [0, 1] as 8 bits."""
    return np.floor(picture * 255 + 0.5).astype(np.uint8)


def _resized(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
