"""The table of payload formats, and what is asked of a format beside packets."""

import pytest

from vidlink import rtp
from vidlink.rtp.formats import FORMATS, payload_format
from vidlink.rtp.h264 import H264

CODE = b"\0\0\0\1"


def test_an_unknown_format_is_refused_with_the_nearest_and_all():
    with pytest.raises(ValueError, match=r"'h265': did you mean 'h264'\? known are generic, h264, hevc"):
        payload_format("h265")


@pytest.mark.parametrize("name", FORMATS)
def test_pictures_share_packets_only_where_asked(name):
    assert payload_format(name) is FORMATS[name]
    shares = payload_format(name, interleaved=True)
    assert (shares == FORMATS[name]) == (name != "h264")
    assert FORMATS["h264"] == H264(interleaved=False)


def test_an_h264_picture_in_parts():
    sets, delimiter = [b"\x67sps", b"\x68pps"], b"\x09\xf0"
    advertisement, recovery = b"\x06\x05\x10x264", b"\x06\x06\x01\x24\x80"
    data = b"".join(CODE + nal for nal in (delimiter, *sets, advertisement, recovery, b"\x41slice", b"\x01slice"))
    parts = payload_format("h264").take_apart(data, key=True)
    # What the encoder marked as a key frame is a refresh cycle: the recovery point SEI says 00100 1... = 3.
    assert parts == rtp.UnitParts(
        parameter_sets=tuple(sets),
        nals=(recovery, b"\x41slice", b"\x01slice"),
        key=False,
        reference=True,
        recovery=3,
    )
    spare = payload_format("h264").take_apart(CODE + b"\x01slice", key=False)
    assert (spare.key, spare.reference, spare.recovery) == (False, False, None)
    assert payload_format("h264").take_apart(CODE + b"\x65slice", key=False).key


def test_an_hevc_picture_in_parts():
    sets, delimiter = [b"\x40\x01vps", b"\x42\x01sps", b"\x44\x01pps"], b"\x46\x01\x50"
    advertisement, other = b"\x4e\x01\x05\x10x265", b"\x4e\x01\x01\x01x"
    data = b"".join(CODE + nal for nal in (delimiter, *sets, advertisement, other, b"\x26\x01slice"))
    parts = payload_format("hevc").take_apart(data, key=False)
    assert parts == rtp.UnitParts(parameter_sets=tuple(sets), nals=(other, b"\x26\x01slice"), key=True, reference=True)
    # Types 0 and 1 are trailing pictures: of a sub-layer that no other needs, and that others need.
    assert not payload_format("hevc").take_apart(CODE + b"\x00\x01slice", key=True).reference
    assert payload_format("hevc").take_apart(CODE + b"\x02\x01slice", key=True).reference


@pytest.mark.parametrize("key", [True, False])
def test_a_generic_unit_is_left_whole(key):
    parts = payload_format("generic").take_apart(CODE + b"\x65", key=key)
    assert parts == rtp.UnitParts(parameter_sets=(), nals=(CODE + b"\x65",), key=key, reference=True)


def test_parameter_sets_are_put_before_a_key_frame_once():
    for name in ("h264", "hevc"):
        made = payload_format(name).with_parameter_sets(b"unit", b"sets")
        assert made == b"setsunit"
        assert payload_format(name).with_parameter_sets(made, b"sets") == made
    assert payload_format("generic").with_parameter_sets(b"unit", b"sets") == b"unit"


def test_session_descriptions():
    sets = [b"\x67a", b"\x68b"]
    h264 = payload_format("h264", interleaved=True)
    assert h264.format_parameters(sets) == ["packetization-mode=2", "sprop-parameter-sets=Z2E=,aGI="]
    assert payload_format("h264").format_parameters([]) == ["packetization-mode=1"]
    assert [each.encoding_name for each in FORMATS.values()] == ["H264", "H265", None]
