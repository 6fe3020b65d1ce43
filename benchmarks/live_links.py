"""The links of ``benchmarks/live.py``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bench
import numpy as np

from vidlink.channel.profile import Trace
from vidlink.channel.trace import read_trace

if TYPE_CHECKING:
    from pathlib import Path

MEANS = (30_000, 100_000, 300_000)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of the benchmark."""

    name: str
    kind: str
    mean_bps: float
    channel: Path


def make_links(folder: Path, *, seconds: float, quick: bool) -> list[Link]:
    """Write the channels of all links for clips of so many seconds, and tell of them."""
    links = []
    for mean in MEANS[1:2] if quick else MEANS:
        times = np.arange(0, seconds + 5, 0.5)
        flat, swing = np.full(len(times), mean), mean * (1 + 0.4 * np.sin(2 * math.pi * times / 40))
        for kind, rates in (("constant", flat), ("slow", swing)):
            links.append(write_link(folder, f"{kind} {mean // 1000}k", "steady", times, rates))
    for number, path in enumerate(bench.traces(bench.data("traces", "no recorded links"))):
        if not quick or number in (1, 27, 35):
            name = f"{path.parent.name}/{path.name}"
            links.append(write_link(folder, name, "driving", *scaled(path, MEANS[number % len(MEANS)], seconds)))
    return links


def scaled(path: Path, mean_bps: float, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and rates of the beginning of a recorded trace, scaled to a mean."""
    capacity, _ = read_trace(Trace(path=path, format=bench.TRACE_FORMATS[path.suffix]))
    step = 0.1 if bench.TRACE_FORMATS[path.suffix] == "mahimahi" else 0.5
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
