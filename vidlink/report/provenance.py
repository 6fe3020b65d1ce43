"""What made the results: command line, versions, git revision, machine, and the input by its content."""

from __future__ import annotations

import hashlib
import platform
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink import __version__
from vidlink.errors import UserError
from vidlink.pipeline import available_cores
from vidlink.settings import BUILTIN
from vidlink.video.input import files_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidlink.settings import Settings

PACKAGES = (
    "av",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "pyarrow",
    "torch",
    "torchvision",
    "torchmetrics",
    "distributed",
)
"""Packages whose version may show in results."""


def describe(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Describe the running process.

    Parameters
    ----------
    argv
        Its command line; by default the real one.

    Returns
    -------
    dict
        ``command``, ``started`` (UTC, ISO 8601), ``git`` (revision, with ``-dirty`` where files differ from it; None
        outside a checkout), ``vidlink``, ``python``, ``versions`` (of packages, of the FFmpeg in PyAV and of its x264),
        ``machine``, ``cores``.
    """
    return {
        "command": shlex.join(argv or [Path(sys.executable).name, *sys.orig_argv[1:]]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": git_revision(),
        "vidlink": __version__,
        "python": platform.python_version(),
        "versions": describe_versions(),
        "machine": platform.platform(),
        "cores": available_cores(),
    }


def describe_versions() -> dict[str, str]:
    """Versions of packages, of the FFmpeg in PyAV and of its x264, by name; without what is not there."""
    return {name: found for name in PACKAGES if (found := _version(name))} | _libraries()


def describe_run(settings: Settings, *, seconds: float = 0.0) -> dict[str, Any]:
    """The content of ``run.json`` of a run that began so long ago: :func:`describe`, and the ``input`` by content."""
    started = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="seconds")
    return {**describe(), "started": started, "input": input_content(settings.input)}


def input_content(name: str | None) -> dict[str, Any]:
    """The input of a run by its content.

    Parameters
    ----------
    name
        As in the settings.

    Returns
    -------
    dict
        ``path``; ``files``, how many; ``bytes`` of all; ``sha256`` of the file, of a sequence of images or a playlist
        that of all files one after the other. Of the built-in clip, and of what is no file, only ``path``.
    """
    if name is None:
        return {"path": BUILTIN}
    try:
        files = files_of(name)
    except (UserError, OSError):  # an address, or it is gone
        return {"path": name}
    content, size = hashlib.sha256(), 0
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                content.update(block)
                size += len(block)
    return {"path": name, "files": len(files), "bytes": size, "sha256": content.hexdigest()}


@cache
def _libraries() -> dict[str, str]:
    """Versions of FFmpeg as PyAV has it, and of its x264, which says it in what it codes."""
    import av
    import numpy as np

    found = {"ffmpeg": str(av.ffmpeg_version_info)}
    with suppress(av.FFmpegError, ValueError):
        coder = av.CodecContext.create("libx264", "w")
        coder.width, coder.height, coder.pix_fmt, coder.time_base = 16, 16, "yuv420p", Fraction(1, 25)
        frame = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")
        coded = b"".join(bytes(packet) for packet in [*coder.encode(frame), *coder.encode(None)])
        if said := re.search(rb"x264 - (core \d+(?: r\w+)?)", coded):
            found["x264"] = said[1].decode()
    return found


@cache
def git_revision(*, besides: str = "") -> str | None:
    """Revision of the checkout that vidlink runs from, with ``-dirty`` where files differ from it; None outside one.

    Parameters
    ----------
    besides
        A folder of the checkout whose files may differ; empty for none.
    """
    package = Path(__file__).parents[1]

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(package), *words], capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "__init__.py")  # or it lies within somebody else's checkout
        places = [str(package), str(package.parent), *([f":(exclude,top){besides}"] if besides else [])]
        changed = git("status", "--porcelain", "--untracked-files=no", "--", *places)
        return git("rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
