"""The section ``verdict`` of ``summary.json`` as a page shows it; none where it is not there or cannot be used."""

from __future__ import annotations

from typing import Any

_GRADES = ("good", "fair", "poor", "no better than chance")
_COUNTED = ("frozen", "concealed", "drifting")


def read_verdict(summary: dict[str, Any]) -> dict[str, Any] | None:
    """What is said of a run.

    Returns
    -------
    dict
        ``grade`` (one of four, or None) and its ``rank``, ``words`` (sentences), ``damage`` (stretches of frames with
        ``start_s``, ``end_s``, ``what`` and ``cause``).
    """
    found = summary.get("verdict")
    if not isinstance(found, dict):
        return None
    grade = found.get("grade") if found.get("grade") in _GRADES else None
    words = [word for word in _list(found.get("words")) if isinstance(word, str)]
    damage = [stretch for each in _list(found.get("damage")) if (stretch := _stretch(each))]
    if not (grade or words or damage):
        return None
    return {"grade": grade, "rank": _GRADES.index(grade) if grade else None, "words": words, "damage": damage}


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _stretch(found: Any) -> dict[str, Any] | None:
    if not isinstance(found, dict) or not all(isinstance(found.get(end), int | float) for end in ("start_s", "end_s")):
        return None
    counts = [(name, found.get(name)) for name in _COUNTED]
    what = ", ".join(f"{count} {name}" for name, count in counts if isinstance(count, int) and count)
    return {"start_s": found["start_s"], "end_s": found["end_s"], "what": what, "cause": str(found.get("cause") or "")}
