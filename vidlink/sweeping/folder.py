"""The results folder: a record for each point that is done, from which the tables are made.

::

    results/
      results.parquet  results.csv   one row a point, in the order of the sweep
      provenance.json                what made it: commands, versions, git revisions, the sweep
      points/IDENTITY.json           one record a point; it is there whole or not at all
      runs/IDENTITY/                 run folders, where they are kept
      cache/                         what points share
      .lock                          see :mod:`vidlink.sweeping.locks`
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vidlink import __version__
from vidlink.errors import UserError, is_disk_full
from vidlink.files.claim import sweep_files, sweep_leftovers
from vidlink.files.whole import put_whole
from vidlink.sweeping.locks import Locks

if TYPE_CHECKING:
    from types import TracebackType

PROVENANCE = "provenance.json"
_DAY_S = 86_400


def _is_strange(found: Path) -> bool:
    """Whether a file is not among those that a sweep makes before its provenance."""
    return found.name not in (".lock", "points", "runs") and not found.name.startswith(f".{PROVENANCE}.")


class ResultsFolder:
    """A results folder, new or of an earlier sweep of the same vidlink.

    Parameters
    ----------
    path
        Where it is, or will be.

    Raises
    ------
    UserError
        The place holds something else, another version made it, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise UserError(f"--out {path}: is a file, not a folder")
        # Listed first, looked for second: another process may be making the same folder at this moment, and whatever
        # of a sweep has a name of its own comes after the provenance.
        if path.is_dir() and any(map(_is_strange, path.iterdir())) and not (path / PROVENANCE).is_file():
            raise UserError(f"--out {path}: is not a results folder (no {PROVENANCE}) and not empty")
        try:
            for folder in (path, path / "points", path / "runs"):
                folder.mkdir(parents=True, exist_ok=True)
            self.locks = Locks(path / ".lock")
        except OSError as error:
            raise self.unwritable(error) from error
        self._check_version()
        self._sweep_away()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.locks.close()
        if error is not None:
            sweep_leftovers(self.path / "runs")

    def unwritable(self, error: OSError) -> UserError:
        """What to tell the user when writing failed."""
        if is_disk_full(error):
            return UserError(
                f"--out {self.path}: the disk is full; what is done is kept: make room and give the same command again"
            )
        return UserError(f"--out {self.path}: cannot be written: {error.strerror or error}")

    def provenance(self) -> dict[str, Any]:
        """What ``provenance.json`` holds; empty in a new folder."""
        return read_provenance(self.path)

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the folder whole.

        Raises
        ------
        UserError
            The disk is full, or the folder cannot be written.
        """
        try:
            put_whole(self.path / name, lambda partial: partial.write_bytes(data))
        except OSError as error:
            raise self.unwritable(error) from error

    def record(self, identity: str) -> dict[str, Any] | None:
        """The record of a point, or None where there is none (or none that can be read)."""
        return read_record(self.path, identity)

    def write_record(self, record: dict[str, Any]) -> None:
        """Keep the record of a point. Raises as :meth:`write` does."""
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
        self.write(f"points/{record['point']}.json", (text + "\n").encode())

    def run_place(self, identity: str) -> Path:
        """Where the run folder of a point is kept."""
        return self.path / "runs" / identity[:20]

    def kept_run(self, identity: str) -> str | None:
        """Where the run folder of a point is, relative to this folder; None where it is not kept."""
        place = self.run_place(identity)
        return place.relative_to(self.path).as_posix() if (place / "summary.json").is_file() else None

    def forget(self, identity: str) -> None:
        """Remove the record of a point, so that it is run again."""
        (self.path / "points" / f"{identity}.json").unlink(missing_ok=True)

    def clear_run(self, identity: str) -> None:
        """Remove what a killed process left of a run folder. Only who holds the point's lock may."""
        for left in self.path.glob(f"runs/.{identity[:20]}.*"):
            shutil.rmtree(left, ignore_errors=True)

    def _check_version(self) -> None:
        found = self.provenance()
        made_by = found.get("vidlink", __version__)
        if made_by != __version__:
            raise UserError(
                f"--out {self.path}: was made by vidlink {made_by}, this is {__version__}; results of two versions do "
                "not mix: give another folder"
            )

    def _sweep_away(self) -> None:
        """Remove what killed processes left half-written."""
        sweep_files([*self.path.glob("points/.*.json.*.partial"), *self.path.glob(".*.partial")])
        sweep_leftovers(self.path / "runs")
        for left in [*self.path.glob("points/.*.json.*"), *self.path.glob(".*.*-*")]:  # of older versions, unlocked
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > _DAY_S:
                    left.unlink()


def read_provenance(path: Path) -> dict[str, Any]:
    """What the ``provenance.json`` of a results folder holds; empty where there is none.

    Raises
    ------
    UserError
        It is damaged.
    """
    try:
        found = json.loads((path / PROVENANCE).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{path / PROVENANCE}: cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise UserError(f"{path / PROVENANCE}: is not what a sweep writes")
    return found


def read_record(path: Path, identity: str) -> dict[str, Any] | None:
    """The record of a point in the results folder ``path``, or None where there is none that can be read."""
    try:
        found = json.loads((path / "points" / f"{identity}.json").read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("point") == identity else None
