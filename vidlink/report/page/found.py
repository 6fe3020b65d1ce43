"""A run as its page needs it: from memory, or from a folder, of which anything may be missing or damaged.

What cannot be used is left out and named, so that the rest can be relied on.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.files.csvs import as_it_was
from vidlink.report.run_folder import SUMMARY
from vidlink.report.summary import plain
from vidlink.report.terminal import outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vidlink.report.thumbnails import Thumbnail

FILM, BESIDE, PAGE = "received.mp4", "report.mp4", "report.html"
TABLES = {
    "segments": ("start_s", "duration_s", "scale", "frame_divisor", "quality", "payload_bits", "wire_bits"),
    "frames": ("frame", "segment", "time_s", "scale", "status"),
    "packets": ("segment", "frame", "kind", "fate"),
    "predictions": ("frame", "time_s", "face"),
    "live": ("time_s", "estimate_bps", "capacity_bps"),
}
"""The tables of a run folder, with the columns that its page looks at."""
_STOPPED = "the run was stopped before its end; the page shows what was done"
_LARGEST = 1e15
"""Of numbers in a table: what is more, or no number, is damage."""
_WORDS = ("status", "fate", "kind")
_ALWAYS = ("segments", "frames", "packets")
_MAY_BE_EMPTY = ("predictions", "live")


@dataclass(kw_only=True)
class Found:
    """What there is of a run."""

    folder: Path
    """Where it lies."""
    name: str
    """What to call it where its summary does not say."""
    summary: dict[str, Any] = field(default_factory=dict)
    """``summary.json``; empty where it cannot be used."""
    made: dict[str, Any] = field(default_factory=dict)
    """``run.json``; empty where it cannot be used."""
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    """Those that can be used."""
    pictures: Sequence[Thumbnail] = ()
    """A few pictures, sent and seen."""
    problems: list[str] = field(default_factory=list)
    """What is missing or damaged, a line each."""

    def take(self, table: pd.DataFrame, name: str) -> pd.DataFrame | None:
        """A table that a page can be made of: its columns are there and hold numbers or words; None where it is empty.

        Raises
        ------
        UserError
            What is wrong with it.
        """
        import numpy as np
        import pandas as pd

        if table.empty:
            if name not in _MAY_BE_EMPTY:
                raise UserError("it has no row")
            return None
        missing = [column for column in TABLES[name] if column not in table]
        if missing:
            raise UserError(f"it has no column {missing[0]!r}")
        table = table.copy()
        whole = np.ones(len(table), bool)
        for column in TABLES[name]:
            if column == "capacity_bps" and table[column].isna().all():  # a link without a limit
                table[column] = np.nan
            if column in _WORDS:
                table[column] = [str(cell) for cell in table[column]]
            elif not pd.api.types.is_numeric_dtype(table[column]):
                raise UserError(f"column {column!r} holds something other than numbers")
            elif column != "capacity_bps":
                whole &= np.abs(table[column].to_numpy(float)) <= _LARGEST
        for column in {"width", "height"} & set(table):
            if not pd.api.types.is_numeric_dtype(table[column]):
                self.problems.append(f"{name}.csv: column {column!r} holds something other than numbers")
                table = table.drop(columns=column)
        if whole.sum() < len(whole):
            self.problems.append(f"{name}.csv: {len(whole) - whole.sum()} of its {len(whole)} rows are damaged")
        if not whole.any():
            raise UserError("no row is whole")
        return table[whole].reset_index(drop=True)


def found_in(
    folder: Path, summary: dict[str, Any], tables: dict[str, pd.DataFrame], pictures: Sequence[Thumbnail]
) -> Found:
    """A run that is in memory, and whose folder holds its films and ``run.json`` already."""
    found = Found(folder=folder, name=folder.name, summary=summary, pictures=pictures)
    found.made = _read_json(folder / "run.json", found.problems)
    if not summary.get("complete", True):
        found.problems.append(_STOPPED)
    for name in TABLES:
        table = found.take(tables[name], name) if name in tables else None
        if table is not None:
            found.tables[name] = table
    return found


def read_run(folder: Path) -> Found:
    """Read a run folder.

    Raises
    ------
    UserError
        There is nothing of a run in it.
    """
    found = Found(folder=folder, name=str(plain(folder.resolve().name)))
    found.summary = _read_summary(folder, found.problems)
    found.made = _read_json(folder / "run.json", found.problems)
    for name in TABLES:
        table = _read_table(folder / f"{name}.csv", name, found)
        if table is not None:
            found.tables[name] = table
    if not (found.summary or found.tables):
        what = "; ".join(found.problems)
        raise UserError(f"{folder}: nothing of a run can be read there, so there is no page to make: {what}")
    return found


def _read_summary(folder: Path, problems: list[str]) -> dict[str, Any]:
    found = _read_json(folder / SUMMARY, problems)
    if not found:
        return {}
    try:
        outcome(found)  # it looks at all that the page looks at
        float(found["input"]["seconds"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        problems.append(f"{SUMMARY}: damaged; it is not what a run writes ({type(error).__name__}: {error})")
        return {}
    if not found.get("complete", True):
        problems.append(_STOPPED)
    return found


def _read_json(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        problems.append(f"{path.name}: missing")
        return {}
    except (OSError, ValueError, RecursionError) as error:
        problems.append(f"{path.name}: damaged or cut short ({' '.join(str(error).split())})")
        return {}
    if not isinstance(found, dict):
        problems.append(f"{path.name}: damaged; expected a JSON object")
        return {}
    return found


def _read_table(path: Path, name: str, found: Found) -> pd.DataFrame | None:
    import pandas as pd

    if not path.exists():
        recognized = name == "predictions" and found.summary.get("recognition") is not None
        live = name == "live" and "live" in found.summary
        if name in _ALWAYS or recognized or live:
            found.problems.append(f"{path.name}: missing")
        return None
    try:
        content = path.read_bytes()
        if not content.strip() and name in _MAY_BE_EMPTY:
            return None
        table = pd.read_csv(io.BytesIO(content))
    except (OSError, ValueError, pd.errors.ParserError) as error:
        found.problems.append(f"{path.name}: damaged or cut short ({' '.join(str(error).split())})")
        return None
    if not content.endswith(b"\n"):
        found.problems.append(f"{path.name}: cut short; the page shows the {len(table)} rows that are there")
    table.columns = [as_it_was(column) for column in table.columns]
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = [as_it_was(cell) for cell in table[column]]
    try:
        return found.take(table, name)
    except UserError as error:
        found.problems.append(f"{path.name}: damaged; {error}")
        return None
