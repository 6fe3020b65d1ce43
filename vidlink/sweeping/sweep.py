"""A sweep from Python: points in, table out. The command ``vidlink.sweep`` is a thin layer over this."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vidlink import __version__
from vidlink.files.outputs import check_apart, check_folder_output
from vidlink.progress import Progress
from vidlink.report.outputs import READS, inputs_of
from vidlink.report.provenance import describe
from vidlink.sweeping.executors import Here, refuse_unguarded
from vidlink.sweeping.folder import PROVENANCE, ResultsFolder
from vidlink.sweeping.identity import identify
from vidlink.sweeping.run import Runner, has_run
from vidlink.sweeping.table import CSV, PARQUET, as_csv, as_parquet, make_row, make_table
from vidlink.sweeping.work import DONE, FAILED, REFUSED, Task
from vidlink.units import check_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from vidlink.sweeping.executors import Executors
    from vidlink.sweeping.grid import Point


def sweep(
    points: Sequence[Point],
    out: Path,
    executors: Executors,
    *,
    keep_runs: bool = False,
    retry: bool = False,
    quiet: bool = False,
    cache_bytes: int = 0,
    about: dict[str, Any] | None = None,
    on_start: Callable[[int, int], None] = lambda done, left: None,
) -> pd.DataFrame:
    """Run every point that has no result in the folder yet, and write the table.

    Parameters
    ----------
    points
        In the order of the table's rows. Points of the same content are run once.
    out
        Results folder, new or to be gone on with.
    executors
        What runs the points, such as ``Processes(2)``.
    keep_runs
        Whether to keep a run folder of each point.
    retry
        Whether to run points again whose settings were refused.
    quiet
        Whether to show no progress.
    cache_bytes
        Bound of the cache of what points share, in bytes; 0 for none.
    about
        What else to say in ``provenance.json``.
    on_start
        Called with how many points are done already and how many are left, before the first runs.

    Returns
    -------
    pandas.DataFrame
        As :func:`~vidlink.sweeping.table.make_row` describes, one row a point.

    Raises
    ------
    UserError
        The folder is something else's or another version's, an input is missing at the start, a disk is full, or the
        cluster is gone. What is done is kept.
    """
    if not isinstance(executors, Here):
        refuse_unguarded()
    check_path("--out", out)
    _check_inputs(points, out)
    identities = [identify(point.settings) for point in points]
    with ResultsFolder(out) as folder, executors:
        tasks = {
            identity: Task(
                identity=identity,
                settings=point.settings,
                keep_at=folder.run_place(identity) if keep_runs else None,
                cache=(out / "cache").absolute() if cache_bytes else None,
                cache_bytes=cache_bytes,
                here=isinstance(executors, Here),
            )
            for identity, point in zip(identities, points, strict=True)
        }
        records: dict[str, dict[str, Any]] = {}
        for identity, task in tasks.items():
            record = folder.record(identity)
            if record is not None and has_run(record, task):
                if record["status"] == FAILED or (retry and record["status"] == REFUSED):
                    folder.forget(identity)
                else:
                    records[identity] = record
        left = [task for identity, task in tasks.items() if identity not in records]
        on_start(len(records), len(left))
        _write_provenance(folder, points, about or {})
        with Progress(len(tasks), "point", done=len(records), quiet=quiet) as bar:

            def keep(record: dict[str, Any]) -> None:
                records[record["point"]] = record
                bar.note(_failures(records))
                bar.update()

            Runner(folder, executors, keep)(left)
        table = make_table(
            make_row(point.columns, records[identity], folder.kept_run(identity))
            for identity, point in zip(identities, points, strict=True)
        )
        folder.write(PARQUET, as_parquet(table))
        folder.write(CSV, as_csv(table))
    return table


def clip_count(points: Sequence[Point]) -> int:
    """How many different inputs the points have."""
    return len({point.settings.input for point in points})


def _check_inputs(points: Sequence[Point], out: Path) -> None:
    """Refuse a results folder in which the sweep would write over what it reads."""
    reads = {tuple(getattr(point.settings, name) for name in READS): point.settings for point in points}
    for settings in reads.values():
        inputs = inputs_of(settings)
        for name in (PARQUET, CSV, PROVENANCE):
            check_apart("--out", out / name, inputs)
        for name in ("points", "cache"):
            check_folder_output("--out", out / name, inputs)


def _failures(records: dict[str, dict[str, Any]]) -> str:
    count = sum(record["status"] != DONE for record in records.values())
    return f"{count} with an error" if count else ""


def _write_provenance(folder: ResultsFolder, points: Sequence[Point], about: dict[str, Any]) -> None:
    """Add this process to ``provenance.json``."""
    with folder.locks.whole_folder():
        commands = [*folder.provenance().get("commands", []), describe()]
        content = {
            "vidlink": __version__,
            "points": len(points),
            "clips": clip_count(points),
            **about,
            "commands": commands,
        }
        folder.write(PROVENANCE, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
