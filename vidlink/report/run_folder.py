"""The run folder: written beside its place and moved there as the very last step, so half a run never looks whole."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vidlink.command import Stop
from vidlink.errors import UserError, is_disk_full
from vidlink.files.claim import Claim, is_claimed, sweep_leftovers
from vidlink.files.csvs import write_csv
from vidlink.report.summary import plain
from vidlink.settings import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    import pandas as pd

    from vidlink.settings import Settings

SUMMARY = "summary.json"
WORK = "resume"
"""Folder of what ``--resume`` needs, in the folder of a run that was stopped."""
_PROBE_BYTES = 1 << 16
_BROKEN = (errno.EIO, errno.EROFS, errno.ESTALE)


_LONGEST_PART = 80
"""Bytes of each part of a run folder's name; file systems take 255 in all."""


class RunFolder:
    """A folder that appears at its place when the block ends well, and leaves nothing behind when it does not.

    Its place is claimed while the block runs: nobody else writes it meanwhile, and nothing is replaced that was not
    there when the block began.

    Parameters
    ----------
    place
        Where the run folder will be.
    overwrite
        Whether a run folder that is there already is replaced. Other folders never are.
    resume
        Whether a run folder that is there and incomplete is gone on with.

    Raises
    ------
    UserError
        The place is taken, or cannot be written.
    """

    def __init__(self, place: Path, *, overwrite: bool = False, resume: bool = False) -> None:
        self.place, self._overwrite, self._resume = place, overwrite, resume
        self._name: str | None = None
        self.incomplete = False
        """Set where the run was stopped: then ``work`` is kept in the folder."""
        self._aim(place)
        self._check()

    @classmethod
    def fresh(cls, name: str) -> RunFolder:
        """One at ``runs/NAME``, or ``runs/NAME-2`` and so on where that is taken, also by a run that goes on."""
        folder = cls(fresh_place(name))
        folder._name = name
        return folder

    def _aim(self, place: Path) -> None:
        self.place, self._real = place, place.resolve()
        self._claim = Claim(self._real)
        self.path = self._claim.folder / "run"
        """Where to write."""

    @property
    def work(self) -> Path:
        """Folder of what is worth keeping where the run is stopped; it may be that of the run that is gone on with."""
        there = self._real / WORK
        return there if self._resume and there.is_dir() else self._claim.folder / WORK

    def __enter__(self) -> Self:
        try:
            with Stop():
                self._begin()
        except BaseException as error:
            self._claim.release()
            if isinstance(error, OSError):
                raise UserError(f"--out {self.place}: cannot be written: {error.strerror or error}") from error
            raise
        return self

    def _begin(self) -> None:
        """Claim the place, and see whether it can be written."""
        while not self._claim.take(keep=(WORK,) if self._resume else ()):
            if self._name is None:
                raise UserError(f"--out {self.place}: another run is writing there now; give another folder")
            self._aim(fresh_place(self._name))
        if self._name is not None and self._real.exists():  # that other run has just ended
            self._claim.release()
            self._aim(fresh_place(self._name))
            self._begin()
            return
        self._check()
        sweep_leftovers(self._real.parent)
        self._before = _inventory(self._real)
        self.path.mkdir()
        probe = self.path / "probe"
        probe.write_bytes(bytes(_PROBE_BYTES))
        probe.unlink()

    def _check(self) -> None:
        """Refuse a place that holds what may not be replaced."""
        place = self._real
        if not os.path.lexists(place):
            return
        summary = place / SUMMARY
        if self._resume and is_incomplete(place):
            return
        if not self._overwrite:
            hint = "--resume goes on with that run, which is incomplete" if is_incomplete(place) else ""
            raise UserError(f"--out {self.place}: exists already; {hint or 'give another folder'}, or --overwrite")
        if not (place.is_dir() and (summary.is_file() or not any(place.iterdir()))):
            raise UserError(f"--out {self.place}: is not a run folder (no {SUMMARY}), so it is not overwritten")
        if place.is_mount():
            raise UserError(f"--out {self.place}: a file system begins there; give a folder within it")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with Stop():
            try:
                if error is None:
                    self._finish()
            except OSError as failed:
                error = failed
            finally:
                self._claim.release()
            if isinstance(error, OSError) and self._is_mine(error):
                raise UserError(
                    f"--out {self.place}: cannot be written: {error.strerror or error}; nothing was kept"
                ) from error

    def _is_mine(self, error: OSError) -> bool:
        """Whether an error is about what is written here, not about what is read, or written elsewhere."""
        name = getattr(error, "filename", None)
        if isinstance(name, str | bytes | os.PathLike) and name:
            return Path(os.fsdecode(name)).is_relative_to(self._claim.folder)
        return is_disk_full(error) or error.errno in _BROKEN

    def _finish(self) -> None:
        """Move what was written to the place."""
        if self.incomplete and self.work.is_dir():
            self.work.rename(self.path / WORK)
        if not os.path.lexists(self._real):
            self.path.rename(self._real)
        elif self._before is not None and self._before[0] == _identity(self._real):
            old = self._claim.replace(self.path)
            for path in list(old.iterdir()):
                if path.name not in self._before[1]:  # it came while this run went on
                    with suppress(OSError):
                        path.rename(self._real / path.name)
        else:
            self._settle_beside()

    def _settle_beside(self) -> None:
        """Somebody else put something there meanwhile: that stays, and the run goes beside it."""
        meant, number = self.place, 2
        while True:
            place = meant.with_name(f"{meant.name}-{number}")
            if not os.path.lexists(place):
                with suppress(OSError):
                    self.path.rename(place.resolve())
                    break
            number += 1
        self.place = place
        print(f"vidlink: {meant} appeared while the run went on; the run is in {place}", file=sys.stderr)

    def write_tables(self, tables: dict[str, pd.DataFrame]) -> None:
        """Write each table as CSV; the same table gives the same bytes."""
        for name, table in tables.items():
            (self.path / f"{name}.csv").write_text(write_csv(table), encoding="utf-8", newline="\n")

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Write files by their path in the folder."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file, numbers that are not finite as null."""
        text = json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)
        (self.path / name).write_text(text + "\n", encoding="utf-8")


def run_name(settings: Settings) -> str:
    """What to call the folder of a run: clip, budget, channel."""
    clip = Path(settings.input).stem if settings.input else BUILTIN
    if settings.live:
        rate = "auto"
    elif settings.bitrate_bps:
        rate = f"{settings.bitrate_bps / 1000:g}k"
    else:
        size = f"{settings.size[0]}x{settings.size[1]}" if settings.size else f"s{settings.scale:g}"
        rate = f"{size}-q{settings.quality:g}"
    channel = Path(settings.channel).stem if settings.loss is None else f"loss{100 * settings.loss:g}"
    parts = (re.sub(r"[^\w.]+", "_", part) for part in (clip, rate, channel))
    return "-".join(_shortened(part) for part in parts)


def _shortened(part: str) -> str:
    """So much of a name that a folder can have it, with what stands before and behind it while the run lasts."""
    return part.encode()[:_LONGEST_PART].decode(errors="ignore")


def places(name: str) -> Iterator[Path]:
    """``runs/NAME``, ``runs/NAME-2``, ..."""
    yield Path("runs") / name
    for number in count(2):
        yield Path("runs") / f"{name}-{number}"


def fresh_place(name: str) -> Path:
    """The first of the :func:`places` that does not exist yet, and that no run is about to make."""
    return next(place for place in places(name) if not (os.path.lexists(place) or is_claimed(place.resolve())))


def is_incomplete(place: Path) -> bool:
    """Whether a run folder is that of a run that was stopped."""
    return read_summary(place).get("complete") is False


def read_summary(place: Path) -> dict[str, Any]:
    """The ``summary.json`` of a run folder; empty where there is none that can be read."""
    try:
        found = json.loads((place / SUMMARY).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _identity(place: Path) -> tuple[int, int]:
    status = place.stat()
    return status.st_dev, status.st_ino


def _inventory(place: Path) -> tuple[tuple[int, int], frozenset[str]] | None:
    """Which folder is at a place, and the names in it; None where there is none."""
    if not place.is_dir():
        return None
    return _identity(place), frozenset(path.name for path in place.iterdir())
