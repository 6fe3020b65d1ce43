"""What the cells of a table of labels say."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError
from vidlink.units import NUMBER, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vidlink.files.csvs import CsvTable

_UNKNOWN = ("", "nan", "-nan", "na", "n/a", "#n/a", "<na>", "null", "none")
"""How programs write a number that is not known."""


def column_of_numbers(
    table: CsvTable, column: str, where: str, *, unknown: bool = False, whole: bool = False
) -> NDArray[np.float64]:
    """A column of numbers.

    Parameters
    ----------
    table
        The table.
    column
        Its name.
    where
        Begins messages: ``labels a.csv``.
    unknown
        Whether a cell may be empty or NaN, which then is NaN.
    whole
        Whether the numbers are whole.

    Raises
    ------
    UserError
        A cell holds something else, infinity too: the message names the line.
    """
    values = np.empty(len(table.rows))
    for row, (line, cells) in enumerate(table.rows):
        text = cells[column]
        if unknown and text.casefold() in _UNKNOWN:
            values[row] = math.nan
            continue
        try:
            values[row] = NUMBER.read("", text)
        except UserError:
            values[row] = math.nan
        if math.isnan(values[row]) or (whole and not values[row].is_integer()):
            hint = " (write a decimal point)" if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
            raise UserError(
                f"{where}, line {line}: column {column!r} must hold a {'whole ' if whole else ''}number, finite and "
                f"at most {NUMBER.most:g}, in every row; {shown(text)} is not a number like that{hint}"
            )
    return values
