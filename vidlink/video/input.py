"""What an INPUT is: a local file, images in order, or (where that is allowed) an address; and how it is opened."""

from __future__ import annotations

import glob
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import av

from vidlink.errors import UserError
from vidlink.video.file import PLAYLIST, SCRIPT, Beside, File, as_path, scripted
from vidlink.video.raw import is_raw, look_at
from vidlink.video.sequence import NUMBER, by_number, first_number, gap_in, images_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

_ADDRESS = re.compile(
    r"(?:https?|ftps?|rtsps?|rtmp[est]*|rtp|srtp|srt|udp|tcp|tls|mms[ht]?|rist|sftp|gopher|ipfs):", re.IGNORECASE
)
"""Addresses of FFmpeg's network protocols."""
_NETWORK = "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtmp,rtmps,rtmpt,rtmpts,rtsp,ftp,srt,rist,mmsh,mmst,crypto,data"
_PLAYLISTS = {"hls", "applehttp", "dash", "imf"}
_PATIENCE_S = 30.0
"""Seconds that an address may take to answer."""

Kind = Literal["file", "raw", "images", "address"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """What is opened, as often as one likes."""

    name: str
    """As the user gave it."""
    kind: Kind
    """What it is."""
    demuxer: str | None = None
    """FFmpeg's name of the format, None where FFmpeg finds out."""
    options: dict[str, str] = field(default_factory=dict)
    """Options of the demuxer."""

    def open(self, *, named: list[Path] | None = None) -> av.container.InputContainer:
        """Open it. The paths of files that it names, as they are opened, are added to ``named``.

        Raises
        ------
        UserError
            It cannot be read, or it is a playlist that names what lies elsewhere.
        """
        try:
            return self._open(named)
        except (av.FFmpegError, ValueError) as error:
            said = str(getattr(error, "strerror", None) or error).lower()
            raise UserError(f"{self.name}: not a video that FFmpeg can read ({said})") from error
        except OSError as error:
            raise UserError(f"{self.name}: cannot be read: {error.strerror}") from error

    def _open(self, named: list[Path] | None) -> av.container.InputContainer:
        if self.kind == "address":
            options = {**self.options, "protocol_whitelist": _NETWORK}
            return av.open(self.name, options=options, timeout=_PATIENCE_S)
        options = {**self.options, "protocol_whitelist": "file"}
        if self.kind == "images":
            return av.open(as_path(self.name), format=self.demuxer, options=options)
        file, demuxer = File(self.name), self.demuxer
        if file.begins_with(SCRIPT):
            # FFmpeg itself opens what a script names, in the script's folder; playlists in it would reach beyond.
            demuxer = "concat"
            options["format_whitelist"] = ",".join(sorted(av.formats_available - _PLAYLISTS))
        elif file.begins_with(PLAYLIST):
            options["max_reload"] = "1"  # one without an end would be waited for
        else:
            file.name = file.name.replace("%", "_")  # no pattern, since there is such a file
        return av.open(file, "r", format=demuxer, options=options, io_open=Beside(self.name, named))


def find_input(
    name: str,
    *,
    video_size: tuple[int, int] | None = None,
    frame_rate: Fraction | None = None,
    allow_network: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> Input:
    """What a name stands for; a file that exists is that file, whatever its name looks like.

    Parameters
    ----------
    name
        Path, pattern of images (``img%03d.png``, ``*.png``) or address.
    video_size, frame_rate
        As they were given.
    allow_network
        Whether it may be an address.
    note
        Told what had to be assumed.

    Raises
    ------
    UserError
        There is no such file, it is none that can be read twice, or something was given that does not go with it.
    """
    rate = {"framerate": str(frame_rate)} if frame_rate else {}
    if not name:
        raise UserError("INPUT is an empty name; give a video file")
    if mode := _mode(name):
        _refuse_what_is_no_file(name, mode)
        if is_raw(name):
            raw = look_at(name, video_size=video_size, frame_rate=frame_rate, note=note)
            return Input(name=name, kind="raw", demuxer="rawvideo", options=raw.options)
        found = Input(name=name, kind="file", options=rate)
    elif _ADDRESS.match(name):
        if not allow_network:
            raise UserError(f"{name}: no such file; an address on the network is opened with --allow-network only")
        found = Input(name=name, kind="address", options=rate)
    else:
        name = by_number(name)
        found = _images(name, rate)
        if gap := gap_in(name):
            note(gap)
        if frame_rate is None:
            note("images state no frame rate: 25 a second were assumed (--framerate says another)")
    if video_size:
        raise UserError(f"--video-size is for raw video, and {name} states its own size: leave it out")
    return found


def files_of(name: str) -> list[Path]:
    """Every file that an input is read from: itself, images in their order, and what a playlist names.

    Raises
    ------
    UserError
        There is no such file, or it names what lies elsewhere.
    """
    if not _mode(name):
        name = by_number(name)
        _images(name, {})
        return _matches(name)
    _refuse_what_is_no_file(name, _mode(name))
    with Path(name).open("rb") as file:
        head = file.read(len(SCRIPT))
    named: list[Path] = []
    if head.startswith(PLAYLIST):
        with Input(name=name, kind="file").open(named=named) as container, suppress(av.FFmpegError):
            for _ in container.demux():
                pass
    elif head == SCRIPT:
        named = scripted(Path(name))
    return [Path(name), *dict.fromkeys(named)]


def pictures_of(name: str) -> list[Path]:
    """The images of an input that is a sequence of them, in their order; none where it is anything else."""
    try:
        return [] if _mode(name) else _matches(by_number(name))
    except (UserError, OSError):  # said where it is opened
        return []


def printable(name: str) -> str:
    r"""A name as text that can be written anywhere: bytes that are no UTF-8 become ``\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _mode(name: str) -> int:
    """The mode of a file, 0 where there is none."""
    try:
        return Path(name).stat().st_mode
    except (OSError, ValueError):
        return 0


def _refuse_what_is_no_file(name: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise UserError(f"{name}: is a folder; give a video file, or the images in it as '{name}/*.png'")
    if not stat.S_ISREG(mode):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise UserError(f"{name}: is {kind}; a clip is read more than once, so save it to a file and give that")


def _images(name: str, rate: dict[str, str]) -> Input:
    """A sequence of images, whose name is a pattern."""
    found = _matches(name)
    if not found:
        pattern = "*" in name or NUMBER.search(name)
        raise UserError(f"{name}: no file matches" if pattern else f"{name}: no such file")
    for path in found:
        _refuse_what_is_no_file(str(path), _mode(str(path)))
    if "*" in Path(name).name:
        return Input(
            name=_literal_folder(name), kind="images", demuxer="image2", options={"pattern_type": "glob", **rate}
        )
    return Input(name=name, kind="images", demuxer="image2", options={**first_number(name), **rate})


def _matches(name: str) -> list[Path]:
    """Images that a pattern stands for, in order."""
    if "*" in Path(name).name:
        return sorted(map(Path, glob.glob(_literal_folder(name))))  # noqa: PTH207 - as the C library does it
    return images_of(name)


def _literal_folder(pattern: str) -> str:
    """A pattern whose folder stands for itself, whatever characters are in its name."""
    folder, last = os.path.split(pattern)
    return str(Path(glob.escape(folder)) / last) if folder else last
