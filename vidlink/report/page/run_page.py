"""``report.html`` of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vidlink.report.page.film import film_of, stills_of
from vidlink.report.page.found import PAGE, TABLES, Found, read_run
from vidlink.report.page.html import render
from vidlink.report.page.moments import FATES, MEANT, for_script, frame_measures
from vidlink.report.page.timeline import make_timeline, time_axis
from vidlink.report.page.verdict import read_verdict
from vidlink.report.terminal import clip_title, outcome

if TYPE_CHECKING:
    import pandas as pd

_ELSEWHERE = ("note", "verdict")
"""Rows of the terminal that have a place of their own in the page."""
_FILES = ("summary.json", "run.json", *(f"{name}.csv" for name in TABLES), "received.mp4", "plot.png")


def page_of_folder(folder: Path) -> str:
    """The page of a run folder, of which anything may be missing or damaged; the page names what.

    Raises
    ------
    UserError
        There is nothing of a run in it.
    """
    return run_page(read_run(folder))


def run_page(found: Found) -> str:
    """The page of a run."""
    tables, summary = found.tables, found.summary
    film = film_of(found)
    end_s = _seconds(found)
    frames, segments = tables.get("frames"), tables.get("segments")
    stills = stills_of(found, film, end_s)
    return render(
        "run",
        title=_title(found),
        verdict=read_verdict(summary),
        rows=_outcome(summary),
        problems=found.problems,
        notes=summary.get("notes") or [],
        film=film,
        stills=stills,
        dark=bool(stills) and sum(each.brightness for each in stills) / len(stills) < 40,
        fates=[(name, MEANT[name]) for name in FATES],
        lanes=make_timeline(found, end_s),
        axis=time_axis(end_s),
        end_s=end_s,
        step_s=_step(frames),
        moments=for_script(frames, segments, end_s),
        segments=None if segments is None else _segment_table(segments),
        command=str(found.made.get("command") or "not known"),
        made=_made(found),
        settings=_settings(summary),
        versions=_versions(found.made),
        files=[(name, quote(name)) for name in (*_FILES, "report.mp4") if (found.folder / name).is_file()],
    )


def _title(found: Found) -> str:
    summary = found.summary
    if not summary:
        return found.name
    rate, settings = summary["rate"], summary["settings"]
    budget = f"{rate['target_bps'] / 1000:g} kb/s" if rate.get("target_bps") else f"{rate['wire_bps'] / 1000:.1f} kb/s"
    if settings.get("live"):
        budget = "as much as the link carries"
    channel = Path(str(settings["channel"])).name
    return f"{clip_title(summary['input']['path'])}, {budget} over {channel}"


def _outcome(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """What the terminal shows, without what has its own place."""
    return (
        [
            (name.strip(), text.replace("  (", " (").replace("  ", ", "))
            for name, text in outcome(summary)
            if name not in _ELSEWHERE
        ]
        if summary
        else []
    )


def _seconds(found: Found) -> float:
    """Length of the clip in seconds, as far as anything tells it."""
    if found.summary:
        return float(found.summary["input"]["seconds"])
    if "segments" in found.tables:
        segments = found.tables["segments"]
        return float((segments["start_s"] + segments["duration_s"]).max())
    times = [float(table["time_s"].max()) for table in found.tables.values() if "time_s" in table]
    return max([*times, 1e-3])


def _step(frames: pd.DataFrame | None) -> float:
    """Seconds from frame to frame."""
    if frames is None or len(frames) < 2:
        return 0.04
    return max(1e-3, round(float(frames["time_s"].diff().median()), 4))


def _segment_table(segments: pd.DataFrame) -> dict[str, Any]:
    """The table of segments as headings and rows of text; the first cell is the start in seconds."""
    measures = frame_measures(segments)
    heads = ["start s", "scale factor", "pixels", "frames coded", "quality", "wire kb/s"]
    counted = [name for name in ("packets", "lost", "recovered", "late", *FATES) if name in segments]
    rows = []
    for row in segments.to_dict("records"):
        length = row["duration_s"] or float("nan")
        size = f"{row['width']:g}x{row['height']:g}" if "width" in row and "height" in row else ""
        rows.append(
            [
                f"{row['start_s']:.2f}",
                f"{row['scale']:g}",
                size,
                "all" if row["frame_divisor"] <= 1 else f"1 of {row['frame_divisor']:g}",
                f"{row['quality']:g}",
                f"{row['wire_bits'] / length / 1000:.1f}",
                *(f"{row[name]}" for name in counted),
                *("" if row[each.column] != row[each.column] else each.number(row[each.column]) for each in measures),
            ]
        )
    return {"heads": [*heads, *counted, *(each.heading for each in measures)], "rows": rows}


def _made(found: Found) -> list[tuple[str, str]]:
    made = found.made
    rows = [("started", made.get("started")), ("revision", made.get("git")), ("machine", made.get("machine"))]
    if isinstance(clip := made.get("input"), dict):
        rows += [("input", clip.get("path")), ("SHA-256 of the input", clip.get("sha256"))]
    return [(name, str(value)) for name, value in rows if value]


def _versions(made: dict[str, Any]) -> list[tuple[str, str]]:
    others = made.get("versions")
    named = {"vidlink": made.get("vidlink"), "Python": made.get("python")}
    named |= others if isinstance(others, dict) else {}
    return [(str(name), str(value)) for name, value in named.items() if value]


def _settings(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The settings that are not as they are by themselves."""
    from vidlink.settings import Settings, as_json, declarations

    plain, found = as_json(Settings()), summary.get("settings") or {}
    live = [("--bitrate", "auto")] if found.get("live") else []
    return live + [
        (option.flag, "" if option.kind is bool else str(found[name]))
        for name, option in declarations().items()
        if name in found and found[name] != plain[name]
    ]


def write_page(found: Found, folder: Path) -> None:
    """Write the page of a run into a folder."""
    (folder / PAGE).write_text(run_page(found), encoding="utf-8", newline="\n")
