import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.channel import Channel, ChannelProfile
from vidlink.types import PACKET_COLUMNS, Fate, Kind

SHELF = Path(__file__).parents[2] / "channels"


def channel(seed=0, **settings):
    profile = ChannelProfile.model_validate({"description": "test", **settings})
    return Channel(profile, rng=np.random.default_rng(seed))


def same(one, other):
    for name in PACKET_COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("path", sorted(SHELF.glob("*.toml")), ids=lambda path: path.stem)
@settings(deadline=None, max_examples=15)
@given(cuts=st.lists(st.integers(0, 300), max_size=4))
def test_every_channel_of_the_shelf_treats_pieces_as_the_whole(train, path, cuts):
    raw = tomllib.loads(path.read_text())
    profile = ChannelProfile.model_validate(raw, context={"folder": path.parent})
    assert "\n" not in profile.description
    rng = np.random.default_rng(1)
    packets = train(np.cumsum(rng.exponential(0.02, size=300)), rng.integers(41, 1500, size=300))
    whole = Channel(profile, rng=np.random.default_rng(2)).transmit(packets)
    pieces = Channel(profile, rng=np.random.default_rng(2))
    edges = [0, *sorted(cuts), 300]
    for start, stop in pairwise(edges):
        same(pieces.transmit(packets.take(np.arange(start, stop))), whole.take(np.arange(start, stop)))
    delivered = whole.fate == Fate.DELIVERED
    assert delivered.mean() > 0.2
    assert (whole.arrival_s[delivered] >= whole.send_s[delivered]).all()
    assert np.isnan(whole.arrival_s[~delivered]).all()


def test_a_packet_takes_transmission_and_propagation(train):
    received = channel(rate="8k", delay_s=0.25).transmit(train([0.0, 0.0, 5.0], [1000, 500, 1000]))
    assert received.arrival_s.tolist() == [1.25, 1.75, 6.25]


def test_an_unlimited_link_has_no_transmission_time(train):
    assert channel(delay_s=0.1).transmit(train([0.0, 1.0], 1500)).arrival_s.tolist() == [0.1, 1.1]


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_no_loss_and_total_loss(train, probability):
    packets = train(np.arange(100) / 100, 1000, [Kind.PARAMETERS, *[Kind.VIDEO] * 99])
    received = channel(loss={"model": "bernoulli", "probability": probability}).transmit(packets)
    assert received.fate[0] == Fate.DELIVERED
    assert (received.fate[1:] == (Fate.LOST if probability else Fate.DELIVERED)).all()


def test_parameters_are_delayed_but_neither_dropped_nor_lost(train):
    packets = train(np.zeros(50), 1000, [Kind.VIDEO] * 49 + [Kind.PARAMETERS])
    received = channel(rate="80k", queue_s=0.5, loss={"model": "bernoulli", "probability": 1.0}).transmit(packets)
    assert np.bincount(received.fate, minlength=4).tolist() == [0, 1, 6, 43]
    assert received.arrival_s[-1] == pytest.approx(0.7)


def test_jitter_alone_is_exponential_and_may_reorder(train):
    send_s = np.arange(20_000) / 1000
    received = channel(jitter_s=0.01, reordering=True, delay_s=0.05).transmit(train(send_s, 100))
    extra = received.arrival_s - send_s - 0.05
    assert extra.min() >= 0
    assert extra.mean() == pytest.approx(0.01, rel=0.03)
    assert np.mean(extra > 0.01) == pytest.approx(np.exp(-1), abs=0.015)
    assert (np.diff(received.arrival_s) < 0).mean() > 0.3


def test_jitter_without_reordering_keeps_the_order_across_calls(train):
    link = channel(jitter_s=0.05, loss={"model": "bernoulli", "probability": 0.1})
    send_s = np.arange(2000) / 1000
    arrivals = [link.transmit(train(part, 100)).arrival_s for part in np.split(send_s, 20)]
    arrived = np.concatenate(arrivals)
    assert (np.diff(arrived[~np.isnan(arrived)]) >= 0).all()


def test_duplicates_follow_their_original(train):
    packets = train(np.arange(5000) / 1000, 100)
    received = channel(duplicate=0.2, jitter_s=0.002, delay_s=0.01).transmit(packets)
    extra = len(received) - len(packets)
    assert abs(extra - 1000) < 3 * (5000 * 0.2 * 0.8) ** 0.5
    second = np.flatnonzero(np.diff(received.sequence, prepend=-1) == 0)
    assert len(second) == extra
    assert (received.arrival_s[second] >= received.arrival_s[second - 1]).all()
    assert received.sequence[np.setdiff1d(np.arange(len(received)), second)].tolist() == packets.sequence.tolist()


def test_what_is_lost_is_not_duplicated(train):
    link = channel(duplicate=1.0, loss={"model": "bernoulli", "probability": 1.0})
    assert len(link.transmit(train([0.0, 1.0], 100))) == 2


def test_latency_of_a_trace_counts_unless_a_delay_is_given(train, tmp_path):
    path = tmp_path / "trace.json"
    path.write_text('[{"duration_ms": 1000, "bandwidth_kbps": 8, "latency_ms": 100}]')
    trace = {"path": path, "format": "json"}
    link = channel(trace=trace)
    assert (link.one_way_s, link.return_delay_s) == (0.05, 0.05)
    assert link.transmit(train([0.0], 100)).arrival_s.tolist() == [0.15]
    link = channel(trace=trace, delay_s=0.0, return_delay_s=0.2)
    assert (link.one_way_s, link.return_delay_s) == (0.0, 0.2)
    assert link.transmit(train([0.0], 100)).arrival_s.tolist() == [0.1]


def test_a_link_of_rate_zero_ends(train, tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text("time_s,rate_bps\n0,0\n")
    received = channel(trace={"path": path, "format": "csv"}).transmit(train([0.0, 1.0], 100))
    assert (received.fate == Fate.DROPPED).all()
    assert np.isnan(received.arrival_s).all()


def test_same_seed_same_fates_and_another_seed_others(train):
    packets = train(np.arange(200) / 100, 500)
    lossy = {"loss": {"model": "gilbert-elliott", "mean_loss": 0.2, "mean_burst": 2}, "jitter_s": 0.01}
    same(channel(**lossy).transmit(packets), channel(**lossy).transmit(packets))
    assert (channel(1, **lossy).transmit(packets).fate != channel(**lossy).transmit(packets).fate).any()


def test_nothing_sent_nothing_received(train):
    empty = train([], 100)
    assert channel(rate="1M").transmit(empty) is empty


@pytest.mark.parametrize("send_s", [[1.0, 0.5], [-1.0], [np.nan], [np.inf]])
def test_send_times_that_are_none(train, send_s):
    with pytest.raises(ValueError, match="send times"):
        channel(rate="1M").transmit(train(send_s, 100))


def test_send_times_must_not_go_backwards_across_calls(train):
    link = channel()
    link.transmit(train([2.0], 100))
    with pytest.raises(ValueError, match="backwards"):
        link.transmit(replace(train([1.0], 100)))


def test_capacity_between_two_times(tmp_path):
    def capacity_bps(**link):
        profile = ChannelProfile.model_validate({"description": "test", **link})
        return Channel(profile, rng=np.random.default_rng(0)).capacity_bps(1.0, 3.0)

    (tmp_path / "steps.csv").write_text("time_s,rate_bps\n0,1000\n2,3000\n4,0\n")
    (tmp_path / "link.up").write_text("\n".join(str(100 * n) for n in range(1, 51)) + "\n")
    assert capacity_bps() is None
    assert capacity_bps(rate="64k") == pytest.approx(64e3, rel=1e-6)
    assert capacity_bps(trace={"path": tmp_path / "steps.csv", "format": "csv"}) == pytest.approx(2000, rel=1e-3)
    # An opportunity for 1500 bytes every tenth of a second.
    assert capacity_bps(trace={"path": tmp_path / "link.up", "format": "mahimahi"}) == pytest.approx(120e3)
