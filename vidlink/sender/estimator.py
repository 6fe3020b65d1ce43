"""What a bandwidth estimator is, and how one is found: by name, or as ``package.module:Class``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vidlink.errors import UserError
from vidlink.plugins import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

ESTIMATORS = Catalogue(
    what="estimator",
    label="--estimator {name}",
    shipped={
        "gcc": "vidlink.sender.estimator_gcc:Gcc",
        "fixed": "vidlink.sender.estimators:Fixed",
        "throughput": "vidlink.sender.estimators:Throughput",
        "clairvoyant": "vidlink.sender.estimators:Clairvoyant",
    },
)
"""The estimators by name."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Feedback:
    """A receiver's report joined with what the sender knows of the packets, a row a packet, in order of sending."""

    received_s: float
    """When the report reached the sender, in seconds."""
    send_s: NDArray[np.float64]
    """When each packet left the sender in seconds, shape (n,)."""
    arrival_s: NDArray[np.float64]
    """When it arrived in seconds on the receiver's clock; NaN where it is missing, shape (n,)."""
    bytes: NDArray[np.int64]
    """Bytes on the wire, shape (n,)."""


class Estimator(Protocol):
    """Estimates what a link carries, from feedback alone.

    It is made with those of the keywords ``start_bps`` (rate before any feedback, in bits per second), ``feedback_s``
    (seconds between reports) and ``capacity_bps`` (a function of two times: what the link carries between them on
    average, None where it has no limit; no honest estimator asks for it) that it takes. The class attributes may be
    left out.
    """

    pacing: float = 1.0
    """Packets leave at so many times the estimate."""
    queue_s: float | None = None
    """No packet leaves while more is under way than the estimate carries in a round trip and so many seconds; None lets
    all leave."""
    needs_feedback: bool = True
    """Whether the rate falls back while no feedback comes."""

    def feedback(self, feedback: Feedback) -> None:
        """Take in a report, in the order in which they reach the sender."""
        ...

    def estimate_bps(self, now_s: float) -> float:
        """Bits per second on the wire that the link is believed to carry from now on."""
        ...


def load_estimator(
    name: str, *, start_bps: float, feedback_s: float, capacity_bps: Callable[[float, float], float | None]
) -> Estimator:
    """Make an estimator.

    Parameters
    ----------
    name
        One that comes along, or ``package.module:Class``.
    start_bps, feedback_s, capacity_bps
        What it is offered; see :class:`Estimator`.

    Raises
    ------
    UserError
        There is none of that name, it cannot be imported or made (the reason is shown), or it lacks a method.
    """
    offered = {"start_bps": start_bps, "feedback_s": feedback_s, "capacity_bps": capacity_bps}
    made: Estimator = ESTIMATORS.make(name, offered)
    for method in ("feedback", "estimate_bps"):
        if not callable(getattr(made, method, None)):
            raise UserError(f"--estimator {name}: has no method {method}(), see vidlink.sender.estimator.Estimator")
    return made


def check_estimator(name: str) -> None:
    """Refuse a name that is neither shipped nor ``package.module:Class``; raises UserError."""
    ESTIMATORS.target(name)


def list_estimators() -> dict[str, str]:
    """Name and one line of every estimator that comes along."""
    return ESTIMATORS.summaries()
