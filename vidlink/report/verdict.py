"""Is it good? What a run's scores mean, what was lost and why, what would help, and how much of it was chance.

:func:`judge_run` makes the section ``verdict`` of ``summary.json``. Terminal, page and sweeps read it from there; its
sentences are made by :mod:`vidlink.report.words`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vidlink.report.words import sentences
from vidlink.scores.draws import draws_section
from vidlink.scores.kinds import kind_of_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vidlink.scores.kind import Kind
    from vidlink.scores.redraw import Redraws

GOOD, FAIR = 0.9, 0.7
"""Least share kept of a result that is called good, or fair."""
GRADES = ("good", "fair", "poor", "no better than chance")
"""What a result is called, from best to worst; None where nothing can be told."""
MOST_DAMAGES = 50
"""Stretches of damage that are listed."""
_TOGETHER_S = 0.25
"""Stretches of damage of one cause are one where less than this lies between them."""


def judge_run(summary: dict[str, Any], tables: dict[str, pd.DataFrame], redraws: Redraws | None) -> dict[str, Any]:
    """The section ``verdict`` of ``summary.json``, under its name.

    Parameters
    ----------
    summary
        All other sections.
    tables
        The tables of the run.
    redraws
        What the run sent, to send it again; None where that is not known.
    """
    from vidlink.report.summary import plain

    recognition = summary["recognition"] if summary["recognition"] and summary["recognition"]["n"] else None
    draws: dict[str, Any] = {"count": 0, "varies": None}
    if redraws is not None and summary.get("complete", True):
        draws = draws_section(redraws, recognition, tables)
        if "dropped" in set(tables["packets"]["fate"]):
            draws["capacity_bps"] = redraws.capacity_bps(summary["input"]["seconds"])
    verdict: dict[str, Any] = {"grade": None}
    if recognition:
        kind = kind_of_section(recognition)
        verdict |= kind.baselines(recognition, tables["predictions"])
        verdict["grade"] = grade(kind, verdict)
    verdict |= {
        "damaged": int((tables["frames"]["status"] != "ok").sum()),
        "damage": damages(tables["frames"]),
        "faces": faces(summary, tables),
        "draws": draws,
    }
    verdict = plain(verdict)
    return {"verdict": verdict | {"words": sentences(summary, verdict)}}


def grade(kind: Kind, found: dict[str, Any]) -> str | None:
    """What the scores of a run are called: what the worst of its headline scores (CCC, accuracy, ...) deserves."""
    kept, above = kind.headlines(found["kept"]), kind.headlines(found["above_chance"])
    grades = [_grade(kept[name], above[name]) for name in kept]
    known = [name for name in grades if name]
    return max(known, key=GRADES.index) if known else None


def _grade(kept: float | None, above: bool | None) -> str | None:
    if kept is None:
        return None
    if above is False:
        return GRADES[3]
    return GRADES[0] if kept >= GOOD else GRADES[1] if kept >= FAIR else GRADES[2]


def damages(frames: pd.DataFrame) -> list[dict[str, Any]]:
    """Stretches of frames that were not as they were sent, in order of time: the longest, where there are many.

    Each has ``start_s``, ``end_s``, ``cause`` (as the column of ``frames.csv``) and the number of frames by status.
    """
    bad = frames["status"].to_numpy() != "ok"
    if not bad.any():
        return []
    times_s, causes = frames["time_s"].to_numpy(float), frames["cause"].astype(object).fillna("").to_numpy()
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    stretches: list[list[int]] = []
    for row in np.flatnonzero(bad).tolist():
        last = stretches[-1][-1] if stretches else None
        near = last is not None and times_s[row] - times_s[last] < max(_TOGETHER_S, 1.5 * step_s)
        if near and _origin(causes[row]) == _origin(causes[stretches[-1][0]]):
            stretches[-1].append(row)
        else:
            stretches.append([row])
    longest = sorted(sorted(stretches, key=len, reverse=True)[:MOST_DAMAGES], key=lambda rows: rows[0])
    return [_stretch(frames, rows, times_s, step_s) for rows in longest]


def _origin(cause: str) -> str:
    """A frame that was lost, and those that are predicted from it, are one damage."""
    return cause.replace("reference", "frame", 1) if cause.startswith("reference") else cause


def _stretch(frames: pd.DataFrame, rows: Sequence[int], times_s: Any, step_s: float) -> dict[str, Any]:
    part = frames.iloc[list(rows)]
    counts = part["status"].value_counts()
    causes = part["cause"].astype(object).fillna("not decoded")
    end_s = times_s[rows[-1] + 1] if rows[-1] + 1 < len(times_s) else times_s[rows[-1]] + step_s
    return {
        "start_s": round(float(times_s[rows[0]]), 3),
        "end_s": round(float(end_s), 3),
        "cause": str(causes.iloc[0]),
        **{name: int(counts.get(name, 0)) for name in ("frozen", "concealed", "drifting")},
    }


def faces(summary: dict[str, Any], tables: dict[str, pd.DataFrame]) -> dict[str, int] | None:
    """In how many of the frames that a recognizer of faces looked at there was a face; None for other recognizers."""
    predictions, recognition = tables["predictions"], summary["recognition"]
    if recognition is None or "x" not in predictions or "cc" not in recognition:
        return None
    every = summary["settings"].get("recognize_every") or 1
    looked = -(-len(tables["frames"]) // every)
    found = int(predictions["frame"].nunique())
    return {"looked": looked, "found": found, "not_found": looked - found}
