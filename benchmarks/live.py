"""Live mode against fixed rates, a clairvoyant sender and the throughput rule, over constant, slow and recorded links.

Every point is a run of the product itself (``--bitrate auto``), forty seconds of ``carphone`` (176x144, run forwards
and backwards, 25 pictures a second) from the folder that the environment variable VIDLINK_DATA names, else of the
built-in clip, coded by ``x264-realtime``. A recognizer, the first ``mix`` of ``receivers.py``, looks at the face once a
second and is held against itself on the pristine clip. All senders start at 32 kb/s, whatever the link.

Links
-----
steady
    Constant ones of 30, 100 and 300 kb/s, and slow ones that swing by 40 % about these means, once in 40 seconds.
driving
    The beginning of every recorded trace in VIDLINK_DATA (all are of people on the move), scaled to a mean of 30, 100
    and 300 kb/s in turn. Times are as recorded; the opportunities of a Mahimahi trace become rates of 0.1 s.

All have 30 ms of propagation each way and a drop-tail queue of two seconds.

Senders
-------
gcc (ours), clairvoyant, throughput: the estimators of those names. fixed 50, 75, 100: that share of the link's mean.

Figures
-------
capacity_used_steady, capacity_used_driving
    Share of what the link could carry, from the first packet to the clip's end, that arrived meanwhile: ours, mean over
    the links. Targets: at least 0.8, and 0.6.
p95_queue_s
    95th percentile over packets of the seconds spent in the link beyond propagation (wait and own transmission): ours,
    the worst of the steady links. Target: at most 0.3.
p95_queue_s_mean
    The same, mean over the steady links.
frozen_steady, frozen_driving
    Share of frames frozen, mean over the links: ours.
fixed_better
    Fixed rates that used at least as much of a link as ours did, with fewer frames frozen; of the number of fixed rates
    that used as much (fixed_as_much). Target: 0.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
from live_figures import draw
from live_links import Link, make_links
from rate_accuracy_ways import RECEIVERS

from vidlink.command import run_command
from vidlink.settings import Settings
from vidlink.sweeping.grid import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS, QUICK_SECONDS = 40, 20
START_BPS = 32_000
FACE = "48,32,64,64"
"""Where the face is in ``carphone``."""
SENDERS = ("gcc", "clairvoyant", "throughput", "fixed 50", "fixed 75", "fixed 100")
QUICK_SENDERS = ("gcc", "clairvoyant", "throughput", "fixed 100")
SHOWN = ("slow 100k", "mahimahi/Verizon-LTE-short.up", "hsdpa3g/report.2010-09-14_2303CEST.json")
"""Links whose capacity and estimate are drawn over time."""
COLUMNS = {
    "capacity used": ("capacity_used", "{:.2f}"),
    "p95 queue s": ("queue_p95_s", "{:.2f}"),
    "frozen %": ("frozen", "{:.1%}"),
    "damaged %": ("damaged", "{:.1%}"),
    "PSNR dB": ("psnr_db", "{:.2f}"),
    "SSIM": ("ssim", "{:.3f}"),
    "agreement CCC": ("agreement_ccc", "{:.3f}"),
}


def settings_of(link: Link, sender: str, clip: Path, *, carphone: bool) -> Settings:
    """What to run over a link."""
    estimator, _, percent = sender.partition(" ")
    return Settings(
        input=str(clip),
        live=True,
        estimator=estimator,
        start_bps=link.mean_bps * int(percent) / 100 if percent else START_BPS,
        codec="x264-realtime",
        channel=str(link.channel),
        weights=RECEIVERS / "mix-0.safetensors",
        recognize_every=bench.RATE,
        roi=FACE if carphone else "none",
    )


def row_of(link: Link, sender: str, summary: dict[str, Any]) -> dict[str, Any]:
    """What of a run is of interest here."""
    live, frames, recognition = summary["live"], summary["frames"], summary["recognition"]
    ccc = [value for value in recognition["ccc"].values() if value is not None]
    return {
        "link": link.name,
        "kind": link.kind,
        "mean_bps": round(link.mean_bps),
        "sender": sender,
        "capacity_used": live["capacity_used"],
        "queue_p50_s": live["queue_s"]["p50"],
        "queue_p95_s": live["queue_s"]["p95"],
        "frozen": frames["frozen"] / sum(frames.values()),
        "damaged": (frames["concealed"] + frames["drifting"]) / sum(frames.values()),
        "psnr_db": summary["quality"]["psnr_db"],
        "ssim": summary["quality"]["ssim"],
        "agreement_ccc": float(np.mean(ccc)) if ccc else None,
        "segment_s": float(np.mean([each["segment_s"] for each in live["decisions"]])),
        "encodes_per_segment": summary["timing_s"]["encodes"] / len(live["decisions"]),
        "cpu_per_s": summary["timing_s"]["encode_cpu"] / summary["input"]["seconds"],
    }


def figures_of(rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """The figures; None where nothing of the kind was run."""
    ours = {row["link"]: row for row in rows if row["sender"] == "gcc"}

    def mean(kind: str, key: str) -> float | None:
        values = [row[key] for row in ours.values() if row["kind"] == kind and row[key] is not None]
        return float(np.mean(values)) if values else None

    fixed = [row for row in rows if row["sender"].startswith("fixed") and row["link"] in ours]
    as_much = [row for row in fixed if row["capacity_used"] >= ours[row["link"]]["capacity_used"]]
    return {
        "capacity_used_steady": mean("steady", "capacity_used"),
        "capacity_used_driving": mean("driving", "capacity_used"),
        "p95_queue_s": max((row["queue_p95_s"] for row in ours.values() if row["kind"] == "steady"), default=None),
        "p95_queue_s_mean": mean("steady", "queue_p95_s"),
        "frozen_steady": mean("steady", "frozen"),
        "frozen_driving": mean("driving", "frozen"),
        "fixed_as_much": len(as_much),
        "fixed_better": sum(row["frozen"] < ours[row["link"]]["frozen"] for row in as_much),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Means over the links of a kind for each sender, as a Markdown table."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for row in rows:
            if row["kind"] == kind:
                groups.setdefault((kind, row["sender"]), []).append(row)
    lines = [[f"{kind} ({len(mine)})", sender, *cells(mine)] for (kind, sender), mine in groups.items()]
    return bench.markdown(["links", "sender", *COLUMNS], lines)


def each_link(rows: Sequence[dict[str, Any]]) -> str:
    """Ours on each link, as a Markdown table."""
    lines = [[row["link"], f"{row['mean_bps'] / 1000:.0f}", *cells([row])] for row in rows if row["sender"] == "gcc"]
    return bench.markdown(["link", "mean kb/s", *COLUMNS], lines)


def cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Means of the columns over what is known; NaN where nothing is."""
    known = ([row[key] for row in rows if row[key] is not None] for key, _ in COLUMNS.values())
    forms = (form for _, form in COLUMNS.values())
    return [
        form.format(float(np.mean(values)) if values else math.nan).replace("%", "")
        for form, values in zip(forms, known, strict=True)
    ]


def main() -> None:
    """Run everything, print the tables, draw, and write the JSON."""
    parser = bench.flags(__doc__, quick="five links, four senders, twenty seconds", figure=True)
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="keep results there, and go on from them")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    arguments = parser.parse_args()
    seconds = QUICK_SECONDS if arguments.quick else SECONDS
    with bench.folder_or_scratch(arguments.resume) as folder:
        carphone = bench.data("clips/carphone_pristine.mp4", "the built-in clip stands in")
        clip = bench.to_length(carphone, folder / f"clip-{seconds}.mkv", frames=bench.RATE * seconds)
        links = make_links(folder, seconds=seconds, quick=arguments.quick)
        senders = QUICK_SENDERS if arguments.quick else SENDERS
        pairs = [(link, sender) for sender in senders for link in links]
        chosen = [settings_of(link, sender, clip, carphone=carphone is not None) for link, sender in pairs]
        points = [Point(settings=settings, columns={}) for settings in chosen]
        results = bench.sweep_table(points, folder / "sweep", arguments.workers)
        summaries = bench.summaries(results, folder / "sweep")
        rows = [row_of(*pair, summary) for pair, summary in zip(pairs, summaries, strict=True) if summary]
        print(f"{table(rows)}\n\nours on each link\n\n{each_link(rows)}\n")
        if arguments.figure:
            # Their tables are needed, of which a sweep keeps the sums alone.
            drawn = {
                link.name: bench.run(settings).tables["live"]
                for (link, sender), settings in zip(pairs, chosen, strict=True)
                if link.name in SHOWN and sender == "gcc"
            }
            draw(rows, dict(sorted(drawn.items(), key=lambda each: SHOWN.index(each[0]))), arguments.figure)
    bench.report(figures_of(rows), arguments.json, rows=rows)


if __name__ == "__main__":
    run_command(main)
