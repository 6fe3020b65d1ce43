"""How a sweep ended: what the command prints, and its exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from vidlink.errors import UserError
from vidlink.sweeping.work import DONE, FAILED, REFUSED

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def tell_outcome(table: pd.DataFrame, out: Path) -> None:
    """Print what went wrong, and how many points are done.

    Parameters
    ----------
    table
        A row a point.
    out
        Results folder.

    Raises
    ------
    UserError
        Every point was refused, or the recognizer failed in some.
    SystemExit
        With status 1 where points failed.
    """
    bad = table[table["status"] != DONE]
    for error, rows in bad.groupby("error", sort=False):
        print(f"{len(rows)} x  {error}")
    print(f"{len(table) - len(bad):,} of {len(table):,} points done  {out}")
    count = int((table["status"] == FAILED).sum())
    if count:
        again = f"{count:,} of {len(table):,} points failed, the first with: {_first_error(table, FAILED)}"
        print(f"vidlink: {again}; the same command tries them again", file=sys.stderr)
        sys.exit(1)
    if "recognition_error" in table and table["recognition_error"].notna().any():
        broken = table["recognition_error"].dropna()
        raise UserError(f"the recognizer failed in {len(broken):,} of {len(table):,} points, first: {broken.iloc[0]}")
    if len(bad) == len(table):
        raise UserError(f"every point was refused, the first with: {_first_error(table, REFUSED)}")


def _first_error(table: pd.DataFrame, status: str) -> str:
    return str(table.loc[table["status"] == status, "error"].iloc[0])
