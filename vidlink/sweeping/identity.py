"""What makes two points the same: the content of their settings, of the files behind them, and vidlink's version."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink import __version__
from vidlink.plugins import sources_of
from vidlink.recognizers.content import digest_file, recognizer_content, with_sources
from vidlink.restorers.registry import is_file
from vidlink.settings import as_json
from vidlink.sweeping.options import NOT_SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidlink.settings import Settings

WEIGHTS = Path(__file__).parents[1] / "weights"
_SHIPPED = {"vidlink.codec.dvc:DVCodec": ("dvc.safetensors",)}
"""Weights of codecs that ship."""


def identify(settings: Settings) -> str:
    """The identity of a point.

    Where a setting names a file, the file's bytes count and its place does not: the same clip in another folder is
    the same point. A codec or channel counts by the content of its TOML file (and of a channel's trace, or the
    source files of a codec's class and the files that its options name), a recognizer by its weights and, where it
    is not vidlink's own, by the source files of its package and of what its arguments name. With any recognizer but
    ``affect`` and ``none``, and no label given, the name of the clip's folder counts, which may be its label.
    Settings that change nothing in the results (how many threads, where captures go) do not count.

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
            parts[name] = _digests(getattr(settings, name)) if _is_path(settings, name) else value
    parts["input"] = _input(settings.input)
    parts["codec"] = _profile("codecs", settings.codec)
    parts["channel"] = _profile("channels", settings.channel)
    parts["recognizer"] = recognizer_content(settings)
    if folder := _folder_label(settings):
        parts["folder"] = folder
    if settings.live and ":" in settings.estimator:
        parts["estimator"] = with_sources(settings.estimator, what=f"estimator {settings.estimator!r}")
    if ":" in settings.face_detector:
        parts["face_detector"] = with_sources(settings.face_detector, what=f"face detector {settings.face_detector!r}")
    if is_file(settings.restorer):
        parts["restorer"] = digest_file(Path(settings.restorer))
    elif ":" in settings.restorer:
        parts["restorer"] = with_sources(settings.restorer, what=f"restorer {settings.restorer!r}")
    if ":" in settings.objective:
        parts["objective"] = with_sources(settings.objective, what=f"objective {settings.objective!r}")
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _is_path(settings: Settings, name: str) -> bool:
    return isinstance(getattr(settings, name), Path)


def _digests(path: Path) -> list[str]:
    """What is in a file, or in those of a folder, with their names."""
    if not path.is_dir():
        return [digest_file(path)]
    files = sorted(file for file in path.iterdir() if file.is_file())
    return [part for file in files for part in (file.name, digest_file(file))]


def _input(name: str | None) -> list[str]:
    """Digests of the files of an input; with their names where a name says something (size of raw video, order)."""
    if name is None:
        return []
    from vidlink.video.input import files_of
    from vidlink.video.raw import is_raw

    path, *others = files_of(name)
    if Path(name).exists():
        found = [path.name if is_raw(name) else path.suffix.lower(), digest_file(path)]
        return found + [digest_file(other) for other in others]
    return [part for image in (path, *others) for part in (image.name, digest_file(image))]


def _folder_label(settings: Settings) -> str | None:
    """The folder of the clip, which recognizers of classes take for its label where no other is given.

    Which recognizers name classes is not known before they are loaded; the shipped ones of affect do not.
    """
    if settings.input is None or settings.label is not None or settings.labels is not None:
        return None
    return None if settings.recognizer in ("none", "affect") else Path(settings.input).absolute().parent.name


def _profile(kind: Any, name: str) -> list[str]:
    from vidlink.codec.shelf import find, load_channel, load_codec, named_paths

    model: Any = load_codec(name) if kind == "codecs" else load_channel(name)
    found = [find(kind, name), *named_paths(model)]
    implementation = getattr(model, "implementation", None)
    if implementation:
        found += sources_of(implementation, what=f"codec {name!r}")
        found += _files_of(implementation, model.options)
    return [digest_file(each) for each in found]


def _files_of(implementation: str, options: Mapping[str, str]) -> list[Path]:
    """Files that a codec's class reads: those that its options name, such as weights, or else those that ship."""
    named = []
    for value in options.values():
        with suppress(OSError):  # a text that is too long for a name
            if (path := Path(value)).is_file():
                named.append(path)
    return named or [WEIGHTS / each for each in _SHIPPED.get(implementation, ())]
