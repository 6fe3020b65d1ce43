import pytest

from vidlink.rtp.bits import Bits, split_nals


def test_nal_units_are_split_where_start_codes_are():
    data = b"\x00\x00\x00\x01\x67abc\x00\x00\x01\x68d\x00\x00\x00\x01\x65\x00\x00\x02xyz"
    assert split_nals(data) == [b"\x67abc", b"\x68d", b"\x65\x00\x00\x02xyz"]
    assert split_nals(b"") == []


def test_bits_are_read_from_the_highest_and_without_emulation_prevention():
    bits = Bits(b"\xa5\x00\x00\x03\x01")
    assert [bits.read(1), bits.read(3), bits.read(4)] == [1, 2, 5]
    assert bits.read(24) == 1
    with pytest.raises(ValueError, match="ends early"):
        bits.read(1)


@pytest.mark.parametrize(("text", "value"), [("1", 0), ("010", 1), ("011", 2), ("00100", 3), ("00111", 6)])
def test_exp_golomb_codes(text, value):
    # ITU-T H.264, table 9-1
    assert Bits(int(text.ljust(8, "0"), 2).to_bytes(1)).golomb() == value
