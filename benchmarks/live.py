"""Live mode against fixed rates, a clairvoyant sender and the throughput rule, over constant, slow and recorded links.

Every point is a run of the product itself (``--bitrate auto``), forty seconds of ``carphone`` (176x144, run forwards
and backwards, 25 pictures a second) from the folder that the environment variable VIDLINK_DATA names, else of the
built-in clip, coded by ``x264-realtime``. The recognizer looks at the face once a second and is held against itself on
the pristine clip. All senders start at 32 kb/s, whatever the link.

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

import argparse
import json
import math
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from loss_resilience import to_length
from tqdm import tqdm

from vidlink.channel.profile import Trace
from vidlink.channel.trace import read_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

SECONDS, QUICK_SECONDS = 40, 20
MEANS = (30_000, 100_000, 300_000)
START_BPS = 32_000
FACE = "48,32,64,64"
"""Where the face is in ``carphone``."""
SENDERS = ("gcc", "clairvoyant", "throughput", "fixed 50", "fixed 75", "fixed 100")
QUICK_SENDERS = ("gcc", "clairvoyant", "throughput", "fixed 100")
LOOK = {
    "gcc": ("#000000", "o"),
    "clairvoyant": ("#009e73", "s"),
    "throughput": ("#d55e00", "^"),
    "fixed 50": ("#9ecae1", "v"),
    "fixed 75": ("#56b4e9", "v"),
    "fixed 100": ("#0072b2", "v"),
}
FORMATS = {".json": "json", ".csv": "csv", ".up": "mahimahi", ".down": "mahimahi"}
SHOWN = ("slow 100k", "mahimahi/Verizon-LTE-short.up", "hsdpa3g/report.2010-09-14_2303CEST.json")
"""Links whose capacity and estimate are drawn over time."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of the benchmark."""

    name: str
    kind: str
    mean_bps: float
    channel: Path


def make_links(folder: Path, *, quick: bool) -> list[Link]:
    """Write the channels of all links and tell of them."""
    seconds = QUICK_SECONDS if quick else SECONDS
    links = []
    for mean in MEANS[1:2] if quick else MEANS:
        times = np.arange(0, seconds + 5, 0.5)
        flat, swing = np.full(len(times), mean), mean * (1 + 0.4 * np.sin(2 * math.pi * times / 40))
        for kind, rates in (("constant", flat), ("slow", swing)):
            links.append(write_link(folder, f"{kind} {mean // 1000}k", "steady", times, rates))
    root = Path(os.environ.get("VIDLINK_DATA") or "nowhere") / "traces"
    traces = sorted(path for path in root.rglob("*") if path.suffix in FORMATS)
    if not traces:
        print("no traces: VIDLINK_DATA names no folder that has any", file=sys.stderr)
    for number, path in enumerate(traces):
        if not quick or number in (1, 27, 35):
            name = f"{path.parent.name}/{path.name}"
            links.append(write_link(folder, name, "driving", *scaled(path, MEANS[number % len(MEANS)], seconds)))
    return links


def scaled(path: Path, mean_bps: float, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and rates of the beginning of a recorded trace, scaled to a mean."""
    capacity, _ = read_trace(Trace(path=path, format=FORMATS[path.suffix]))
    step = 0.1 if FORMATS[path.suffix] == "mahimahi" else 0.5
    times = np.arange(0, seconds + 5 + step / 2, step)
    rates = np.diff(capacity.work_until(np.rint(1e9 * times).astype(np.int64))).astype(float)
    return times[:-1], rates * mean_bps / rates[times[:-1] < seconds].mean()


def write_link(folder: Path, name: str, kind: str, times: np.ndarray, rates: np.ndarray) -> Link:
    """A channel with these rates from these times on."""
    stem = "".join(letter if letter.isalnum() else "-" for letter in name)
    rows = "".join(f"{time:.3f},{rate:.3f}\n" for time, rate in zip(times, rates, strict=True))
    (folder / f"{stem}.csv").write_text("time_s,rate_bps\n" + rows)
    path = folder / f"{stem}.toml"
    trace = f'trace = {{ path = "{stem}.csv", format = "csv" }}'
    path.write_text(f'description = "{name}"\nqueue_s = 2.0\ndelay_s = 0.03\n{trace}\n')
    return Link(name=name, kind=kind, mean_bps=float(rates[times < times[-1] - 5].mean()), channel=path)


def run(clip: str, link: Link, sender: str, folder: Path, *, carphone: bool) -> dict[str, Any]:
    """One run of the product."""
    import pandas as pd
    import torch

    from vidlink.report.run_folder import RunFolder
    from vidlink.settings import Settings
    from vidlink.simulate import simulate

    torch.set_num_threads(1)
    estimator, _, percent = sender.partition(" ")
    settings = Settings(
        input=clip,
        live=True,
        estimator=estimator,
        start_bps=link.mean_bps * int(percent) / 100 if percent else START_BPS,
        codec="x264-realtime",
        channel=str(link.channel),
        workers=1,
        save_video=False,
        save_plot=False,
        recognize_every=25,
        roi=FACE if carphone else "none",
    )
    with tempfile.TemporaryDirectory(dir=folder) as name:
        with RunFolder(Path(name) / "run") as place:
            summary = simulate(settings, place, quiet=True)
        log = pd.read_csv(Path(name) / "run" / "live.csv")
    live, frames, recognition = summary["live"], summary["frames"], summary["recognition"]
    ccc = [value for value in recognition["ccc"].values() if value is not None]
    row = {
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
    if link.name in SHOWN and sender == "gcc":
        row["log"] = {key: log[key].tolist() for key in ("time_s", "estimate_bps", "capacity_bps")}
    return row


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
        "p95_queue_s": max(row["queue_p95_s"] for row in ours.values() if row["kind"] == "steady"),
        "p95_queue_s_mean": mean("steady", "queue_p95_s"),
        "frozen_steady": mean("steady", "frozen"),
        "frozen_driving": mean("driving", "frozen"),
        "fixed_as_much": len(as_much),
        "fixed_better": sum(row["frozen"] < ours[row["link"]]["frozen"] for row in as_much),
    }


COLUMNS = {
    "capacity used": ("capacity_used", "{:.2f}"),
    "p95 queue s": ("queue_p95_s", "{:.2f}"),
    "frozen %": ("frozen", "{:.1%}"),
    "damaged %": ("damaged", "{:.1%}"),
    "PSNR dB": ("psnr_db", "{:.2f}"),
    "SSIM": ("ssim", "{:.3f}"),
    "agreement CCC": ("agreement_ccc", "{:.3f}"),
}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Means over the links of a kind for each sender, as a Markdown table."""
    lines = [f"| links | sender | {' | '.join(COLUMNS)} |", f"| --- | --- |{' ---: |' * len(COLUMNS)}"]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for sender in SENDERS:
            mine = [row for row in rows if (row["kind"], row["sender"]) == (kind, sender)]
            if mine:
                cells = [form.format(mean_of(mine, key)) for key, form in COLUMNS.values()]
                lines.append(f"| {kind} ({len(mine)}) | {sender} | {' | '.join(cells)} |".replace("%", ""))
    return "\n".join(lines)


def each_link(rows: Sequence[dict[str, Any]]) -> str:
    """Ours on each link, as a Markdown table."""
    lines = [f"| link | mean kb/s | {' | '.join(COLUMNS)} |", f"| --- | ---: |{' ---: |' * len(COLUMNS)}"]
    for row in rows:
        if row["sender"] == "gcc":
            cells = [form.format(mean_of([row], key)) for key, form in COLUMNS.values()]
            lines.append(f"| {row['link']} | {row['mean_bps'] / 1000:.0f} | {' | '.join(cells)} |".replace("%", ""))
    return "\n".join(lines)


def mean_of(rows: Sequence[dict[str, Any]], key: str) -> float:
    """Mean of what is known; NaN where nothing is."""
    values = [row[key] for row in rows if row[key] is not None]
    return float(np.mean(values)) if values else math.nan


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Delay and frozen frames against capacity used, and estimates over time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = sorted((row for row in rows if "log" in row), key=lambda row: SHOWN.index(row["link"]))
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True}):
        figure = Figure(figsize=(11, 5.6), layout="constrained", dpi=120)
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.25, 1])
        axes = top.subplots(1, 3)
        for axis, kind in zip(axes, ("steady", "driving"), strict=False):
            draw_cloud(axis, rows, kind, "queue_p95_s")
            axis.axhline(0.3, color="#bbbbbb", linewidth=0.8, linestyle="--")
            axis.axvline(0.8 if kind == "steady" else 0.6, color="#bbbbbb", linewidth=0.8, linestyle="--")
            axis.set_title(f"{kind} links", fontsize=9)
            axis.set_yscale("log")
            axis.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
            axis.minorticks_off()
            axis.set_ylabel("p95 time in the link (s)")
        draw_cloud(axes[2], rows, "driving", "frozen")
        axes[2].set_title("driving links", fontsize=9)
        axes[2].set_ylabel("frozen frames")
        axes[2].yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        handles, labels = axes[2].get_legend_handles_labels()
        top.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
        if shown:
            for axis, row in zip(bottom.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
                draw_time(axis, row)
        figure.savefig(path, metadata={"Software": None})


def draw_cloud(axis: Axes, rows: Sequence[dict[str, Any]], kind: str, key: str) -> None:
    """A small mark for each link, a large one for the mean."""
    for sender, (colour, marker) in LOOK.items():
        mine = [row for row in rows if (row["kind"], row["sender"]) == (kind, sender)]
        if mine:
            points = np.array([[row["capacity_used"], row[key]] for row in mine]).T
            axis.scatter(*points, s=9, color=colour, marker=marker, alpha=0.35, linewidth=0)
            name = "ours (gcc)" if sender == "gcc" else f"{sender} %" if sender.startswith("fixed") else sender
            middle = points.mean(axis=1)
            axis.scatter(*middle, s=52, color=colour, marker=marker, edgecolor="white", label=name, zorder=3)
    axis.set_xlim(0, 1.02)
    axis.set_xlabel("capacity used")


def draw_time(axis: Axes, row: dict[str, Any]) -> None:
    """Capacity and estimate over time."""
    times = np.array(row["log"]["time_s"])
    capacity = np.array(row["log"]["capacity_bps"]) / 1000
    axis.fill_between(times, capacity, step="pre", color="#dddddd", linewidth=0, label="capacity")
    axis.plot(times, np.array(row["log"]["estimate_bps"]) / 1000, color="#000000", linewidth=1, label="estimate")
    axis.set_xlim(0, times[-1])
    axis.set_ylim(0, 1.15 * max(np.percentile(capacity, 99), np.max(row["log"]["estimate_bps"]) / 1000))
    axis.set_xlabel("time (s)")
    axis.set_ylabel("kb/s")
    axis.set_title(f"{row['link'].rsplit('/', 1)[-1]}: {row['capacity_used']:.0%} used", fontsize=8)
    axis.legend(loc="upper right", fontsize=7, frameon=False, ncols=2)


def main() -> None:
    """Run everything, print the tables, draw, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="five links, four senders, twenty seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    parser.add_argument("--figure", type=Path, metavar="PNG", help="draw")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="take runs that are in this file from there, add others"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    arguments = parser.parse_args()
    kept: list[dict[str, Any]] = []
    if arguments.resume and arguments.resume.is_file():
        kept = [json.loads(line) for line in arguments.resume.read_text().splitlines()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = Path(os.environ.get("VIDLINK_DATA") or "nowhere") / "clips" / "carphone_pristine.mp4"
        carphone = clip.is_file()
        frames = 25 * (QUICK_SECONDS if arguments.quick else SECONDS)
        source = to_length(str(clip) if carphone else None, folder / "clip.mkv", frames=frames)
        links = make_links(folder, quick=arguments.quick)
        senders = QUICK_SENDERS if arguments.quick else SENDERS
        done = {(row["link"], row["sender"]) for row in kept}
        # Ours first, then all others link by link, so that what is done early is of all kinds.
        spread = sorted(range(len(links)), key=lambda place: (place % 5, place))
        points = [(link, senders[0]) for link in links]
        points += [(links[place], sender) for place in spread for sender in senders[1:]]
        points = [(link, sender) for link, sender in points if (link.name, sender) not in done]
        rows = list(kept)
        with ProcessPoolExecutor(arguments.workers) as pool:
            runs = [pool.submit(run, source, link, sender, folder, carphone=carphone) for link, sender in points]
            for future in tqdm(as_completed(runs), total=len(runs), unit="run", disable=None):
                rows.append(future.result())
                if arguments.resume:
                    with arguments.resume.open("a") as file:
                        file.write(json.dumps(rows[-1]) + "\n")
    places = {link.name: number for number, link in enumerate(links)}
    rows = sorted(
        (row for row in rows if row["link"] in places),
        key=lambda row: (SENDERS.index(row["sender"]), places[row["link"]]),
    )
    print(f"{table(rows)}\n\nours on each link\n\n{each_link(rows)}\n")
    figures = figures_of(rows)
    for key, value in figures.items():
        print(f"{key:<24} {'-' if value is None else format(value, '.3f')}")
    if arguments.figure:
        draw(rows, arguments.figure)
    if arguments.json:
        content = [{key: value for key, value in row.items() if key != "log"} for row in rows]
        arguments.json.write_text(json.dumps({"figures": figures, "rows": content}, indent=1) + "\n")


if __name__ == "__main__":
    main()
