"""What a network makes of pictures on the way to its answer: all that a loss may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

RESTORES, THROUGH, BRANCHES = "restores", "through", "branches"
"""What a network may say in ``gives``: it gives restored pictures; its recognizer sees nothing but these; it has two
branches whose features can be held against each other."""


class Seen(NamedTuple):
    """What a network makes of n pictures."""

    outputs: tuple[Tensor, ...] = ()
    """All that is held against the labels; the last one is the answer."""
    restored: tuple[Tensor, ...] = ()
    """Pictures, shape (n, c, h, w) each, that are held against the pristine ones; they may leave [0, 1] a little."""
    features: Tensor | None = None
    """What the last layers see, shape (n, features) or (n, features, rows, columns)."""
    beside: Tensor | None = None
    """Features of the branch that restores; rows and columns as in ``features``."""


def see(network: Any, pictures: Tensor, scale: Tensor, *, recognize: bool = True) -> Seen:
    """Let a network look at pictures.

    Parameters
    ----------
    network
        Has ``see`` with these parameters, and says in ``gives`` what is in it; or ``features`` and ``head`` alone.
    pictures
        Shape (n, c, h, w), within [0, 1].
    scale
        Scale factor of each, shape (n,).
    recognize
        Whether outputs and features are wanted; a network that restores first may leave them out.
    """
    if hasattr(network, "see"):
        found: Seen = network.see(pictures, scale, recognize=recognize)
        return found
    features = network.features(pictures, scale)
    return Seen(outputs=(network.head(features),), features=features)
