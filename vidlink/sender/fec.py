"""Settings of forward error correction, and how strong a code must be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from vidlink import units
from vidlink.rtp.parity import OVERHEAD_BYTES
from vidlink.units import LARGEST_BLOCK


@dataclass(frozen=True, kw_only=True, slots=True)
class Fec:
    """A block erasure code for the packets of a segment. Make one with :func:`parse_fec`."""

    code: str
    """``none``, ``xor``, ``rs`` or ``auto``."""
    k: int = 10
    """Most source packets in a block."""
    n: int = 10
    """Packets in a full block, parity included; shorter blocks get parity in proportion, rounded up."""
    key_n: int = 10
    """The same for the packets of key pictures, on which the rest of the segment hangs."""
    depth: int = 1
    """Blocks whose packets alternate on the wire, so that a burst hits each of them less."""
    target: float | None = None
    """Residual loss to reach at ``loss_rate``: share of source packets that cannot be recovered."""
    loss_rate: float | None = None
    """Loss that ``auto`` reckons with; see :meth:`at`."""

    @property
    def overhead_bytes(self) -> int:
        """Bytes by which parity packets are longer than the packets they protect: video keeps so far below the MTU."""
        return 0 if self.code == "none" else OVERHEAD_BYTES

    def at(self, loss_rate: float) -> Self:
        """The same for a channel that loses this share of all packets; matters to ``auto`` only."""
        return replace(self, loss_rate=loss_rate)

    def parity(self, sources: int, *, key: bool) -> int:
        """Parity packets for a block of so many source packets.

        Raises
        ------
        ValueError
            ``auto`` does not know the loss rate; see :meth:`at`.
        """
        if self.code == "auto":
            if self.loss_rate is None or self.target is None:
                raise ValueError("auto needs a loss rate: use Fec.at(loss_rate)")
            return parity_for(sources, self.loss_rate, self.target)
        whole = (self.key_n if key else self.n) - self.k
        return -(-whole * sources // self.k)


def parse_fec(text: str) -> Fec:
    """Read the setting ``--fec``; its grammar and what it raises are :func:`vidlink.units.parse_fec`'s."""
    return Fec(**units.parse_fec(text))


def residual_loss(sources: int, parity: int, loss_rate: float) -> float:
    r"""Share of source packets that stay lost under independent losses.

    A block of n packets with k sources is lost beyond repair where more than n - k packets are; then its lost sources
    are: :math:`\sum_{i > n-k} \binom{n}{i} p^i (1-p)^{n-i} \, i / n`.

    Examples
    --------
    >>> [round(residual_loss(10, parity, 0.05), 4) for parity in range(3)]
    [0.05, 0.0201, 0.0051]
    """
    n = sources + parity
    return sum(
        math.comb(n, lost) * loss_rate**lost * (1 - loss_rate) ** (n - lost) * lost / n
        for lost in range(parity + 1, n + 1)
    )


@lru_cache(maxsize=4096)
def parity_for(sources: int, loss_rate: float, target: float) -> int:
    """Fewest parity packets that bring the residual loss of a block to ``target``, as many as fit where none do.

    Examples
    --------
    >>> parity_for(10, loss_rate=0.05, target=0.01)
    2
    """
    for parity in range(LARGEST_BLOCK - sources + 1):
        if residual_loss(sources, parity, loss_rate) <= target:
            return parity
    return LARGEST_BLOCK - sources
