"""Estimators: what delays and losses do to the rate, and how one is found by name."""

import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.sender.estimator import Feedback, list_estimators, load_estimator
from vidlink.sender.estimator_gcc import Delays, Detector, Gcc, Usage
from vidlink.sender.estimators import Arrivals, Clairvoyant, Fixed, Throughput

PACKET = 500


class Path:
    """A link to feed an estimator from: what it sends at its own rate arrives at the link's, reported every 0.1 s."""

    def __init__(self, estimator, *, seed=1):
        self.estimator, self.now_s, self.free_s = estimator, 0.0, 0.0
        self._rng = np.random.default_rng(seed)

    def run(self, seconds, *, capacity_bps, loss=0.0, rate_bps=None):
        """Estimates, one for each report."""
        estimates = []
        for _ in range(round(seconds / 0.1)):
            rate = rate_bps or self.estimator.estimate_bps(self.now_s)
            count = max(1, round(rate * 0.1 / 8 / PACKET))
            send_s = self.now_s + 0.1 * np.arange(count) / count
            arrival_s = []
            for sent in send_s:
                self.free_s = max(self.free_s, sent) + 8 * PACKET / capacity_bps
                arrival_s.append(self.free_s + 0.03)
            arrival_s = np.where(self._rng.random(count) < loss, np.nan, arrival_s)
            self.now_s += 0.1
            sizes = np.full(count, PACKET)
            self.estimator.feedback(
                Feedback(received_s=self.now_s + 0.06, send_s=send_s, arrival_s=arrival_s, bytes=sizes)
            )
            estimates.append(self.estimator.estimate_bps(self.now_s))
        return np.array(estimates)


def test_gcc_grows_on_a_free_link_and_stays_near_the_capacity_of_a_full_one():
    path = Path(Gcc(start_bps=100e3))
    assert path.run(3, capacity_bps=2e6)[-1] > 150e3
    settled = path.run(20, capacity_bps=200e3)[100:]
    assert 150e3 < settled.mean() < 230e3
    assert settled.max() < 300e3


def test_overuse_lowers_the_rate_below_what_arrives_and_a_free_link_raises_it_again():
    path = Path(Gcc(start_bps=300e3))
    path.run(2, capacity_bps=1e6)
    low = path.run(3, capacity_bps=100e3)
    assert low[-1] < 100e3
    path.free_s = 0.0
    assert path.run(6, capacity_bps=1e6)[-1] > 2 * low[-1]


@pytest.mark.parametrize(("loss", "falls"), [(0.3, True), (0.05, False)])
def test_heavy_losses_lower_the_rate_and_light_ones_do_not(loss, falls):
    path = Path(Gcc(start_bps=200e3))
    path.run(2, capacity_bps=10e6)
    before = path.estimator.estimate_bps(0)
    after = path.run(5, capacity_bps=10e6, loss=loss)[-1]
    assert (after < 0.8 * before) == falls
    if falls:
        assert path.run(10, capacity_bps=10e6)[-1] > 1.3 * after


def test_the_estimate_stays_within_what_was_tried():
    # A source that sends 50 kb/s whatever it may: more was never seen to arrive.
    assert Path(Gcc(start_bps=100e3)).run(20, capacity_bps=10e6, rate_bps=50e3)[-1] < 110e3


def test_the_queue_is_told_from_transmission_and_propagation():
    delays = Delays()
    send_s = np.arange(10) * 0.1
    for start in (0.0, 1.0):
        # 1000 bytes take 0.08 s at 100 kb/s; in the second round they wait for 0.2 s too.
        arrival_s = start + send_s + 0.5 + 0.08 + 0.2 * start
        delays.add(Feedback(received_s=0, send_s=start + send_s, arrival_s=arrival_s, bytes=np.full(10, 1000)), 100e3)
        assert delays.queue_s == pytest.approx(0.12 * start, abs=0.01)


def test_the_threshold_follows_gradients_that_are_usual():
    detector = Detector()
    first = detector.threshold_s
    for step in range(100):
        detector.detect((-1) ** step * 0.08, 0.0, 0.1 * step)
    assert detector.threshold_s > 1.3 * first
    assert detector.detect(-0.5, 0.0, 10.0) is Usage.UNDER


def test_throughput_counts_time_in_which_packets_followed_each_other():
    arrivals = Arrivals(window_s=1.0)
    # Two bursts of five packets at 100 kb/s with half a second between them.
    arrival_s = np.concatenate([np.arange(1, 6), 12.5 + np.arange(1, 6)]) * 0.04
    send_s = np.repeat([0.0, 0.5], 5)
    arrivals.add(Feedback(received_s=1.0, send_s=send_s, arrival_s=arrival_s, bytes=np.full(10, PACKET)))
    assert arrivals.busy_bps() == pytest.approx(100e3)
    assert arrivals.mean_bps() < 70e3
    rule = Throughput(start_bps=1.0, share=0.5)
    assert rule.estimate_bps(0) == 1.0
    rule.feedback(Feedback(received_s=1.0, send_s=send_s, arrival_s=arrival_s, bytes=np.full(10, PACKET)))
    assert rule.estimate_bps(1) == pytest.approx(50e3)


def test_the_fixed_one_stays_and_the_clairvoyant_one_knows():
    assert Path(Fixed(start_bps=70e3)).run(1, capacity_bps=10e3).tolist() == [70e3] * 10
    knows = Clairvoyant(capacity_bps=lambda start, stop: 1e3 * (start + stop), ahead_s=1.0)
    assert knows.estimate_bps(2.0) == 5e3
    assert Clairvoyant(capacity_bps=lambda *_: 0.0).estimate_bps(0) > 0


class NoMethod:
    def feedback(self, feedback):
        pass


class Refuses:
    def __init__(self):
        raise ValueError("not today")


def load(name):
    return load_estimator(name, start_bps=1e5, feedback_s=0.1, capacity_bps=lambda *_: None)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gc", "did you mean 'gcc'"),
        ("no.such.module:Class", "importing no.such.module failed"),
        ("math:Class", "math has no Class"),
        ("math:pi", "is float, not a class"),
        (f"{__name__}:NoMethod", "no method estimate_bps"),
        (f"{__name__}:Refuses", "not today"),
        ("clairvoyant", "needs a --channel with a rate or a trace"),
        (":", "expected gcc"),
    ],
)
def test_an_estimator_that_cannot_be_had_is_named(name, says):
    with pytest.raises(UserError, match=says) as caught:
        load(name)
    assert "estimator" in str(caught.value)


def test_estimators_are_listed_with_a_line_each():
    listed = list_estimators()
    assert {"gcc", "fixed", "throughput", "clairvoyant"} == set(listed)
    assert all(line.strip() for line in listed.values())
    assert isinstance(load("vidlink.sender.estimators:Fixed"), Fixed)
