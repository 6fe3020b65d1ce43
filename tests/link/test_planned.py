"""The link joins pacing, channel, requests and repair; its packets are those of the sender."""

import numpy as np
import pytest
from made import coded

from vidlink.channel import ChannelProfile
from vidlink.link.capture import Captures
from vidlink.link.planned import Link
from vidlink.receiver.depacketize import Depacketizer
from vidlink.sender.fec import parse_fec
from vidlink.sender.packetize import Packetizer
from vidlink.sender.protect import Protector
from vidlink.types import Fate, Kind, Packets, Segment

PICTURES = 25


def source(index):
    times_s = index + np.arange(PICTURES) / PICTURES
    return Segment(index=index, first_frame=PICTURES * index, frames=(), times_s=times_s, duration_s=1.0)


def carry(*, segments=6, fec="none", nack=False, rate_bps=None, deadline_s=0.4, seed=1, packets=None, **channel):
    """What a link makes of a few segments, and what was sent."""
    profile = ChannelProfile.model_validate({"description": "test", **channel})
    code = parse_fec(fec)
    packetizer, protector = Packetizer(mtu=1500 - code.overhead_bytes), Protector(code)
    stream = []
    for index in range(segments):
        segment = coded(
            [[600]] * PICTURES, index=index, first_frame=PICTURES * index, start_s=float(index), fps=PICTURES
        )
        stream.append((source(index), segment, protector.protect(packetizer.packetize(segment))))
    rng = np.random.default_rng(seed)
    link = Link(profile, rate_bps=rate_bps, deadline_s=deadline_s, nack=nack, rng=rng)
    return list(link.carry(iter(stream))), [packets for *_, packets in stream]


SETTINGS = [
    {},
    {"nack": True},
    {"fec": "rs:k=5,n=7"},
    {"fec": "xor:k=5", "nack": True},
    {"nack": True, "rate_bps": 250e3},
    {"nack": True, "jitter_s": 0.03, "reordering": True},
    {"fec": "rs:k=5,n=7,depth=2", "rate": "300k", "queue_s": 0.2},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("loss", [0.0, 0.15, 1.0])
def test_every_packet_is_accounted_for_once_and_in_its_segment(settings, loss):
    carried, sent = carry(delay_s=0.05, loss={"model": "bernoulli", "probability": loss}, **settings)
    assert [each.ledger.segment.index for each in carried] == list(range(len(sent)))
    for each, packets in zip([each.ledger for each in carried], sent, strict=True):
        assert each.coded.index == each.segment.index
        assert (each.packets.segment == each.segment.index).all()
        once = each.packets.kind != Kind.RETRANSMISSION
        assert sorted(each.packets.sequence[once]) == sorted(packets.sequence)
        assert not each.doubled.any()
        bytes_of = dict(zip(packets.sequence.tolist(), packets.data, strict=True))
        known = [bytes_of[sequence] for sequence in each.packets.sequence[once].tolist()]
        assert [each.packets.data[row] for row in np.flatnonzero(once)] == known
        assert (each.packets.fate != Fate.PENDING).all()
        arrived = each.packets.fate == Fate.DELIVERED
        assert np.isfinite(each.packets.arrival_s[arrived]).all()
        assert np.isnan(each.packets.arrival_s[~arrived]).all()
        assert not (each.recovered & ~arrived).any()
    if loss == 0.0 and "queue_s" not in settings:
        assert not any(each.ledger.recovered.any() for each in carried)
        # What comes out of order is asked for at once, before it comes; nothing else is sent twice.
        copies = sum((each.ledger.packets.kind == Kind.RETRANSMISSION).sum() for each in carried)
        assert bool(copies) == ("reordering" in settings)


@pytest.mark.parametrize("settings", [{"fec": "rs:k=5,n=8"}, {"nack": True}])
def test_what_comes_back_is_what_was_sent(settings):
    carried, sent = carry(delay_s=0.02, loss={"model": "bernoulli", "probability": 0.1}, **settings)
    assert sum(each.ledger.recovered.sum() for each in carried) > 5
    originals = {int(row): data for each in sent for row, data in zip(each.sequence, each.data, strict=True)}
    depacketizer = Depacketizer(payload="h264")
    for each in [each.ledger for each in carried]:
        for row in np.flatnonzero(each.recovered):
            assert each.packets.data[row] == originals[int(each.packets.sequence[row])]
            assert each.packets.arrival_s[row] > each.packets.send_s[row]
        units = depacketizer.depacketize(each.packets.take(each.packets.fate == Fate.DELIVERED))
        known = {nal for unit in each.coded.units for nal in unit.nals}
        assert {nal for unit in units for nal in unit.nals} <= known


def test_copies_of_a_burst_never_exceed_the_pace():
    carried, _ = carry(nack=True, rate_bps=200e3, delay_s=0.03, loss={"model": "bernoulli", "probability": 0.2})
    packets = Packets.join([each.ledger.packets for each in carried])
    order = np.argsort(packets.send_s, kind="stable")
    took_s = 8 * packets.bytes[order] / 200e3
    assert (packets.kind == Kind.RETRANSMISSION).sum() > 20
    assert (np.diff(packets.send_s[order]) >= took_s[:-1] - 1e-9).all()


@pytest.mark.parametrize("nack", [False, True])
def test_doubles_are_told_from_what_was_sent(nack, tmp_path):
    settings = {"nack": nack, "delay_s": 0.02, "jitter_s": 0.005, "loss": {"model": "bernoulli", "probability": 0.1}}
    carried, sent = carry(duplicate=0.5, **settings)
    packets = Packets.join([each.ledger.packets for each in carried])
    doubled = np.concatenate([each.ledger.doubled for each in carried])
    assert 0.35 < doubled.sum() / sum(map(len, sent)) < 0.6
    assert (packets.fate[doubled] == Fate.DELIVERED).all()
    once = packets.take(~doubled)
    first_copies = once.kind != Kind.RETRANSMISSION
    assert sorted(once.sequence[first_copies]) == sorted(np.concatenate([each.sequence for each in sent]))
    # A second copy that the sender sent is no double.
    copies = [once.data[row] for row in np.flatnonzero(~first_copies)]
    assert len(set(copies)) == len(copies)
    assert bool(copies) == nack

    captures = Captures(tmp_path / "sent.pcap", tmp_path / "received.pcap")
    assert len(list(captures.watch(carried))) == len(carried)
    captures.write()
    assert records(tmp_path / "sent.pcap") == len(once) + 1  # the announcement
    recovered = sum(int(each.ledger.recovered.sum()) for each in carried)
    assert records(tmp_path / "received.pcap") - 1 == (packets.fate == Fate.DELIVERED).sum() - recovered


def records(path):
    """Packets in a capture."""
    data, at, count = path.read_bytes(), 24, 0
    while at < len(data):
        at += 16 + int.from_bytes(data[at + 8 : at + 12], "little")
        count += 1
    return count
