"""What a loss model is: a table of a channel file, and what it builds."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

from vidlink.channel.fields import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LossModel(Protocol):
    """Decides packet after packet."""

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the next packets are lost, shape (n,); ``sizes`` are their bytes, shape (n,)."""
        ...


class LossTable(Table):
    """The table ``loss`` of a channel file. Its key ``model``, a ``Literal``, is the model's name."""

    @abstractmethod
    def build(self, rng: np.random.Generator) -> LossModel:
        """The model, in a state of its own.

        Raises
        ------
        UserError
            A file that it names cannot be read.
        """

    @abstractmethod
    def expected(self, packet_bytes: int = 1000) -> float:
        """Share of packets of so many bytes that are lost in the long run.

        It is what a sender that knows its channel reckons with.

        Raises
        ------
        UserError
            A file that it names cannot be read.
        """
