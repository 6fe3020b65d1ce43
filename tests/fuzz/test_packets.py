"""Any bytes at all come as packets: each reader refuses with its own error, and the receiver never raises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import coded
from odd import answered, damaged, share, within

from vidlink import rtp
from vidlink.codec.shelf import load_codec
from vidlink.receiver.decode import decode
from vidlink.receiver.depacketize import Depacketizer
from vidlink.receiver.repair import repair
from vidlink.rtp import parity
from vidlink.rtp.format import PacketError
from vidlink.rtp.formats import FORMATS
from vidlink.sender.packetize import Packetizer
from vidlink.types import Fate, Kind, Rung
from vidlink.video.open import open_source

CAPTURED = sorted(path.read_bytes() for path in (Path(__file__).parents[1] / "rtp" / "fixtures").glob("*.rtp"))
anything = damaged(CAPTURED) | st.binary(max_size=300)
formats = st.sampled_from(sorted(FORMATS))


def test_real_packets_are_there_to_be_damaged():
    assert len(CAPTURED) > 20


@given(anything)
def test_headers(data):
    read = answered(rtp.parse, data, allowed=PacketError)
    if read:
        header, payload = read
        assert 0 <= header.sequence < 2**16
        assert len(payload) <= len(data)
        answered(rtp.original, header, payload, allowed=PacketError)


@given(anything.map(lambda data: data[12:]), formats)
def test_payloads_of_every_format(payload, name):
    form = rtp.payload_format(name)
    for piece in answered(form.parse, payload, allowed=PacketError) or ():
        assert piece.data or not piece.start
        if piece.start and piece.end:
            content, inside = form.open(piece.data)
            assert len(inside) <= len(piece.data)
            if content is rtp.Content.PARAMETER_SET:
                answered(form.picture_size, inside, allowed=ValueError)


@given(anything.map(lambda data: data[12:]))
def test_parity(payload):
    read = answered(parity.parse_parity, payload, allowed=PacketError)
    if read:
        answered(parity.packet_from, read.symbol, sequence=1, ssrc=1, allowed=PacketError)


def arriving(datagrams, kinds, sequences):
    """Those bytes as packets of a table, each delivered."""
    rows = np.zeros(len(datagrams), dtype=np.int64)
    packets = Packetizer().packetize(coded([[10]])).take(rows)
    count = len(rows)
    return replace(
        packets,
        data=datagrams,
        bytes=np.array([len(data) + 28 for data in datagrams], dtype=np.int64),
        kind=np.array(kinds, dtype=np.uint8),
        sequence=np.array(sequences, dtype=np.int64),
        arrival_s=np.arange(count) / 1000,
        fate=np.full(count, Fate.DELIVERED, dtype=np.uint8),
    )


@st.composite
def streams(draw):
    """A stream of packets of all kinds with damage, in any order, some lost."""
    payload = draw(formats)
    sent = Packetizer(mtu=200).packetize(coded([[500, 20], [30], [90]], payload, side_data=b"boxes")).data
    datagrams = draw(
        st.lists(st.sampled_from(list(sent)) | anything | damaged([bytes(each) for each in sent]), max_size=12)
    )
    count = len(datagrams)
    kinds = draw(st.lists(st.sampled_from([int(kind) for kind in Kind]), min_size=count, max_size=count))
    sequences = draw(st.lists(st.integers(0, 70_000), min_size=count, max_size=count))
    lost = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    packets = arriving(datagrams, kinds, sequences)
    gone = np.array(lost, dtype=bool)
    return payload, replace(
        packets,
        fate=np.where(gone, np.uint8(Fate.LOST), packets.fate).astype(np.uint8),
        arrival_s=np.where(gone, np.nan, packets.arrival_s),
    )


@given(streams())
def test_streams_into_the_receiver(stream):
    payload, packets = stream
    with within(20):
        repaired = repair(packets)
        assert len(repaired) == len(packets)
        units = Depacketizer(payload=payload).depacketize(repaired)
    assert len({unit.timestamp for unit in units}) == len(units)


@pytest.fixture(scope="module", params=["x264", "x265", "vp9", "av1"])
def segment(request, small_clip):
    from vidlink.sender.encode import encode

    codec, source = load_codec(request.param), open_source(str(small_clip))
    first = next(source.segments(0.3))
    return codec, encode(first, Rung(scale=1, quality=35), clip=source.clip, codec=codec)


@share(0.15)
@given(st.data())
def test_damaged_units_into_the_decoder(segment, data):
    """What a decoder gives of damaged units are pictures of frames that were sent."""
    codec, sent = segment
    units = [
        (unit.frame, tuple(data.draw(damaged(nal)) if data.draw(st.booleans()) else nal for nal in unit.nals))
        for unit in sent.units
        if data.draw(st.integers(0, 5))
    ]
    sets = tuple(
        data.draw(damaged(each)) if data.draw(st.integers(0, 5)) == 0 else each for each in sent.parameter_sets
    )
    with within(20):
        shown = decode(units, codec=codec, parameter_sets=sets)
    assert set(shown) <= {frame for frame, _ in units}
