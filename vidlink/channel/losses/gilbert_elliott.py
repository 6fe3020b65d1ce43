"""Losses in bursts: a Markov chain of two states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from vidlink.channel.fields import Probability
from vidlink.channel.losses.model import LossModel, LossTable
from vidlink.units import NUMBER

if TYPE_CHECKING:
    from numpy.typing import NDArray


class GilbertElliott(LossTable):
    """Losses in bursts: a good and a bad state that change from packet to packet (Gilbert 1960, Elliott 1963).

    Either ``p`` and ``r`` (and ``k``, ``h``), or ``mean_loss`` and ``mean_burst``. The names are those of Hasslinger
    and Hohlfeld, "The Gilbert-Elliott Model for Packet Loss in Real Time Services on the Internet" (MMB 2008).
    """

    model: Literal["gilbert-elliott"]
    p: Probability | None = None
    """Probability of going from good to bad with the next packet."""
    r: Probability | None = None
    """Probability of going from bad to good with the next packet."""
    h: Probability = 0.0
    """Probability that a packet arrives in the bad state."""
    k: Probability = 1.0
    """Probability that a packet arrives in the good state."""
    mean_loss: float | None = Field(default=None, ge=0, lt=1)
    """Share of packets lost in the long run, with h = 0 and k = 1."""
    mean_burst: float | None = Field(default=None, ge=1, le=NUMBER.most)
    """Mean number of packets lost in a row, with h = 0 and k = 1."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_states = (self.p is not None, self.r is not None)
        by_means = (self.mean_loss is not None, self.mean_burst is not None)
        if not (all(by_states) and not any(by_means)) and not (all(by_means) and not any(by_states)):
            raise ValueError("give p and r (and h, k), or mean_loss and mean_burst")
        if all(by_means) and self.model_fields_set & {"h", "k"}:
            raise ValueError("mean_loss and mean_burst imply h = 0 and k = 1")
        if self.h > self.k:
            raise ValueError(
                f"h = {self.h:g} is more than k = {self.k:g}: h is the chance to arrive in the bad state, k in the "
                "good one, so the bad state would be the better one; exchange them, and p and r"
            )
        self.chances()
        return self

    def chances(self) -> tuple[float, float, float, float]:
        """(p, r, h, k); from the means r = 1 / burst and p = r loss / (1 - loss)."""
        if self.p is not None and self.r is not None:
            return self.p, self.r, self.h, self.k
        assert self.mean_loss is not None and self.mean_burst is not None  # noqa: PT018
        r = 1 / self.mean_burst
        p = r * self.mean_loss / (1 - self.mean_loss)
        if p > 1:
            least = self.mean_loss / (1 - self.mean_loss)
            raise ValueError(f"mean_burst {self.mean_burst}: at a mean_loss of {self.mean_loss} at least {least:.3g}")
        return p, r, 0.0, 1.0

    def build(self, rng: np.random.Generator) -> LossModel:
        """The model, in a state of its own."""
        return GilbertElliottLoss(*self.chances(), rng=rng)

    def expected(self, packet_bytes: int = 1000) -> float:
        """Share of packets that are lost in the long run."""
        p, r, h, k = self.chances()
        bad = p / (p + r) if p else 0.0
        return (1 - bad) * (1 - k) + bad * (1 - h)


class GilbertElliottLoss:
    r"""A Markov chain of a good and a bad state, one step a packet, started in its stationary distribution.

    In the long run the chain is bad for a share :math:`\pi = p / (p + r)` of the packets and
    :math:`(1 - \pi)(1 - k) + \pi(1 - h)` of them are lost; stays in the bad state last 1 / r packets on average.

    Parameters
    ----------
    p, r
        Probability of going from good to bad, and from bad to good.
    h, k
        Probability that a packet arrives in the bad, and in the good state.
    rng
        Source of randomness.
    """

    def __init__(self, p: float, r: float, h: float = 0.0, k: float = 1.0, *, rng: np.random.Generator) -> None:
        self._p, self._r, self._h, self._k = p, r, h, k
        self._steps, self._draws = rng.spawn(2)
        self._bad = bool(rng.random() * (p + r) < p)

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A step and a draw a packet."""
        bad = self._states(len(sizes))
        return self._draws.random(len(sizes)) < np.where(bad, 1 - self._h, 1 - self._k)

    def _states(self, count: int) -> NDArray[np.bool_]:
        """States of the next packets, without a loop.

        With one uniform number u a step both states move: good becomes bad where u < p, bad stays bad where u < 1 - r.
        So below the smaller of the two everything becomes bad, above the larger everything becomes good, and in
        between the state is kept (p <= 1 - r) or swapped. A state is then that of the last step which forgets, and the
        swaps since.
        """
        if count == 0:
            return np.zeros(0, dtype=bool)
        low, high = sorted((self._p, 1 - self._r))
        step = self._steps.random(count)
        to_bad, to_good = step < low, step >= high
        forgets = np.flatnonzero(to_bad | to_good)
        since = np.cumsum(np.bincount(forgets, minlength=count))
        states = np.concatenate(([self._bad], to_bad[forgets]))[since]
        if self._p > 1 - self._r:
            swaps: NDArray[np.int64] = np.cumsum(~(to_bad | to_good))
            states ^= (swaps - np.concatenate(([0], swaps[forgets]))[since]) % 2 == 1
        first = self._bad
        self._bad = bool(states[-1])
        return np.concatenate(([first], states[:-1]))
