"""``summary.json``: what a run comes down to, but for the timing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from vidlink.link.rooms import Rooms
    from vidlink.report.watch import Watch
    from vidlink.scores.scores import Scores
    from vidlink.sender.overfit import Overfit
    from vidlink.sender.trial import Trials
    from vidlink.settings import Settings
    from vidlink.video.source import Source


def conclude(
    settings: Settings, source: Source, rooms: Rooms, scores: Scores, *, complete: bool = True
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables of a run that is over, or (not ``complete``) stopped, and ``summary.json`` but for the timing.

    Raises
    ------
    UserError
        The labels are of another clip.
    """
    from vidlink.scores.live_summary import summarize_live

    tables = scores.tables(complete=complete)
    if not complete:
        source.note(f"the run was stopped: what is here is of the first {len(tables['segments'])} segments only")
    for said in scores.notes():
        source.note(said)
    summary = summarize(settings, source, scores.summary(tables, target_bps=settings.bitrate_bps))
    summary |= summarize_live(settings, rooms, tables, summary["input"]["seconds"])
    return tables, plain(summary | {"complete": complete})


def summarize(settings: Settings, source: Source, scores: dict[str, Any]) -> dict[str, Any]:
    """``summary.json`` but for the timing: input, settings, scores, notes, version."""
    from vidlink import __version__
    from vidlink.sender.groups import longest_s
    from vidlink.sender.ladder import fit
    from vidlink.settings import as_json

    clip = source.clip
    if len(scores["plan"]) == 1 and settings.segment_s > scores["seconds"] + 0.1:
        source.note(f"the clip is shorter than a segment of {settings.segment_s:g} s: it was coded as one")
    for said in fit(settings, clip)[1]:
        source.note(said)
    if isinstance(settings.gop, float):
        longest = longest_s(clip, settings)
        if longest + 0.1 < min(settings.gop, scores["seconds"]):
            source.note(f"--gop {settings.gop:g}: memory allows key frames that are at most {longest:.1f} s apart")
        elif settings.gop > max(scores["seconds"] + 0.1, settings.segment_s):
            source.note(f"the clip is shorter than --gop {settings.gop:g}: one key frame may be all that it needs")
    width, height = clip.cut_from or (clip.width, clip.height)
    region = {"kind": "face" if clip.cut_from else "frame", "width": clip.width, "height": clip.height}
    rate = scores["rate"]
    if rate["utilisation"] and rate["utilisation"] > 1:
        source.note(
            f"the fixed rung takes {rate['wire_bps'] / 1000:.1f} kb/s, more than the budget: "
            "its packets leave at the budget's rate, later and later"
        )
    recognition = scores["recognition"] or {}
    if recognition.get("unlabelled"):
        source.note(
            f"the labels say nothing of {recognition['unlabelled']} of "
            f"{recognition['unlabelled'] + recognition['n']} looks of the recognizer, which are not scored"
        )
    return {
        "input": {
            "path": clip.name,
            "frames": sum(scores["frames"].values()),
            "fps": round(float(clip.frame_rate), 6),
            "width": width,
            "height": height,
            "seconds": round(scores.pop("seconds"), 6),
        },
        "region": region,
        "settings": as_json(settings),
        **scores,
        "notes": source.notes,
        "vidlink": __version__,
    }


def timing(watch: Watch, trials: Trials | None, overfit: Overfit | None = None) -> dict[str, Any]:
    """The section ``timing_s``, under its name: seconds by stage; of trial encodes processor time and number."""
    spent: dict[str, Any] = watch.timing_s()
    if trials:
        spent |= {"encode_cpu": round(trials.encode_cpu_s, 3), "encodes": trials.count}
    if overfit:
        spent["overfit_cpu"] = round(overfit.cpu_s, 3)
    return {"timing_s": spent}


def preload() -> None:
    """Import what the end of a run needs: it takes a second, which passes while the codec works."""
    from importlib import import_module

    for module in ("matplotlib.figure", "pandas", "jinja2"):
        import_module(module)


def plain(value: Any) -> Any:
    r"""Nested values as JSON has them: NumPy's numbers as Python's, tuples as lists, what is not finite as None.

    Names of files whose bytes are no UTF-8 are written with these as ``\xff``.
    """
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value
