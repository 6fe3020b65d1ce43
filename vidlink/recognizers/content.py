"""What a run's recognizer is, by content: two runs with the same content are told the same of the same pictures."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.plugins import sources_of
from vidlink.recognizers.from_file import file_of, is_file
from vidlink.recognizers.given import content_of, is_given

if TYPE_CHECKING:
    from vidlink.settings import Settings


_WEIGHTS = {
    "vidlink.recognizers.affect:AffectOverTime": ("affect-temporal.safetensors",),
    "vidlink.recognizers.roads:RoadDetection": ("road-detection.safetensors",),
    "vidlink.recognizers.roads:RoadSegmentation": ("road-segmentation.safetensors",),
}
"""Weights of those that came later than the first two, whose results were told apart by the weights of both."""


def recognizer_content(settings: Settings) -> list[str]:
    """What a run's recognizer is: its class, its weights, and its source file where it is not vidlink's own.

    Raises
    ------
    UserError
        There is no such recognizer, or no such file.
    """
    name = settings.recognizer
    if name == "none":
        return [name]
    if is_given(name):
        return [*content_of(name), *settings.recognizer_args]
    if is_file(name):
        weights = [] if settings.weights is None else [settings.weights]
        values = [Path(argument.partition("=")[2]) for argument in settings.recognizer_args]
        lists = [path for path in values if path.is_file()]
        found = (file_of(name), *_data_of(file_of(name)), *weights, *lists, *_named(settings))
        what = name.rpartition(":")[2] if ":" in name else Path(name).suffix
        return [what, *settings.recognizer_args, *(digest_file(path) for path in found)]
    from vidlink.recognizers.registry import RECOGNIZERS

    target = RECOGNIZERS.target(name)
    if target.startswith("vidlink."):
        folder = Path(__file__).parents[1] / "weights"
        shipped = [folder / file for file in _WEIGHTS.get(target, ("activity.safetensors", "affect.safetensors"))]
        weights = shipped if settings.weights is None else [settings.weights]
        # By its first place in vidlink, so that results made before it moved are gone on with.
        first = target.replace("vidlink.recognizers.", "vidlink.receiver.", 1)
        return [first, *settings.recognizer_args, *(digest_file(path) for path in (*weights, *_named(settings)))]
    weights = [] if settings.weights is None else [settings.weights]
    sources = sources_of(target, what=f"recognizer {name!r}")
    found = (*sources, *weights, *_named(settings))
    return [target, *settings.recognizer_args, *(digest_file(path) for path in found)]


def _data_of(path: Path) -> list[Path]:
    """Files beside an ONNX file that hold its weights, as exporters write them."""
    beside = (path.with_name(path.name + ending) for ending in (".data", "_data"))
    return [each for each in beside if each.is_file()]


def with_sources(name: str, *, what: str) -> list[str]:
    """What a name stands for: itself, and of a ``package.module:Class`` the digests of its source files."""
    return [name, *(map(digest_file, sources_of(name, what=what)) if ":" in name else ())]


def _named(settings: Settings) -> list[Path]:
    """Source files of what the recognizer's arguments name, like ``model=my_package:make_net``."""
    values = [argument.partition("=")[2] for argument in settings.recognizer_args]
    names = [value for value in values if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", value)]
    found = []
    for name in names:
        with suppress(UserError):  # a text that happens to have a colon names no module
            found += sources_of(name, what=f"--recognizer-arg {name}")
    return found


def digest_file(path: Path) -> str:
    """SHA-256 of a file; raises UserError where it cannot be read."""
    try:
        status = path.stat()
        return _digest(str(path.absolute()), status.st_size, status.st_mtime_ns, status.st_ino)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


@lru_cache(maxsize=100_000)
def _digest(path: str, size: int, changed_ns: int, inode: int) -> str:
    """SHA-256 of a file, read again only when it changed."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
