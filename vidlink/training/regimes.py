"""Training regimes as data: one row a regime."""

from __future__ import annotations

from dataclasses import dataclass

from vidlink.errors import unknown


@dataclass(frozen=True, kw_only=True)
class Regime:
    """What a network is trained on."""

    name: str
    """Its name on the command line."""
    summary: str
    """One line for lists."""
    scales: tuple[float, float]
    """Least and largest scale factor that training pictures are degraded by."""
    coded: float
    """Share of training pictures with codec loss."""


REGIMES = (
    Regime(name="hr", summary="pristine pictures only", scales=(1.0, 1.0), coded=0.0),
    Regime(name="mix", summary="each picture degraded by a random factor in [1, 6]", scales=(1.0, 6.0), coded=0.2),
)
"""All regimes."""


def find_regime(name: str) -> Regime:
    """Find the regime of that name.

    Raises
    ------
    UserError
        Where there is none.
    """
    for regime in REGIMES:
        if regime.name == name:
            return regime
    raise unknown("regime", name, [regime.name for regime in REGIMES])
