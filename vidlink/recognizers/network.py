"""What a network in a file is as a recognizer: what it is fed, and what its outputs mean.

A file holds tensors in and tensors out. The rest is in the file's metadata where somebody wrote it there, or comes from
``--recognizer-arg``; :class:`Description` is both.
"""

from __future__ import annotations

import ast
import json
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.recognizers.decode import boxes_from, is_of_one
from vidlink.recognizers.recognizer import ATTRIBUTES, THRESHOLD, Wants
from vidlink.units import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from vidlink.recognizers.recognizer import Context

_TASKS = {"detect": "boxes", "classify": "classes", "semantic": "maps"}
"""What other programs call kinds, in the metadata key ``task`` that they write."""


_BLACK, _SPAN = 16 / 255, 219 / 255
"""Black, and white above it, in luma of limited range."""
_LISTS = (".txt", ".names")
"""What files of names are called: no class is called so."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What is known of a network in a file; None where nothing is.

    The fields are the keys of metadata and the names of ``--recognizer-arg``.
    """

    gives: tuple[str, ...] | None = None
    """Names of the numbers that it gives for each picture: output (n, k)."""
    classes: tuple[str, ...] | None = None
    """Names of the classes whose scores it gives for each picture: output (n, k)."""
    maps: tuple[str, ...] | None = None
    """Names of the classes of pixels: output (n, k, rows, columns), or numbers of classes, (n, rows, columns)."""
    boxes: tuple[str, ...] | None = None
    """Names of the classes of boxes: outputs as :mod:`vidlink.recognizers.decode` reads them."""
    size: str | None = None
    """Width and height of its pictures, ``320x240``; one number for a square."""
    colour: str | None = None
    """``rgb``, ``bgr`` or ``luma``."""
    region: str | None = None
    """``frame`` or ``face``."""
    mean: tuple[float, ...] | None = None
    """Taken from each channel, in units of ``white``."""
    deviation: tuple[float, ...] | None = None
    """What each channel is then divided by."""
    white: float | None = None
    """What white is in its input before that: 1, or 255. Bytes have 255."""
    threshold: float | None = None
    """Score from which on a box counts as found."""
    task: str | None = None
    """What it recognizes, in a word."""

    def filled_by(self, other: Description) -> Description:
        """The same, with what another knows where this knows nothing; names of one kind are enough."""
        named = any(getattr(self, name) for name in ATTRIBUTES)
        known = {
            each.name: getattr(other, each.name)
            for each in fields(self)
            if getattr(self, each.name) is None and not (named and each.name in ATTRIBUTES)
        }
        return replace(self, **known)


def described(metadata: Mapping[str, str], where: str) -> Description:
    """What a file's metadata says.

    Beside the fields of :class:`Description` these keys are understood, which other programs write: ``names`` (a JSON
    object or list, or a Python dictionary, of class names) with ``task`` (``detect``, ``classify``, ``semantic``), and
    ``imgsz`` (``[height, width]``).

    Parameters
    ----------
    metadata
        Key to text.
    where
        Begins messages: the file.

    Raises
    ------
    UserError
        A value cannot be read.

    Examples
    --------
    >>> found = described({"names": "{0: 'car', 1: 'bus'}", "task": "detect", "imgsz": "[480, 640]"}, "net.onnx")
    >>> found.boxes, found.size
    (('car', 'bus'), '640x480')
    """
    found: dict[str, Any] = {}
    for each in fields(Description):
        if each.name in metadata:
            found[each.name] = _value(each.name, metadata[each.name], where)
    if found.get("task") in _TASKS and "names" in metadata:
        found.setdefault(_TASKS[found["task"]], _value("names", metadata["names"], where))
    if "imgsz" in metadata:
        sides = _value("imgsz", metadata["imgsz"], where)
        if not 1 <= len(sides) <= 2:
            raise UserError(f"{where}: its metadata 'imgsz' is {metadata['imgsz'][:80]!r}, expected height and width")
        found.setdefault("size", f"{sides[-1]}x{sides[0]}")
    return Description(**found)


def _value(key: str, text: str, where: str) -> Any:
    """A value of metadata: JSON, a literal of Python, or text in which commas part."""
    value: Any = text
    if text.strip()[:1] in ("[", "{", "("):
        try:
            value = json.loads(text)
        except ValueError:
            try:
                value = ast.literal_eval(text)
            except (ValueError, SyntaxError):
                raise UserError(f"{where}: its metadata {key!r} is {text[:80]!r}, expected a list") from None
    try:
        return _typed(key, value)
    except (ValueError, TypeError):
        expected = "names by their numbers" if key == "names" else "numbers"
        raise UserError(f"{where}: its metadata {key!r} is {text[:80]!r}, expected {expected}") from None


def _typed(key: str, value: Any) -> Any:
    """A value of metadata as :class:`Description` has it; raises ValueError or TypeError where it cannot be."""
    if isinstance(value, dict):
        value = [value[number] for number in sorted(value, key=lambda each: int(each))]
    if key in ("mean", "deviation", "imgsz"):
        number = int if key == "imgsz" else float
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(number(each) for each in (parts if isinstance(parts, list | tuple) else [parts]))
    if key in ("white", "threshold"):
        return float(value)
    if key in (*ATTRIBUTES, "names"):
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(str(each).strip() for each in parts)
    return str(value)


class Network:
    """A network of a file as a recognizer.

    Parameters
    ----------
    run
        Calls it: pictures as it wants them in, its outputs, one or several, out.
    path
        The file.
    known
        What is known of it: the arguments first, then its metadata.
    shape
        Channels, height and width of its input; None where they are open.
    of_bytes
        Whether its input is bytes, in which white is 255, and nothing else.
    device
        Where it computes.

    Raises
    ------
    UserError
        Something has to be known that is not: the message says how to say it.
    """

    def __init__(
        self,
        run: Callable[[Tensor], Any],
        path: Path,
        known: Description,
        *,
        shape: tuple[int | None, int | None, int | None] = (None, None, None),
        of_bytes: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self._run, self._path, self.device = run, path, torch.device(device)
        self.name = path.stem
        given = [name for name in ATTRIBUTES if getattr(known, name)]
        if len(given) != 1:
            what = "gives nothing that is named" if not given else f"is said to give {' and '.join(given)}"
            raise UserError(
                f"{path}: {what}; say what it gives and how it is called, as in --recognizer-arg boxes=car,person "
                "(or maps=, classes=, gives=; a file of names, one a line, will do)"
            )
        self._gives = given[0]
        setattr(self, self._gives, _names(getattr(known, self._gives), path))
        self.task = known.task or {"boxes": "detection", "maps": "segmentation"}.get(self._gives, "recognition")
        if self._gives == "boxes":
            self.threshold = THRESHOLD if known.threshold is None else known.threshold
        self._one_by_one = False
        self._bgr = known.colour == "bgr"
        self.wants = _wants(known, shape, path)
        self._white = _white(known, of_bytes, path)
        channels = self.wants.shape[0]
        self._mean, self._deviation = (
            None if values is None else _channels(values, channels, path) for values in (known.mean, known.deviation)
        )
        if self._deviation is not None and not bool((self._deviation > 0).all()):
            raise UserError(f"{path}: deviation is {shown(known.deviation)}, expected numbers above 0")

    def __call__(self, pictures: Tensor, context: Context) -> Any:
        """Feed the network, and say what its outputs mean."""
        fed = pictures[:, 0] if self._gives == "classes" else pictures  # windows of one picture
        fed = fed.flip(1) if self._bgr else fed
        if self.wants.colour == "luma":  # films have it in limited range
            fed = ((fed - _BLACK) / _SPAN).clamp(0, 1)
        fed = fed * self._white
        if self._mean is not None:
            fed = fed - self._mean.to(fed)
        if self._deviation is not None:
            fed = fed / self._deviation.to(fed)
        return self._found(fed) if self._gives == "boxes" else first_of(self._run(fed))

    def _found(self, fed: Tensor) -> list[Tensor]:
        """The boxes of each picture; of a network that says nothing of which picture they are in, one by one."""
        if self._one_by_one and len(fed) > 1:
            return [row for each in fed for row in self._found(each[None])]
        outputs = self._run(fed)
        if len(fed) > 1 and is_of_one(outputs):
            self._one_by_one = True
            return self._found(fed)
        try:
            return boxes_from(outputs, count=len(fed), classes=len(self.boxes))  # type: ignore[attr-defined]
        except UserError as error:
            raise UserError(f"recognizer {self.name!r}: {error}") from error


def first_of(outputs: Any) -> Any:
    """The output that counts: the only one, the first, or of torchvision's segmenters ``out``."""
    if isinstance(outputs, dict):
        return outputs["out"] if "out" in outputs else next(iter(outputs.values()), None)
    if isinstance(outputs, list | tuple):
        return outputs[0] if outputs else None
    return outputs


def _names(names: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """Names, or where there is one that is a file, its lines."""
    if len(names) == 1 and (Path(names[0]).suffix in _LISTS or Path(names[0]).is_file()):
        if not Path(names[0]).is_file():
            raise UserError(f"{path}: {names[0]}: no such file of names")
        try:
            lines = Path(names[0]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: {names[0]}: cannot be read as names, a line each") from error
        names = tuple(line.strip() for line in lines if line.strip())
        if not names:
            raise UserError(f"{path}: its file of names is empty; expected a name a line")
    return names


def _wants(known: Description, shape: tuple[int | None, int | None, int | None], path: Path) -> Wants:
    channels, height, width = shape
    if known.size is not None:
        parts = known.size.lower().split("x")
        if len(parts) > 2 or not all(part.isdecimal() and int(part) for part in parts):
            raise UserError(f"{path}: size = {known.size!r}, expected width and height in pixels, as in 320x240")
        asked = int(parts[-1]), int(parts[0])
        if (height, width) not in ((None, None), asked) and None not in (height, width):
            raise UserError(f"{path}: takes pictures of {width}x{height} pixels, not of {asked[1]}x{asked[0]}")
        height, width = asked
    if height is None or width is None:
        raise UserError(f"{path}: takes pictures of any size; say which, as in --recognizer-arg size=320x240")
    if channels not in (None, 1, 3):
        raise UserError(f"{path}: takes pictures of {channels} channels; expected 1 (luma) or 3 (rgb)")
    colour = known.colour or ("luma" if channels == 1 else "rgb")
    if colour not in ("rgb", "bgr", "luma"):
        raise UserError(f"{path}: colour = {colour!r}; expected rgb, bgr or luma")
    if channels is not None and (channels == 1) != (colour == "luma"):
        raise UserError(f"{path}: takes pictures of {channels} channels, and colour is {colour}")
    return Wants(
        region=known.region or "frame",  # type: ignore[arg-type]  # the registry checks it
        height=height,
        width=width,
        colour="luma" if colour == "luma" else "rgb",
    )


def _white(known: Description, of_bytes: bool, path: Path) -> float:
    """What white is in the input."""
    white = (255.0 if of_bytes else 1.0) if known.white is None else known.white
    if not 0 < white < math.inf:
        raise UserError(f"{path}: white is {white:g}, expected a number above 0, like 1 or 255")
    if of_bytes and (white != 255 or known.mean is not None or known.deviation is not None):
        raise UserError(f"{path}: takes bytes, in which white is 255; leave out white, mean and deviation")
    return white


def _channels(values: tuple[float, ...], channels: int, path: Path) -> Tensor:
    if len(values) not in (1, channels) or not all(map(math.isfinite, values)):
        found = ", ".join(f"{value:g}" for value in values)
        raise UserError(f"{path}: {found} as numbers of channels, expected 1 or {channels} finite ones")
    return torch.tensor(values)[:, None, None]
