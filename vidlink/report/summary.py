"""``summary.json``: what a run comes down to, but for the timing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidlink.settings import Settings
    from vidlink.video.source import Source


def summarize(settings: Settings, source: Source, scores: dict[str, Any]) -> dict[str, Any]:
    """``summary.json`` but for the timing: input, settings, scores, notes, version."""
    from vidlink import __version__
    from vidlink.settings import as_json

    clip = source.clip
    if len(scores["plan"]) == 1 and settings.segment_s > scores["seconds"] + 0.1:
        source.note(f"the clip is shorter than a segment of {settings.segment_s:g} s: it was coded as one")
    width, height = clip.cut_from or (clip.width, clip.height)
    region = {"kind": "face" if clip.cut_from else "frame", "width": clip.width, "height": clip.height}
    rate = scores["rate"]
    if rate["utilisation"] and rate["utilisation"] > 1:
        source.note(
            f"the fixed rung takes {rate['wire_bps'] / 1000:.1f} kb/s, more than the budget: "
            "its packets leave at the budget's rate, later and later"
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


def preload() -> None:
    """Import what the end of a run needs: it takes half a second, which passes while the codec works."""
    from importlib import import_module

    for module in ("matplotlib.figure", "pandas"):
        import_module(module)
