"""How fast the channel is, beside a SimPy model of the same link.

The link: a changing rate, a drop-tail queue in bytes, propagation, Gilbert-Elliott loss and jitter. Packets arrive
as a Poisson process at 95 % of the trace's mean rate, so that the queue fills, overflows and drains all the time.

Figures:

packets_per_s
    Packets a second of processor time through :class:`vidlink.channel.Channel`, which runs on one core; median of the
    repetitions.
simpy_ratio
    That, over the packets a second of the SimPy model in the same run (fewer packets of the same train).
bytes_per_packet
    Peak memory that one call needs beside its input, over the number of packets.
dropped, lost
    Shares of packets dropped by the queue and lost after it, to show that the link does something.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import bench
import numpy as np

from vidlink.channel import Channel, ChannelProfile
from vidlink.command import run_command
from vidlink.types import Fate, Kind, Packets

if TYPE_CHECKING:
    from collections.abc import Generator

RATES_BPS = (4e6, 9e6, 2e6, 0.0, 6e6, 1e6, 12e6, 3e6)
STEP_S = 0.5
QUEUE_BYTES = 60_000
DELAY_S, JITTER_S = 0.03, 0.005
GOOD_TO_BAD, BAD_TO_GOOD = 0.01, 0.25


def main() -> None:
    """Measure, print the table, and write the figures where asked for."""
    arguments = bench.flags(__doc__, quick="fewer packets").parse_args()
    count, oracle_count, repetitions = (300_000, 20_000, 3) if arguments.quick else (2_000_000, 100_000, 5)
    figures = measure(count, oracle_count, repetitions)
    print(f"{'packets':<18}{count:>14,}\n{'SimPy packets':<18}{oracle_count:>14,}")
    bench.report(figures, arguments.json)


def measure(count: int, oracle_count: int, repetitions: int) -> dict[str, float]:
    """All figures by name."""
    packets = train(count, np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.csv"
        lines = [f"{STEP_S * step},{rate}" for step, rate in enumerate(RATES_BPS)]
        trace.write_text("\n".join(["time_s,rate_bps", *lines]))
        profile = ChannelProfile.model_validate(
            {
                "description": "benchmark",
                "trace": {"path": trace, "format": "csv"},
                "queue_bytes": QUEUE_BYTES,
                "delay_s": DELAY_S,
                "jitter_s": JITTER_S,
                "loss": {"model": "gilbert-elliott", "p": GOOD_TO_BAD, "r": BAD_TO_GOOD},
            }
        )
        speeds = []
        for _ in range(repetitions):
            channel = Channel(profile, rng=np.random.default_rng(2))
            start = time.process_time()
            received = channel.transmit(packets)
            speeds.append(count / (time.process_time() - start))
        channel = Channel(profile, rng=np.random.default_rng(2))
        tracemalloc.start()
        channel.transmit(packets)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    first = packets.take(np.arange(oracle_count))
    start = time.process_time()
    oracle_dropped = simpy_dropped(first, np.random.default_rng(3))
    oracle_speed = oracle_count / (time.process_time() - start)
    dropped = float((received.fate[:oracle_count] == Fate.DROPPED).sum())
    if abs(dropped - oracle_dropped) > 0.001 * oracle_count:
        raise RuntimeError(f"the models disagree: {dropped} packets dropped here, {oracle_dropped} in SimPy")
    speed = statistics.median(speeds)
    return {
        "packets_per_s": speed,
        "simpy_packets_per_s": oracle_speed,
        "simpy_ratio": speed / oracle_speed,
        "bytes_per_packet": peak / count,
        "dropped": float(np.mean(received.fate == Fate.DROPPED)),
        "lost": float(np.mean(received.fate == Fate.LOST)),
    }


def train(count: int, rng: np.random.Generator) -> Packets:
    """Packets of 60 to 1500 bytes as a Poisson process."""
    sizes = rng.integers(60, 1501, size=count)
    rate = 0.95 * float(np.mean(RATES_BPS)) / (8 * float(sizes.mean()))
    nothing = np.zeros(count, dtype=np.int64)
    return Packets(
        sequence=np.arange(count),
        frame=nothing,
        unit=nothing,
        unit_count=nothing,
        segment=nothing,
        bytes=sizes,
        kind=np.full(count, Kind.VIDEO, dtype=np.uint8),
        send_s=np.cumsum(rng.exponential(1 / rate, size=count)),
        data=[b""] * count,
        arrival_s=np.full(count, np.nan),
        fate=np.full(count, Fate.PENDING, dtype=np.uint8),
    )


def simpy_dropped(packets: Packets, rng: np.random.Generator) -> int:
    """Send the packets through an event-driven model of the link; how many the queue dropped."""
    import simpy

    env = simpy.Environment()
    queue = simpy.Store(env)
    state = {"backlog": 0.0, "since": 0.0, "dropped": 0, "bad": False, "delivered": 0}

    def rate_at(now: float) -> tuple[float, float]:
        step = int(now / STEP_S + 1e-9)
        return RATES_BPS[step % len(RATES_BPS)], (step + 1) * STEP_S

    def drain(now: float) -> None:
        while state["since"] < now:
            rate, until = rate_at(state["since"])
            until = min(until, now)
            state["backlog"] = max(0.0, state["backlog"] - rate * (until - state["since"]) / 8)
            state["since"] = until

    def source() -> Generator[simpy.Event, int, None]:
        for send_s, size in zip(packets.send_s.tolist(), packets.bytes.tolist(), strict=True):
            yield env.timeout(send_s - env.now)
            drain(env.now)
            if state["backlog"] + size > QUEUE_BYTES:
                state["dropped"] += 1
            else:
                state["backlog"] += size
                yield queue.put(size)

    def link() -> Generator[simpy.Event, int, None]:
        while True:
            bits = 8.0 * (yield queue.get())
            while bits > 1e-9:
                rate, until = rate_at(env.now)
                took = min(bits / rate if rate else np.inf, until - env.now)
                yield env.timeout(took)
                bits -= rate * took
            if rng.random() < (BAD_TO_GOOD if state["bad"] else GOOD_TO_BAD):
                state["bad"] = not state["bad"]
            if not state["bad"]:
                env.process(deliver())

    def deliver() -> Generator[simpy.Event, int, None]:
        yield env.timeout(DELAY_S + rng.exponential(JITTER_S))
        state["delivered"] += 1

    env.process(source())
    env.process(link())
    env.run(until=float(packets.send_s[-1]) + 10)
    return int(state["dropped"])


if __name__ == "__main__":
    run_command(main)
