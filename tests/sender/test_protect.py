"""Forward error correction from setting to recovered bytes."""

from dataclasses import replace

import numpy as np
import pytest
import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st
from made import coded

from vidlink import rtp
from vidlink.errors import UserError
from vidlink.receiver.repair import repair
from vidlink.rtp import erasure, parity
from vidlink.sender.fec import parity_for, parse_fec, residual_loss
from vidlink.sender.packetize import Packetizer, wire_bits
from vidlink.sender.protect import Protector, protected_wire_bits
from vidlink.types import Fate, Kind


def lose(packets, lost):
    """All arrive a second after they were sent, except for the rows given."""
    fate = np.full(len(packets), Fate.DELIVERED, dtype=np.uint8)
    fate[lost] = Fate.LOST
    arrival_s = np.where(fate == Fate.DELIVERED, np.arange(len(packets)) * 0.01 + 1.0, np.nan)
    data = [b"" if row in set(np.atleast_1d(lost).tolist()) else each for row, each in enumerate(packets.data)]
    return replace(packets, fate=fate, arrival_s=arrival_s, data=data)


pictures = st.lists(st.lists(st.integers(1, 2500), min_size=1, max_size=3), min_size=1, max_size=12)
settings_text = st.sampled_from(
    ["none", "xor:k=1", "xor:k=5,depth=2", "rs:k=10,n=12", "rs:k=3,n=5,key_n=8", "rs:k=4,n=4,key_n=6", "auto:0.01,k=6"]
)


@settings(deadline=None, max_examples=150)
@given(pictures, settings_text, st.sampled_from([0.0, 0.2]), st.sampled_from(["h264", "generic"]))
def test_wire_bits_are_those_of_the_packets(sizes, text, aggregate_s, payload):
    segment, fec = coded(sizes, payload=payload), parse_fec(text).at(0.1)
    packets = Packetizer(mtu=600 - fec.overhead_bytes, aggregate_s=aggregate_s, header_bytes=4).packetize(segment)
    protected = Protector(fec, header_bytes=4).protect(packets)
    bits = protected_wire_bits(segment, fec=fec, mtu=600, aggregate_s=aggregate_s, header_bytes=4)
    assert bits == 8 * protected.bytes.sum()
    assert max(map(len, protected.data)) + 28 <= 600
    media = protected.kind != Kind.PARITY
    assert list(protected.take(media).data) == list(packets.data)
    assert len(set(protected.sequence.tolist())) == len(protected)
    assert (np.diff(protected.send_s) >= 0).all()


@settings(deadline=None, max_examples=150)
@given(pictures, settings_text, st.integers(0, 65535), st.data())
def test_what_comes_back_is_what_was_sent(sizes, text, sequence, data):
    segment, fec = coded(sizes), parse_fec(text).at(0.1)
    packetizer = Packetizer(mtu=600)
    packetizer._sequence = sequence
    packets = Protector(fec).protect(packetizer.packetize(segment))
    video = np.flatnonzero(packets.kind != Kind.PARAMETERS)
    lost = np.array(data.draw(st.lists(st.sampled_from(video.tolist()), unique=True), label="lost"), dtype=np.int64)
    damaged = lose(packets, lost)
    repaired = repair(damaged)
    have = repaired.fate == Fate.DELIVERED
    assert [repaired.data[row] for row in np.flatnonzero(have)] == [packets.data[row] for row in np.flatnonzero(have)]
    assert not np.isnan(repaired.arrival_s[have]).any()
    assert have[damaged.fate == Fate.DELIVERED].all()
    np.testing.assert_array_equal(repaired.sequence, packets.sequence)


def test_as_many_losses_as_parity_come_back_and_one_more_does_not():
    packets = Protector(parse_fec("rs:k=10,n=13")).protect(Packetizer().packetize(coded([[1200] * 10])))
    assert packets.kind.tolist() == [Kind.PARAMETERS, *[Kind.VIDEO] * 10, *[Kind.PARITY] * 3]
    repaired = repair(lose(packets, [1, 5, 10]))
    assert (repaired.fate == Fate.DELIVERED).all()
    # The third parity packet, at 1.13 s, completes the block.
    assert repaired.arrival_s[[1, 5, 10]].tolist() == pytest.approx([1.13] * 3)
    assert (repair(lose(packets, [1, 5, 7, 10])).fate == Fate.LOST).sum() == 4
    assert (repair(lose(packets, [1, 5, 11])).fate[1:11] == Fate.DELIVERED).all()
    assert (repair(lose(packets, [1, 5, 11, 12])).fate[1:11] == Fate.LOST).sum() == 2


def test_interleaving_survives_a_burst():
    source = Packetizer().packetize(coded([[20], *[[1200] * 4] * 4]))
    burst = np.arange(4, 8)
    for text, comes_back in (("xor:k=4", False), ("xor:k=4,depth=4", True)):
        repaired = repair(lose(Protector(parse_fec(text)).protect(source), burst))
        assert (repaired.fate[burst] == Fate.DELIVERED).all() == comes_back


def test_key_pictures_can_get_more():
    packets = Protector(parse_fec("rs:k=4,n=4,key_n=6")).protect(
        Packetizer().packetize(coded([[1200] * 4, [1200] * 4]))
    )
    assert packets.kind.tolist() == [1, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0]


def test_short_blocks_get_parity_in_proportion():
    fec = parse_fec("rs:k=10,n=14")
    assert [fec.parity(sources, key=False) for sources in (1, 2, 3, 5, 6, 10)] == [1, 1, 2, 2, 3, 4]


@pytest.mark.parametrize(("k", "count"), [(1, 1), (5, 1), (10, 4), (20, 30)])
def test_the_code_is_reedsolos(k, count):
    """Independent decoder: reedsolo's own, column by column."""
    rng = np.random.default_rng(k)
    symbols = rng.integers(0, 256, size=(k, 6), dtype=np.uint8)
    block = np.concatenate((symbols, erasure.encode(symbols, count)))
    lost = rng.choice(k + count, size=count, replace=False)
    codec = reedsolo.RSCodec(count)
    for column in block.T:
        damaged = bytearray(column.tobytes())
        for place in lost:
            damaged[place] = 0
        assert bytes(codec.decode(damaged, erase_pos=lost.tolist())[0]) == column[:k].tobytes()
    known = {place: block[place] for place in range(k + count) if place not in set(lost.tolist())}
    solved = erasure.decode(known, k, count, 6)
    assert {place: symbol.tolist() for place, symbol in solved.items()} == {
        place: symbols[place].tolist() for place in range(k) if place in set(lost.tolist())
    }


def test_one_parity_symbol_is_the_xor():
    symbols = np.random.default_rng(0).integers(0, 256, size=(7, 20), dtype=np.uint8)
    np.testing.assert_array_equal(erasure.encode(symbols, 1)[0], np.bitwise_xor.reduce(symbols))


@pytest.mark.parametrize(("k", "count", "loss"), [(10, 2, 0.05), (5, 1, 0.1), (8, 8, 0.3)])
def test_residual_loss_is_what_happens(k, count, loss):
    lost = np.random.default_rng(1).random((100_000, k + count)) < loss
    left = np.where(lost.sum(axis=1, keepdims=True) > count, lost[:, :k], 0).mean(axis=1)
    assert abs(left.mean() - residual_loss(k, count, loss)) < 3 * left.std() / len(left) ** 0.5


def test_auto_takes_the_least_that_is_enough():
    for k, loss, target in ((10, 0.05, 0.01), (3, 0.2, 1e-4), (10, 0.0, 0.5)):
        count = parity_for(k, loss, target)
        assert residual_loss(k, count, loss) <= target
        assert count == 0 or residual_loss(k, count - 1, loss) > target
    assert parity_for(10, 1.0, 0.5) == erasure.LARGEST_BLOCK - 10
    with pytest.raises(ValueError, match="loss rate"):
        parse_fec("auto:0.01").parity(5, key=True)


def test_none_changes_nothing():
    packets = Packetizer().packetize(coded([[100]]))
    assert Protector(parse_fec("none")).protect(packets) is packets
    assert protected_wire_bits(coded([[100]]), fec=parse_fec("none")) == wire_bits(coded([[100]]))
    delivered = lose(packets, [1])
    assert repair(delivered) is delivered


def test_settings():
    fec = parse_fec(" rs:k=10, n=12, key_n=14, depth=2")
    assert (fec.code, fec.k, fec.n, fec.key_n, fec.depth) == ("rs", 10, 12, 14, 2)
    assert parse_fec("xor:k=5").n == 6
    assert parse_fec("rs").n == 12
    assert parse_fec("auto:0.01").target == 0.01


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected none"),
        ("raptor:k=5", "expected none"),
        ("none:k=5", "k=5"),
        ("xor:n=5", "n=5"),
        ("xor:k=5,k=6", "k=6"),
        ("xor:k", "'k'"),
        ("xor:k=", "'k='"),
        ("xor:k=-1", "k=-1"),
        ("xor:k=1.5", "k=1.5"),
        ("xor:k=0", "at least 1"),
        ("xor:k=255", "at most 255"),
        ("rs:k=10,n=9", "n = 9 is less than k = 10"),
        ("rs:k=10,n=12,key_n=11", "key_n = 11"),
        ("rs:k=10,n=300", "at most 255"),
        ("rs:k=10,n=12,depth=0", "depth = 0"),
        ("auto", "residual loss"),
        ("auto:0", "residual loss"),
        ("auto:1", "residual loss"),
        ("auto:nan", "residual loss"),
        ("auto:k=5", "residual loss"),
    ],
)
def test_settings_that_are_wrong(text, message):
    with pytest.raises(UserError, match=message):
        parse_fec(text)


@given(st.binary(max_size=80))
def test_arbitrary_parity_payloads_raise_nothing_else(payload):
    try:
        read = parity.parse_parity(payload)
    except rtp.PacketError:
        return
    assert parity.serialise_parity(read) == payload


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_parity_that_is_nonsense_does_no_harm(datagrams):
    packets = Protector(parse_fec("rs:k=10,n=13")).protect(Packetizer().packetize(coded([[1200] * 10])))
    damaged = lose(packets, [1, 5])
    repaired = repair(replace(damaged, data=[*damaged.data[:11], *datagrams]))
    assert (repaired.fate[1:11] == Fate.DELIVERED).sum() == 8


def test_a_block_beyond_255_symbols_is_refused():
    with pytest.raises(ValueError, match="255"):
        erasure.parity_matrix(200, 56)
