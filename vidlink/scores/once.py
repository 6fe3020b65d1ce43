"""Things that come several times are worked on once: held pictures are on show for many frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from numpy.typing import NDArray


def once(things: Iterable[Hashable]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each different thing is first, and which of them each one is.

    Examples
    --------
    >>> first, which = once("abacc")
    >>> first.tolist(), which.tolist()
    ([0, 1, 3], [0, 1, 0, 2, 2])
    """
    numbers: dict[Hashable, int] = {}
    which = np.array([numbers.setdefault(thing, len(numbers)) for thing in things], np.int64)
    return np.unique(which, return_index=True)[1], which
