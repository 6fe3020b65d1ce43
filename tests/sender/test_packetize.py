import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import coded

from vidlink import rtp
from vidlink.errors import UserError
from vidlink.receiver.depacketize import Depacketizer
from vidlink.sender.packetize import Packetizer, wire_bits
from vidlink.types import Fate, Kind


def delivered(packets):
    packets.fate[:] = Fate.DELIVERED
    packets.arrival_s[:] = packets.send_s
    return packets


def depacketizer_for(packetizer, payload):
    return Depacketizer(
        payload=payload,
        timestamp_offset=packetizer.timestamp_offset,
        sequence_offset=packetizer.sequence_offset,
    )


segments = st.builds(
    coded,
    st.lists(st.lists(st.integers(1, 5000) | st.integers(1, 60), min_size=1, max_size=4), min_size=1, max_size=12),
    payload=st.sampled_from(["h264", "hevc", "generic"]),
    side_data=st.binary(max_size=400),
    reorder=st.booleans(),
)


@settings(deadline=None, max_examples=200)
@given(segments, st.integers(68, 1500), st.sampled_from([0.0, 0.05, 0.3, 2.0]))
def test_any_nal_units_travel_and_are_counted(segment, mtu, aggregate_s):
    packetizer = Packetizer(mtu=mtu, aggregate_s=aggregate_s, rng=np.random.default_rng(5))
    packets = packetizer.packetize(segment)
    assert packets.bytes.max() <= mtu
    assert [len(data) + 28 for data in packets.data] == packets.bytes.tolist()
    assert wire_bits(segment, mtu=mtu, aggregate_s=aggregate_s) == 8 * packets.bytes.sum()
    assert packets.sequence.tolist() == [packetizer.sequence_offset + row for row in range(len(packets))]
    units = depacketizer_for(packetizer, segment.payload).depacketize(delivered(packets))
    assert [unit.nals for unit in units] == [unit.nals for unit in segment.units]
    assert [unit.timestamp for unit in units] == [round(90_000 * unit.time_s) for unit in segment.units]
    assert all(unit.complete for unit in units)
    assert {unit.side_data for unit in units} == {segment.side_data}
    assert {unit.parameter_sets for unit in units} == {segment.parameter_sets}


def test_a_slice_below_the_mtu_is_a_packet():
    packets = Packetizer().packetize(coded([[1400, 1400, 1400]]))
    assert packets.kind.tolist() == [Kind.PARAMETERS, Kind.VIDEO, Kind.VIDEO, Kind.VIDEO]
    assert packets.bytes.tolist()[1:] == [1441, 1441, 1441]
    assert packets.unit.tolist() == [-1, 0, 0, 0]
    assert packets.unit_count.tolist() == [0, 1, 1, 1]
    assert packets.frame.tolist() == [-1, 0, 0, 0]


def test_marker_ends_an_access_unit():
    packets = Packetizer().packetize(coded([[1400, 4000], [10, 10]]))
    markers = [rtp.parse(data)[0].marker for data in packets.data]
    assert markers == [False, False, False, False, True, True]


def test_small_slices_of_one_picture_share_a_packet_but_pictures_do_not():
    packets = Packetizer().packetize(coded([[20, 30], [40]]))
    assert packets.unit.tolist() == [-1, 0, 1]
    assert packets.bytes.tolist()[1:] == [40 + 1 + 2 * 2 + 21 + 31, 40 + 41]


def test_pictures_share_packets_up_to_the_waiting_time():
    segment = coded([[20]] * 30)
    apart, together = wire_bits(segment), wire_bits(segment, aggregate_s=0.1)
    assert together < 0.65 * apart
    packets = Packetizer(aggregate_s=0.1).packetize(segment)
    # pictures at 0, 1/30, 2/30 and 3/30 s share a packet
    assert packets.unit_count.tolist() == [0, *[4] * 7, 2]
    assert {data[12] & 0x1F for data in packets.data[1:]} == {26}
    assert packets.data[0][12] & 0x1F == 25


def test_hevc_keeps_pictures_apart():
    segment = coded([[20]] * 30, "hevc")
    assert wire_bits(segment, aggregate_s=0.1) == wire_bits(segment)


def test_nothing_to_signal_makes_no_packet():
    packets = Packetizer().packetize(coded([[10]], "generic"))
    assert packets.kind.tolist() == [Kind.VIDEO]


def test_counters_carry_over_and_wrap():
    packetizer = Packetizer(aggregate_s=0.5, rng=np.random.default_rng(0))
    packetizer.timestamp_offset = (1 << 32) - 50_000
    packetizer._sequence = packetizer.sequence_offset = 65_530
    packetizer._don = 65_500
    depacketizer = depacketizer_for(packetizer, "h264")
    total = 0
    for index in range(4):
        segment = coded([[700], [700], [3000]] * 10, index=index, start_s=float(index))
        packets = packetizer.packetize(segment)
        assert packets.sequence[0] == 65_530 + total
        assert packets.unit[1] == 30 * index
        total += len(packets)
        units = depacketizer.depacketize(delivered(packets))
        assert [unit.nals for unit in units] == [unit.nals for unit in segment.units]
        assert [unit.time_s for unit in units] == pytest.approx([unit.time_s for unit in segment.units], abs=1e-5)


def test_compressed_headers_count_less():
    segment = coded([[100]] * 10)
    packets = Packetizer(header_bytes=4).packetize(segment)
    assert wire_bits(segment, header_bytes=4) == 8 * packets.bytes.sum() == wire_bits(segment) - 8 * 36 * len(packets)


@pytest.mark.parametrize("mtu", [-1, 0, 40, 67, 65536])
def test_refuses_an_mtu_without_room(mtu):
    with pytest.raises(UserError, match="MTU"):
        Packetizer(mtu=mtu)
    with pytest.raises(UserError, match="MTU"):
        wire_bits(coded([[1]]), mtu=mtu)


@pytest.mark.parametrize("aggregate_s", [-1.0, float("nan"), float("inf")])
def test_refuses_a_waiting_time_that_is_none(aggregate_s):
    with pytest.raises(UserError, match="aggregation"):
        Packetizer(aggregate_s=aggregate_s)


@pytest.mark.parametrize(
    ("payload", "nal"), [("h264", b""), ("h264", b"\x78a"), ("hevc", b"\x60\x01a"), ("generic", b"")]
)
def test_refuses_nal_units_that_would_mean_something_else(payload, nal):
    with pytest.raises(ValueError, match="unit"):
        rtp.payload_format(payload).enclose(nal)
