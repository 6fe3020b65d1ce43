"""One point of a sweep, run in whatever process the executor puts it, and the record that comes of it."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink import __version__
from vidlink.errors import UserError, is_disk_full
from vidlink.plugins import RAISED
from vidlink.report.memory import shared_memory
from vidlink.sweeping.identity import identify

if TYPE_CHECKING:
    from vidlink.files.cache import Cache
    from vidlink.settings import Settings

DONE, REFUSED, FAILED = "done", "refused", "failed"
"""Status of a record. ``refused``: the settings do not work on this input, and never will (a :class:`UserError`).
``failed``: something broke, or a file changed; such a point is tried again when the sweep is given again."""


class DiskFullError(Exception):
    """A disk on which a point was to write is full; no matter of the point's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A point to run; it travels to another process."""

    identity: str
    """What :func:`~vidlink.sweeping.identity.identify` gave where the sweep was started."""
    settings: Settings
    """What to run."""
    keep_at: Path | None = None
    """Where the run folder goes; None to keep none."""
    cache: Path | None = None
    """Folder of the cache of what points share; None for none."""
    cache_bytes: int = 0
    """Its bound."""
    here: bool = False
    """Whether it runs in the process that asked, which stays as it is: with its threads."""


def run_task(task: Task) -> dict[str, Any]:
    """Run a point.

    Returns
    -------
    dict
        ``point`` (identity), ``status``, ``error`` (one line, or None), and where it is done ``summary`` (as in
        ``summary.json``, without settings and timing), ``moments`` (by dimension), ``timing_s``.

    Raises
    ------
    DiskFullError
        A disk is full.
    """
    if not task.here:
        _one_thread()
    try:
        _check_same(task)
        found = _run(task)
        _check_same(task)
    except RAISED as error:
        if is_disk_full(error):
            raise DiskFullError(str(error)) from None
        return _failure(task, error)
    return {"point": task.identity, "status": DONE, "error": None, **found}


def failed(identity: str, error: str, trace: str | None = None) -> dict[str, Any]:
    """The record of a point that broke."""
    record = {"point": identity, "status": FAILED, "error": " ".join(error.split())}
    return record | {"traceback": trace} if trace else record


def _run(task: Task) -> dict[str, Any]:
    from vidlink.report.run_folder import RunFolder
    from vidlink.scores.moments import table_moments
    from vidlink.simulate import simulate

    settings, shared = replace(task.settings, workers=1), _shared(task)
    if task.keep_at is None:
        run = simulate(settings, quiet=True, **shared)
    else:
        with RunFolder(task.keep_at, overwrite=True) as folder:
            film = folder.path / "received.mp4" if settings.save_video else None
            run = simulate(settings, film=film, quiet=True, **shared)
            run.write_to(folder)
    summary = dict(run.summary)
    recognition = summary.get("recognition") or {}
    moments = {}
    if "cc" in recognition:
        moments = table_moments(run.predictions, recognition["against"])
    timing = summary.pop("timing_s", None)
    for name in ("settings", "complete"):
        summary.pop(name, None)
    return {"summary": summary, "moments": moments, "timing_s": timing}


def _shared(task: Task) -> dict[str, Any]:
    """What this point shares with others: ``memory``, where there is a cache."""
    if task.cache is None:
        return {}
    return {"memory": shared_memory(task.settings, _open_cache(task.cache, task.cache_bytes))}


@cache
def _open_cache(folder: Path, max_bytes: int) -> Cache:
    from vidlink.files.cache import Cache

    return Cache(folder, max_bytes=max_bytes)


def _check_same(task: Task) -> None:
    """Refuse to give results of one file under the identity of another."""
    if identify(task.settings) != task.identity:
        raise UserError(
            "a file of this point is not the one the sweep was started with (changed meanwhile, or another machine has "
            f"another file, weights or vidlink; here it is {__version__})"
        )


def _failure(task: Task, error: BaseException) -> dict[str, Any]:
    if not isinstance(error, UserError):
        return failed(task.identity, f"{type(error).__name__}: {error}", traceback.format_exc())
    try:
        _check_same(task)
    except UserError as changed:
        return failed(task.identity, str(changed))
    return failed(task.identity, str(error)) | {"status": REFUSED}


@cache
def _one_thread() -> None:
    """Let this process compute in one thread, so that as many processes as cores do not fight over them."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
