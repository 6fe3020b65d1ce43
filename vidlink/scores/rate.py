"""What a run costs: bits a second and bits a pixel, of the payload and of all that is on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from vidlink.scores.measure import Measure


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """Sums over a run, from which all rates follow."""

    payload_bits: int
    """NAL units and side data that were sent."""
    wire_bits: int
    """Everything that the channel carried."""
    samples: int
    """Luma samples of the source: HR width x HR height x frames."""
    seconds: float
    """Length of the clip."""
    target_bps: float | None
    """The budget, where there was one."""


@dataclass(frozen=True, kw_only=True)
class RateMeasure(Measure):
    """A number that follows from the totals of a run."""

    section: ClassVar[str] = "rate"
    compute: Callable[[Totals], float | None]
    """Its value; None where it has none."""


RATES = (
    RateMeasure(
        column="wire_bps",
        name="wire",
        unit="kb/s",
        unit_size=1000,
        digits=3,
        decimals=1,
        compute=lambda run: run.wire_bits / run.seconds,
    ),
    RateMeasure(
        column="payload_bps",
        name="payload",
        unit="kb/s",
        unit_size=1000,
        digits=3,
        decimals=1,
        on_curves=False,
        headline=False,
        compute=lambda run: run.payload_bits / run.seconds,
    ),
    RateMeasure(column="bpp", name="bpp", digits=8, decimals=4, compute=lambda run: run.payload_bits / run.samples),
    RateMeasure(
        column="wire_bpp",
        name="wire bpp",
        digits=8,
        decimals=4,
        on_curves=False,
        compute=lambda run: run.wire_bits / run.samples,
    ),
    RateMeasure(
        column="utilisation",
        name="utilisation",
        digits=6,
        decimals=3,
        on_curves=False,
        headline=False,
        compute=lambda run: run.wire_bits / run.seconds / run.target_bps if run.target_bps else None,
    ),
)
"""In the order of the section ``rate`` of ``summary.json``."""


def rate_section(run: Totals) -> dict[str, Any]:
    """The section ``rate`` of ``summary.json``: the budget and all rates."""
    return {"target_bps": run.target_bps} | {rate.column: rate.rounded(rate.compute(run)) for rate in RATES}
