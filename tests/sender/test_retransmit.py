"""Retransmission: sender, channel and receiver in one loop."""

import numpy as np
import pytest
from made import coded

from vidlink import rtp
from vidlink.channel import Channel, ChannelProfile
from vidlink.receiver.depacketize import Depacketizer
from vidlink.receiver.nack import GapDetector
from vidlink.receiver.repair import repair
from vidlink.sender.packetize import Packetizer
from vidlink.sender.retransmit import RetransmittingSender
from vidlink.types import Fate, Kind, Packets


def second(index, pictures=30):
    """A second of video."""
    return coded([[300]] * pictures, index=index, first_frame=pictures * index, start_s=float(index), fps=pictures)


def batches(*, rate_bps=150e3, deadline_s=0.5, segments=10, **channel):
    profile = ChannelProfile.model_validate({"description": "test", **channel})
    link = Channel(profile, rng=np.random.default_rng(1))
    sender = RetransmittingSender(
        rate_bps=rate_bps,
        transmit=link.transmit,
        feedback=GapDetector(retry_s=1.5 * (link.one_way_s + link.return_delay_s) + 0.02),
        one_way_s=link.one_way_s,
        return_s=link.return_delay_s,
        deadline_s=deadline_s,
    )
    packetizer = Packetizer()
    for index in range(segments):
        yield sender.send(packetizer.packetize(second(index)), 1.0)
    yield sender.finish()


def run(**settings):
    return Packets.join(list(batches(**settings)))


LOSSY = {"delay_s": 0.05, "loss": {"model": "bernoulli", "probability": 0.1}}


@pytest.mark.parametrize("rate_bps", [None, 100e3, 2e6])
def test_almost_everything_comes_back(rate_bps):
    log = run(rate_bps=rate_bps, **LOSSY)
    video = log.kind == Kind.VIDEO
    assert video.sum() == 300
    lost = (log.fate[video] != Fate.DELIVERED).sum()
    assert lost > 15
    repaired = repair(log)
    # What is left is lost again and again, or the very last packets, which no later one gives away.
    left = (repaired.fate[video] != Fate.DELIVERED).sum()
    assert left <= 2
    late_s = (repaired.arrival_s - repaired.send_s)[video & (repaired.fate == Fate.DELIVERED)]
    assert late_s.max() <= 0.5 + 0.05
    units = Depacketizer(payload="h264").depacketize(repaired)
    assert sum(unit.complete for unit in units) >= 300 - 2 * left


def test_copies_leave_in_order_and_within_the_rate():
    log = run(rate_bps=90e3, **LOSSY)
    assert (log.kind == Kind.RETRANSMISSION).sum() > 15
    assert (np.diff(log.send_s) >= 8 * log.bytes[:-1] / 90e3 - 1e-9).all()


@pytest.mark.parametrize("rate_bps", [86e3, 88e3, 90e3, 150e3])
def test_copies_stay_within_the_budget_of_the_clip(rate_bps):
    log = run(rate_bps=rate_bps, **LOSSY)
    assert 8 * log.bytes.sum() <= rate_bps * 10
    fresh = 8 * log.bytes[log.kind == Kind.VIDEO].sum()
    assert 8 * log.bytes.sum() > fresh + 0.5 * min(rate_bps * 10 - fresh, 0.1 * fresh)


def test_a_copy_leaves_a_round_trip_after_the_loss_shows():
    log = run(rate_bps=None, delay_s=0.05, loss={"model": "bernoulli", "probability": 0.03})
    copies = np.flatnonzero(log.kind == Kind.RETRANSMISSION)
    originals = {int(log.sequence[row]): row for row in np.flatnonzero(log.kind == Kind.VIDEO)}
    for copy in copies:
        original = originals[int(log.sequence[copy])]
        # The gap shows when the next packet arrives, 1/31 s after; asking takes another trip.
        assert log.send_s[copy] - log.send_s[original] >= 1 / 31 + 0.1 - 1e-6
        header, payload = rtp.original(*rtp.parse(log.data[copy]))
        assert header.sequence == log.sequence[original]
        assert payload == log.data[original][12:]
        assert log.bytes[copy] == log.bytes[original] + 2


def test_what_would_come_too_late_is_not_sent_again():
    log = run(deadline_s=0.1, **LOSSY)
    assert not (log.kind == Kind.RETRANSMISSION).any()


def test_without_loss_nothing_is_sent_twice():
    log = run(delay_s=0.05, jitter_s=0.01)
    assert (log.kind != Kind.RETRANSMISSION).all()
    assert (log.fate == Fate.DELIVERED).all()


def test_total_loss_ends():
    log = run(segments=3, loss={"model": "bernoulli", "probability": 1.0})
    assert (log.fate[log.kind == Kind.VIDEO] == Fate.LOST).all()


def test_a_round_trip_of_nothing_works():
    log = run(segments=3, loss={"model": "bernoulli", "probability": 0.2})
    repaired = repair(log)
    assert (repaired.fate[repaired.kind == Kind.VIDEO] != Fate.DELIVERED).sum() <= 1


def test_a_packet_lost_once_is_sent_again_once():
    log = run(rate_bps=None, **LOSSY)
    copies = log.sequence[log.kind == Kind.RETRANSMISSION]
    lost_again = log.sequence[(log.kind == Kind.RETRANSMISSION) & (log.fate != Fate.DELIVERED)]
    assert len(copies) == len(set(copies.tolist())) + len(lost_again)


def test_gaps_are_asked_for_once_and_again():
    packets = Packetizer().packetize(second(0, pictures=5))
    packets.arrival_s[:] = [0.0, 0.1, np.nan, 0.3, 0.4, 0.5]
    packets.fate[:] = [1, 1, 2, 1, 1, 1]
    detector = GapDetector(retry_s=0.25, wait_s=0.01, attempts=2)
    detector.observe(packets)
    assert detector.requests(0.3) == []
    assert detector.requests(0.4) == [(pytest.approx(0.31), 2)]
    assert detector.requests(9.0) == [(pytest.approx(0.56), 2)]
    assert detector.requests(99.0) == []


def test_packets_out_of_order_are_waited_for():
    packets = Packetizer().packetize(second(0, pictures=5))
    packets.arrival_s[:] = [0.0, 0.1, 0.35, 0.3, 0.4, 0.5]
    packets.fate[:] = 1
    detector = GapDetector(wait_s=0.1)
    detector.observe(packets)
    assert detector.requests(9.0) == []
