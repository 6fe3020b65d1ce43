"""The section ``verdict`` of ``summary.json`` as a page shows it; none where it is not there or cannot be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vidlink.scores.kinds import kind_of_section

if TYPE_CHECKING:
    from vidlink.scores.kind import Kind

_GRADES = ("good", "fair", "poor", "no better than chance")
_COUNTED = ("frozen", "concealed", "drifting")
_COMPARED = ("ceiling", "kept", "constant", "chance")


def read_verdict(summary: dict[str, Any]) -> dict[str, Any] | None:
    """What is said of a run.

    Returns
    -------
    dict
        ``grade`` (one of four, or None) and its ``rank``; ``words``, sentences as lists of a text and whether it is
        code; ``scores``, rows of text: what is scored, the score, its ceiling, the share kept, that of a constant
        answer, what chance reaches; ``damage``, stretches of frames with ``start_s``, ``end_s``, ``what``, ``cause``.
    """
    found = summary.get("verdict")
    if not isinstance(found, dict):
        return None
    grade = found.get("grade") if found.get("grade") in _GRADES else None
    words = [word for word in _list(found.get("words")) if isinstance(word, str)]
    damage = [stretch for each in _list(found.get("damage")) if (stretch := _stretch(each))]
    if not (grade or words or damage):
        return None
    said = bool(grade and words and words[0].lower().startswith(grade))
    return {
        "grade": None if said else grade,
        "rank": _GRADES.index(grade) if grade else None,
        "words": [_with_code(word) for word in words],
        "scores": _scores(summary.get("recognition"), found),
        "damage": damage,
    }


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _with_code(sentence: str) -> list[tuple[str, bool]]:
    """A sentence in parts: what stands between backticks is code."""
    return [(part, bool(place % 2)) for place, part in enumerate(re.split("`", sentence)) if part]


def _stretch(found: Any) -> dict[str, Any] | None:
    if not isinstance(found, dict) or not all(isinstance(found.get(end), int | float) for end in ("start_s", "end_s")):
        return None
    counts = [(name, found.get(name)) for name in _COUNTED]
    what = ", ".join(f"{count} {name}" for name, count in counts if isinstance(count, int) and count)
    return {"start_s": found["start_s"], "end_s": found["end_s"], "what": what, "cause": str(found.get("cause") or "")}


def _scores(recognition: Any, found: dict[str, Any]) -> list[list[str]]:
    """The headline scores beside what they are measured by."""
    if not isinstance(recognition, dict):
        return []
    compared = [found[name] for name in _COMPARED if isinstance(found.get(name), dict)]
    if len(compared) < len(_COMPARED):
        return []
    kind = kind_of_section(recognition)
    columns = [_headlines(kind, each) for each in (recognition, *compared)]
    rows = [[name, *(_number(each, name) for each in columns)] for name in columns[0]]
    return [row for row in rows if row[1]]


def _headlines(kind: Kind, found: dict[str, Any]) -> dict[str, Any]:
    """The headline scores of a section; none where it is damaged."""
    try:
        return kind.headlines(found)
    except (AttributeError, TypeError):
        return {}


def _number(found: Any, name: str) -> str:
    value = found.get(name) if isinstance(found, dict) else None
    return f"{value:.3f}" if isinstance(value, float) else ""
