"""A run in its folder: what is done survives a stop, and ``--resume`` goes on from there.

A run is made of its settings and its input alone, so it is gone on with by making it again from its start: what takes
long (searching rungs, coding, finding faces, looking at pristine pictures) was kept on the way, by content, and is not
done twice. Thus the tables are those of a run that was never stopped, bit by bit.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vidlink.command import Stop
from vidlink.errors import UserError
from vidlink.report.outputs import check_outputs
from vidlink.report.run_folder import RunFolder, fresh_place, places, read_summary, run_name
from vidlink.report.stop import Stopped
from vidlink.settings import as_json, declarations
from vidlink.units import check_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vidlink.report.run import Run
    from vidlink.sender.memory import Memory
    from vidlink.settings import Settings

_KEPT_BYTES = 1_000_000_000


def run_in(
    place: Path | None,
    settings: Settings,
    simulate: Callable[..., Run],
    *,
    overwrite: bool = False,
    resume: bool = False,
    quiet: bool = False,
) -> Run:
    """Run, and write the run folder; where somebody asks to stop, that of the segments that are done.

    Parameters
    ----------
    place
        Where to; None for a new folder in ``runs``, or with ``resume`` for the one of these settings there.
    settings
        Of the run.
    simulate
        Makes it: :func:`vidlink.simulate.simulate`.
    overwrite
        Whether a run folder, and captures, that are there already are replaced.
    resume
        Whether to go on with the run there, if it was stopped. One that is whole is given as it is.
    quiet
        Whether to show no progress.

    Raises
    ------
    UserError
        The input or the settings are wrong, or a place cannot be written.
    KeyboardInterrupt
        Somebody asked to stop; it says what was kept.
    """
    if overwrite and resume:
        raise UserError("--overwrite starts afresh and --resume goes on: give one of them")
    name = run_name(settings)
    if place is not None:
        check_path("--out", place)
    if resume:
        place = place or place_to_resume(name, settings)
        whole = whole_run(place, settings)
        if whole:
            return whole
    check_outputs(settings, place, overwrite=overwrite or resume)
    folder = RunFolder(place, overwrite=overwrite, resume=resume) if place else RunFolder.fresh(name)
    with Stop(holding=False) as stop:
        asked = 0
        with folder:
            film = folder.path / "received.mp4" if settings.save_video else None
            try:
                run = simulate(settings, film=film, quiet=quiet, memory=_memory(settings, folder.work))
            except Stopped as stopped:
                stop.holding, asked, run = True, 1, stopped.run
            except KeyboardInterrupt as early:
                if early.args:
                    raise
                raise KeyboardInterrupt("no segment was done yet, so nothing was kept") from None
            stop.holding = True
            folder.incomplete = not run.summary["complete"]
            run = run.write_to(folder)
        run = replace(run, folder=folder.place)  # it may have had to go elsewhere
        asked = stop.take() or asked
    if asked:
        raise KeyboardInterrupt(_kept(run))
    return run


def _kept(run: Run) -> str:
    if run.summary["complete"]:
        return f"the run was over, and is whole in {run.folder}"
    count = len(run.summary["plan"])
    segments = f"the {count} segments that were" if count > 1 else "the one segment that was"
    return f"{run.folder} holds {segments} done; the same command with --out {run.folder} --resume goes on"


def _memory(settings: Settings, folder: Path) -> Memory | None:
    from vidlink.files.cache import Cache
    from vidlink.report.memory import shared_memory

    try:
        return shared_memory(settings, Cache(folder, max_bytes=_KEPT_BYTES))
    except UserError:  # what is really wrong is said where it is asked for
        return None


def place_to_resume(name: str, settings: Settings) -> Path:
    """The first folder ``runs/NAME``, ``runs/NAME-2``, ... with a run of these settings, or else a new one."""
    for place in places(name):
        found = read_summary(place)
        if not place.exists():
            break
        if "settings" in found and _difference(found, settings) is None:
            return place
    return fresh_place(name)


def whole_run(place: Path, settings: Settings) -> Run | None:
    """The run at a place, if it is over; None where there is something to go on with, or nothing yet.

    Raises
    ------
    UserError
        The run there has other settings, or its input is not what it was.
    """
    found = read_summary(place)
    if not found:
        return None
    differing = _difference(found, settings)
    if differing:
        raise UserError(
            f"--resume: the run in {place} has {differing[0]} {differing[1]!r}, not {differing[2]!r}; give the "
            "settings of that run, or --overwrite to start afresh"
        )
    _check_input(place, settings)
    if not found.get("complete"):
        return None
    import pandas as pd

    from vidlink.report.run import Run

    tables = {path.stem: pd.read_csv(path) for path in sorted(place.glob("*.csv"))}
    return Run(settings=settings, summary=found, tables=tables, pictures=(), folder=place)


def _difference(summary: dict[str, Any], settings: Settings) -> tuple[str, Any, Any] | None:
    """The first setting that differs from that of a run: option, what the run has, what is asked for."""
    before, now = summary.get("settings", {}), as_json(settings)
    for field, declared in declarations().items():
        if declared.shown and before.get(field) != now[field]:
            return declared.flag, before.get(field), now[field]
    return None


def _check_input(place: Path, settings: Settings) -> None:
    from vidlink.report.provenance import input_content

    try:
        before = json.loads((place / "run.json").read_bytes())["input"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if before.get("sha256") != input_content(settings.input).get("sha256"):
        raise UserError(
            f"--resume: {settings.input} is not the clip that the run in {place} was started with (its content "
            "differs); --overwrite starts afresh"
        )
