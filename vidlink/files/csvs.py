"""CSV tables: read so that no column shifts and no value is guessed, written so that no cell becomes a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.units import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvTable:
    """The cells of a table as text."""

    columns: tuple[str, ...]
    """Names of the columns, in order; those without a name are left out."""
    rows: tuple[tuple[int, dict[str, str]], ...]
    """The rows that hold anything: line in the file, and by column the cell without blanks around it."""


def read_csv_file(path: Path, what: str, needed: Sequence[str]) -> CsvTable:
    """Read a CSV file in UTF-8, with or without a byte-order mark.

    Parameters
    ----------
    path
        The file.
    what
        What it is, for messages: ``labels``.
    needed
        Columns that must be there.

    Raises
    ------
    UserError
        No such file, not in UTF-8, or as :func:`read_csv` says.
    """
    where = f"{what} {path}"
    if not path.is_file():
        raise UserError(f"{where}: no such file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{where}: cannot be read: {error.strerror}") from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{where}: not a CSV table in UTF-8: it is in UTF-16; save it as 'CSV UTF-8'")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not a CSV table in UTF-8: {error}; save it as 'CSV UTF-8'") from error
    return read_csv(text, where, needed)


def read_csv(text: str, where: str, needed: Sequence[str]) -> CsvTable:
    r"""Read a table of cells separated by commas.

    A row may end early or have empty cells too many; cells with content that stand under no column are an error, so
    that a comma too many never moves values to another column.

    Parameters
    ----------
    text
        The file's content.
    where
        Begins messages: ``labels a.csv``.
    needed
        Columns that must be there.

    Raises
    ------
    UserError
        No table, another separator, a column that is missing or stands twice, a row that is too long.

    Examples
    --------
    >>> read_csv("time_s, class,\n0, walk,\n", "labels", ["time_s"]).rows
    ((2, {'time_s': '0', 'class': 'walk'}),)
    """
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise UserError(f"{where}: not a CSV table: {error}") from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        raise UserError(f"{where}: not a CSV table: it is empty; expected the columns {', '.join(needed)}")
    (_, names), *rows = lines
    _check_header(names, where, needed)
    found = []
    for number, cells in rows:
        if any(cells[len(names) :]):
            raise UserError(
                f"{where}, line {number}: {len(cells)} cells under {len(names)} columns; expected one each "
                "(write decimal points, and quotes around text with commas)"
            )
        cells += [""] * (len(names) - len(cells))
        found.append((number, {name: cell for name, cell in zip(names, cells, strict=False) if name}))
    return CsvTable(columns=tuple(name for name in names if name), rows=tuple(found))


def _check_header(names: Sequence[str], where: str, needed: Sequence[str]) -> None:
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise UserError(f"{where}: column {twice[0]!r} stands twice; expected different names")
    missing = [name for name in needed if name not in names]
    if not missing:
        return
    line = ",".join(names)
    for separator, called in _OTHER_SEPARATORS.items():
        if missing[0] in [cell.strip(" \"'") for cell in line.split(separator)]:
            raise UserError(
                f"{where}: its cells are separated by {called} ({separator!r}); expected commas, and decimal points: "
                "save it so"
            )
    if missing[0] in line.split():
        raise UserError(f"{where}: its cells are separated by blanks; expected commas")
    raise UserError(
        f"{where}: no column {missing[0]!r}; needed are the columns {', '.join(needed)}, "
        f"found are {shown(', '.join(names))}"
    )


def write_csv(table: pd.DataFrame, *, ours: Sequence[str] = ()) -> str:
    """A table as CSV, the same text for the same table.

    Text that a spreadsheet would take for a formula gets an apostrophe before it, in headings as well; numbers stay.

    Parameters
    ----------
    table
        The table.
    ours
        Columns of text that begins with our own words, such as ``--bitrate``; it stays.

    Examples
    --------
    >>> import pandas as pd
    >>> print(write_csv(pd.DataFrame({"class": ["walk", "=1+1"], "share": [0.5, -0.5]})), end="")
    class,share
    walk,0.5
    '=1+1,-0.5
    """
    import pandas as pd

    changed = {
        name: [_harmless(cell) if isinstance(cell, str) else cell for cell in table[name]]
        for name in table.columns
        if pd.api.types.is_object_dtype(table[name]) or pd.api.types.is_string_dtype(table[name])
        if name not in ours and any(isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) for cell in table[name])
    }
    if changed:
        table = table.assign(**changed)
    heads = [_harmless(str(name)) for name in table.columns]
    text: str = table.to_csv(index=False, lineterminator="\n", header=heads)
    return text


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def as_it_was(cell: Any) -> Any:
    """A cell of a table that :func:`write_csv` wrote, without the apostrophe that it may have put before it.

    Examples
    --------
    >>> as_it_was("'=1+1"), as_it_was("'tis"), as_it_was(2.5)
    ('=1+1', "'tis", 2.5)
    """
    is_guarded = isinstance(cell, str) and cell[:1] == "'" and cell[1:].startswith(_FORMULA_STARTS)
    return cell[1:] if is_guarded else cell
