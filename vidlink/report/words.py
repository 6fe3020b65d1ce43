"""The verdict of a run in sentences for people new to the field; :mod:`.glossary` explains six words of them."""

from __future__ import annotations

from typing import Any

from vidlink.scores.kinds import kind_of_section
from vidlink.scores.kinds.said import percent

SHOWN = 3
"""Stretches of damage that are told one by one."""
_FATES = {
    "lost": "was lost on the way",
    "dropped": "was dropped by a full queue",
    "late": "came too late to be shown",
    "discarded": "was thrown away at the sender, since it would have come too late",
}
_PARTS = {"key frame": "a key frame", "frame": "a packet of it", "reference": "a picture that it is predicted from"}


def sentences(summary: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
    """The verdict in sentences, the most important first.

    Parameters
    ----------
    summary
        The other sections of ``summary.json``.
    verdict
        The section ``verdict``, but for its ``words``.
    """
    recognition = summary["recognition"]
    found: list[str] = []
    if recognition and recognition["n"]:
        found += kind_of_section(recognition).sentences(recognition, verdict)
    found += _faces(verdict["faces"])
    found += _damage(summary, verdict)
    found += _advice(summary, verdict)
    found += _chance(summary, verdict)
    return found


def because(cause: str) -> str:
    """A cause, as in ``frames.csv``, in words: ``key frame lost`` is "a key frame was lost on the way"."""
    part, _, fate = cause.rpartition(" ")
    if part not in _PARTS or fate not in _FATES:
        return "the decoder gave no picture"
    return f"{_PARTS[part]} {_FATES[fate]}"


def stretch(damage: dict[str, Any]) -> str:
    """One stretch of damage in words."""
    counts = {name: damage[name] for name in ("frozen", "concealed", "drifting") if damage[name]}
    total, what = sum(counts.values()), " and ".join(counts)
    if len(counts) > 1:
        what = ", ".join(f"{count} {name}" for name, count in counts.items())
        what = f"damaged ({what})"
    frames = "1 frame" if total == 1 else f"{total} frames"
    digits = 1 if damage["end_s"] - damage["start_s"] >= 0.2 else 2
    when = f"{damage['start_s']:.{digits}f} to {damage['end_s']:.{digits}f} s"
    return f"{when}: {frames} {what}, because {because(damage['cause'])}"


def _faces(faces: dict[str, int] | None) -> list[str]:
    if not faces or not faces["not_found"]:
        return []
    if not faces["found"]:
        return [f"No face was found in any of the {faces['looked']} frames."]
    return [f"No face was found in {faces['not_found']} of {faces['looked']} frames; these are in no score."]


def _damage(summary: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
    total, damaged = summary["input"]["frames"], verdict["damaged"]
    if not damaged:
        return [f"All {total} frames were shown as they were sent."]
    listed = verdict["damage"]
    longest = sorted(listed, key=_frames, reverse=True)[:SHOWN]
    told = "; ".join(stretch(each) for each in sorted(longest, key=lambda each: each["start_s"]))
    more = damaged - sum(map(_frames, longest))
    rest = f"; and {more} more" if more > 0 else ""
    return [f"{damaged} of {total} frames were not shown as they were sent. {told}{rest}."]


def _frames(damage: dict[str, Any]) -> int:
    return int(damage["frozen"] + damage["concealed"] + damage["drifting"])


def _advice(summary: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
    draws = verdict["draws"]
    over = "on average over other draws of this link" if draws["varies"] else "on this link"
    tried = draws.get("options") or []
    found = []
    for each in (each for each in tried if each["helps"]):
        cost = each["more_bits"] >= 0.005
        found.append(
            f"`{each['option']}` would help: {over} it leaves {percent(each['damaged'])} of the frames damaged "
            f"instead of {percent(each['instead_of'])}"
            + (
                f", for {percent(each['more_bits'])} more bits, which a budget takes from the pictures."
                if cost
                else "."
            )
        )
    if tried and not found:
        each = " and ".join(f"`{each['option']}` {percent(each['damaged'])}" for each in tried)
        found.append(f"Protection helps little: {over} {percent(tried[0]['instead_of'])} are damaged, with {each}.")
    capacity = draws.get("capacity_bps")
    if capacity and summary["rate"]["wire_bps"] > 0.95 * capacity and not summary["settings"]["live"]:
        found.append(
            f"The link carries {capacity / 1000:.0f} kb/s and was given {summary['rate']['wire_bps'] / 1000:.0f}: "
            f"`--bitrate {0.9 * capacity / 1000:.0f}k` would help."
        )
    return found


def _chance(summary: dict[str, Any], verdict: dict[str, Any]) -> list[str]:
    draws = verdict["draws"]
    if draws["varies"] is False:
        return []
    several = "`seed = [0, 1, 2, 3, 4]` in a sweep, or `vidlink.compare(..., seeds=5)`, runs five"
    if not draws["count"]:
        known = summary["settings"]["channel"] == "perfect"
        return [] if known else [f"The score is one draw of a link that varies by chance; {several}."]
    low, high, mean = (draws["damaged"][name] for name in ("low", "high", "mean"))
    text = f"This is one draw: in {draws['count']} draws of this link {percent(low)} to {percent(high)} of the frames "
    text += f"are damaged ({percent(mean)} on average)"
    moved = [
        f"{name} from {each['low']:.2f} to {each['high']:.2f}"
        for name, each in (draws.get("scores") or {}).get("ccc", {}).items()
    ]
    if moved:
        text += f", and CCC is about, for {' and '.join(moved)}"
        ideal = draws["lossless"]["ccc"]
        text += f" (without loss {' and '.join(f'{ideal[name]:.2f}' for name in ideal)})"
    return [f"{text}; {several}."]
