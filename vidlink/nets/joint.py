"""One network from any restorer and any recognizer, and the ways to share their early layers.

Cheng et al. (ACII 2017), step 2: the super-resolution network loses its last layer, the recognizer goes on from its
features, and both are tuned together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from vidlink.nets.seen import RESTORES, THROUGH, Seen

if TYPE_CHECKING:
    from torch import Tensor


class JointNet(nn.Module):
    """A restorer without its last layer and a recognizer behind it (the cascade).

    Parameters
    ----------
    restorer
        Has ``features(pictures, scale)`` and ``channels``, how many channels those have. One that ``takes_lr`` is given
        the pictures shrunk by its own ``scale``.
    recognizer
        Takes features of so many channels; has ``features`` and ``head``. If it has a ``size``, it is given squares of
        that side.
    """

    def __init__(self, restorer: nn.Module, recognizer: nn.Module) -> None:
        super().__init__()
        self.restorer, self.recognizer = restorer, recognizer
        restorer.last = nn.Identity()

    @property
    def encoder(self) -> nn.Module:
        """What super-resolution pre-trains and regimes tune slowly or freeze."""
        return self.restorer

    @property
    def head(self) -> nn.Module:
        """From the recognizer's features to the outputs."""
        return self.recognizer.head  # type: ignore[return-value]

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layer sees.

        Parameters
        ----------
        pictures
            Upsampled luma, shape (n, 1, side, side), within [0, 1].
        scale
            Scale factor of each, shape (n,); None for 1.

        Returns
        -------
        Tensor
            Shape (n, features).
        """
        inner = self._restored(pictures, scale)
        side = getattr(self.recognizer, "size", None)
        if side is not None and inner.shape[-2:] != (side, side):
            inner = functional.interpolate(inner, (side, side), mode="bilinear", align_corners=False)
        return self.recognizer.features(inner, scale)  # type: ignore[operator]

    def _restored(self, pictures: Tensor, scale: Tensor | None) -> Tensor:
        restorer: Any = self.restorer
        if restorer.takes_lr:
            pictures = functional.interpolate(pictures, scale_factor=1 / restorer.scale, mode="area")
        return restorer.features(pictures, scale)

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shapes (n, 1, side, side) and (n,) to (n, outputs)."""
        return self.head(self.features(pictures, scale))


class Cascade(nn.Module):
    """A whole restorer and a recognizer that sees what it restored, both tuned together.

    Liu et al., "When image denoising meets high-level vision tasks", IJCAI 2018, whose loss weighs recognition against
    restoration: :meth:`see` gives what both parts are held against.

    Parameters
    ----------
    restorer
        Gives pictures of the same size.
    recognizer
        Takes pictures; has ``features`` and ``head``.
    """

    gives = frozenset({RESTORES, THROUGH})

    def __init__(self, restorer: nn.Module, recognizer: nn.Module) -> None:
        super().__init__()
        self.restorer, self.recognizer = restorer, recognizer

    @property
    def encoder(self) -> nn.Module:
        """What super-resolution pre-trains and regimes tune slowly or freeze."""
        return self.restorer

    @property
    def head(self) -> nn.Module:
        """From the recognizer's features to the outputs."""
        return self.recognizer.head  # type: ignore[return-value]

    def restore(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the recognizer sees: shape (n, c, h, w), within [0, 1], and back."""
        return self.restorer(pictures, scale).clamp(0, 1)  # type: ignore[no-any-return]

    def see(self, pictures: Tensor, scale: Tensor, *, recognize: bool = True) -> Seen:
        """The restored pictures, and unless they alone are wanted outputs and features."""
        restored = self.restorer(pictures, scale)
        if not recognize:
            return Seen(restored=(restored,))
        features = self.recognizer.features(restored.clamp(0, 1), scale)  # type: ignore[operator]
        return Seen(outputs=(self.head(features),), restored=(restored,), features=features)

    def features(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """What the last layer sees: shapes (n, c, h, w) and (n,) to (n, features)."""
        return self.recognizer.features(self.restore(pictures, scale), scale)  # type: ignore[operator]

    def forward(self, pictures: Tensor, scale: Tensor | None = None) -> Tensor:
        """Shapes (n, c, h, w) and (n,) to (n, outputs)."""
        return self.head(self.features(pictures, scale))


def share_early_layers(restorer: nn.Module, recognizer: nn.Module) -> None:
    """Copy a restorer's convolutions into the recognizer's first ones, all but its last (the paper's variant).

    Parameters
    ----------
    restorer
        Trained for super-resolution.
    recognizer
        Its first convolutions have the same shapes.

    Raises
    ------
    ValueError
        Where a shape differs.
    """
    learned = [layer for layer in restorer.modules() if isinstance(layer, nn.Conv2d)][:-1]
    fresh = [layer for layer in recognizer.modules() if isinstance(layer, nn.Conv2d)][: len(learned)]
    shapes = [tuple(layer.weight.shape) for layer in learned]
    if shapes != [tuple(layer.weight.shape) for layer in fresh]:
        raise ValueError(f"{shapes = }: the recognizer has {[tuple(layer.weight.shape) for layer in fresh]}")
    with torch.no_grad():
        for old, new in zip(learned, fresh, strict=True):
            new.load_state_dict(old.state_dict())
