"""Settings of forward error correction, and how strong a code must be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from vidlink.errors import UserError
from vidlink.rtp.erasure import LARGEST_BLOCK
from vidlink.rtp.parity import OVERHEAD_BYTES

_KEYS = {"none": set[str](), "xor": {"k", "depth"}, "rs": {"k", "n", "key_n", "depth"}, "auto": {"k", "depth"}}
_GRAMMAR = "none, xor:k=5, rs:k=10,n=12[,key_n=14][,depth=2] or auto:0.01[,k=10][,depth=2]"


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
    """Read the setting ``--fec``.

    ``none``
        No parity.
    ``xor:k=5``
        After each 5 packets one that is the XOR of them.
    ``rs:k=10,n=12``
        After each 10 packets 2 of a Reed-Solomon code: any 10 of the 12 are enough. ``key_n=14`` gives key pictures 4;
        with ``n=10`` only they are protected.
    ``auto:0.01``
        Blocks of up to ``k`` packets (10) with as much parity as brings independent losses of the channel's mean rate
        down to 0.01 of the packets.

    ``depth=4`` lets the packets of 4 blocks alternate.

    Raises
    ------
    UserError
        Not of this form; n < k; key_n < n; a block of more than 255 packets; a target outside 0 to 1.
    """
    name, _, rest = text.strip().partition(":")
    if name not in _KEYS:
        raise UserError(f"fec {text!r}: expected {_GRAMMAR}")
    parts = [part.strip() for part in rest.split(",")] if rest else []
    target = _target(parts.pop(0) if parts else "", text) if name == "auto" else None
    numbers = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key not in _KEYS[name] or key in numbers or not (value.isascii() and value.isdigit()) or len(value) > 6:
            raise UserError(f"fec {text!r}: found {part!r}, expected {_GRAMMAR}")
        numbers[key] = int(value)
    k, depth = numbers.get("k", 10), numbers.get("depth", 1)
    n = k + 1 if name == "xor" else numbers.get("n", k + 2 if name == "rs" else k)
    key_n = numbers.get("key_n", n)
    if k < 1:
        raise UserError(f"fec {text!r}: k = {k}, a block has at least 1 source packet")
    if n < k:
        raise UserError(f"fec {text!r}: n = {n} is less than k = {k}; n counts source and parity packets together")
    if key_n < n:
        raise UserError(f"fec {text!r}: key_n = {key_n} is less than n = {n}; key pictures get at least as much parity")
    if key_n > LARGEST_BLOCK:
        raise UserError(f"fec {text!r}: a block has at most {LARGEST_BLOCK} packets")
    if not 1 <= depth <= LARGEST_BLOCK:
        raise UserError(f"fec {text!r}: depth = {depth}, must be 1 to {LARGEST_BLOCK}")
    return Fec(code=name, k=k, n=n, key_n=key_n, depth=depth, target=target)


def _target(text: str, setting: str) -> float:
    try:
        target = float(text)
    except ValueError:
        target = math.nan
    if not 0 < target < 1:
        raise UserError(f"fec {setting!r}: found {text!r}, expected a residual loss between 0 and 1, such as auto:0.01")
    return target


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
