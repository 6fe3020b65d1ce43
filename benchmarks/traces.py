"""Whole runs over recorded links: each trace of a folder, at two rates, through the product itself.

The clip (``carphone`` where the environment variable VIDLINK_DATA names a folder that has it, else the built-in one) is
run forwards and backwards to 20 seconds at 25 pictures a second, at a fixed rung whose wire rate comes close to 64 kb/s
and 512 kb/s. The queue holds ten seconds, so that a link that is too slow shows as delay first; propagation is 30 ms,
or what the trace records; nothing is lost but what the queue drops. The trace starts with the clip and repeats.

Figures
-------
runs
    Runs that completed with one reception for every frame.
implausible
    Runs that break one of these: one reception for every frame; nothing arrives sooner than propagation allows, nor out
    of order where propagation is constant; no more bytes arrive than the trace carries meanwhile; frames are damaged
    only where packets were late or lost. Must be 0.
delay_p95_median_s
    Median over the runs of the 95th percentile of packet delay.

``rows`` in the JSON has for each trace and rate: mean rate of the trace over the run, wire rate, delays, and packets
and frames by what became of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from loss_resilience import to_length

from vidlink.channel.profile import Trace
from vidlink.channel.trace import read_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vidlink.channel.trace import Capacity

SECONDS, PROPAGATION_S = 20, 0.03
RUNGS = {"64k": ("1", "27"), "512k": ("1", "10.8")}
"""Scale factor and quality that come close to each rate."""


def main() -> None:
    """Run everything, print the table, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="traces (default: the folder traces in VIDLINK_DATA)")
    parser.add_argument("--quick", action="store_true", help="every fourth trace")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    arguments = parser.parse_args()
    data = Path(os.environ.get("VIDLINK_DATA") or "nowhere")
    traces = sorted(path for path in (arguments.folder or data / "traces").rglob("*") if path.suffix in FORMATS)
    if not traces:
        sys.exit("no traces: name a folder, or set VIDLINK_DATA")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        clip = data / "clips" / "carphone_pristine.mp4"
        source = to_length(str(clip) if clip.is_file() else None, Path(name) / "clip.mkv", frames=25 * SECONDS)
        for path in traces[:: 4 if arguments.quick else 1]:
            for rate in RUNGS:
                rows.append(run(source, path, rate, Path(name)))
                print(f"\r{len(rows)} runs", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    print(table(rows))
    figures = {
        "runs": len(rows),
        "implausible": sum(bool(row["implausible"]) for row in rows),
        "delay_p95_median_s": statistics.median(row["delay_p95_s"] for row in rows if row["delay_p95_s"] is not None),
    }
    for key, value in figures.items():
        print(f"{key:<20} {value:g}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"figures": figures, "rows": rows}, indent=1) + "\n")


FORMATS = {".json": "json", ".csv": "csv", ".up": "mahimahi", ".down": "mahimahi"}


def run(clip: str, path: Path, rate: str, folder: Path) -> dict[str, Any]:
    """One run of the product over one trace."""
    import pandas as pd

    import vidlink.report.plot
    from vidlink.options import parse_arguments, settings_from
    from vidlink.report.run_folder import RunFolder
    from vidlink.simulate import simulate

    vidlink.report.plot.draw_run = lambda *_: None  # would take longer than the run
    form = FORMATS[path.suffix]
    capacity, latency = read_trace(Trace(path=path, format=form))
    lines = ['description = "trace"', "queue_s = 10.0", f'trace = {{ path = "{path.resolve()}", format = "{form}" }}']
    if latency is None:
        lines.append(f"delay_s = {PROPAGATION_S}")
    (folder / "channel.toml").write_text("\n".join(lines) + "\n")
    scale, quality = RUNGS[rate]
    arguments = [clip, "--scale", scale, "--quality", quality, "--channel", str(folder / "channel.toml")]
    arguments += ["--recognizer", "none", "--no-video", "--no-scores"]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        with RunFolder(Path(name) / "run") as place:
            summary = simulate(settings_from(parse_arguments(arguments)), place, quiet=True)
        packets, frames = (pd.read_csv(Path(name) / "run" / f"{table}.csv") for table in ("packets", "frames"))
    delivery = summary["delivery"]
    least_s = PROPAGATION_S if latency is None else latency.least / 1e9
    first_s, last_s = float(packets["send_s"].min()), float(packets["send_s"].max())
    return {
        "trace": f"{path.parent.name}/{path.name}",
        "rate": rate,
        "trace_kbps": round(8 * carried_bytes(capacity, first_s, last_s) / (last_s - first_s) / 1000, 1),
        "wire_kbps": round(summary["rate"]["wire_bps"] / 1000, 1),
        "packets": delivery["packets"],
        "lost": delivery["lost"],
        "late": delivery["late"],
        **{f"delay_{key}_s": value for key, value in delivery["delay_s"].items()},
        **summary["frames"],
        "implausible": problems(packets, frames, least_s, capacity),
    }


def carried_bytes(capacity: Capacity, first_s: float, last_s: float) -> float:
    """Bytes that a link can carry between two times."""
    times = np.rint(1e9 * np.array([first_s, last_s])).astype(np.int64)
    return float(np.diff(capacity.work_until(times))[0]) / float(capacity.work_for(np.array([1]))[0])


def problems(packets: pd.DataFrame, frames: pd.DataFrame, least_s: float, capacity: Capacity) -> list[str]:
    """What cannot be, in words."""
    found = []
    if frames["frame"].tolist() != list(range(25 * SECONDS)):
        found.append("not one reception for every frame")
    arrived = packets[packets["fate"] == "delivered"]
    if ((arrived["arrival_s"] - arrived["send_s"]) < least_s - 2e-6).any():
        found.append("faster than propagation")
    if (arrived["arrival_s"].diff() < -1e-6).any():
        found.append("out of order")
    if len(arrived):
        first_s, last_s = float(arrived["send_s"].min()), float(arrived["arrival_s"].max()) - least_s
        if arrived["bytes"].sum() > carried_bytes(capacity, first_s, last_s) + 1500:
            found.append("more than the link carries")
    delivered_in_time = len(arrived) == len(packets) and not (frames["late_s"] > 0).any()
    if delivered_in_time and (frames["status"] != "ok").any():
        found.append("frames damaged for no reason")
    return found


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each trace as a Markdown table."""
    wires = dict.fromkeys(row["rate"] for row in rows) | {row["rate"]: row["wire_kbps"] for row in rows}
    head = ["trace", "gives kb/s"]
    for wire in wires.values():
        head += [f"at {wire:.0f} kb/s: delay p50 / p95 / max s", "lost / late", "ok / conc. / drift / frozen"]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    for trace in dict.fromkeys(row["trace"] for row in rows):
        mine = [row for row in rows if row["trace"] == trace]
        cells = [trace, f"{mine[0]['trace_kbps']:.0f}"]
        for row in mine:
            delays = (row[f"delay_{key}_s"] for key in ("p50", "p95", "max"))
            cells.append(" / ".join("" if delay is None else f"{delay:.2f}" for delay in delays))
            cells.append(f"{row['lost']} / {row['late']}")
            cells.append(" / ".join(str(row[status]) for status in ("ok", "concealed", "drifting", "frozen")))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
