"""The outcome of a run as a short table on the terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

from vidlink.scores.kinds import kind_of_section
from vidlink.scores.kinds.said import against_of, faceless
from vidlink.scores.measures import quality_measures
from vidlink.video.sequence import NUMBER

VERDICT = "verdict"
"""Name of the rows that say whether it is good."""


def print_summary(summary: dict[str, Any], folder: str) -> None:
    """The outcome of a run as a short table on stdout."""
    rows = [*outcome(summary), ("run folder", folder)]
    width = max(len(name) for name, _ in rows)
    columns = max(60, shutil.get_terminal_size((120, 24)).columns)
    for name, text in rows:
        if name == VERDICT:  # sentences; the other rows are short, and read by machines
            text = textwrap.fill(text, columns - width - 2, break_on_hyphens=False, break_long_words=False)
        print(f"{name:<{width}}  {text}".replace("\n", "\n" + " " * (width + 2)))
    sys.stdout.flush()


def outcome(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The outcome of a run, from ``summary.json``, as rows of a name and a text."""
    clip, rate, delivery = summary["input"], summary["rate"], summary["delivery"]
    frames, quality, settings = summary["frames"], summary["quality"], summary["settings"]
    rows = [
        (
            "clip",
            f"{clip['path']}  {clip['width']}x{clip['height']}  {clip['fps']:g} frames/s  {clip['seconds']:.2f} s",
        ),
        *([("region", _region(summary["region"]))] if summary["region"]["kind"] == "face" else []),
        ("codec, channel", f"{settings['codec']}, {sent_over(settings)}"),
        ("wire rate", _rate(rate)),
        *([("estimator", _estimator(summary["live"]))] if "live" in summary else []),
        ("payload", f"{_kbps(rate['payload_bps'])}  {rate['bpp']:.4f} bpp  (wire {rate['wire_bpp']:.4f} bpp)"),
        ("scales", _scales(summary["plan"])),
        ("packets", _packets(delivery)),
        ("frames", ", ".join(f"{count} {status}" for status, count in frames.items() if count)),
    ]
    measured = [each for each in quality_measures() if quality.get(each.column) is not None]
    if measured:
        rows.append(("quality", "  ".join(f"{each.name} {each.quantity(quality[each.column])}" for each in measured)))
    rows += _recognition(summary["recognition"])
    rows += [(VERDICT, text) for text in summary.get("verdict", {}).get("words", [])]
    rows += [("note", note) for note in summary["notes"]]
    return [*rows, ("time", f"{summary['timing_s']['total']:.1f} s")]


def clip_title(path: str) -> str:
    """What a clip is called in a title: the name of its file, or of the folder of an image sequence.

    Examples
    --------
    >>> clip_title("my/walk.mp4"), clip_title("my/frames/*.png"), clip_title("frames/img%03d.png"), clip_title("*.png")
    ('walk.mp4', 'frames', 'frames', '*.png')
    """
    name, folder = Path(path).name, Path(path).parent.name
    return folder if folder and ("*" in name or NUMBER.search(name)) else name


def sent_over(settings: dict[str, Any]) -> str:
    """The channel, from the settings in ``summary.json``."""
    loss = settings.get("loss")
    return str(settings["channel"]) if loss is None else f"{settings['channel']} but for {100 * loss:g} % loss"


def _region(region: dict[str, Any]) -> str:
    return f"a window of {region['width']}x{region['height']} about a face; bpp, PSNR, SSIM and film are of it"


def _kbps(bits: float) -> str:
    return f"{bits / 1000:.1f} kb/s"


def _rate(rate: dict[str, Any]) -> str:
    if rate["target_bps"] is None:
        return _kbps(rate["wire_bps"])
    return f"{_kbps(rate['wire_bps'])} of {_kbps(rate['target_bps'])} ({100 * rate['utilisation']:.1f} %)"


def _estimator(live: dict[str, Any]) -> str:
    text = live["estimator"]
    if live["capacity_used"] is not None:
        text += f", {100 * live['capacity_used']:.1f} % of {_kbps(live['capacity_bps'])} used"
    if live["queue_s"]["p95"] is not None:
        text += f", 95 % of packets within {1000 * live['queue_s']['p95']:.0f} ms in the link"
    for what, count in (
        ("too late to be sent", live["discarded_packets"]),
        ("unsound answers", live["unsound_answers"]),
    ):
        if count:
            text += f", {count} {what}"
    return text


def _scales(plan: list[dict[str, Any]]) -> str:
    scales = [row["scale"] for row in plan]
    return ", ".join(f"{scale:g} ({scales.count(scale)} segments)" for scale in sorted(set(scales)))


def _packets(delivery: dict[str, Any]) -> str:
    text = f"{delivery['packets']} sent, {delivery['lost']} lost ({100 * delivery['loss_rate']:.1f} %)"
    if delivery["lost"]:
        text += f" in bursts of {delivery['mean_burst']:.1f}"
    for what in ("late", "recovered", "retransmitted"):
        if delivery[what]:
            text += f", {delivery[what]} {what}"
    delay = delivery["delay_s"]
    if delay["p50"] is not None:
        text += f"; delay {1000 * delay['p50']:.0f} ms, 95 % within {1000 * delay['p95']:.0f} ms"
    return text


def _recognition(found: dict[str, Any] | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    if not found["n"]:
        why = "the labels are of no face and time that were looked at"
        if found.get("faces") == 0:
            why = "no face was found (--roi x,y,w,h says where one is)"
        elif "faces" not in found:
            why = "no frame that was looked at has anything that it could be held against"
        return [(found["task"], f"nothing to score: {why}"), *faceless(found)]
    return kind_of_section(found).rows(found, against_of(found))
