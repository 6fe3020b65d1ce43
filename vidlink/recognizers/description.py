"""What is known of a network in a file beside its tensors: from the file's metadata, or from ``--recognizer-arg``."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.recognizers.recognizer import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

_TASKS = {"detect": "boxes", "classify": "classes", "semantic": "maps"}
"""What other programs call kinds, in the metadata key ``task`` that they write."""


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
