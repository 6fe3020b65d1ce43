"""The live pacer: at its rate, copies first, and nothing that comes too late."""

import math

import numpy as np
import pytest

from vidlink.rtp import Header, serialise
from vidlink.sender.live_pace import LivePacer
from vidlink.types import Fate, Kind, Packets

BYTES = 500


def packets(count, *, segment=0, parameters=1):
    data = [
        serialise(Header(sequence=n, timestamp=0, ssrc=1, payload_type=96, marker=False), b"x") for n in range(count)
    ]
    kind = np.full(count, Kind.VIDEO, dtype=np.uint8)
    kind[:parameters] = Kind.PARAMETERS
    number = np.arange(count)
    return Packets(
        sequence=100 * segment + number,
        frame=number,
        unit=number,
        unit_count=np.ones(count, dtype=np.int64),
        segment=np.full(count, segment),
        bytes=np.full(count, BYTES),
        kind=kind,
        send_s=np.zeros(count),
        data=data,
        arrival_s=np.full(count, np.nan),
        fate=np.full(count, Fate.PENDING, dtype=np.uint8),
    )


def drain(pacer, now_s=0.0):
    sent = []
    while math.isfinite(when := pacer.next_s(now_s)):
        now_s = when
        sent.append(pacer.take(now_s))
    return sent


def test_packets_leave_one_by_one_at_the_rate_in_force():
    pacer = LivePacer(rate_bps=40e3, one_way_s=0.0)
    pacer.offer(packets(4), np.full(4, 9.0))
    assert pacer.backlog_bits == 4 * 8 * BYTES
    first = pacer.take(0.0)
    assert pacer.next_s(0.0) == pytest.approx(0.1)
    pacer.set_rate(0.05, 20e3)
    times = [float(first.send_s[0]), *(float(packet.send_s[0]) for packet in drain(pacer, 0.05))]
    assert times == pytest.approx([0.0, 0.15, 0.35, 0.55])
    assert pacer.backlog_bits == 0


def test_a_segment_that_comes_too_late_is_given_up_but_for_its_parameters():
    pacer = LivePacer(rate_bps=40e3, one_way_s=0.1)
    pacer.offer(packets(4), np.array([9.0, 0.5, 0.6, 9.0]))
    pacer.offer(packets(2, segment=1), np.full(2, 9.0))
    assert pacer.give_up(0.4) == []
    late = pacer.give_up(0.45)
    assert late == []  # the parameters come first, and are always sent
    pacer.take(0.45)
    late = pacer.give_up(0.45)
    assert [int(packet.sequence[0]) for packet in late] == [1, 2, 3]
    assert all(packet.fate[0] == Fate.DISCARDED for packet in late)
    assert [int(packet.sequence[0]) for packet in drain(pacer, 0.45)] == [100, 101]
    assert not pacer.waits(0)


def test_copies_go_first_and_only_while_they_are_of_use():
    pacer = LivePacer(rate_bps=40e3, one_way_s=0.05)
    pacer.offer(packets(4, parameters=0), np.array([0.3, 0.3, 9.0, 9.0]))
    pacer.take(0.0)
    pacer.ask(0.1, 0)
    copy = pacer.take(pacer.next_s(0.0))
    assert copy.kind[0] == Kind.RETRANSMISSION
    assert copy.bytes[0] > BYTES
    assert int(pacer.take(0.2).sequence[0]) == 1
    pacer.ask(0.4, 1)  # nobody waits for it any more then
    assert [int(packet.sequence[0]) for packet in drain(pacer, 0.4)] == [2, 3]
