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

One that gives numbers may want windows, too: about each picture that it is asked of, or up to it where later pictures
may not be used. The context says which picture of the window that is, and how far in time the others are from it:

>>> class Steady:
...     '''Brightness, smoothed over a second.'''
...     name, task, gives = "steady", "exposure", ("brightness",)
...     wants = Wants(region="frame", height=8, width=8, colour="luma", frames=5, frame_rate=5)
...     def __call__(self, windows, context):
...         near = torch.from_numpy(np.exp(-np.abs(context.offset_s) - context.age_s)).to(windows)
...         return (windows.mean(dim=(2, 3, 4)) * near).sum(dim=1, keepdim=True) / near.sum(dim=1, keepdim=True)

A picture is in as many windows as a window has frames. A recognizer that first looks at each picture by itself may
therefore have a method ``features``, called as if it wanted no windows: it gives a row of numbers for each picture,
shape (n, k). Each picture is looked at once, and the windows are then of these rows, shape (n, frames, k).

One that says what each pixel is has ``maps``, the names of the classes of pixels. It gives their scores, shape
(n, classes, rows, columns), or the number of the class of each pixel, shape (n, rows, columns), of any size: the map
covers the whole picture:

>>> class Sky:
...     '''Bright blue is sky.'''
...     name, task, maps = "sky", "segmentation", ("sky", "else")
...     wants = Wants(region="frame", height=48, width=64, colour="rgb")
...     def __call__(self, pictures, context):
...         blue = pictures[:, 2] - 0.5
...         return torch.stack([blue, -blue], dim=1)

One that says where things are has ``boxes``, the names of the classes of things. It gives for each picture a tensor
with a row a box, shape (k, 6): left, upper, right and lower edge in pixels of the picture that it was given, score from
0 to 1, and number of the class. Instead of n tensors it may give one, shape (n, k, 6), in which rows of score 0 are no
boxes. Where it has a ``threshold``, boxes of at least that score count as found where one has to decide (by default
0.5):

>>> class Lamps:
...     '''The brightest spot.'''
...     name, task, boxes, threshold = "lamps", "detection", ("lamp",), 0.9
...     wants = Wants(region="frame", height=48, width=64, colour="luma")
...     def __call__(self, pictures, context):
...         score, place = pictures[:, 0].flatten(1).max(dim=1)
...         x, y = place % 64, place // 64
...         return torch.stack([x - 2, y - 2, x + 3, y + 3, score, 0 * x], dim=1)[:, None]

One that has ``notes``, sentences about itself, has them said in the notes of the run.

It is found as ``package.module:Brightness``, or by name through the entry-point group ``vidlink.recognizers``, see
:mod:`vidlink.recognizers.registry`. Its constructor is called with those of the keywords ``device`` (a
``torch.device``) and ``weights`` (a path or None) that it takes, and with what ``--recognizer-arg key=value`` says;
pictures come to the device in its attribute ``device``, if it has one. The first line of its docstring describes it in
lists.

Recognizers of whole frames see pictures as ``--restorer`` gives them. One of faces sees interpolated ones, as those
that ship learned from, unless it has the attribute ``restored`` and that is true.

One that also names the emotions of FER+ may have a method ``with_emotions``: called alike, it gives the same numbers
and after them a share for each of :data:`vidlink.labels.affect.EMOTIONS`; ``vidlink.evaluate`` then scores accuracy
too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    """One channel, as films have it (limited range: black is 16/255, white 235/255), or three, from 0 to 1."""
    margin: float = 0.0
    """What is added on each side of a face box, as a share of its longer side; negative takes off."""
    frames: int = 1
    """Pictures in a window. A recognizer with ``classes`` gets a window every ``stride_s``, one of dimensions gets one
    about each picture that is looked at."""
    frame_rate: float | None = None
    """Pictures a second within a window; None takes the clip's own."""
    stride_s: float | None = None
    """Seconds from the start of one window of classes to that of the next; None: half a window."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a picture."""
        return (1 if self.colour == "luma" else 3, self.height, self.width)


_COLUMNS = ("scale", "quality", "age_s", "qp", "enlarged", "offset_s")
"""Entries of a context that are arrays."""


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
    age_s: NDArray[np.float64] = None  # type: ignore[assignment]
    """Seconds since the picture was taken, shape (n,): more than 0 where it is held. NaN where none has come yet. By
    default 0."""
    qp: NDArray[np.float64] = None  # type: ignore[assignment]
    """Mean quantization parameter over the picture, shape (n,); by default NaN, as where the decoder does not say it or
    nothing was coded."""
    enlarged: NDArray[np.float64] = None  # type: ignore[assignment]
    """By how much the box of a face was enlarged to the size that the recognizer wants, shape (n,); below 1 where it
    was reduced. By default 1, as for whole pictures."""
    offset_s: NDArray[np.float64] = None  # type: ignore[assignment]
    """Of windows of dimensions, seconds from the picture that is asked about to each one, shape (n, m); else 0. Where a
    window reaches beyond the first or the last picture, that one is in it several times."""
    asked: int = 0
    """Which picture of a window is asked about: the middle one, or the last one where ``later`` is not."""
    later: bool = True
    """Whether windows of dimensions hold later pictures as well. Planned runs let the answer wait for them, half a
    window; live, only what has come is there."""

    def __post_init__(self) -> None:
        """Fill in what is not known."""
        for name, value in (("age_s", 0.0), ("qp", np.nan), ("enlarged", 1.0), ("offset_s", 0.0)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(np.shape(self.scale), value))

    @property
    def seen_scale(self) -> NDArray[np.float64]:
        """Scale factor of what the recognizer sees, shape (n,), at least 1.

        A picture that was coded at a scale factor of 2 holds half of the pixels of a side. If the box of a face was
        also enlarged by 1.5, a third; if it was reduced by 2 or more, all that the recognizer sees.
        """
        return np.maximum(1.0, self.scale * self.enlarged)

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
            age_s=np.array([each.age_s for each in receptions]),
            qp=np.array([each.qp for each in receptions]),
        )

    def followed_by(self, other: Context) -> Context:
        """Join the context of the pictures that come next."""
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _COLUMNS
        }
        return replace(self, status=(*self.status, *other.status), **columns)

    def take(self, rows: NDArray[np.int64]) -> Context:
        """Pick the entries at ``rows``: of pictures by an array of shape (n,), of windows by one of (n, frames)."""
        if np.ndim(rows) == 2:
            status: Any = tuple(tuple(str(self.status[row]) for row in window) for window in rows)
        else:
            status = tuple(str(self.status[row]) for row in rows)
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return replace(self, status=status, **columns)


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
    """Names of the numbers that it gives for each picture. A recognizer has one of four attributes like this, which
    says what it gives: ``gives``; ``classes``, the names of the classes whose scores it gives for each window;
    ``maps``, those of the classes of pixels; ``boxes``, those of the classes of things whose boxes it gives."""

    def __call__(self, pictures: Tensor, context: Context, /) -> Any:
        """Recognize a batch.

        Parameters
        ----------
        pictures
            Shape (n, channels, height, width), float32 within [0, 1], on the recognizer's device; where it has
            ``classes`` or wants several frames, windows of shape (n, frames, channels, height, width).
        context
            What is known of each picture.

        Returns
        -------
        Tensor
            Shape (n, len(gives)), or (n, len(classes)): scores, the higher the likelier (logits, as networks give
            them). Of ``maps`` scores, shape (n, len(maps), rows, columns), or class numbers, whole, shape
            (n, rows, columns). Of ``boxes`` for each picture edges, score and class number, shape (k, 6).
        """
        ...


ATTRIBUTES = ("gives", "classes", "maps", "boxes")
"""The attributes that say what a recognizer gives; it has one of them."""
THRESHOLD = 0.5
"""Score from which on a box counts as found, where a recognizer does not say another."""


def attribute_of(recognizer: Any) -> str:
    """Which of :data:`ATTRIBUTES` says what a recognizer gives; where it has several that name something, the last."""
    return next((name for name in reversed(ATTRIBUTES) if getattr(recognizer, name, None)), ATTRIBUTES[0])


def outputs(recognizer: Recognizer) -> tuple[str, ...]:
    """Names of what a recognizer gives: dimensions, or classes of windows, of pixels, of things."""
    return getattr(recognizer, attribute_of(recognizer), ())


def follows_time(recognizer: Recognizer) -> bool:
    """Whether a recognizer gives dimensions of windows."""
    return recognizer.wants.frames > 1 and attribute_of(recognizer) == "gives"


def names_classes(recognizer: Recognizer) -> tuple[str, ...]:
    """The classes that a recognizer names of windows; none where it gives anything else."""
    return outputs(recognizer) if attribute_of(recognizer) == "classes" else ()


def threshold_of(recognizer: Recognizer) -> float:
    """The score from which on one of its boxes counts as found."""
    return float(getattr(recognizer, "threshold", THRESHOLD))
