"""What a recognizer is: what it wants to see, what it gives, and what it is told beside the pictures.

Anyone can write one. It is a class that says what it wants and what it gives, and is called with a batch:

>>> class Brightness:
...     '''Mean brightness of the whole picture.'''
...     name, task = "brightness", "exposure"
...     wants = Wants(region="frame", height=8, width=8, colour="luma")
...     gives = ("brightness",)
...     def __call__(self, pictures, context):
...         return pictures.mean(dim=(1, 2, 3))[:, None]

It is found as ``package.module:Brightness``, or by name through the entry-point group ``vidlink.recognizers``, see
:mod:`vidlink.receiver.registry`. Its constructor is called with those of the keywords ``device`` (a ``torch.device``)
and ``weights`` (a path or None) that it takes; pictures come to the device in its attribute ``device``, if it has one.
The first line of its docstring describes it in lists.

One that also names the emotions of FER+ may have a method ``with_emotions``: called alike, it gives the same numbers
and after them a share for each of :data:`vidlink.data.faces.EMOTIONS`; ``vidlink.evaluate`` then scores accuracy too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Wants:
    """What a recognizer wants to see."""

    region: Literal["face", "frame"]
    """Squares around faces, or whole frames."""
    height: int
    """Height of a picture in pixels."""
    width: int
    """Width of a picture in pixels."""
    colour: Literal["luma", "rgb"]
    """One channel or three."""
    margin: float = 0.0
    """What is added on each side of a face box, as a share of its longer side; negative takes off."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a picture."""
        return (1 if self.colour == "luma" else 3, self.height, self.width)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Context:
    """What the receiver knows of each picture, for models that can use it; one entry a picture."""

    scale: NDArray[np.float64]
    """Scale factor at which the picture was coded, shape (n,)."""
    quality: NDArray[np.float64]
    """Value of the codec's quality knob, shape (n,); NaN where nothing was coded."""
    status: Sequence[str]
    """:class:`~vidlink.types.Status` of the picture, n strings."""

    @classmethod
    def pristine(cls, count: int) -> Context:
        """Make the context of ``count`` pictures that were never coded."""
        return cls(scale=np.ones(count), quality=np.full(count, np.nan), status=("ok",) * count)

    def take(self, rows: NDArray[np.int64]) -> Context:
        """Pick the entries at ``rows``."""
        status = tuple(str(self.status[row]) for row in rows)
        return Context(scale=self.scale[rows], quality=self.quality[rows], status=status)


@runtime_checkable
class Recognizer(Protocol):
    """A model behind the decoder."""

    name: str
    """What to call it."""
    task: str
    """What it recognizes, in a word: ``affect``, ``activity``."""
    wants: Wants
    """What it wants to see."""
    gives: tuple[str, ...]
    """Names of the numbers that it gives for each picture."""

    def __call__(self, pictures: Tensor, context: Context) -> Tensor:
        """Recognize a batch.

        Parameters
        ----------
        pictures
            Shape (n, channels, height, width), float32 within [0, 1], on the recognizer's device.
        context
            Scale, quality and status of each of the n pictures.

        Returns
        -------
        Tensor
            Shape (n, len(gives)).
        """
