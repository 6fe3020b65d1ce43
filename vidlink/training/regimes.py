"""Training regimes as data: what a network is pre-trained on, tuned on, and how fast its early layers tune.

Cheng et al. (ACII 2017): "joint" pre-trains the early layers by super-resolution and tunes them a tenth as fast as the
rest, "non-joint" freezes them, "aggressive" pre-trains at a larger factor than the one that is tuned on, and
"one-for-all" pre-trains at the largest factor and tunes on all of them at once (Max-Mix).

Where a whole restorer stands before a recognizer that stays as it is, the restorer may learn to restore; or what the
recognizer needs; or both (M. Haris et al., "Task-driven super resolution", ICONIP 2021, arXiv 1803.11316; D. Liu et
al., IJCAI 2018, arXiv 1706.04284); or to be seen like the pristine picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vidlink.errors import UserError, unknown

LARGEST = 6.0
"""Largest factor of the regimes that cover a range."""

SLOW = 0.1
"""Rate of pre-trained layers against that of the others."""


@dataclass(frozen=True, kw_only=True)
class Regime:
    """What a network is trained on."""

    name: str
    """Its name on the command line."""
    summary: str
    """One line for lists."""
    scales: tuple[float, float]
    """Least and largest scale factor that training pictures are degraded by."""
    pretrain: float | None = None
    """Factor at which super-resolution pre-trains the early layers; None for no pre-training."""
    encoder_rate: float = 1.0
    """Learning rate of the early layers as a share of that of the others; 0 freezes them."""
    loss: str = "recognition"
    """What is learned from, as :func:`~vidlink.training.losses.parse_loss` reads it."""
    recognizer_rate: float = 1.0
    """Learning rate of the recognizer behind a restorer as a share; 0 freezes it."""

    @property
    def for_faces(self) -> bool:
        """Whether networks for faces can be trained so; those for pictures can be trained in every regime."""
        return self.loss == "recognition" and self.recognizer_rate == 1


FIXED = (
    Regime(name="hr", summary="pristine pictures only", scales=(1.0, 1.0)),
    Regime(name="mix", summary=f"each picture by a random factor in [1, {LARGEST:g}]", scales=(1.0, LARGEST)),
    Regime(
        name="joint-oa",
        summary=f"one for all (Max-Mix): super-resolution at {LARGEST:g}, then tuned as mix",
        scales=(1.0, LARGEST),
        pretrain=LARGEST,
        encoder_rate=SLOW,
    ),
)
"""Regimes without a factor in their name."""

FAMILIES = {
    "mix-S": "each picture by a random factor in [1, S]",
    "lr-S": "pictures at scale factor S only, no super-resolution",
    "non-joint-S": "super-resolution at S, frozen; the rest learns at S",
    "joint-S": "super-resolution at S, then all tuned at S",
    "joint-S-from-B": "aggressive: super-resolution at B > S, then all tuned at S",
}
"""Regimes with a factor in their name, a line each."""
HEAVY = 100
"""Weight of restoration beside recognition: a mean squared error of 0.01 counts as much as a cross-entropy of 1."""
FROZEN = {
    "restore": ("the restorer alone learns, to restore", "restoration"),
    "through": ("the restorer alone learns, what the recognizer behind it needs", "recognition"),
    "hybrid": ("the restorer alone learns, both", f"recognition,restoration:{HEAVY}"),
    "features": ("the restorer alone learns, to be seen like the pristine picture", "features"),
}
"""Regimes in which the recognizer stays, for pictures: a line and the loss of each. Their names may end in a factor."""

_FAMILY = re.compile(
    rf"(?P<kind>mix|lr|non-joint|joint|{'|'.join(FROZEN)})(?:-(?P<scale>\d+(?:\.\d+)?))?"
    r"(?:-from-(?P<pretrain>\d+(?:\.\d+)?))?"
)


def regime_names(*, pictures: bool = False) -> list[str]:
    """Names for lists and messages: those for faces, or all, which are for pictures."""
    return [*(regime.name for regime in FIXED), *FAMILIES, *(f"{name}[-S]" for name in FROZEN if pictures)]


def find_regime(name: str) -> Regime:
    """Find the regime of that name, like ``joint-oa``, ``lr-4`` or ``joint-3-from-6``.

    Raises
    ------
    UserError
        Where there is none, or its factors make no sense.

    Examples
    --------
    >>> regime = find_regime("joint-3-from-6")
    >>> regime.scales, regime.pretrain, regime.encoder_rate
    ((3.0, 3.0), 6.0, 0.1)
    """
    for regime in FIXED:
        if regime.name == name:
            return regime
    match = _FAMILY.fullmatch(name)
    if match is None or (match["pretrain"] and match["kind"] != "joint"):
        raise unknown("regime", name, regime_names(pictures=True))
    kind = match["kind"]
    if match["scale"] is None and kind not in FROZEN:
        raise unknown("regime", name, regime_names(pictures=True))
    scale = float(match["scale"] or 1)
    pretrain = float(match["pretrain"] or scale)
    if match["scale"] and not 1 < scale <= pretrain <= 16:
        raise UserError(f"regime {name!r}: factors are above 1 and at most 16, and the one after 'from' is not smaller")
    if kind in FROZEN:
        summary, loss = FROZEN[kind]
        return Regime(name=name, summary=summary, scales=(scale, scale), loss=loss, recognizer_rate=0.0)
    if kind in ("lr", "mix"):
        least = scale if kind == "lr" else 1.0
        return Regime(name=name, summary=FAMILIES[f"{kind}-S"], scales=(least, scale))
    family = f"{kind}-S" + ("-from-B" if match["pretrain"] else "")
    rate = 0.0 if kind == "non-joint" else SLOW
    return Regime(name=name, summary=FAMILIES[family], scales=(scale, scale), pretrain=pretrain, encoder_rate=rate)
