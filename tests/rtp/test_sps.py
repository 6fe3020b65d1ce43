import pytest

from vidlink.rtp.sps import h264_size


def test_other_profiles_are_read():
    # Baseline, 4CIF, from the byte layout of ITU-T H.264 7.3.2.1.1: no chroma format, picture order count type 2.
    bits = "01000010" + "0" * 16 + "1" + "1" + "011" + "1" + "0"
    bits += "00000101100" + "00000100100" + "1" + "1" + "0" + "0"
    sps = bytes([0x67]) + int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    assert h264_size(sps) == (704, 576)


def test_a_cut_parameter_set_is_an_error():
    with pytest.raises(ValueError, match="ends early"):
        h264_size(bytes([0x67, 0x42]))
