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

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
import numpy as np
from tqdm import tqdm

from vidlink.channel.profile import Trace
from vidlink.channel.trace import read_trace
from vidlink.command import run_command
from vidlink.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vidlink.channel.trace import Capacity

SECONDS, PROPAGATION_S = 20, 0.03
QUALITIES = {"64k": 29.2, "512k": 12.5}
"""Quality at full size that comes close to each rate."""


def main() -> None:
    """Run everything, print the table, and write the JSON."""
    parser = bench.flags(__doc__, quick="every fourth trace")
    parser.add_argument("folder", type=Path, nargs="?", help="traces (default: the folder traces in VIDLINK_DATA)")
    arguments = parser.parse_args()
    traces = bench.traces(arguments.folder or bench.data("traces"))[:: 4 if arguments.quick else 1]
    if not traces:
        sys.exit("no traces: name a folder, or set VIDLINK_DATA")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = bench.to_length(bench.data("clips/carphone_pristine.mp4"), folder / "clip.mkv", frames=25 * SECONDS)
        points = [(path, rate) for path in traces for rate in QUALITIES]
        rows = [run(clip, path, rate, folder) for path, rate in tqdm(points, unit="run", disable=None)]
    print(table(rows))
    figures = {
        "runs": len(rows),
        "implausible": sum(bool(row["implausible"]) for row in rows),
        "delay_p95_median_s": statistics.median(row["delay_p95_s"] for row in rows if row["delay_p95_s"] is not None),
    }
    bench.report(figures, arguments.json, rows=rows)


def run(clip: Path, path: Path, rate: str, folder: Path) -> dict[str, Any]:
    """One run of the product over one trace."""
    form = bench.TRACE_FORMATS[path.suffix]
    capacity, latency = read_trace(Trace(path=path, format=form))
    lines = ['description = "trace"', "queue_s = 10.0", f'trace = {{ path = "{path.resolve()}", format = "{form}" }}']
    if latency is None:
        lines.append(f"delay_s = {PROPAGATION_S}")
    (folder / "channel.toml").write_text("\n".join(lines) + "\n")
    settings = Settings(
        input=str(clip),
        scale=1,
        quality=QUALITIES[rate],
        channel=str(folder / "channel.toml"),
        recognizer="none",
        score_pictures=False,
    )
    made = bench.run(settings)
    summary, packets, frames = made.summary, made.packets, made.frames
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
    lines = []
    for trace in dict.fromkeys(row["trace"] for row in rows):
        mine = [row for row in rows if row["trace"] == trace]
        cells = [trace, f"{mine[0]['trace_kbps']:.0f}"]
        for row in mine:
            delays = (row[f"delay_{key}_s"] for key in ("p50", "p95", "max"))
            cells.append(" / ".join("" if delay is None else f"{delay:.2f}" for delay in delays))
            cells.append(f"{row['lost']} / {row['late']}")
            cells.append(" / ".join(str(row[status]) for status in ("ok", "concealed", "drifting", "frozen")))
        lines.append(cells)
    return bench.markdown(head, lines)


if __name__ == "__main__":
    run_command(main)
