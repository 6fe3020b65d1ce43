"""Repair reads no bytes of what was lost; that it gives back what was sent is tested with the sender's half."""

import numpy as np
import pytest
from made import coded

from vidlink import rtp
from vidlink.receiver.repair import repair
from vidlink.sender.fec import parse_fec
from vidlink.sender.packetize import Packetizer
from vidlink.sender.protect import Protector
from vidlink.types import Fate, Kind, Packets


def arrive(packets, lost):
    packets = packets.take(np.arange(len(packets)))
    packets.fate[:] = Fate.DELIVERED
    packets.arrival_s[:] = packets.send_s + 0.1
    for row in lost:
        packets.fate[row], packets.arrival_s[row], packets.data[row] = Fate.LOST, np.nan, b""
    return packets


@pytest.mark.parametrize("sizes", [[[100]], [[100]] * 4])
def test_a_stream_of_which_no_video_packet_arrived_comes_back_from_parity_alone(sizes):
    sent = Packetizer(rng=np.random.default_rng(2)).packetize(coded(sizes, "generic"))
    assert (sent.kind == Kind.VIDEO).all()
    protected = Protector(parse_fec("rs:k=4,n=8")).protect(sent)
    video = np.flatnonzero(protected.kind == Kind.VIDEO)
    repaired = repair(arrive(protected, video.tolist()))
    assert (repaired.fate == Fate.DELIVERED).all()
    assert [repaired.data[row] for row in video.tolist()] == list(sent.data)


def test_a_copy_alone_gives_the_packet_back():
    sent = Packetizer(rng=np.random.default_rng(2)).packetize(coded([[100]], "generic"))
    copy = sent.take(np.array([0]))
    copy.kind[:], copy.data[0] = Kind.RETRANSMISSION, rtp.repeat(sent.data[0], sequence=0)
    repaired = repair(arrive(Packets.join([sent, copy]), [0]))
    assert (repaired.fate[0], repaired.data[0]) == (Fate.DELIVERED, sent.data[0])
