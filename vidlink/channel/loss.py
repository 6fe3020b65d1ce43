"""Which packets are lost: models that carry their state from call to call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from vidlink.channel.profile import Bernoulli, BitErrors, GilbertElliott, NoLoss, Recorded
from vidlink.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class LossModel(Protocol):
    """Decides packet after packet."""

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the next packets are lost, shape (n,); ``sizes`` are their bytes, shape (n,)."""
        ...


def build_loss(
    settings: NoLoss | Bernoulli | GilbertElliott | Recorded | BitErrors, rng: np.random.Generator
) -> LossModel:
    """The model that a profile describes.

    Raises
    ------
    UserError
        A recorded sequence cannot be read.
    """
    if isinstance(settings, Bernoulli):
        return BernoulliLoss(settings.probability, rng)
    if isinstance(settings, GilbertElliott):
        return GilbertElliottLoss(*settings.chances(), rng=rng)
    if isinstance(settings, Recorded):
        return RecordedLoss(read_recorded(settings.path))
    if isinstance(settings, BitErrors):
        return BitErrorLoss(settings.rate, rng)
    return BernoulliLoss(0.0, rng)


def expected_loss(
    settings: NoLoss | Bernoulli | GilbertElliott | Recorded | BitErrors, packet_bytes: int = 1000
) -> float:
    """Share of packets that a model loses in the long run: what a sender that knows its channel reckons with.

    Parameters
    ----------
    settings
        The model.
    packet_bytes
        Size of the packets; matters to bit errors only.

    Raises
    ------
    UserError
        A recorded sequence cannot be read.
    """
    if isinstance(settings, Bernoulli):
        return settings.probability
    if isinstance(settings, GilbertElliott):
        p, r, h, k = settings.chances()
        bad = p / (p + r) if p else 0.0
        return (1 - bad) * (1 - k) + bad * (1 - h)
    if isinstance(settings, Recorded):
        return float(read_recorded(settings.path).mean())
    if isinstance(settings, BitErrors):
        return 1 - (1 - settings.rate) ** (8 * packet_bytes)
    return 0.0


class BernoulliLoss:
    """Independent losses with one probability."""

    def __init__(self, probability: float, rng: np.random.Generator) -> None:
        self._probability, self._rng = probability, rng

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A draw a packet."""
        return self._rng.random(len(sizes)) < self._probability


class BitErrorLoss:
    """Independent bit errors: a packet of n bytes survives with probability (1 - rate)^(8 n)."""

    def __init__(self, rate: float, rng: np.random.Generator) -> None:
        self._rate, self._rng = rate, rng

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A draw a packet."""
        if self._rate >= 1:
            return np.ones(len(sizes), dtype=bool)
        return self._rng.random(len(sizes)) < -np.expm1(8 * sizes * np.log1p(-self._rate))


class RecordedLoss:
    """A recorded sequence, repeated."""

    def __init__(self, sequence: NDArray[np.bool_]) -> None:
        self._sequence, self._position = sequence, 0

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The next entries of the sequence."""
        rows = (self._position + np.arange(len(sizes))) % len(self._sequence)
        self._position = (self._position + len(sizes)) % len(self._sequence)
        return self._sequence[rows]


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


def read_recorded(path: Path) -> NDArray[np.bool_]:
    """Read a recorded loss sequence: one character a packet, ``1`` lost, ``0`` not, blanks and line ends skipped.

    Raises
    ------
    UserError
        The file cannot be read, holds another character, or nothing.
    """
    try:
        text = "".join(path.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"loss sequence {path}: cannot be read as text ({error})") from None
    if not text:
        raise UserError(f"loss sequence {path}: is empty, expected a 0 or 1 a packet")
    wrong = set(text) - {"0", "1"}
    if wrong:
        raise UserError(f"loss sequence {path}: found {sorted(wrong)[0]!r}, expected a 0 or 1 a packet")
    return np.frombuffer(text.encode(), dtype=np.uint8) == ord("1")
