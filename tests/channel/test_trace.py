import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.channel import Channel, ChannelProfile
from vidlink.channel.bottleneck import Bottleneck
from vidlink.channel.profile import Trace
from vidlink.channel.trace import NEVER, ChangingRate, Latency, Opportunities, read_trace
from vidlink.errors import UserError
from vidlink.types import Fate

MS = 1_000_000


def read(path, text, kind):
    path.write_text(text)
    return read_trace(Trace(path=path, format=kind))


def mahimahi_by_hand(schedule, arrivals, sizes):
    """mm-link, opportunity by opportunity: when each packet leaves, in milliseconds."""
    left, queue, base, index = [], [], 0, 0
    waiting = list(zip(arrivals, sizes, range(len(sizes)), strict=True))
    leaves = [None] * len(sizes)
    while len(left) < len(sizes):
        now = base + schedule[index]
        while waiting and waiting[0][0] < now:
            queue.append([waiting[0][1], waiting[0][2]])
            waiting.pop(0)
        room = 1500
        while queue and room:
            used = min(room, queue[0][0])
            queue[0][0] -= used
            room -= used
            if queue[0][0] == 0:
                leaves[queue[0][1]] = now
                left.append(queue.pop(0))
        index += 1
        if index == len(schedule):
            index, base = 0, base + schedule[-1]
    return leaves


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12).filter(lambda gaps: sum(gaps) > 0),
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 4000)), min_size=1, max_size=25),
)
def test_mahimahi_opportunity_by_opportunity(gaps, packets):
    schedule = np.cumsum(gaps)
    arrivals, sizes = np.cumsum([gap for gap, _ in packets]), np.array([size for _, size in packets])
    link = Bottleneck(Opportunities(schedule * MS))
    leaves = link.serve(arrivals * MS, sizes, np.zeros(len(sizes), dtype=bool))
    assert (leaves // MS).tolist() == mahimahi_by_hand(schedule.tolist(), arrivals.tolist(), sizes.tolist())


def test_several_packets_share_an_opportunity():
    link = Bottleneck(Opportunities(np.array([10, 20]) * MS))
    sizes = np.array([500, 500, 500, 500, 3000])
    leaves = link.serve(np.zeros(5, dtype=np.int64), sizes, np.zeros(5, dtype=bool))
    assert (leaves // MS).tolist() == [10, 10, 10, 20, 40]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 5000)), min_size=1, max_size=10),
    st.lists(st.integers(0, 50_000), min_size=1, max_size=20),
)
def test_work_and_time_are_inverse(steps, times_ms):
    durations, kbps = np.array(steps).T
    link = ChangingRate(durations * MS, durations * kbps.astype(float))
    times = np.sort(np.array(times_ms)) * MS
    work = link.work_until(times)
    assert (np.diff(work) >= 0).all()
    back = link.time_of(work)
    if kbps.any():
        # Both round, by at most a nanosecond and a 1024th of a bit.
        assert (back <= times + 1).all()
        assert (link.work_until(back) >= work - 2).all()
        later = link.time_of(work + 8 * 1024)
        assert (later >= times - 1).all()
    else:
        assert (work == 0).all()
        assert (link.time_of(work + 1) == NEVER).all()


def test_json_counts_bits(tmp_path):
    steps = [
        {"duration_ms": 1000, "bandwidth_kbps": 800, "latency_ms": 100},
        {"duration_ms": 500, "bandwidth_kbps": 0, "latency_ms": 40},
    ]
    link, latency = read(tmp_path / "trace.json", json.dumps(steps), "json")
    assert (link.loop_bytes, link.loop_s) == (100_000, 1.5)
    assert latency.at(np.array([0, 999 * MS, 1000 * MS, 1500 * MS])).tolist() == [50 * MS, 50 * MS, 20 * MS, 50 * MS]
    assert latency.least == 20 * MS
    # 100 000 bytes a round: the last byte of the first round is out after a second, the next waits for the next round.
    assert link.time_of(np.array([100_000, 100_001]) * 8 * 1024).tolist() == [1000 * MS, 1500 * MS + 10_000]


def test_csv_holds_each_rate_until_the_next(tmp_path):
    link, _ = read(tmp_path / "trace.csv", "time_s,rate_bps\n10,8000\n12,0\n13,80000\n", "csv")
    assert (link.loop_bytes, link.loop_s) == (2000 + 0 + 10_000, 4.0)
    link, _ = read(tmp_path / "trace.csv", "time_s,rate_bps\n0,8000\n", "csv")
    assert (link.loop_bytes, link.loop_s) == (1000, 1.0)


def test_latency_repeats():
    assert Latency(np.array([2, 1]), np.array([7, 9])).at(np.arange(6)).tolist() == [7, 7, 9, 7, 7, 9]


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("mahimahi", "", "empty"),
        ("mahimahi", "\n\n", "empty"),
        ("mahimahi", "5\n3\n", "backwards"),
        ("mahimahi", "5\n-3\n", "milliseconds"),
        ("mahimahi", "5\nx\n", "milliseconds"),
        ("mahimahi", "0\n0\n", "some time"),
        ("json", "", "JSON"),
        ("json", "[]", "at least one"),
        ("json", "{}", "at least one"),
        ("json", "[3]", "duration_ms"),
        ("json", '[{"duration_ms": 10}]', "bandwidth_kbps"),
        ("json", '[{"duration_ms": 0, "bandwidth_kbps": 1}]', "duration_ms"),
        ("json", '[{"duration_ms": -5, "bandwidth_kbps": 1}]', "duration_ms"),
        ("json", '[{"duration_ms": 10, "bandwidth_kbps": -1}]', "bandwidth_kbps"),
        ("json", '[{"duration_ms": 10, "bandwidth_kbps": NaN}]', "bandwidth_kbps"),
        ("json", '[{"duration_ms": 10, "bandwidth_kbps": true}]', "bandwidth_kbps"),
        ("csv", "", "columns"),
        ("csv", "a,b\n1,2\n", "columns"),
        ("csv", "time_s,rate_bps\n", "empty"),
        ("csv", "time_s,rate_bps\n0,1\n0,2\n", "forwards"),
        ("csv", "time_s,rate_bps\n3,1\n1,2\n", "forwards"),
        ("csv", "time_s,rate_bps\n0,-1\n", "rate_bps"),
        ("csv", "time_s,rate_bps\n0,nan\n", "rate_bps"),
        ("csv", "time_s,rate_bps\n0\n", "rate_bps"),
        ("csv", "time_s,rate_bps\ninf,5\n", "time_s"),
    ],
)
def test_a_trace_that_is_none_is_refused(tmp_path, kind, text, message):
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path / "trace", text, kind)
    assert "trace" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_trace_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_trace(Trace(path=tmp_path / "none", format="csv"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read"):
        read_trace(Trace(path=tmp_path / "binary", format="mahimahi"))


@pytest.fixture(scope="module")
def recorded():
    folder = os.environ.get("VIDLINK_DATA")
    if not folder:
        pytest.skip("VIDLINK_DATA is not set")
    return Path(folder) / "traces"


def test_recorded_traces_carry_what_their_files_say(recorded):
    """A link that is never idle delivers in one round exactly what the file adds up to."""
    for path in sorted(recorded.glob("*/*")):
        kind = "mahimahi" if path.parent.name == "mahimahi" else "json"
        link, latency = read_trace(Trace(path=path, format=kind))
        if kind == "mahimahi":
            times = [int(line) for line in path.read_text().split()]
            expected, duration_s = 1500 * len(times), times[-1] / 1000
            assert latency is None
        else:
            steps = json.loads(path.read_text())
            expected = sum(step["duration_ms"] * step["bandwidth_kbps"] for step in steps) / 8
            duration_s = sum(step["duration_ms"] for step in steps) / 1000
            assert latency.at(np.zeros(1, dtype=np.int64))[0] == steps[0]["latency_ms"] * MS / 2
        assert link.loop_bytes == expected, path.name
        assert link.loop_s == pytest.approx(duration_s), path.name
        # Opportunities at time 0 are over before a packet can use them, but those of the next round come at its end.
        size, count = int(1.5 * expected / 20_000), 20_000
        leaves = Bottleneck(link).serve(
            np.zeros(count, dtype=np.int64), np.full(count, size), np.zeros(count, dtype=bool)
        )
        delivered = size * int((leaves <= link.loop_s * 1e9).sum())
        assert 0 <= expected - delivered < size, path.name


@pytest.mark.parametrize("rate_bps", [64e3, 512e3])
def test_recorded_traces_delay_plausibly(recorded, train, rate_bps):
    """A minute of packets over every trace: nothing waits longer than the queue allows, and most get through."""
    size = 600
    send_s = np.arange(0, 60, 8 * size / rate_bps)
    for path in sorted(recorded.glob("*/*")):
        kind = "mahimahi" if path.parent.name == "mahimahi" else "json"
        profile = ChannelProfile(
            description=path.name, trace=Trace(path=path, format=kind), queue_s=2.0, delay_s=0.02, jitter_s=0.001
        )
        received = Channel(profile, rng=np.random.default_rng(0)).transmit(train(send_s, size))
        delivered = received.fate == Fate.DELIVERED
        delay_s = (received.arrival_s - received.send_s)[delivered]
        assert delivered.any(), path.name
        assert delay_s.min() >= 0.02, path.name
        # Up to two seconds until it starts, then its own transmission, which may meet a gap of the link.
        assert np.quantile(delay_s, 0.95) < 6.0, path.name
        assert (np.diff(received.arrival_s[delivered]) >= 0).all(), path.name


@pytest.mark.parametrize("late", ["4611686019", "9223372037", "1e9"])
def test_a_csv_trace_with_a_step_beyond_all_bounds_is_named(tmp_path, late):
    """Nanoseconds have 64 bits."""
    path = tmp_path / "trace.csv"
    path.write_text(f"time_s,rate_bps\n0,0\n{late},1\n")
    with pytest.raises(UserError, match="must last no longer than"):
        read_trace(Trace.model_construct(path=path, format="csv"))
