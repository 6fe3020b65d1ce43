"""The table of a sweep: one row a point, everything flat in columns."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pandas as pd

from vidlink.errors import UserError
from vidlink.files.csvs import write_csv
from vidlink.report.words import stretch
from vidlink.sweeping.work import DONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PARQUET, CSV = "results.parquet", "results.csv"


def make_row(columns: Mapping[str, Any], record: Mapping[str, Any], run_folder: str | None) -> dict[str, Any]:
    """One row.

    Parameters
    ----------
    columns
        Names and settings of the point.
    record
        What came of it.
    run_folder
        Where its run folder is, relative to the results folder, or None.

    Returns
    -------
    dict
        ``point``, ``status``, ``error``, ``run_folder``, the settings under their own names, then the summary with
        the names of nested entries joined by ``_`` (``rate_wire_bps``, ``recognition_ccc_valence``), and the moments
        (``moments_valence_mean_prediction``, ...). Times are not in it: they differ from run to run.
    """
    row = {name: record.get(name) for name in ("point", "status", "error")}
    row["run_folder"] = run_folder
    row |= columns
    if record["status"] == DONE:
        summary = dict(record["summary"])
        plan, source = summary.pop("plan", []), dict(summary.pop("input", {}))
        source.pop("path", None)
        if "verdict" in summary:
            summary["verdict"] = _verdict(summary["verdict"])
        summary = {name: value for name, value in summary.items() if value is not None}
        row |= flatten({"input": source, "plan": _plan(plan), **summary, "moments": record["moments"]})
    return row


def make_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The table of all rows, in their order; the same rows give the same columns of the same types."""
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    return pd.DataFrame({name: _column([row.get(name) for row in listed]) for name in names})


def as_parquet(table: pd.DataFrame) -> bytes:
    """The content of ``results.parquet``."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def as_csv(table: pd.DataFrame) -> bytes:
    """The content of ``results.csv``."""
    return write_csv(table, ours=("error",)).encode()


def read_table(folder: Path) -> pd.DataFrame:
    """Read the table of a results folder.

    Raises
    ------
    UserError
        There is none, or it was cut short.
    """
    path = folder / PARQUET
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    if not path.is_file():
        raise UserError(f"{path}: no such file; a sweep writes it when it is through: give its command again")
    try:
        return pd.read_parquet(path)
    except Exception as error:  # pyarrow has many
        raise UserError(
            f"{path}: damaged or cut short ({str(error).splitlines()[0] if str(error) else type(error).__name__}); the "
            f"sweep's own command writes it again from {folder / 'points'} without running anything twice"
        ) from error


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested maps as one, names joined by ``_``; lists become text."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}_")
        elif isinstance(value, list | tuple):
            flat[prefix + name] = "; ".join(map(str, value)) or None
        else:
            flat[prefix + name] = value
    return flat


def _plan(plan: list[dict[str, Any]]) -> dict[str, Any]:
    """Segments, and means over them."""
    numeric = [name for name in ("scale", "frame_divisor", "quality") if plan and name in plan[0]]
    means = {f"mean_{name}": round(sum(float(part[name]) for part in plan) / len(plan), 6) for name in numeric}
    return {"segments": len(plan), **means}


def _verdict(verdict: dict[str, Any]) -> dict[str, Any]:
    """The verdict with what was damaged, and what would help, as text."""
    draws = dict(verdict["draws"])
    options = draws.pop("options", None) or []
    return verdict | {
        "damage": [stretch(each) for each in verdict["damage"]],
        "draws": draws,
        "helps": [each["option"] for each in options if each["helps"]],
    }


def _column(values: list[Any]) -> pd.Series:
    """A column of the narrowest type that all values have; None is a missing value."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds or not kinds <= {bool, int, float}:
        return pd.Series([None if value is None else str(value) for value in values], dtype="string")
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds == {int}:
        return pd.Series(values, dtype="Int64")
    return pd.Series([None if value is None else float(value) for value in values], dtype="float64")
