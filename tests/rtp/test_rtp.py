"""RTP and its payload formats, against packets written by hand from the figures of the RFCs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlink import rtp
from vidlink.rtp import sei
from vidlink.rtp.h264 import H264

PLAIN = bytes.fromhex("80e0fffe 00015f90 76696431".replace(" ", "")) + b"\x65payload"
EXTENDED = (
    bytes.fromhex("b2600001 00000000 00000001 0000000a 0000000b bede0001 11223344".replace(" ", "")) + b"abc\0\0\3"
)


def test_reads_a_plain_header():
    header, payload = rtp.parse(PLAIN)
    assert header == rtp.Header(sequence=65534, timestamp=90_000, ssrc=0x76696431, payload_type=96, marker=True)
    assert payload == b"\x65payload"
    assert rtp.serialise(header, payload) == PLAIN


def test_skips_sources_extension_and_padding():
    header, payload = rtp.parse(EXTENDED)
    assert payload == b"abc"
    assert (header.sequence, header.payload_type, header.marker) == (1, 96, False)


@pytest.mark.parametrize("packet", [PLAIN, EXTENDED])
def test_a_cut_packet_is_an_error_or_shorter(packet):
    for size in range(len(packet)):
        try:
            _, payload = rtp.parse(packet[:size])
        except rtp.PacketError:
            continue
        assert len(payload) < len(packet)


def test_refuses_other_versions():
    with pytest.raises(rtp.PacketError, match="version 1"):
        rtp.parse(b"\x40" + PLAIN[1:])


@given(st.integers(-(10**9), 10**9), st.integers(-32767, 32767))
def test_unwraps_to_the_nearest(near, step):
    assert rtp.unwrap((near + step) & 0xFFFF, near, 16) == near + step


def parse_hex(text):
    return rtp.payload_format("h264").parse(bytes.fromhex(text.replace(" ", "")))


def test_stap_a():
    # RFC 6184, figure 7
    pieces = parse_hex("78 0003 674200 0002 68ce")
    assert [piece.data.hex() for piece in pieces] == ["674200", "68ce"]
    assert all(piece.start and piece.end and piece.don is None for piece in pieces)
    assert rtp.payload_format("h264").whole([b"\x67\x42\x00", b"\x68\xce"], [0, 0], 0).hex() == "780003674200000268ce"


def test_stap_b():
    # RFC 6184, figure 8
    pieces = parse_hex("79 ffff 0002 6742 0002 68ce")
    assert [(piece.data.hex(), piece.don) for piece in pieces] == [("6742", 65535), ("68ce", 0)]
    payload = H264(interleaved=True).whole([b"\x67\x42", b"\x68\xce"], [0, 0], 65535)
    assert payload.hex() == "79ffff00026742000268ce"


def test_mtap16():
    # RFC 6184, figures 9 and 12: size, DOND, 16-bit offset
    pieces = parse_hex("7a 0005 0002 00 0000 6501 0002 01 0bb8 4102")
    assert [(piece.data.hex(), piece.don, piece.offset) for piece in pieces] == [("6501", 5, 0), ("4102", 6, 3000)]
    assert (
        H264(interleaved=True).whole([b"\x65\x01", b"\x41\x02"], [0, 3000], 5).hex()
        == "7a00050002000000650100020" + "10bb84102"
    )


def test_mtap24():
    payload = H264(interleaved=True).whole([b"\x65\x01", b"\x41\x02"], [0, 90_000], 5)
    assert payload.hex() == "7b0005" + "0002000000006501" + "000201015f904102"
    assert [piece.offset for piece in rtp.payload_format("h264").parse(payload)] == [0, 90_000]


def test_fragments():
    # RFC 6184, figures 14 and 15
    first, middle, last = (parse_hex(text)[0] for text in ("7c85 0102", "7c05 03", "7c45 04"))
    assert (first.data.hex(), first.start, first.end) == ("650102", True, False)
    assert (middle.data.hex(), middle.start, middle.end) == ("03", False, False)
    assert (last.data.hex(), last.start, last.end) == ("04", False, True)
    numbered = parse_hex("7d85 1234 0102")[0]
    assert (numbered.data.hex(), numbered.don) == ("650102", 0x1234)


def test_aggregates_take_the_highest_reference_indication():
    assert rtp.payload_format("h264").whole([b"\x01a", b"\x41b", b"\x21c"], [0, 0, 0], 0)[0] == 0x40 | 24


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "1e00",
        "78",
        "7800",
        "780000",
        "78000541",
        "780001",
        "79ff",
        "79ffff",
        "7c85",
        "7cc501",
        "7d0512340a",
        "7d85",
    ],
)
def test_malformed_h264_is_an_error(text):
    with pytest.raises(rtp.PacketError):
        parse_hex(text)


@pytest.mark.parametrize("name", ["h264", "hevc", "generic"])
@given(payload=st.binary(max_size=64))
def test_arbitrary_payloads_raise_nothing_else(name, payload):
    try:
        pieces = rtp.payload_format(name).parse(payload)
    except rtp.PacketError:
        return
    assert pieces
    for piece in pieces:
        if piece.start:
            rtp.payload_format(name).open(piece.data)


def test_hevc_aggregate_and_fragment():
    hevc = rtp.payload_format("hevc")
    sets = [b"\x40\x01vps", b"\x42\x01sps"]
    payload = hevc.whole(sets, [0, 0], 0)
    # RFC 7798, figure 4: type 48, layer 0, temporal id 1
    assert payload.hex() == "60010005" + sets[0].hex() + "0005" + sets[1].hex()
    assert [piece.data for piece in hevc.parse(payload)] == sets
    nal = b"\x26\x01" + bytes(range(50))
    payloads = hevc.fragments(nal, 20, 0)
    assert [payload[:3].hex() for payload in payloads] == ["620193", "620113", "620153"]
    assert list(map(len, payloads)) == hevc.fragment_bytes(len(nal), 20)
    assert b"".join(hevc.parse(payload)[0].data for payload in payloads) == nal


@given(st.binary(max_size=700))
def test_side_data_survives_and_holds_no_start_code(side_data):
    nal = sei.serialise(side_data, b"\x06")
    assert sei.parse(nal, 1) == side_data
    for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"):
        assert code not in nal


def test_other_sei_is_not_side_data():
    assert sei.parse(b"\x06\x01\x01\x80", 1) is None
    assert sei.parse(b"\x06\x05\x11" + bytes(17) + b"\x80", 1) is None
    assert sei.parse(b"\x06\x05\xff\xff", 1) is None
    assert sei.parse(b"\x06", 1) is None


def test_retransmission_names_the_original():
    copy = rtp.repeat(PLAIN, sequence=7)
    header, payload = rtp.parse(copy)
    assert (header.sequence, header.timestamp) == (7, 90_000)
    header, payload = rtp.original(header, payload)
    assert (header.sequence, payload) == (65534, b"\x65payload")
    with pytest.raises(rtp.PacketError):
        rtp.original(header, b"\0")
