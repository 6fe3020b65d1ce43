"""A recorded sequence of losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from vidlink.channel.fields import BesideProfile
from vidlink.channel.losses.model import LossModel, LossTable
from vidlink.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class Recorded(LossTable):
    """A recorded sequence, repeated: a character a packet, ``1`` lost, ``0`` not; blanks and line ends do not count."""

    model: Literal["recorded"]
    path: BesideProfile
    """Text file with the sequence; a relative path starts at the profile's folder."""

    def build(self, rng: np.random.Generator) -> LossModel:
        """The model, in a state of its own."""
        return RecordedLoss(read_recorded(self.path))

    def expected(self, packet_bytes: int = 1000) -> float:
        """Share of packets that are lost in the long run."""
        return float(read_recorded(self.path).mean())


class RecordedLoss:
    """A recorded sequence, repeated."""

    def __init__(self, sequence: NDArray[np.bool_]) -> None:
        self._sequence, self._position = sequence, 0

    def lost(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The next entries of the sequence."""
        rows = (self._position + np.arange(len(sizes))) % len(self._sequence)
        self._position = (self._position + len(sizes)) % len(self._sequence)
        return self._sequence[rows]


def read_recorded(path: Path) -> NDArray[np.bool_]:
    """Read a recorded loss sequence: one character a packet, ``1`` lost, ``0`` not, blanks and line ends skipped.

    Raises
    ------
    UserError
        The file cannot be read, holds another character, or nothing.
    """
    try:
        text = "".join(path.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"loss sequence {path}: cannot be read as text ({error})") from None
    if not text:
        raise UserError(f"loss sequence {path}: is empty, expected a 0 or 1 a packet")
    wrong = set(text) - {"0", "1"}
    if wrong:
        raise UserError(f"loss sequence {path}: found {sorted(wrong)[0]!r}, expected a 0 or 1 a packet")
    return np.frombuffer(text.encode(), dtype=np.uint8) == ord("1")
