"""Bit errors, of which one is enough to lose a packet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from vidlink.channel.fields import Probability
from vidlink.channel.losses.model import LossModel, LossTable

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BitErrors(LossTable):
    """Bits are hit independently; a packet with one or more is dropped by its checksum, so long packets suffer more."""

    model: Literal["bit-errors"]
    rate: Probability
    """Probability that a bit is wrong (BER)."""

    def build(self, rng: np.random.Generator) -> LossModel:
        """The model, in a state of its own."""
        return BitErrorLoss(self.rate, rng)

    def expected(self, packet_bytes: int = 1000) -> float:
        """Share of packets that are lost in the long run."""
        return 1 - (1 - self.rate) ** (8 * packet_bytes)


class BitErrorLoss:
    """Independent bit errors: a packet of n bytes survives with probability (1 - rate)^(8 n)."""

    def __init__(self, rate: float, rng: np.random.Generator) -> None:
        self._rate, self._rng = rate, rng

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A draw a packet."""
        if self._rate >= 1:
            return np.ones(len(sizes), dtype=bool)
        return self._rng.random(len(sizes)) < -np.expm1(8 * sizes * np.log1p(-self._rate))
