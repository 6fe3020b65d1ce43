"""Counts what a network computes: multiplications with an addition of its convolutions and matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class MultiplyAdds:
    """Counts as a network is called.

    Parameters
    ----------
    network
        Its layers are watched from now on.
    """

    def __init__(self, network: nn.Module) -> None:
        self.total = 0
        """So many since it was last set to 0."""
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.LSTMCell):
                layer.register_forward_hook(self._count)

    def _count(self, layer: nn.Module, given: tuple[Tensor, ...], result: Any) -> None:
        if isinstance(layer, nn.LSTMCell):
            self.total += (layer.weight_ih.numel() + layer.weight_hh.numel()) * len(given[0])
            return
        places = given[0] if isinstance(layer, nn.ConvTranspose2d) else result
        weight: Any = layer.weight
        sites = places.shape[-2:].numel() if places.dim() == 4 else 1
        self.total += weight.numel() * sites * len(result)
