"""The live link, packet by packet: how the rate follows it, and that nothing is known before its time."""

import math

import numpy as np
import pytest
from made import coded

from vidlink.channel import Channel, ChannelProfile
from vidlink.link.live import LiveLink
from vidlink.sender.adapt import RateControl, segment_budget
from vidlink.sender.estimator import load_estimator
from vidlink.sender.live_sender import largest_packet
from vidlink.types import Fate, Packets, Segment

FRAME_S = 0.04
DELAY_S = 0.03


class Hearing:
    """Another estimator, and what it heard."""

    def __init__(self, estimator):
        self._estimator, self.heard = estimator, []

    def feedback(self, feedback):
        self.heard.append(feedback)
        self._estimator.feedback(feedback)

    def __getattr__(self, name):
        return getattr(self._estimator, name)


class Run:
    """A source that always fills its budget, over a channel."""

    def __init__(self, estimator="gcc", *, seconds=12, start_bps=60e3, seed=0, **channel):
        profile = ChannelProfile.model_validate({"description": "test", "delay_s": DELAY_S, **channel})
        self.channel = Channel(profile, rng=np.random.default_rng(seed))
        self.estimator = Hearing(
            load_estimator(estimator, start_bps=start_bps, feedback_s=0.1, capacity_bps=self.channel.capacity_bps)
        )
        self.control = RateControl(self.estimator, name=estimator, start_bps=start_bps, feedback_s=0.1)
        self.link = LiveLink(self.channel, self.control, feedback_s=0.1, playout_s=2.4)
        self.seconds, self.lengths = seconds, []
        self.packets = Packets.join([carried.ledger.packets for carried in self.link.carry(self._segments())])

    def _segments(self):
        now_s, index, unit, sequence = 0.0, 0, 0, 0
        while now_s < self.seconds:
            start_s = now_s
            while True:
                now_s = round(now_s + FRAME_S, 6)
                self.link.advance(now_s)
                if now_s - start_s >= self.control.segment_s(shortest_s=0.25, longest_s=1.0) - 1e-6:
                    break
            length_s = now_s - start_s
            self.lengths.append(length_s)
            budget = segment_budget(self.control.rate_bps, length_s, backlog_bits=self.link.backlog_bits, longest_s=1.0)
            frames, count = (
                round(length_s / FRAME_S),
                max(1, math.ceil(budget / 8 / largest_packet(self.control.rate_bps))),
            )
            units = np.minimum(np.arange(count) * frames // count, frames - 1)
            units[0] = 0
            table = Packets(
                sequence=sequence + np.arange(count),
                frame=units,
                unit=unit + units,
                unit_count=np.ones(count, dtype=np.int64),
                segment=np.full(count, index),
                bytes=np.full(count, max(60, int(budget / 8 / count))),
                kind=np.zeros(count, dtype=np.uint8),
                send_s=np.full(count, now_s),
                data=[b""] * count,
                arrival_s=np.full(count, np.nan),
                fate=np.zeros(count, dtype=np.uint8),
            )
            times_s = start_s + FRAME_S * np.arange(frames)
            segment = Segment(index=index, first_frame=unit, frames=(), times_s=times_s, duration_s=length_s)
            yield segment, coded([[1]] * frames, index=index, start_s=start_s, fps=1 / FRAME_S), table
            index, unit, sequence = index + 1, unit + frames, sequence + count

    @property
    def used(self):
        arrived = self.packets.arrival_s <= self.seconds
        capacity = self.channel.capacity_bps(1.0, self.seconds) * (self.seconds - 1)
        return 8 * self.packets.bytes[arrived].sum() / capacity

    @property
    def queue_s(self):
        arrived = self.packets.fate == Fate.DELIVERED
        return self.packets.arrival_s[arrived] - self.packets.send_s[arrived] - DELAY_S

    def rates(self, from_s, to_s):
        return np.array([row["estimate_bps"] for row in self.link.log if from_s <= row["time_s"] < to_s])


def write(path, *steps):
    """A trace of (seconds, bits per second)."""
    rows, now = ["time_s,rate_bps"], 0.0
    for seconds, rate in steps:
        rows += [f"{now + 0.5 * half:g},{rate:g}" for half in range(round(2 * seconds))]
        now += seconds
    path.write_text("\n".join(rows) + "\n")
    return {"trace": {"path": path, "format": "csv"}, "queue_s": 2.0}


@pytest.mark.parametrize("rate", [40e3, 200e3])
def test_a_constant_link_is_used_well_with_a_short_queue(rate):
    run = Run(rate=rate, start_bps=rate / 2, queue_s=2.0)
    assert run.used > 0.8
    assert np.percentile(run.queue_s, 95) < 0.3
    assert (run.packets.fate == Fate.DELIVERED).all()


def test_a_rate_that_is_too_high_fills_the_queue_where_ours_does_not():
    fixed = Run("fixed", start_bps=120e3, rate=100e3, queue_s=2.0)
    assert np.percentile(fixed.queue_s, 95) > 1.0
    assert set(fixed.rates(0, 12)) == {120e3}
    known = Run("clairvoyant", rate=100e3, queue_s=2.0)
    assert known.used > 0.95
    assert np.percentile(known.queue_s, 95) < 0.15


def test_the_rate_falls_back_through_an_outage_and_recovers(tmp_path):
    run = Run(seconds=26, **write(tmp_path / "outage.csv", (8, 150e3), (6, 0), (26, 150e3)))
    before, during, after = run.rates(6, 8), run.rates(12.5, 14), run.rates(22, 26)
    assert during.max() < 0.25 * before.mean()
    assert after.mean() > 0.6 * before.mean()
    # What had no chance was not sent; what was sent did not pile up.
    assert (run.packets.fate == Fate.DISCARDED).any()
    given_up = run.packets.fate == Fate.DISCARDED
    assert np.isnan(run.packets.arrival_s[given_up]).all()


def test_segments_are_long_on_a_steady_link_and_short_on_one_that_jumps(tmp_path):
    steady = Run(rate=100e3, start_bps=90e3, queue_s=2.0)
    jumps = Run(start_bps=90e3, **write(tmp_path / "jumps.csv", *[(1.5, 200e3), (1.5, 30e3)] * 5))
    assert np.mean(steady.lengths) > 0.85
    assert np.mean(jumps.lengths) < 0.7
    assert min(jumps.lengths) >= 0.25
    assert max(jumps.lengths) <= 1.0 + FRAME_S


def test_an_estimator_never_hears_of_what_has_not_come_back_yet(tmp_path):
    channel = write(tmp_path / "trace.csv", *[(2, 120e3), (1, 20e3)] * 5)
    run = Run(seconds=10, return_delay_s=0.2, loss={"model": "bernoulli", "probability": 0.05}, **channel)
    assert len(run.estimator.heard) > 40
    received = [heard.received_s for heard in run.estimator.heard]
    assert received == sorted(received)
    for heard in run.estimator.heard:
        arrived = np.isfinite(heard.arrival_s)
        assert (heard.arrival_s[arrived] <= heard.received_s - 0.2 + 1e-3).all()
        assert (heard.send_s <= heard.received_s - 0.2 - DELAY_S).all()
        assert (heard.send_s[arrived] + DELAY_S <= heard.arrival_s[arrived] + 1e-9).all()


def test_the_future_of_a_link_changes_nothing_before(tmp_path):
    past = [(3, 120e3), (2, 60e3)]
    runs = [Run(seconds=9, **write(tmp_path / f"{rate}.csv", *past, (10, rate))) for rate in (10e3, 400e3)]
    until_s = 5.0 + 2 * DELAY_S
    rows = [
        [(row["time_s"], row["estimate_bps"], row["waiting_bits"]) for row in run.link.log if row["time_s"] <= until_s]
        for run in runs
    ]
    assert len(rows[0]) == 50
    assert rows[0] == rows[1]
    sent = [run.packets.send_s[run.packets.send_s <= until_s].tolist() for run in runs]
    assert sent[0] == sent[1]
    assert runs[0].link.log != runs[1].link.log


def test_every_packet_is_sent_once_or_given_up_and_time_never_runs_backwards(tmp_path):
    run = Run(seconds=10, **write(tmp_path / "thin.csv", (3, 80e3), (7, 4e3)))
    sent = run.packets.take(run.packets.fate != Fate.DISCARDED)
    assert (np.diff(sent.send_s) >= 0).all()
    assert len(set(run.packets.sequence.tolist())) == len(run.packets)
    assert (run.packets.fate != Fate.PENDING).all()


def test_the_same_run_twice_is_the_same():
    settings = {"rate": 90e3, "jitter_s": 0.01, "loss": {"model": "bernoulli", "probability": 0.03}}
    first, second = (Run(seconds=6, seed=3, **settings) for _ in range(2))
    assert first.link.log == second.link.log
    assert first.packets.arrival_s.tobytes() == second.packets.arrival_s.tobytes()
