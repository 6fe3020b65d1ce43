"""Real packets are read, written again byte for byte, and refused where they are cut; see ``make_fixtures.py``."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vidlink import rtp
from vidlink.rtp import erasure, parity

FOLDER = Path(__file__).parent / "fixtures"
FORMATS = ("h264", "hevc", "generic")
WHOLE = ("h264-single", "h264-aggregate", "h264-times", "hevc-single", "hevc-aggregate")
WHOLE += ("generic-single", "generic-aggregate")
FRAGMENTS = [f"{name}-{part}" for name in FORMATS for part in ("first", "middle", "last")] + ["h264-numbered"]
OTHERS = ["parity", "retransmission", "header"]


def packet(name):
    return (FOLDER / f"{name}.rtp").read_bytes()


def format_of(name):
    return rtp.payload_format(name.partition("-")[0], interleaved=name in ("h264-times", "h264-numbered"))


def read(name, data):
    """All that a receiver reads of a packet."""
    header, payload = rtp.parse(data)
    if name == "parity":
        return parity.parse_parity(payload)
    if name == "retransmission":
        return rtp.original(header, payload)
    return rtp.payload_format("h264" if name == "header" else name.partition("-")[0]).parse(payload)


def test_every_fixture_is_tested_and_has_its_cut_one():
    names = {path.stem for path in FOLDER.iterdir()}
    assert names == {f"{name}{cut}" for name in [*WHOLE, *FRAGMENTS, *OTHERS] for cut in ("", "-cut")}
    assert max(path.stat().st_size for path in FOLDER.iterdir()) <= 300


@pytest.mark.parametrize("name", [*WHOLE, *FRAGMENTS, *OTHERS])
def test_a_cut_packet_raises_what_it_should(name):
    whole, cut = packet(name), packet(f"{name}-cut")
    assert whole.startswith(cut)
    assert read(name, whole)
    with pytest.raises(rtp.PacketError):
        read(name, cut)


@pytest.mark.parametrize("name", [*WHOLE, *FRAGMENTS, "parity", "retransmission"])
def test_the_header_is_written_as_it_was_read(name):
    data = packet(name)
    assert rtp.serialise(*rtp.parse(data)) == data


def test_sources_extension_and_padding_are_passed_over():
    assert rtp.parse(packet("header")) == rtp.parse(packet("h264-single"))
    assert len(packet("header")) == len(packet("h264-single")) + 8 + 8 + 3


@pytest.mark.parametrize("name", WHOLE)
def test_whole_units_are_written_as_they_were_read(name):
    _, payload = rtp.parse(packet(name))
    pieces = format_of(name).parse(payload)
    assert (len(pieces) > 1) == (not name.endswith("single"))
    assert all(piece.start and piece.end for piece in pieces)
    nals, offsets = [piece.data for piece in pieces], [piece.offset for piece in pieces]
    assert format_of(name).whole(nals, offsets, pieces[0].don or 0) == payload
    times = name in ("h264-times", "generic-aggregate")
    assert bool(max(offsets)) == times
    found = {format_of(name).open(nal)[0] for nal in nals}
    of_pictures = times or name.endswith("single")
    assert found == ({rtp.Content.PICTURE} if of_pictures else {rtp.Content.PARAMETER_SET, rtp.Content.SIDE_DATA})


@pytest.mark.parametrize("name", FORMATS)
def test_fragments_are_written_as_they_were_read(name):
    payloads = [rtp.parse(packet(f"{name}-{part}"))[1] for part in ("first", "middle", "last")]
    found = [piece for payload in payloads for piece in format_of(name).parse(payload)]
    assert [(piece.start, piece.end) for piece in found] == [(True, False), (False, False), (False, True)]
    nal = b"".join(piece.data for piece in found)
    assert format_of(name).fragments(nal, max(map(len, payloads)), 0) == payloads
    assert format_of(name).open(nal)[0] is rtp.Content.PICTURE


def test_a_numbered_fragment_says_its_decoding_order():
    _, payload = rtp.parse(packet("h264-numbered"))
    (piece,) = format_of("h264-numbered").parse(payload)
    assert (piece.start, piece.end) == (True, False)
    rest = b"rest of it"
    made = format_of("h264-numbered").fragments(piece.data + rest, len(payload), piece.don)
    assert made[0] == payload


def test_parity_gives_each_of_its_sources_back():
    header, payload = rtp.parse(packet("parity"))
    read = parity.parse_parity(payload)
    assert parity.serialise_parity(read) == payload
    assert (header.ssrc, header.payload_type) == (parity.PARITY_SSRC, parity.PARITY_PAYLOAD_TYPE)
    sources = [packet(f"h264-{part}") for part in ("first", "middle", "last")]
    assert read.base == rtp.parse(sources[0])[0].sequence
    width = len(read.symbol)
    symbols = dict(enumerate(parity.stack([parity.symbol_of(each) for each in sources], width)))
    symbols[3] = np.frombuffer(read.symbol, dtype=np.uint8)
    for lost, source in enumerate(sources):
        known = {place: symbol for place, symbol in symbols.items() if place != lost}
        solved = erasure.decode(known, read.sources, read.count, width)[lost].tobytes()
        lost_header, _ = rtp.parse(source)
        assert parity.packet_from(solved, sequence=lost_header.sequence, ssrc=lost_header.ssrc) == source


def test_a_retransmission_is_of_its_original():
    copy, original = packet("retransmission"), packet("h264-single")
    header, payload = rtp.parse(copy)
    assert rtp.repeat(original, sequence=header.sequence) == copy
    meant, inside = rtp.original(header, payload)
    first, data = rtp.parse(original)
    assert (meant.sequence, meant.timestamp, meant.marker, inside) == (first.sequence, first.timestamp, True, data)


def test_the_script_that_made_them_still_makes_packets_of_these_kinds(tmp_path):
    script = Path(__file__).parent / "make_fixtures.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.iterdir()}
