"""Codecs that are no FFmpeg encoder: a class of one's own, named in the recipe as ``implementation``.

Both ends of the link use it, so it lies beside the rooms.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import av

from vidlink.errors import UserError
from vidlink.plugins import RAISED, find_class, make, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vidlink.codec.recipe import Codec


T = TypeVar("T")


class Implementation(Protocol):
    """What such a class has. It is made once in a process, with the recipe's ``options`` as keywords (strings).

    Its methods are called from several threads, but never at the same time.
    """

    intra: bool = False
    """Whether every picture is coded by itself, so that a lost one costs no other."""

    def encode(self, pictures: Sequence[av.VideoFrame], quality: float) -> Sequence[bytes]:
        """Code the pictures of one segment; nothing before it may be needed to decode it.

        Parameters
        ----------
        pictures
            ``yuv420p``, all of one size, in order of presentation. They are shared: nobody may change them.
        quality
            Value of the recipe's knob; lower is better.

        Returns
        -------
        sequence of bytes
            One unit for each picture, in the same order, none of them empty.
        """
        ...

    def decode(self, units: Mapping[int, bytes]) -> Mapping[int, av.VideoFrame]:
        """Decode what arrived of one segment.

        Parameters
        ----------
        units
            Source frame to unit, rising; units that were lost are not in it.

        Returns
        -------
        mapping of int to av.VideoFrame
            The picture of each of these source frames that can be shown, in any pixel format, at the size at which it
            was coded.
        """
        ...


def encode_with_class(codec: Codec, pictures: Sequence[av.VideoFrame], quality: float) -> list[tuple[int, bytes, bool]]:
    """Code pictures; returns (presentation time on the 90 kHz clock, unit, whether it is a key frame).

    Raises
    ------
    UserError
        The class cannot be made, raises, or gives anything but one unit a picture.
    """
    coder, units = _ask(codec, lambda coder: list(coder.encode(pictures, quality)), "encode")
    if len(units) != len(pictures) or not all(isinstance(unit, bytes) and unit for unit in units):
        kinds = sorted({type(unit).__name__ for unit in units if not isinstance(unit, bytes)})
        empty = sum(isinstance(unit, bytes) and not unit for unit in units)
        odd = ", ".join(kinds + [f"{empty} empty"] * bool(empty))
        found = f"{len(units)} units" + (f" ({odd})" if odd else "")
        raise UserError(f"codec {codec.name!r}: encode() gave {found} for {len(pictures)} pictures, expected one each, "
                        "bytes that are not empty")  # fmt: skip
    intra = bool(getattr(coder, "intra", False))
    return [
        (picture.pts or 0, unit, intra or number == 0)
        for number, (picture, unit) in enumerate(zip(pictures, units, strict=True))
    ]


def decode_with_class(
    codec: Codec, units: Mapping[int, bytes], size: tuple[int, int] | None = None
) -> dict[int, av.VideoFrame]:
    """Decode what arrived of one segment; pictures by source frame, ``yuv420p``.

    Raises
    ------
    UserError
        The class cannot be made, raises, or gives anything but pictures of these frames, at that ``size`` (width and
        height in pixels; None where it is not known).
    """
    _, pictures = _ask(codec, lambda coder: dict(coder.decode(units)), "decode")
    for frame, picture in pictures.items():
        if frame not in units or not isinstance(picture, av.VideoFrame):
            raise UserError(
                f"codec {codec.name!r}: decode() gave {type(picture).__name__} for frame {frame!r}, expected an "
                "av.VideoFrame for frames that it was given"
            )
        if size is not None and (picture.width, picture.height) != size:
            raise UserError(
                f"codec {codec.name!r}: decode() gave {picture.width}x{picture.height} pixels for frame {frame}, "
                f"expected {size[0]}x{size[1]}, the size at which it was coded"
            )
    return {frame: picture.reformat(format="yuv420p") for frame, picture in sorted(pictures.items())}


def _ask(codec: Codec, what: Callable[[Any], T], method: str) -> tuple[Any, T]:
    """The instance of a recipe's class, and what it answers."""
    coder, lock = _made(codec)
    try:
        with lock:
            return coder, what(coder)
    except UserError:
        raise
    except RAISED as error:  # whatever somebody's class raises, it is theirs to mend
        raise UserError(f"codec {codec.name!r}: {method}() failed: {reason(error)}") from error


_MADE: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Any, threading.Lock]] = {}
_MAKING = threading.Lock()


def _made(codec: Codec) -> tuple[Any, threading.Lock]:
    """The one instance of a recipe's class and options in this process, and the lock that its users take."""
    key = codec.implementation or "", tuple(codec.options.items())
    with _MAKING:
        if key not in _MADE:
            _MADE[key] = _make(key[0], codec.name, codec.options), threading.Lock()
        return _MADE[key]


def _make(target: str, name: str, options: Mapping[str, str]) -> Any:
    what = f"codec {name!r}"
    made = make(find_class(target, what=what, expected="implementation"), options, what=what)
    for method in ("encode", "decode"):
        if not callable(getattr(made, method, None)):
            raise UserError(
                f"{what}: {target} has no method {method}(), see vidlink.codec.implementation.Implementation"
            )
    return made
