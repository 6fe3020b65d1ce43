"""A restorer sent along with each group of pictures, against plain adaptive sending at equal wire rate.

Each clip is sent twice at each budget, over a link that loses nothing: as the planner sends it (``--overfit off``),
and with ``--overfit auto``. Rate is everything on the wire, weights among it. PSNR is of luma, a mean over pictures.
Where a recognizer of whole frames stands behind it (:data:`WATCHED`), its answers on received pictures are held against
those on the source: mIoU of maps.

The clips are 20 seconds and longer, see ``overfit_clips.py``; those that are joined have no picture twice.

Figures
-------
bd_rate
    Bits of ``auto`` beyond ``off`` at equal PSNR, in percent, mean over the clips. Target: -5 or less.
bd_rate_low, bd_rate_high
    Its 95 % interval (Student's t).
worst
    Of all clips and budgets the most bits that ``auto`` takes beyond ``off`` at equal PSNR, in percent. The curve of
    ``off`` between its points is straight in the logarithm of the rate. Target: 0.5 or less.
bd_rate_worst
    The clip that gains least.
bd_rate_miou
    As ``bd_rate``, at equal mIoU, of the clip that is watched.
weights_share
    Bits of weights as a share of all on the wire, mean over runs with ``auto``.
sender_cpu_ratio
    Processor time of the sender (trial encodes, and with ``auto`` fitting) as a multiple of that of ``off``.
fit_cpu_s
    Processor seconds that fitting takes for 20 seconds of a clip, of the clip that takes most.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from overfit_clips import find_clips

from vidlink.files.cache import Cache
from vidlink.report.style import BLACK, BLUE, FRAME
from vidlink.scores.bd import bd_rate
from vidlink.settings import Overfit, Settings
from vidlink.sweeping.intervals import interval
from vidlink.units import parse_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    Rows = list[dict[str, Any]]

RATES = ("48k", "96k", "192k", "384k")
WATCHED = {"street": "road-segmentation"}
"""Recognizers of whole frames that look at a clip."""
EVERY = 5
"""They look at one picture in so many."""
MODES: tuple[Overfit, ...] = ("off", "auto")
TARGETS = {"bd_rate": "<= -5", "worst": "<= 0.5"}
LENGTH_S = 20.0


def measure(clip: str, path: Path, rate: str, mode: Overfit, cache: Cache) -> dict[str, Any]:
    """One run as a row."""
    watched = WATCHED.get(clip, "none")
    settings = Settings(
        input=str(path),
        bitrate_bps=parse_rate(rate),
        overfit=mode,
        recognizer=watched,
        recognize_every=EVERY if watched != "none" else 1,
        save_video=False,
        save_plot=False,
        save_report=False,
    )
    run = bench.run(settings, cache)
    summary = run.summary
    restoration, timing = summary["restoration"] or {}, summary["timing_s"]
    recognition = summary["recognition"] or {}
    return {
        "clip": clip,
        "budget": rate,
        "mode": mode,
        "seconds": summary["input"]["seconds"],
        "wire_bps": summary["rate"]["wire_bps"],
        "psnr_db": summary["quality"]["psnr_db"],
        "miou": recognition.get("miou"),
        "weights_bits": restoration.get("weights_bits", 0),
        "groups": restoration.get("groups"),
        "encode_cpu_s": timing["encode_cpu"],
        "fit_cpu_s": timing.get("overfit_cpu", 0.0),
    }


def measure_all(clips: dict[str, Path], rates: Sequence[str], work: Path) -> Rows:
    """All runs; those whose row lies in the folder already are not made again."""
    rows: Rows = []
    for clip, path in clips.items():
        cache = Cache(work / "cache", max_bytes=2 << 30)
        for rate in rates:
            for mode in MODES:
                place = work / f"{clip}-{rate}-{mode}.json"
                if not place.exists():
                    place.write_text(json.dumps(bench.plain(measure(clip, path, rate, mode, cache))), encoding="utf-8")
                rows.append(json.loads(place.read_text(encoding="utf-8")))
                print("{clip} {budget} {mode}: {wire_bps:.0f} b/s, {psnr_db:.3f} dB".format(**rows[-1]), flush=True)
    return rows


def curves(rows: Rows, clip: str, score: str) -> tuple[list[float], list[float], list[float], list[float]]:
    """Rates and scores of a clip with ``auto``, then with ``off``."""
    found: list[list[float]] = []
    for mode in reversed(MODES):
        own = [row for row in rows if (row["clip"], row["mode"]) == (clip, mode)]
        found += [[row["wire_bps"] for row in own], [row[score] for row in own]]
    return found[0], found[1], found[2], found[3]


def beyond(rows: Rows, clip: str) -> list[float | None]:
    """Of each budget the bits of ``auto`` beyond ``off`` at equal PSNR in percent; None where ``off`` has no such."""
    rates, scores, anchor_rates, anchor_scores = curves(rows, clip, "psnr_db")
    found: list[float | None] = []
    for rate, score in zip(rates, scores, strict=True):
        at = float(np.interp(score, anchor_scores, np.log(anchor_rates), left=np.nan, right=np.nan))
        if np.isnan(at):  # beyond the last point of the anchor the last stretch goes on
            slope = (np.log(anchor_rates[-1]) - np.log(anchor_rates[-2])) / (anchor_scores[-1] - anchor_scores[-2])
            at = float(np.log(anchor_rates[-1]) + slope * (score - anchor_scores[-1]))
            at = at if score > anchor_scores[-1] else np.nan
        found.append(None if np.isnan(at) else 100 * float(np.expm1(np.log(rate) - at)))
    return found


def figures_of(rows: Rows) -> dict[str, float | None]:
    """The figures of all runs."""
    clips = list(dict.fromkeys(row["clip"] for row in rows))
    each = [bd_rate(*curves(rows, clip, "psnr_db")).value for clip in clips]
    known = [value for value in each if value is not None]
    mean, low, high = interval(known) if known else (None, None, None)
    points = [point for clip in clips for point in beyond(rows, clip) if point is not None]
    watched = [clip for clip in clips if clip in WATCHED and all(r["miou"] for r in rows if r["clip"] == clip)]
    auto = [row for row in rows if row["mode"] == "auto"]
    plain = [row for row in rows if row["mode"] == "off"]
    return {
        "bd_rate": mean,
        "bd_rate_low": low,
        "bd_rate_high": high,
        "worst": max(points, default=None),
        "bd_rate_worst": max(known, default=None),
        "bd_rate_miou": bd_rate(*curves(rows, watched[0], "miou")).value if watched else None,
        "weights_share": float(np.mean([row["weights_bits"] / (row["wire_bps"] * row["seconds"]) for row in auto])),
        "sender_cpu_ratio": sum(row["encode_cpu_s"] + row["fit_cpu_s"] for row in auto)
        / sum(row["encode_cpu_s"] for row in plain),
        "fit_cpu_s": max(LENGTH_S * row["fit_cpu_s"] / row["seconds"] for row in auto),
    }


def show(rows: Rows) -> None:
    """Print the table: a line a clip and budget, and the BD-rate of each clip."""
    head = ("clip, budget", "off kb/s", "dB", "auto kb/s", "dB", "at equal PSNR", "weights", "groups", "fit, s")
    lines = []
    for clip in dict.fromkeys(row["clip"] for row in rows):
        own = [row for row in rows if row["clip"] == clip]
        plain, auto = ([row for row in own if row["mode"] == mode] for mode in MODES)
        for one, other, point in zip(plain, auto, beyond(rows, clip), strict=True):
            groups, bits = other["groups"], other["weights_bits"]
            lines.append(
                (
                    f"{clip}, {one['budget']}",
                    f"{one['wire_bps'] / 1000:.1f}",
                    f"{one['psnr_db']:.2f}",
                    f"{other['wire_bps'] / 1000:.1f}",
                    f"{other['psnr_db']:.2f}",
                    "–" if point is None else f"{point:+.1f} %",
                    f"{100 * bits / (other['wire_bps'] * other['seconds']):.2f} %",
                    f"{groups['restored']} of {sum(groups.values())}",
                    f"{other['fit_cpu_s']:.0f}",
                )
            )
    print(bench.markdown(head, lines), "\n")
    totals = []
    for clip in dict.fromkeys(row["clip"] for row in rows):
        found = bd_rate(*curves(rows, clip, "psnr_db"))
        totals.append((clip, "–" if found.value is None else f"{found.value:.1f} %"))
    print(bench.markdown(("clip", "BD-rate"), totals), "\n")


def draw(path: Path, rows: Rows) -> None:
    """Draw PSNR against wire rate, one pair of axes a clip."""
    clips = list(dict.fromkeys(row["clip"] for row in rows))
    with mpl.rc_context(FRAME):
        figure = Figure(figsize=(2.9 * len(clips), 2.9), layout="constrained")
        for place, clip in zip(figure.subplots(1, len(clips), squeeze=False)[0], clips, strict=True):
            ours, scores, anchors, anchor_scores = curves(rows, clip, "psnr_db")
            for name, look, colour, x, y in (
                ("off", "s-", BLACK, anchors, anchor_scores),
                ("auto", "o-", BLUE, ours, scores),
            ):
                place.plot([rate / 1000 for rate in x], y, look, color=colour, ms=3.5, label=f"--overfit {name}")
            place.set(xscale="log", title=clip, xlabel="on the wire, kb/s")
            ticks = [float(rate.rstrip("k")) for rate in dict.fromkeys(row["budget"] for row in rows)]
            place.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            place.minorticks_off()
            place.grid(alpha=0.3)
        figure.axes[0].set_ylabel("PSNR of luma, dB")
        figure.axes[0].legend(frameon=False, fontsize=8)
        bench.save(figure, path)


def main() -> None:
    """Send everything, print the table, draw, and write the JSON."""
    parser = bench.flags(__doc__, quick="the smallest clip at three budgets", figure=True, redraw=True)
    parser.add_argument("--clips", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep clips and runs there")
    arguments = parser.parse_args()
    if arguments.redraw:
        rows = json.loads(arguments.redraw.read_text(encoding="utf-8"))["rows"]
    else:
        with bench.folder_or_scratch(arguments.work) as work:
            names = arguments.clips or (["talking"] if arguments.quick else None)
            clips = find_clips(work, names)
            rows = measure_all(clips, RATES[:3] if arguments.quick else RATES, work)
    show(rows)
    if arguments.figure:
        draw(arguments.figure, rows)
    bench.report(figures_of(rows), arguments.json, {} if arguments.quick else TARGETS, rows=rows)


if __name__ == "__main__":
    main()
