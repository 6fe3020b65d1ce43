"""The run folder: written beside its place and moved there as the very last step, so half a run never looks whole."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vidlink.errors import UserError
from vidlink.files.csvs import write_csv
from vidlink.report.summary import plain

if TYPE_CHECKING:
    from types import TracebackType

    import pandas as pd

    from vidlink.settings import Settings


class RunFolder:
    """A folder that appears at its place when the block ends well, and leaves nothing behind when it does not.

    Parameters
    ----------
    place
        Where the run folder will be.
    overwrite
        Whether a run folder that is there already is replaced. Other folders never are.

    Raises
    ------
    UserError
        The place is taken, or cannot be written.
    """

    def __init__(self, place: Path, *, overwrite: bool = False) -> None:
        if place.exists() and not overwrite:
            raise UserError(f"--out {place}: exists already; give another folder, or --overwrite")
        if place.exists() and not (place.is_dir() and ((place / "summary.json").is_file() or not any(place.iterdir()))):
            raise UserError(f"--out {place}: is not a run folder (no summary.json), so it is not overwritten")
        self.place = place
        self.path = place.parent / f".{place.name}.partial-{os.getpid()}"

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(parents=True)
        except OSError as error:
            raise UserError(f"--out {self.place}: cannot be written: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        if self.place.exists():
            old = self.place.parent / f".{self.place.name}.old-{os.getpid()}"
            self.place.rename(old)
            self.path.rename(self.place)
            shutil.rmtree(old, ignore_errors=True)
        else:
            self.path.rename(self.place)

    def write_tables(self, tables: dict[str, pd.DataFrame]) -> None:
        """Write each table as CSV; the same table gives the same bytes."""
        for name, table in tables.items():
            (self.path / f"{name}.csv").write_text(write_csv(table), encoding="utf-8", newline="\n")

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file, numbers that are not finite as null."""
        text = json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)
        (self.path / name).write_text(text + "\n", encoding="utf-8")


def run_name(settings: Settings) -> str:
    """What to call the folder of a run: clip, budget, channel."""
    clip = Path(settings.input).stem if settings.input else "builtin"
    if settings.live:
        rate = "auto"
    elif settings.bitrate_bps:
        rate = f"{settings.bitrate_bps / 1000:g}k"
    else:
        rate = f"s{settings.scale:g}-q{settings.quality:g}"
    return "-".join(re.sub(r"[^\w.]+", "_", part) for part in (clip, rate, Path(settings.channel).stem))


def fresh_place(name: str) -> Path:
    """A folder in ``runs`` that does not exist yet: ``runs/NAME``, ``runs/NAME-2``, ..."""
    place = Path("runs") / name
    number = 2
    while place.exists():
        place = Path("runs") / f"{name}-{number}"
        number += 1
    return place
