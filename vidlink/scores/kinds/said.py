"""What sentences about scores have in common."""

from __future__ import annotations

from typing import Any

_GRADES = {
    "good": "Good",
    "fair": "Fair",
    "poor": "Poor",
    "no better than chance": "No better than chance",
    None: "No verdict on recognition",
}


def lead(verdict: dict[str, Any]) -> str:
    """How the first sentence of a verdict begins."""
    return _GRADES[verdict["grade"]]


def percent(share: float | None) -> str:
    """A share as people read it.

    Examples
    --------
    >>> percent(0.5), percent(0.0123), percent(None)
    ('50 %', '1.2 %', '–')
    """
    if share is None:
        return "–"
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 or abs(value - round(value)) < 0.05 else f"{value:.1f} %"


def faceless(recognition: dict[str, Any]) -> list[tuple[str, str]]:
    """In how many frames there was no face to look at, where there are any, as a row."""
    count = recognition.get("frames_without_face")
    return [("  no face", f"in {count} frames: nothing was recognized there")] if count else []


def against_of(recognition: Any) -> str:
    """What scores are held against, in words."""
    labelled = recognition.get("against") == "labels"
    return "labels" if labelled else "its own output on the pristine clip"


def single(recognition: dict[str, Any], verdict: dict[str, Any], name: str, label: str, alone: str) -> str:
    """A sentence about a score that a run has one of.

    Parameters
    ----------
    recognition, verdict
        The sections of ``summary.json``.
    name, label
        Of the score.
    alone
        What the constant answer is: ``one and the same map``.
    """
    score, ceiling = recognition[name], verdict["ceiling"][name]
    share, above, chance = (verdict[key][name] for key in ("kept", "above_chance", "chance"))
    if recognition["against"] == "labels":
        reach = "–" if ceiling is None else f"{ceiling:.2f}"
        text = f"against the labels, {label} is {score:.2f} of the {reach} that pristine pictures reach"
        text += f" ({percent(share)} kept)" if share is not None else ""
    else:
        text = f"held against its own answers on the pristine pictures, {label} is {score:.2f} of 1"
    if above is None:
        text += ", from too few frames to tell it from chance"
    elif above:
        text += f", above the same answers at wrong times ({chance:.2f})"
    elif score <= chance:
        text += f", no better than the same answers at wrong times ({chance:.2f})"
    constant = verdict["constant"][name]
    if constant:
        text += f"; {alone} for all frames has {constant:.2f}"
    return f"{lead(verdict)}: {text}."
