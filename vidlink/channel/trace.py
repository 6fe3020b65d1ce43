"""How much a link can carry until when: constant rates and recorded traces, all in whole numbers.

A link's capacity is a function from time to work. Times are nanoseconds and work is counted in units of the link's own
choosing, both integers, so that sums are exact and a stream sent piece by piece arrives as if sent at once.

Formats of recorded traces, each repeated from its start when it ends:

``mahimahi``
    A line holds a time in milliseconds, not decreasing: an opportunity to deliver 1500 bytes. Several packets share an
    opportunity if they are queued before it, a large packet takes several, and what nobody uses is gone. A packet that
    arrives in the very millisecond of an opportunity comes too late for it. The trace repeats after its last line's
    time (mm-link of Netravali et al., "Mahimahi: Accurate Record-and-Replay for HTTP", USENIX ATC 2015).
``json``
    A list of ``{"duration_ms", "bandwidth_kbps", "latency_ms"}``; the latency is a round trip and may be missing.
``csv``
    Columns ``time_s`` and ``rate_bps`` with a header line: each rate holds from its time on, the last one as long as
    the one before it. The first line's time is where the clip starts.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from vidlink.errors import UserError
from vidlink.files.csvs import read_csv
from vidlink.units import RATE, SECONDS, Quantity, shown

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vidlink.channel.profile import Trace

NEVER = np.iinfo(np.int64).max // 4
"""A time or an amount of work beyond all others."""
OPPORTUNITY_BYTES = 1500
_PARTS = 1024
"""Units of work a bit, where rates change: fine enough that rounding never shows."""
_DURATION_MS = Quantity(name="a positive number of milliseconds", least=1e-6, most=1e3 * SECONDS.most)
_LATENCY_MS = Quantity(name="a number of milliseconds", least=0, most=1e3 * SECONDS.most)
_KBPS = Quantity(name="kilobits per second", least=0, most=RATE.most / 1e3)
_CLOCK_S = Quantity(name="a finite number of seconds", least=-1e12, most=1e12)
"""A time of day, where only differences count."""
_MOST_BITS = 1e15
"""What a trace may carry from its start to its end."""


class Capacity(Protocol):
    """What a link can do. Every function is monotone and takes and gives arrays of int64, shape (n,)."""

    def work_until(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Work that the link could have done by each time (nanoseconds, at least 0)."""
        ...

    def time_of(self, work: NDArray[np.int64]) -> NDArray[np.int64]:
        """Nanoseconds when it has done that much at the earliest, :data:`NEVER` where it never has."""
        ...

    def work_for(self, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Work that packets of so many bytes are."""
        ...


class ConstantRate:
    """A link of one rate. Its unit of work is a nanosecond."""

    def __init__(self, rate_bps: float) -> None:
        self._rate_bps = rate_bps

    def work_until(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """As much as time has passed."""
        return times

    def time_of(self, work: NDArray[np.int64]) -> NDArray[np.int64]:
        """Work is time."""
        return work

    def work_for(self, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Nanoseconds to send so many bytes."""
        return np.rint(np.minimum(8e9 * sizes / self._rate_bps, NEVER)).astype(np.int64)


class ChangingRate:
    """A link whose rate changes in steps, repeated. Its unit of work is a 1024th of a bit.

    Parameters
    ----------
    durations_ns
        Nanoseconds of each step, shape (n,), positive.
    bits
        Bits it carries in each step, shape (n,).

    Raises
    ------
    ValueError
        More time or bits than can be counted.
    """

    def __init__(self, durations_ns: NDArray[np.int64], bits: NDArray[np.float64]) -> None:
        if durations_ns.sum() > 1e9 * SECONDS.most or bits.sum() > _MOST_BITS:
            raise ValueError(f"lasts more than {SECONDS.most:g} s, or carries more than {_MOST_BITS:g} bits")
        self._starts = np.concatenate(([0], np.cumsum(durations_ns)))
        self._done = np.concatenate(([0], np.cumsum(np.rint(bits * _PARTS).astype(np.int64))))
        self._slopes = np.diff(self._done) / durations_ns
        self._period, self._total = int(self._starts[-1]), int(self._done[-1])

    @property
    def loop_bytes(self) -> float:
        """Bytes that the link carries in one run of the trace."""
        return self._total / _PARTS / 8

    @property
    def loop_s(self) -> float:
        """Seconds of one run of the trace."""
        return self._period / 1e9

    def work_until(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Linear within a step."""
        rounds, times = np.divmod(times, self._period)
        step = np.searchsorted(self._starts, times, side="right") - 1
        partly = np.floor((times - self._starts[step]) * self._slopes[step]).astype(np.int64)
        return _rounds(rounds, self._total) + np.minimum(self._done[step] + partly, self._done[step + 1])

    def time_of(self, work: NDArray[np.int64]) -> NDArray[np.int64]:
        """Linear within a step; steps of rate zero are waited out."""
        if self._total == 0:
            return np.where(work > 0, NEVER, 0)
        rounds, rest = np.divmod(np.maximum(work, 1) - 1, self._total)
        step = np.searchsorted(self._done, rest + 1, side="left") - 1
        partly = np.ceil((rest + 1 - self._done[step]) / self._slopes[step]).astype(np.int64)
        times = np.minimum(self._starts[step] + partly, self._starts[step + 1])
        return np.where(work > 0, np.where(work >= NEVER, NEVER, _rounds(rounds, self._period) + times), 0)

    def work_for(self, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The packets' bits."""
        return sizes * (8 * _PARTS)


class Opportunities:
    """A link that delivers 1500 bytes at given times, repeated. Its unit of work is a byte.

    Parameters
    ----------
    times_ns
        Times in nanoseconds, not decreasing, the last positive, shape (n,).
    """

    def __init__(self, times_ns: NDArray[np.int64]) -> None:
        self._times, self._period = times_ns, int(times_ns[-1])

    @property
    def loop_bytes(self) -> float:
        """Bytes that the link carries in one run of the trace."""
        return float(OPPORTUNITY_BYTES * len(self._times))

    @property
    def loop_s(self) -> float:
        """Seconds of one run of the trace."""
        return self._period / 1e9

    def work_until(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Opportunities passed, those of this very moment included, x 1500."""
        rounds, times = np.divmod(times, self._period)
        passed = np.searchsorted(self._times, times, side="right")
        return _rounds(rounds, OPPORTUNITY_BYTES * len(self._times)) + OPPORTUNITY_BYTES * passed

    def time_of(self, work: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the opportunity comes that carries the last of it."""
        rounds, index = np.divmod((np.maximum(work, 1) - 1) // OPPORTUNITY_BYTES, len(self._times))
        times = _rounds(rounds, self._period) + self._times[index]
        return np.where(work > 0, np.where(work >= NEVER, NEVER, times), 0)

    def work_for(self, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The packets' bytes."""
        return sizes


class Latency:
    """One-way delay that changes in steps, repeated.

    Parameters
    ----------
    durations_ns
        Nanoseconds of each step, shape (n,).
    delays_ns
        Delay in each step in nanoseconds, shape (n,).
    """

    def __init__(self, durations_ns: NDArray[np.int64], delays_ns: NDArray[np.int64]) -> None:
        self._ends, self._delays = np.cumsum(durations_ns), delays_ns

    @property
    def least(self) -> int:
        """Shortest delay in nanoseconds."""
        return int(self._delays.min())

    def at(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Delay in nanoseconds of what enters at each time."""
        return self._delays[np.searchsorted(self._ends, times % int(self._ends[-1]), side="right")]


def _rounds(rounds: NDArray[np.int64], each: int) -> NDArray[np.int64]:
    """What so many runs of a trace come to, at most :data:`NEVER`."""
    return np.minimum(rounds, NEVER // max(each, 1)) * each


FORMATS = (
    "a Mahimahi trace has a whole number of milliseconds a line, CSV a header with time_s and rate_bps, JSON a list of "
    "duration_ms and bandwidth_kbps"
)


def format_of(text: str) -> Literal["mahimahi", "json", "csv"] | None:
    r"""Which format a recorded trace has, by its first line; None where it is no trace.

    Examples
    --------
    >>> format_of("0\n4\n4\n"), format_of("time_s,rate_bps\n0,64000\n"), format_of('[{"duration_ms": 1}]')
    ('mahimahi', 'csv', 'json')
    """
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if first.isascii() and first.isdigit():
        return "mahimahi"
    if {"time_s", "rate_bps"} <= {cell.strip().strip('"') for cell in re.split(r"[,;\t]", first)}:
        return "csv"
    return "json" if re.match(r"\s*\[\s*(\{|\]|$)", text) else None


def read_trace(settings: Trace) -> tuple[ChangingRate | Opportunities, Latency | None]:
    """Read a recorded trace: capacity, and latency where it has one.

    Raises
    ------
    UserError
        The file cannot be read, is empty, goes backwards, or holds a value that is no number or negative.
    """
    path = settings.path
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"trace {path}: cannot be read as text ({error})") from None
    found = settings.format or format_of(text)
    if found is None:
        raise UserError(f"trace {path}: is of no known format: {FORMATS}")
    if found == "mahimahi":
        return _mahimahi(path, text), None
    if found == "json":
        return _json(path, text)
    return _csv(path, text), None


def _mahimahi(path: Path, text: str) -> Opportunities:
    lines = text.split()
    if not lines:
        raise UserError(f"trace {path}: is empty, expected a time in milliseconds a line")
    for number, line in enumerate(lines, 1):
        if not (line.isascii() and line.isdigit()) or len(line) > 12:
            raise UserError(f"trace {path}, entry {number}: {shown(line)}, expected a whole number of milliseconds")
    times = np.array(lines, dtype=np.int64)
    backwards = np.flatnonzero(np.diff(times) < 0)
    if len(backwards):
        row = int(backwards[0]) + 1
        raise UserError(
            f"trace {path}, entry {row + 1}: {times[row]} ms after {times[row - 1]} ms, times must not go backwards"
        )
    if times[-1] == 0:
        raise UserError(f"trace {path}: ends at 0 ms, must last for some time")
    if times[-1] > 1e3 * SECONDS.most:
        raise UserError(f"trace {path}: ends at {times[-1]} ms, must last no longer than {SECONDS.most:g} s")
    return Opportunities(times * 1_000_000)


def _json(path: Path, text: str) -> tuple[ChangingRate, Latency | None]:
    try:
        steps = json.loads(text)
    except ValueError as error:
        raise UserError(f"trace {path}: is not JSON ({error})") from None
    except RecursionError:
        raise UserError(f"trace {path}: is nested too deeply, expected a list of steps") from None
    if not isinstance(steps, list) or not steps:
        raise UserError(f"trace {path}: expected a list of steps with duration_ms and bandwidth_kbps, at least one")
    rows = []
    for number, step in enumerate(steps, 1):
        where = f"trace {path}, step {number}"
        if not isinstance(step, dict):
            raise UserError(f"{where}: found {shown(step)}, expected duration_ms and bandwidth_kbps")
        rows.append(
            [
                _DURATION_MS.read(f"{where}: duration_ms", step.get("duration_ms")),
                _KBPS.read(f"{where}: bandwidth_kbps", step.get("bandwidth_kbps")),
                _LATENCY_MS.read(f"{where}: latency_ms", step.get("latency_ms", 0)),
            ]
        )
    durations_ms, rates, latencies_ms = np.array(rows).T
    durations = np.rint(1e6 * durations_ms).astype(np.int64)
    latency = Latency(durations, np.rint(1e6 * latencies_ms / 2).astype(np.int64)) if latencies_ms.any() else None
    return _changing(path, durations, durations_ms * rates), latency


def _csv(path: Path, text: str) -> ChangingRate:
    table = read_csv(text, f"trace {path}", ("time_s", "rate_bps"))
    if not table.rows:
        raise UserError(f"trace {path}: is empty, expected lines of time_s and rate_bps")
    rows = [
        [
            _CLOCK_S.read(f"trace {path}, line {line}: time_s", row["time_s"]),
            RATE.read(f"trace {path}, line {line}: rate_bps", row["rate_bps"]),
        ]
        for line, row in table.rows
    ]
    times, rates = np.array(rows).T
    far = np.flatnonzero(np.abs(times - times[0]) > SECONDS.most)
    if len(far):
        first, odd = times[0], times[int(far[0])]
        raise UserError(f"trace {path}: from {first:g} to {odd:g} s, must last no longer than {SECONDS.most:g} s")
    durations = np.rint(1e9 * np.diff(times)).astype(np.int64)
    backwards = np.flatnonzero(durations <= 0)
    if len(backwards):
        row = int(backwards[0]) + 1
        raise UserError(f"trace {path}: {times[row]} s after {times[row - 1]} s, times must go forwards")
    durations = np.append(durations, durations[-1] if len(durations) else 1_000_000_000)
    return _changing(path, durations, rates * durations / 1e9)


def _changing(path: Path, durations: NDArray[np.int64], bits: NDArray[np.float64]) -> ChangingRate:
    try:
        return ChangingRate(durations, bits)
    except ValueError as error:
        raise UserError(f"trace {path}: {error}; expected less") from None
