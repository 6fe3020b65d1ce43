"""What ``vidlink run`` does with its inputs: one run and its outcome, or of several clips one run each and a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlink.errors import UserError
from vidlink.files.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vidlink.report.run import Run
    from vidlink.settings import Settings

TABLE = "table.csv"
"""The table, in the folder of the runs."""


def run_inputs(
    inputs: Sequence[str], settings: Settings, place: Path | None, run_into: Callable[..., Run], **how: bool
) -> None:
    """Make the runs of a command line, and print what came out; parameters and errors as for :func:`run_clips`."""
    from vidlink.data.videos import holds_clips
    from vidlink.report.terminal import print_summary

    if len(inputs) > 1 or any(holds_clips(Path(name)) for name in inputs):
        run_clips(inputs, settings, place, run_into, **how)
        return
    run = run_into(place, settings, **how)
    print_summary(run.summary, str(run.folder))
    if run.summary.get("recognition_error"):
        raise UserError(f"{run.summary['recognition_error']} (all else of the run is in {run.folder})")


def clips_of(inputs: Sequence[str]) -> dict[str, tuple[str, Path | None]]:
    """Each clip, and the labels beside it where it came from a folder, by a name of its own.

    Raises
    ------
    UserError
        A folder has no clips.
    """
    from vidlink.data.videos import clips_by_name, labels_beside

    found: dict[str, tuple[str, Path | None]] = {}
    for name in inputs:
        folder = Path(name)
        clips: dict[str, tuple[str, Path | None]] = {Path(name).stem: (name, None)}
        if folder.is_dir():
            clips = {stem: (str(clip), labels_beside(clip)) for stem, clip in clips_by_name(folder).items()}
        for stem, clip in clips.items():
            called = next(each for each in (stem, *(f"{stem}-{k}" for k in range(2, 10**6))) if each not in found)
            found[called] = clip
    return found


def run_clips(
    inputs: Sequence[str], settings: Settings, place: Path | None, run_into: Callable[..., Run], **how: bool
) -> None:
    """Run each clip into a folder of its own within one, print a table and write it; a clip that fails says why.

    Parameters
    ----------
    inputs
        Clips, and folders of them.
    settings
        Of every run, but for the input and the labels.
    place
        The folder; None for a new one in ``runs``.
    run_into
        Makes one run and its folder.
    how
        ``overwrite`` and ``resume``, as for :func:`vidlink.simulate.run_into`.

    Raises
    ------
    UserError
        A folder has no clips, the place is taken, or some clips failed.
    KeyboardInterrupt
        Somebody asked to stop; it says how to go on.
    """
    from vidlink.report.run_folder import fresh_place, run_name

    clips = clips_of(inputs)
    if settings.labels is not None and len(clips) > 1:
        raise UserError(f"--labels {settings.labels}: is of one clip, and these are {len(clips)}; put name.csv beside")
    if settings.pcap or settings.pcap_received:
        raise UserError("--pcap: is of one run; give one clip")
    if how.get("resume") and place is None:
        raise UserError("--resume: of several clips it needs --out FOLDER, where their runs are")
    place = place or fresh_place(run_name(replace(settings, input=Path(inputs[0]).name)))
    taken = [name for name in clips if (place / name).exists()]
    if taken and not any(how.values()):
        raise UserError(f"--out {place}: has {taken[0]} already; give another folder, --overwrite or --resume")
    rows = []
    for number, (name, (clip, labels)) in enumerate(clips.items(), 1):
        print(f"{number} of {len(clips)}  {clip}", flush=True)
        try:
            given = replace(settings, input=clip, labels=labels or settings.labels)
            rows.append({"clip": name, **row_of(run_into(place / name, given, **how).summary)})
        except UserError as error:
            print(f"failed: {error}", flush=True)
            rows.append({"clip": name, "error": str(error)})
        except KeyboardInterrupt:
            kept = f"{place} holds what was done; the same command with --out {place} --resume goes on"
            raise KeyboardInterrupt(kept) from None
        _write(rows, place)
    print(*_lines(rows), f"run folders, {TABLE}  {place}", sep="\n")
    if failed := [row for row in rows if row.get("error")]:
        raise UserError(f"{len(failed)} of {len(rows)} clips failed, the first with: {failed[0]['error']}")


def row_of(summary: dict[str, Any]) -> dict[str, Any]:
    """What a run came to, in a few columns named as in a sweep's table."""
    row = {"rate_wire_bps": summary["rate"]["wire_bps"]}
    row |= {f"quality_{name}": value for name, value in summary["quality"].items() if isinstance(value, float)}
    from vidlink.scores.kinds import kind_of_section

    found = summary["recognition"] or {}
    headline = kind_of_section(found).headline
    value = found.get(headline)
    each = {f"_{name}": part for name, part in value.items()} if isinstance(value, dict) else {"": value}
    row |= {f"recognition_{headline}{name}": part for name, part in each.items() if value is not None}
    row |= {"recognition_against": found["against"]} if "against" in found else {}
    shown = sum(summary["frames"].values())
    frames = {"frames_ok_share": round(summary["frames"]["ok"] / shown, 6) if shown else None}
    return {**row, **frames, "error": summary.get("recognition_error") or ""}


def _write(rows: Sequence[dict[str, Any]], place: Path) -> None:
    import pandas as pd

    place.mkdir(parents=True, exist_ok=True)
    write_whole(place / TABLE, lambda partial: pd.DataFrame(rows).to_csv(partial, index=False, lineterminator="\n"))


def _lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "error"]
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    for row in cells:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:
    return "-" if value is None or value == "" else f"{value:.5g}" if isinstance(value, float) else str(value)
