"""Training regimes as data: what a network is pre-trained on, tuned on, and how fast its early layers tune.

Cheng et al. (ACII 2017): "joint" pre-trains the early layers by super-resolution and tunes them a tenth as fast as the
rest, "non-joint" freezes them, "aggressive" pre-trains at a larger factor than the one that is tuned on, and
"one-for-all" pre-trains at the largest factor and tunes on all of them at once (Max-Mix).
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
    "lr-S": "pictures at scale factor S only, no super-resolution",
    "non-joint-S": "super-resolution at S, frozen; the rest learns at S",
    "joint-S": "super-resolution at S, then all tuned at S",
    "joint-S-from-B": "aggressive: super-resolution at B > S, then all tuned at S",
}
"""Regimes with a factor in their name, a line each."""

_FAMILY = re.compile(r"(?P<kind>lr|non-joint|joint)-(?P<scale>\d+(?:\.\d+)?)(?:-from-(?P<pretrain>\d+(?:\.\d+)?))?")


def regime_names() -> list[str]:
    """Names for lists and messages."""
    return [*(regime.name for regime in FIXED), *FAMILIES]


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
        raise unknown("regime", name, regime_names())
    scale = float(match["scale"])
    pretrain = float(match["pretrain"] or scale)
    if not 1 < scale <= pretrain <= 16:
        raise UserError(f"regime {name!r}: factors are above 1 and at most 16, and the one after 'from' is not smaller")
    if match["kind"] == "lr":
        return Regime(name=name, summary=FAMILIES["lr-S"], scales=(scale, scale))
    family = f"{match['kind']}-S" + ("-from-B" if match["pretrain"] else "")
    rate = 0.0 if match["kind"] == "non-joint" else SLOW
    return Regime(name=name, summary=FAMILIES[family], scales=(scale, scale), pretrain=pretrain, encoder_rate=rate)
