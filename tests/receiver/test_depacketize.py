from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import coded

from vidlink.receiver.depacketize import Depacketizer
from vidlink.sender.packetize import Packetizer
from vidlink.types import Fate, Kind


def deliver(packets, rows):
    """The given rows, arriving in that order; a row may come twice."""
    taken = packets.take(np.array(rows, dtype=np.int64))
    count = len(taken)
    return replace(taken, arrival_s=np.arange(count) / 1000, fate=np.full(count, Fate.DELIVERED, dtype=np.uint8))


formats = st.sampled_from(["h264", "hevc", "generic"])
pictures = st.lists(st.lists(st.integers(8, 900), min_size=1, max_size=3), min_size=1, max_size=8)


@settings(deadline=None, max_examples=200)
@given(pictures, formats, st.sampled_from([0.0, 0.2]), st.data())
def test_whatever_happens_to_packets_no_unit_appears_that_was_not_sent(sizes, payload, aggregate_s, data):
    segment = coded(sizes, payload, side_data=b"boxes")
    packets = Packetizer(mtu=300, aggregate_s=aggregate_s).packetize(segment)
    rows = data.draw(st.lists(st.integers(0, len(packets) - 1), max_size=2 * len(packets)), label="arriving rows")
    received = deliver(packets, rows)
    cut = data.draw(st.lists(st.integers(0, 300), min_size=len(rows), max_size=len(rows)), label="bytes kept")
    kept = [each[:size] if size < 150 else each for each, size in zip(received.data, cut, strict=True)]
    depacketizer = Depacketizer(payload=payload)
    units = depacketizer.depacketize(replace(received, data=kept))
    sent = {round(90_000 * unit.time_s): unit.nals for unit in segment.units}
    for unit in units:
        assert set(unit.nals) <= set(sent[unit.timestamp])
        if unit.complete:
            assert unit.nals == sent[unit.timestamp]
        assert unit.side_data in (b"", b"boxes")
    stamps = [unit.timestamp for unit in units]
    assert stamps == sorted(set(stamps))
    short = {row for row, (before, after) in enumerate(zip(received.data, kept, strict=True)) if before != after}
    assert depacketizer.malformed == len(short)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.binary(max_size=60) | st.binary(max_size=30).map(lambda rest: b"\x80\x60" + rest), max_size=20), formats
)
def test_arbitrary_bytes_never_raise(datagrams, payload):
    packets = deliver(Packetizer().packetize(coded([[10]])), [0] * len(datagrams))
    packets = replace(packets, data=datagrams, bytes=np.array([len(data) + 28 for data in datagrams], dtype=np.int64))
    Depacketizer(payload=payload).depacketize(packets)


@pytest.mark.parametrize("payload", ["h264", "hevc", "generic"])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_fragment_loses_the_unit(payload, lost):
    segment = coded([[700], [20]], payload)
    packets = Packetizer(mtu=300).packetize(segment)
    fragments = np.flatnonzero(packets.unit == 0)
    assert len(fragments) == 3
    rows = [row for row in range(len(packets)) if row != fragments[lost]]
    whole = {unit.timestamp: unit for unit in Depacketizer(payload=payload).depacketize(deliver(packets, rows))}
    assert whole[0].nals == ()
    assert not whole[0].complete
    assert whole[3000].nals == segment.units[1].nals


def test_a_lost_slice_leaves_the_others():
    segment = coded([[1000, 1000, 1000], [1000]])
    packets = Packetizer().packetize(segment)
    first, second = Depacketizer(payload="h264").depacketize(deliver(packets, [0, 1, 3, 4]))
    assert first.nals == (segment.units[0].nals[0], segment.units[0].nals[2])
    assert not first.complete
    assert second.complete


def test_a_lost_last_slice_is_noticed_without_a_marker():
    segment = coded([[1000, 1000], [1000]])
    packets = Packetizer().packetize(segment)
    first, second = Depacketizer(payload="h264").depacketize(deliver(packets, [0, 1, 3]))
    assert not first.complete
    # What is missing between the two may have been the start of the second.
    assert not second.complete
    assert second.nals == segment.units[1].nals


def test_parameter_sets_alone_are_a_unit_without_pictures():
    packets = Packetizer().packetize(coded([[1000], [1000]], side_data=b"boxes"))
    (unit,) = Depacketizer(payload="h264").depacketize(deliver(packets, [0]))
    assert (unit.nals, unit.complete) == ((), False)
    assert unit.parameter_sets == (b"\x67sps", b"\x68pps")
    assert unit.side_data == b"boxes"


def test_only_delivered_media_is_read():
    packets = deliver(Packetizer().packetize(coded([[10]])), [0, 1])
    packets.fate[1] = Fate.LOST
    assert [unit.nals for unit in Depacketizer(payload="h264").depacketize(packets)] == [()]
    packets.fate[1] = Fate.DELIVERED
    packets.kind[1] = Kind.PARITY
    assert [unit.nals for unit in Depacketizer(payload="h264").depacketize(packets)] == [()]


def test_out_of_order_and_doubled_packets_change_nothing():
    segment = coded([[700, 50], [20], [900]])
    packets = Packetizer(mtu=300).packetize(segment)
    rows = np.random.default_rng(3).permutation(np.repeat(np.arange(len(packets)), 2)).tolist()
    units = Depacketizer(payload="h264").depacketize(deliver(packets, rows))
    assert [unit.nals for unit in units] == [unit.nals for unit in segment.units]
    assert all(unit.complete for unit in units)


def test_decoding_order_numbers_put_interleaved_units_in_order():
    # Two STAP-B packets whose sequence numbers disagree with their decoding order numbers.
    from vidlink import rtp

    packets = deliver(Packetizer().packetize(coded([[10], [10]])), [0, 1])
    h264 = rtp.payload_format("h264", interleaved=True)
    data = [
        rtp.serialise(
            rtp.Header(sequence=sequence, timestamp=stamp, ssrc=1, payload_type=96, marker=True),
            h264.whole([nal], [0], don),
        )
        for sequence, stamp, nal, don in ((0, 3000, b"\x41later", 1), (1, 0, b"\x65first", 0))
    ]
    packets = replace(packets, data=data, bytes=np.array([len(each) + 28 for each in data]))
    assert [unit.nals for unit in Depacketizer(payload="h264").depacketize(packets)] == [
        (b"\x65first",),
        (b"\x41later",),
    ]


def test_nothing_arrived():
    packets = Packetizer().packetize(coded([[10]]))
    assert Depacketizer(payload="h264").depacketize(packets) == []
