"""What a recognizer is: what it wants to see, what it gives, and what it is told beside the pictures.

Anyone can write one. It is a class that says what it wants and what it gives, and is called with a batch:

>>> class Brightness:
...     '''Mean brightness of the whole picture.'''
...     name, task = "brightness", "exposure"
...     wants = Wants(region="frame", height=8, width=8, colour="luma")
...     gives = ("brightness",)
...     def __call__(self, pictures, context):
...         return pictures.mean(dim=(1, 2, 3))[:, None]

One that names what is being done rather than numbers has ``classes`` in place of ``gives``, and wants windows of
frames:

>>> class Moves:
...     '''Does anything move?'''
...     name, task = "moves", "activity"
...     wants = Wants(region="frame", height=8, width=8, colour="luma", frames=4, frame_rate=4, stride_s=0.5)
...     classes = ("still", "moving")
...     def __call__(self, windows, context):
...         change = windows.diff(dim=1).abs().mean(dim=(1, 2, 3, 4))
...         return torch.stack([0.01 - change, change - 0.01], dim=1)

It is found as ``package.module:Brightness``, or by name through the entry-point group ``vidlink.recognizers``, see
:mod:`vidlink.recognizers.registry`. Its constructor is called with those of the keywords ``device`` (a
``torch.device``) and ``weights`` (a path or None) that it takes, and with what ``--recognizer-arg key=value`` says;
pictures come to the device in its attribute ``device``, if it has one. The first line of its docstring describes it in
lists.

One that also names the emotions of FER+ may have a method ``with_emotions``: called alike, it gives the same numbers
and after them a share for each of :data:`vidlink.labels.affect.EMOTIONS`; ``vidlink.evaluate`` then scores accuracy
too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from vidlink.types import Reception


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
    frames: int = 1
    """Pictures in a window; more than one needs ``classes``."""
    frame_rate: float | None = None
    """Pictures a second within a window; None takes the clip's own."""
    stride_s: float | None = None
    """Seconds from the start of one window to that of the next; None: half a window."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a picture."""
        return (1 if self.colour == "luma" else 3, self.height, self.width)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Context:
    """What the receiver knows of each picture, for models that can use it; one entry a picture.

    Where n windows of m frames are recognized, every shape here begins with (n, m) in place of (n,).
    """

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

    @classmethod
    def of(cls, receptions: Sequence[Reception]) -> Context:
        """Make the context of the pictures on show."""
        return cls(
            scale=np.array([each.scale for each in receptions]),
            quality=np.array([each.quality for each in receptions]),
            status=tuple(str(each.status) for each in receptions),
        )

    def take(self, rows: NDArray[np.int64]) -> Context:
        """Pick the entries at ``rows``: of pictures by an array of shape (n,), of windows by one of (n, frames)."""
        if np.ndim(rows) == 2:
            status: Any = tuple(tuple(str(self.status[row]) for row in window) for window in rows)
        else:
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
    """Names of the numbers that it gives for each picture. A recognizer that has ``classes``, the names of the classes
    whose scores it gives for each window, needs none."""

    def __call__(self, pictures: Tensor, context: Context, /) -> Tensor:
        """Recognize a batch.

        Parameters
        ----------
        pictures
            Shape (n, channels, height, width), float32 within [0, 1], on the recognizer's device; where it has
            ``classes``, windows of shape (n, frames, channels, height, width).
        context
            Scale, quality and status of each picture.

        Returns
        -------
        Tensor
            Shape (n, len(gives)), or (n, len(classes)): scores, the higher the likelier (logits, as networks give
            them).
        """
        ...


def outputs(recognizer: Recognizer) -> tuple[str, ...]:
    """Names of what a recognizer gives: its classes, or its dimensions."""
    return names_classes(recognizer) or recognizer.gives


def names_classes(recognizer: Recognizer) -> tuple[str, ...]:
    """The classes that a recognizer names; none where it gives dimensions."""
    return getattr(recognizer, "classes", ())
