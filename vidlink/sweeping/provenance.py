"""What made the results: command line, versions, git revision, machine."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink import __version__
from vidlink.pipeline import available_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ("av", "numpy", "opencv-python-headless", "pandas", "pyarrow", "torch", "torchmetrics", "distributed")
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
        outside a checkout), ``vidlink``, ``python``, ``versions``, ``machine``, ``cores``.
    """
    return {
        "command": shlex.join(argv or [Path(sys.executable).name, *sys.orig_argv[1:]]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": git_revision(),
        "vidlink": __version__,
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "machine": platform.platform(),
        "cores": available_cores(),
    }


def git_revision() -> str | None:
    """Revision of the checkout that vidlink runs from, with ``-dirty`` where files differ from it; None outside one."""
    package = Path(__file__).parents[1]

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(package), *words], capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "__init__.py")  # or it lies within somebody else's checkout
        changed = git("status", "--porcelain", "--untracked-files=no", "--", str(package), str(package.parent))
        return git("rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
