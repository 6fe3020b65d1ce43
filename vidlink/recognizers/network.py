"""What a network in a file is as a recognizer: what it is fed, and what its outputs mean.

A file holds tensors in and tensors out. The rest is in the file's metadata where somebody wrote it there, or comes from
``--recognizer-arg``; :class:`~vidlink.recognizers.description.Description` is both.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from vidlink.errors import UserError
from vidlink.recognizers.decode import boxes_from, is_of_one
from vidlink.recognizers.recognizer import ATTRIBUTES, THRESHOLD, Wants
from vidlink.units import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from vidlink.recognizers.description import Description
    from vidlink.recognizers.recognizer import Context

_BLACK, _SPAN = 16 / 255, 219 / 255
"""Black, and white above it, in luma of limited range."""
_LISTS = (".txt", ".names")
"""What files of names are called: no class is called so."""


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
