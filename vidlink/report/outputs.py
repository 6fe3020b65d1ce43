"""What a run reads, and where it may write because of that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.files.outputs import check_folder_output, check_output, existing_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidlink.settings import Settings


def check_outputs(settings: Settings, place: Path | None, *, overwrite: bool = False) -> None:
    """Refuse to write over anything that the run reads, or that is there already.

    Parameters
    ----------
    settings
        Of the run.
    place
        Its folder; None for a new one.
    overwrite
        Whether captures that are there may be replaced.

    Raises
    ------
    UserError
        Which output, and what it would destroy; or it cannot be written.
    """
    inputs = inputs_of(settings)
    if place is not None:
        check_folder_output("--out", place, inputs)
    for option, path in (("--pcap", settings.pcap), ("--pcap-received", settings.pcap_received)):
        if path is None:
            continue
        check_output(option, path, inputs, overwrite=overwrite)
        if place is not None and path.resolve().is_relative_to(place.resolve()):
            raise UserError(f"{option} {path}: lies in --out {place}, which appears as a whole; give a file elsewhere")


def inputs_of(settings: Settings) -> dict[str, list[Path]]:
    """The files that a run reads, by what names them."""
    found = {
        "INPUT": _clip(settings.input),
        "--labels": existing_files(settings.labels),
        "--weights": existing_files(settings.weights),
        "--recognizer": existing_files(settings.recognizer),
        "--recognizer-arg": existing_files(*settings.recognizer_args),
        "--codec": existing_files(settings.codec),
        "--channel": [*existing_files(settings.channel), *_traces(settings.channel)],
        "--estimator": existing_files(settings.estimator),
    }
    return {name: files for name, files in found.items() if files}


def _clip(name: str | None) -> list[Path]:
    """The files of a clip: one, the images of a sequence, or a list and what it names."""
    if name is None:
        return []
    path = Path(name)
    try:
        if path.is_file():
            return [path, *_listed(path)]
        return [] if path.exists() else sorted(path.parent.glob(re.sub(r"%0?\d*d", "*", path.name)))
    except (OSError, ValueError):
        return []


def _listed(path: Path) -> Iterator[Path]:
    """Files beside a list of films (``.m3u8``, ``.txt`` of concat, ...) that it names."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if b"\0" in head:
        return
    for word in re.findall(r"[^\s'\"<>=]+", head.decode("utf-8", errors="replace")):
        beside = path.parent / word
        try:
            if beside.is_file():
                yield beside
        except (OSError, ValueError):
            continue


def _traces(channel: str) -> list[Path]:
    """Files that a channel names."""
    from vidlink.codec.shelf import load_channel

    try:
        content = load_channel(channel).model_dump()
    except UserError:  # said where it is loaded
        return []
    return list(_paths(content))


def _paths(value: object) -> Iterator[Path]:
    """Every path in nested plain values."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _paths(part)
