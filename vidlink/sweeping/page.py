"""``report.html`` of a sweep: curves with bands, a table to sort and to filter, links to the runs that were kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from vidlink.errors import UserError
from vidlink.files.csvs import as_it_was
from vidlink.report.page.html import render
from vidlink.scores.measures import MEASURES, headlines
from vidlink.sweeping.folder import PROVENANCE, read_provenance
from vidlink.sweeping.page_curves import draw_curves
from vidlink.sweeping.summary import doubts, group_keys, heading, is_score, over, summarize
from vidlink.sweeping.table import CSV, PARQUET, read_table
from vidlink.sweeping.work import DONE

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEEDED = ("point", "status", "error", "run_folder", "input", "bitrate_bps", "seed")
_MOST_CHOICES = 12
"""A column of at most so many different values gets a list to choose from."""


def is_sweep(folder: Path) -> bool:
    """Whether a folder is the results folder of a sweep, or what is left of one."""
    return any((folder / name).exists() for name in (PARQUET, CSV, PROVENANCE))


def page_of_sweep(folder: Path) -> str:
    """The page of a results folder.

    Raises
    ------
    UserError
        There is no table, or none that can be read, or it has no row.
    """
    problems: list[str] = []
    table = _read(folder, problems)
    made = _provenance(folder, problems)
    keys, done = group_keys(table), table[table["status"] == DONE]
    joined, _ = summarize(table)
    last = (made.get("commands") or [{}])[-1]
    last = last if isinstance(last, dict) else {}
    clips = table["input"].nunique(dropna=False)
    failures = table[table["status"] != DONE]["error"].fillna("no reason was given").value_counts(sort=False)
    return render(
        "sweep",
        title=f"{_name(folder, made)}: {_count(len(table), 'point')}, {_count(clips, 'clip')}",
        problems=problems,
        done=len(done),
        count=len(table),
        failures=[(int(count), str(error)) for error, count in failures.items()],
        figures=draw_curves(done, joined, keys),
        groups=_groups(joined, keys),
        doubts=doubts(table),
        over=over(table),
        points=_points(folder, table, keys),
        command=str(last.get("command") or "not known"),
        made=[(name, str(last[key])) for name, key in _MADE if last.get(key)],
        sweep_file=made.get("sweep") if isinstance(made.get("sweep"), str) else None,
        files=[(name, quote(name)) for name in (PARQUET, CSV, PROVENANCE) if (folder / name).is_file()],
    )


_MADE = (("started", "started"), ("vidlink", "vidlink"), ("revision", "git"), ("machine", "machine"))


def _read(folder: Path, problems: list[str]) -> pd.DataFrame:
    """The table, from CSV where the other file cannot be read."""
    try:
        table = read_table(folder)
    except UserError as error:
        try:
            table = pd.read_csv(folder / CSV)
        except (OSError, ValueError, pd.errors.ParserError):
            raise error from None
        problems.append(f"{error}; this page is made from {CSV}")
        table = table.apply(lambda column: column.map(as_it_was) if column.dtype == object else column)
    if table.empty:
        raise UserError(f"{folder}: the sweep has no point, so there is no page to make")
    missing = [name for name in _NEEDED if name not in table]
    if missing:
        raise UserError(f"{folder}: its table is not that of a sweep (it has no column {missing[0]!r})")
    return table


def _provenance(folder: Path, problems: list[str]) -> dict[str, Any]:
    try:
        found = read_provenance(folder)
    except UserError as error:
        problems.append(str(error))
        return {}
    if not found:
        problems.append(f"{PROVENANCE}: missing")
    return found if isinstance(found.get("commands"), list) else {**found, "commands": []}


def _name(folder: Path, made: dict[str, Any]) -> str:
    return folder.resolve().name.encode(errors="surrogateescape").decode(errors="backslashreplace") or "sweep"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def _groups(joined: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any] | None:
    """The summary, a row a setting, as headings and cells: text, and the number to sort by."""
    if joined.empty:
        return None
    names = [name for name in map(str, joined) if not name.endswith(("_low", "_high"))]
    rows = []
    for record in joined.to_dict("records"):
        cells = []
        for name in names:
            text, number = _cell(name, record[name])
            low, high = record.get(f"{name}_low"), record.get(f"{name}_high")
            if low is not None and not pd.isna(low):
                text += f" [{low:.3f}, {high:.3f}]"
            cells.append((text, number))
        rows.append(cells)
    return {"heads": [heading(name) for name in names], "rows": rows, "words": len([n for n in names if n in keys])}


def _points(folder: Path, table: pd.DataFrame, keys: Sequence[str]) -> dict[str, Any]:
    """The table of points as headings, rows of cells with a link, and columns to choose values of."""
    varied = [name for name in ("input", "seed") if table[name].nunique(dropna=False) > 1]
    measured = [each.table_column for each in headlines() if each.table_column in table]
    scores = [name for name in map(str, table) if is_score(name) and table[name].notna().any()]
    names = list(dict.fromkeys([*keys, *varied, "status", *measured, *scores]))
    links = [_link(folder, place) for place in table["run_folder"]]
    columns = {name: [_cell(name, value) for value in table[name]] for name in names}
    choices = []
    for name in (*keys, *varied, "status"):
        values = list(dict.fromkeys(text for text, _ in columns[name]))
        if 1 < len(values) <= _MOST_CHOICES:
            choices.append({"column": names.index(name), "name": heading(name), "values": values})
    rows = [{"cells": list(cells), "link": link} for *cells, link in zip(*columns.values(), links, strict=True)]
    return {
        "heads": [heading(name) for name in names],
        "rows": rows,
        "choices": choices,
        "linked": any(links),
        "words": len(keys) + len(varied) + 1,
    }


def _link(folder: Path, place: object) -> str | None:
    """Where the run of a point is, seen from the results folder; None where it was not kept."""
    if not isinstance(place, str) or ".." in Path(place).parts or Path(place).is_absolute():
        return None
    for name in ("report.html", "summary.json"):
        if (folder / place / name).is_file():
            return quote(f"{place}/{name}")
    return None


def _cell(name: str, value: Any) -> tuple[str, float | None]:
    """A value as people read it, and the number to sort by."""
    if value is None or value is pd.NA or value != value:
        return "–", None
    if isinstance(value, str):
        return (Path(value).name or value) if name == "input" else value, None
    number = float(value)
    if name in MEASURES:
        return MEASURES[name].number(number), number
    if name == "bitrate_bps":
        return f"{number / 1000:g}", number
    if isinstance(value, bool):
        return str(value).lower(), number
    return (f"{number:.3f}" if is_score(name) or ("_" in name and not number.is_integer()) else f"{number:g}"), number
