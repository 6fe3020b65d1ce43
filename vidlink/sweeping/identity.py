"""What makes two points the same: the content of their settings, of the files behind them, and vidlink's version."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink import __version__
from vidlink.errors import UserError
from vidlink.plugins import sources_of
from vidlink.settings import as_json
from vidlink.sweeping.options import NOT_SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from vidlink.settings import Settings


def identify(settings: Settings) -> str:
    """The identity of a point.

    Where a setting names a file, the file's bytes count and its place does not: the same clip in another folder is the
    same point. A codec or channel counts by the content of its TOML file (and of a channel's trace, or the source files
    of a codec's class), a recognizer by its weights and, where it is not vidlink's own, by the source files of its
    package and of what its arguments name. With any recognizer but ``affect`` and ``none``, and no label given, the
    name of the clip's folder counts, which may be its label. Settings that change nothing in the results (how many
    threads, where captures go) do not count.

    Parameters
    ----------
    settings
        Paths in it must be absolute, or right from here.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Raises
    ------
    UserError
        A file is missing or cannot be read, or a codec, channel or recognizer is not known or wrong.
    """
    parts: dict[str, Any] = {"vidlink": __version__}
    for name, value in as_json(settings).items():
        if name not in NOT_SHOWN:
            parts[name] = [_digest_file(getattr(settings, name))] if _is_path(settings, name) else value
    parts["input"] = _input(settings.input)
    parts["codec"] = _profile("codecs", settings.codec)
    parts["channel"] = _profile("channels", settings.channel)
    parts["recognizer"] = recognizer_content(settings)
    if folder := _folder_label(settings):
        parts["folder"] = folder
    if settings.live and ":" in settings.estimator:
        parts["estimator"] = with_sources(settings.estimator, what=f"estimator {settings.estimator!r}")
    if ":" in settings.objective:
        parts["objective"] = with_sources(settings.objective, what=f"objective {settings.objective!r}")
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def with_sources(name: str, *, what: str) -> list[str]:
    """What a name stands for: itself, and of a ``package.module:Class`` the digests of its source files."""
    return [name, *(map(_digest_file, sources_of(name, what=what)) if ":" in name else ())]


def _is_path(settings: Settings, name: str) -> bool:
    return isinstance(getattr(settings, name), Path)


def _input(name: str | None) -> list[str]:
    """Digests of the files of an input; with their names where a name says something (size of raw video, order)."""
    if name is None:
        return []
    from vidlink.video.open import RAW_SUFFIXES

    path = Path(name)
    if path.is_dir():
        raise UserError(f"input {name}: is a folder; give a video file, or the images in it as '{name}/*.png'")
    if path.exists():
        return [path.name if path.suffix.lower() in RAW_SUFFIXES else path.suffix.lower(), _digest_file(path)]
    images = sorted(path.parent.glob(re.sub(r"%0?\d*d", "*", path.name)))
    if not images:
        raise UserError(f"input {name}: no such file")
    return [part for image in images for part in (image.name, _digest_file(image))]


def _folder_label(settings: Settings) -> str | None:
    """The folder of the clip, which recognizers of classes take for its label where no other is given.

    Which recognizers name classes is not known before they are loaded; the shipped ones of affect do not.
    """
    if settings.input is None or settings.label is not None or settings.labels is not None:
        return None
    return None if settings.recognizer in ("none", "affect") else Path(settings.input).absolute().parent.name


def _profile(kind: Any, name: str) -> list[str]:
    from vidlink.codec.shelf import load_channel, load_codec, shelf

    model: BaseModel = load_codec(name) if kind == "codecs" else load_channel(name)
    path = Path(name) if name.endswith(".toml") or "/" in name else shelf(kind) / f"{name}.toml"
    found = [path, *_paths(model.model_dump())]
    implementation = getattr(model, "implementation", None)
    if implementation:
        found += sources_of(implementation, what=f"codec {name!r}")
    return [_digest_file(each) for each in found]


def _paths(value: Any) -> Iterable[Path]:
    """Every path in nested plain values."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _paths(part)


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
    from vidlink.recognizers.registry import RECOGNIZERS

    target = RECOGNIZERS.target(name)
    if target.startswith("vidlink."):
        shipped = sorted((Path(__file__).parents[1] / "weights").glob("*.safetensors"))
        weights = shipped if settings.weights is None else [settings.weights]
        # By its first place in vidlink, so that results made before it moved are gone on with.
        first = target.replace("vidlink.recognizers.", "vidlink.receiver.", 1)
        return [first, *settings.recognizer_args, *(_digest_file(path) for path in (*weights, *_named(settings)))]
    weights = [] if settings.weights is None else [settings.weights]
    sources = sources_of(target, what=f"recognizer {name!r}")
    found = (*sources, *weights, *_named(settings))
    return [target, *settings.recognizer_args, *(_digest_file(path) for path in found)]


def _named(settings: Settings) -> list[Path]:
    """Source files of what the recognizer's arguments name, like ``model=my_package:make_net``."""
    values = [argument.partition("=")[2] for argument in settings.recognizer_args]
    names = [value for value in values if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", value)]
    found = []
    for name in names:
        with suppress(UserError):  # a text that happens to have a colon names no module
            found += sources_of(name, what=f"--recognizer-arg {name}")
    return found


def _digest_file(path: Path) -> str:
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
