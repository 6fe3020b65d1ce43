"""Independent losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vidlink.channel.fields import Probability
from vidlink.channel.losses.model import LossModel, LossTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class NoLoss(LossTable):
    """Nothing is lost."""

    model: Literal["none"] = "none"

    def build(self, rng: np.random.Generator) -> LossModel:
        """The model, in a state of its own."""
        return BernoulliLoss(0.0, rng)

    def expected(self, packet_bytes: int = 1000) -> float:
        """Share of packets that are lost in the long run."""
        return 0.0


class Bernoulli(LossTable):
    """Each packet is lost independently of the others."""

    model: Literal["bernoulli"]
    probability: Probability
    """Of losing a packet."""

    def build(self, rng: np.random.Generator) -> LossModel:
        """The model, in a state of its own."""
        return BernoulliLoss(self.probability, rng)

    def expected(self, packet_bytes: int = 1000) -> float:
        """Share of packets that are lost in the long run."""
        return self.probability


class BernoulliLoss:
    """Independent losses with one probability."""

    def __init__(self, probability: float, rng: np.random.Generator) -> None:
        self._probability, self._rng = probability, rng

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A draw a packet."""
        return self._rng.random(len(sizes)) < self._probability
