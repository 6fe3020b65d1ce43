"""What a run reads, and where it may write because of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vidlink.codec.shelf import find, is_file_name, load_channel, named_paths
from vidlink.errors import UserError
from vidlink.files.outputs import check_folder_output, check_output, existing_files
from vidlink.video.input import files_of

if TYPE_CHECKING:
    from pathlib import Path

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
        if path.is_dir():
            raise UserError(f"capture {path}: cannot be written (it is a folder, expected a file)")
        check_output(option, path, inputs, overwrite=overwrite)
        if place is not None and path.resolve().is_relative_to(place.resolve()):
            raise UserError(f"{option} {path}: lies in --out {place}, which appears as a whole; give a file elsewhere")


READS = ("input", "labels", "weights", "recognizer_args", "codec", "channel")
"""Settings that name what :func:`inputs_of` finds."""


def inputs_of(settings: Settings) -> dict[str, list[Path]]:
    """The files that a run reads, by what names them."""
    from vidlink.recognizers.from_file import is_file

    found = {
        "INPUT": _clip(settings.input),
        "--labels": existing_files(settings.labels),
        "--recognizer": existing_files(settings.recognizer) if is_file(settings.recognizer) else [],
        "--weights": existing_files(settings.weights),
        "--recognizer-arg": existing_files(*settings.recognizer_args),
        "--codec": _profile("codecs", settings.codec),
        "--channel": _profile("channels", settings.channel),
    }
    return {name: files for name, files in found.items() if files}


def _clip(name: str | None) -> list[Path]:
    """The files of a clip: one, the images of a sequence, or a list and what it names."""
    try:
        return [] if name is None else files_of(name)
    except (UserError, OSError):  # said where it is opened
        return []


def _profile(kind: Literal["codecs", "channels"], name: str) -> list[Path]:
    """The file of a codec or a channel of the user's own, and files that a channel names."""
    try:
        own = [find(kind, name)] if is_file_name(name) else []
        return own if kind == "codecs" else [*own, *named_paths(load_channel(name))]
    except UserError:  # said where it is loaded
        return []
