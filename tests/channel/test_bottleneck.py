import math
from itertools import pairwise

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.channel.bottleneck import Bottleneck
from vidlink.channel.profile import CoDel
from vidlink.channel.trace import ChangingRate, ConstantRate
from vidlink.errors import UserError


def serve(link, send_s, sizes, spared=None):
    """Times in seconds, NaN where a packet was dropped."""
    times = np.rint(1e9 * np.asarray(send_s)).astype(np.int64)
    spared = np.zeros(len(times), dtype=bool) if spared is None else spared
    left = link.serve(times, np.asarray(sizes, dtype=np.int64), spared)
    return np.where(left < 0, np.nan, left / 1e9)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.85])
def test_mean_wait_is_that_of_an_m_d_1_queue(load):
    # Pollaczek-Khinchine: mean wait = service time x load / (2 (1 - load)); the error comes from the means of batches.
    service = 1500 * 8 / 1e6
    arrivals = np.cumsum(np.random.default_rng(1).exponential(service / load, size=600_000))
    waits = serve(Bottleneck(ConstantRate(1e6)), arrivals, np.full(len(arrivals), 1500)) - service - arrivals
    batches = waits[20_000:].reshape(58, -1).mean(axis=1)
    expected = service * load / (2 * (1 - load))
    assert abs(batches.mean() - expected) < 3 * batches.std(ddof=1) / len(batches) ** 0.5


def by_simpy(rates, step_s, send_s, sizes, limit_bytes=None, limit_s=None):
    """An event-driven model of the same link: its own queue, its own clock, nothing shared but the definition."""
    env = simpy.Environment()
    queue = simpy.Store(env)
    leaves = [math.nan] * len(sizes)
    link = {"left": 0.0, "since": 0.0, "queued": 0}

    def rate_now():
        step = math.floor(env.now / step_s + 1e-9)
        return rates[step % len(rates)], (step + 1) * step_s

    def sent_since():
        done, at = 0.0, link["since"]
        while at < env.now - 1e-12:
            step = math.floor(at / step_s + 1e-9)
            until = min((step + 1) * step_s, env.now)
            done += rates[step % len(rates)] * (until - at)
            at = until
        return done

    def wait_for(bits):
        """Seconds until so many bits have gone, from now on."""
        at = env.now
        while bits > 1e-9:
            step = math.floor(at / step_s + 1e-9)
            until, rate = (step + 1) * step_s, rates[step % len(rates)]
            if rate * (until - at) >= bits:
                return at + bits / rate - env.now
            bits -= rate * (until - at)
            at = until
        return at - env.now

    def source():
        for row, (at, size) in enumerate(zip(send_s, sizes, strict=True)):
            yield env.timeout(max(at - env.now, 0))
            ahead = 8 * link["queued"] + max(link["left"] - sent_since(), 0)
            too_many = limit_bytes is not None and ahead + 8 * size > 8 * limit_bytes + 1e-6
            too_long = limit_s is not None and wait_for(ahead) > limit_s + 1e-9
            if not (too_many or too_long):
                link["queued"] += size
                queue.put((row, size))
            yield env.timeout(0)

    def server():
        while True:
            row, size = yield queue.get()
            link["queued"] -= size
            link["left"], link["since"] = 8.0 * size, env.now
            while link["left"] > 1e-7:
                rate, until = rate_now()
                took = min(link["left"] / rate if rate else math.inf, until - env.now)
                yield env.timeout(took)
                link["left"] -= rate * took
                link["since"] = env.now
            link["left"] = 0.0
            leaves[row] = env.now

    env.process(source())
    env.process(server())
    env.run(until=send_s[-1] + 200)
    return np.array(leaves)


@pytest.mark.parametrize("limits", [{}, {"limit_bytes": 6000}, {"limit_s": 0.05}])
@pytest.mark.parametrize("rates", [[2e6], [2e6, 0.0, 4e6, 5e5]])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_agrees_with_simpy_on_random_trains(limits, rates, seed):
    rng = np.random.default_rng(seed)
    count, step_s = 400, 0.25
    sizes = rng.integers(60, 1501, size=count)
    # Times off the grid of the rate's steps, so that no tie is decided by rounding.
    send_s = np.round(np.cumsum(rng.exponential(0.0028, size=count)), 6) + 3.7e-7
    if len(rates) == 1:
        link = Bottleneck(ConstantRate(rates[0]), **limits)
    else:
        durations = np.full(len(rates), round(step_s * 1e9))
        link = Bottleneck(ChangingRate(durations, np.array(rates) * step_s), **limits)
    expected = by_simpy(rates, step_s, send_s.tolist(), sizes.tolist(), **limits)
    left = serve(link, send_s, sizes)
    assert np.isnan(left).tolist() == np.isnan(expected).tolist()
    np.testing.assert_allclose(left, expected, atol=2e-6)
    assert np.isnan(left).any() == bool(limits)


packets = st.lists(st.tuples(st.floats(0, 0.02), st.integers(40, 1500)), min_size=1, max_size=60)
limits = st.sampled_from([{}, {"limit_bytes": 3000}, {"limit_s": 0.01}, {"limit_s": 0.0}, {"codel": CoDel()}])


@settings(deadline=None, max_examples=150)
@given(packets, limits, st.lists(st.integers(0, 60), max_size=5))
def test_pieces_fare_as_the_whole(packets, limits, cuts):
    send_s, sizes = np.cumsum([gap for gap, _ in packets]), np.array([size for _, size in packets])
    durations, bits = np.array([100_000_000, 50_000_000]), np.array([1e5, 0.0])
    whole = serve(Bottleneck(ChangingRate(durations, bits), **limits), send_s, sizes)
    link = Bottleneck(ChangingRate(durations, bits), **limits)
    edges = [0, *sorted(min(cut, len(sizes)) for cut in cuts), len(sizes)]
    parts = [serve(link, send_s[a:b], sizes[a:b]) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@settings(deadline=None, max_examples=100)
@given(packets, st.integers(1500, 6000))
def test_fast_and_slow_way_agree(packets, limit):
    """Without drops a running maximum, with drops a loop: both must be the same recursion."""
    send_s, sizes = np.cumsum([gap for gap, _ in packets]), np.array([size for _, size in packets])
    left = serve(Bottleneck(ConstantRate(4e5), limit_bytes=limit), send_s, sizes)
    kept = ~np.isnan(left)
    without = serve(Bottleneck(ConstantRate(4e5)), send_s[kept], sizes[kept])
    np.testing.assert_array_equal(left[kept], without)


def test_first_in_first_out_and_never_faster_than_the_rate():
    rng = np.random.default_rng(6)
    send_s, sizes = np.cumsum(rng.exponential(0.001, size=30_000)), rng.integers(60, 1501, size=30_000)
    left = serve(Bottleneck(ConstantRate(5e6), limit_bytes=20_000), send_s, sizes)
    kept = ~np.isnan(left)
    assert 0 < (~kept).sum() < 20_000
    assert (np.diff(left[kept]) >= 8 * sizes[kept][1:] / 5e6 - 2e-9).all()
    assert (left[kept] - send_s[kept] <= 8 * 20_000 / 5e6 + 1e-6).all()


def test_a_link_that_is_silent_for_a_while_waits():
    link = Bottleneck(ChangingRate(np.array([10**9, 10**9]), np.array([0.0, 8000.0])))
    assert serve(link, [0.5, 0.6], [500, 500]).tolist() == [1.5, 2.0]


@pytest.mark.parametrize("limits", [{}, {"limit_s": 1.0}, {"limit_bytes": 5000}, {"codel": CoDel()}])
def test_a_link_that_is_always_silent_delivers_nothing_and_ends(limits):
    link = Bottleneck(ChangingRate(np.array([10**9]), np.array([0.0])), **limits)
    assert np.isnan(serve(link, np.arange(100) / 10, np.full(100, 500))).all()


def test_spared_packets_are_never_dropped_but_wait():
    spared = np.array([False, False, False, True])
    left = serve(Bottleneck(ConstantRate(8e3), limit_s=0.5), [0, 0, 0, 0], [1000] * 4, spared)
    assert left[0] == 1.0
    assert np.isnan(left[1:3]).all()
    assert left[3] == 2.0


def test_a_queue_smaller_than_a_packet_is_refused():
    with pytest.raises(UserError, match=r"queue_bytes 1000.*1500 bytes"):
        serve(Bottleneck(ConstantRate(1e6), limit_bytes=1000), [0.0], [1500])


def test_codel_keeps_a_standing_queue_short():
    # 20 % more than the link carries: drop-tail holds the queue full, CoDel near its target.
    count, rate = 20_000, 5e6
    send_s = np.cumsum(np.random.default_rng(7).exponential(1000 * 8 / (1.2 * rate), size=count))
    sizes = np.full(count, 1000)
    tail = serve(Bottleneck(ConstantRate(rate), limit_s=0.5), send_s, sizes) - send_s
    codel = serve(Bottleneck(ConstantRate(rate), limit_s=0.5, codel=CoDel()), send_s, sizes) - send_s
    assert np.nanmedian(tail) > 0.45
    # Against traffic that never slows down CoDel takes long; by the end it has found the right rate of dropping.
    late = slice(count // 2, None)
    assert np.nanmedian(codel[late]) < 0.25 * np.nanmedian(tail[late])
    assert 0.1 < np.isnan(codel).mean() < 0.3


def test_codel_leaves_a_light_load_alone():
    send_s = np.cumsum(np.random.default_rng(8).exponential(0.05, size=2000))
    # One packet takes longer than the target of 5 ms; it must not be dropped for that.
    left = serve(Bottleneck(ConstantRate(1e6), codel=CoDel()), send_s, np.full(2000, 1500))
    assert not np.isnan(left).any()
