"""Other programs read our packets: tshark a capture of them, FFmpeg a stream of them."""

import shutil
import socket
import subprocess
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidlink import rtp
from vidlink.errors import UserError
from vidlink.link.capture import announce, describe, write_capture
from vidlink.receiver.depacketize import Depacketizer
from vidlink.sender.fec import parse_fec
from vidlink.sender.packetize import Packetizer
from vidlink.sender.protect import Protector
from vidlink.types import AccessUnit, CodedSegment, Fate, Kind, Packets, Rung

WIDTH, HEIGHT, FRAMES = 176, 144, 12
OPTIONS = {
    "h264": ("libx264", {"x264-params": "slice-max-size=1100:keyint=12:bframes=2:log-level=none"}),
    "hevc": ("libx265", {"x265-params": "keyint=12:log-level=none:info=0:pools=1:frame-threads=1"}),
}
PARAMETERS = {"h264": {7, 8}, "hevc": {32, 33, 34}}


def kind_of(nal, payload):
    return nal[0] & 0x1F if payload == "h264" else nal[0] >> 1 & 0x3F


def split(stream):
    """NAL units of a byte stream with start codes."""
    parts = stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part.rstrip(b"\0") for part in parts if part]


def encode(index, payload, quality="20"):
    """A segment of moving noise, coded for real."""
    encoder, options = OPTIONS[payload]
    context = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = {**options, "crf": quality}
    rng = np.random.default_rng(index)
    texture = rng.integers(0, 256, size=(HEIGHT * 3 // 2, WIDTH + FRAMES), dtype=np.uint8)
    packets = []
    for number in range(FRAMES):
        picture = np.ascontiguousarray(texture[:, number : number + WIDTH])
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    sets, units = [], []
    for packet in packets:
        nals = split(bytes(packet))
        sets += [nal for nal in nals if kind_of(nal, payload) in PARAMETERS[payload]]
        units.append(
            AccessUnit(
                frame=index * FRAMES + packet.pts,
                time_s=(index * FRAMES + packet.pts) / 25,
                nals=tuple(nal for nal in nals if kind_of(nal, payload) not in {*PARAMETERS[payload], 6, 39, 40}),
                key=packet.is_keyframe,
                reference=True,
            )
        )
    return CodedSegment(
        index=index,
        rung=Rung(scale=1, quality=20),
        payload=payload,
        width=WIDTH,
        height=HEIGHT,
        parameter_sets=tuple(sets),
        side_data=b"boxes\0\0\0\1",
        units=tuple(units),
        start_s=index * FRAMES / 25,
        duration_s=FRAMES / 25,
    )


@pytest.fixture(scope="module", params=["h264", "hevc"])
def segments(request):
    return [encode(index, request.param) for index in range(2)]


def decode(segments):
    """Pictures in order of presentation, as bytes."""
    codec = av.CodecContext.create(segments[0].payload, "r")
    stream = b"".join(
        b"\0\0\0\1" + nal
        for segment in segments
        for nal in (*segment.parameter_sets, *(nal for unit in segment.units for nal in unit.nals))
    )
    frames = [frame for packet in [*codec.parse(stream), *codec.parse(None)] for frame in codec.decode(packet)]
    frames += codec.decode(None)
    return [frame.to_ndarray(format="yuv420p").tobytes() for frame in frames]


def tshark(path, dissector, *arguments):
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    payload_type = ["-d", f"rtp.pt==96,{dissector}"]
    command = [program, "-r", str(path), "-d", "udp.port==5004,rtp", *payload_type, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def dissected(path, payload, packets):
    """What tshark makes of each packet: it must find RTP and the codec in all of them, and nothing wrong."""
    dissector = {"h264": "h264", "hevc": "h265"}[payload]
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    wrong = '_ws.malformed || _ws.expert.severity == "Error" || ip.checksum.status == 0 || udp.checksum.status == 0'
    assert tshark(path, dissector, *checks, "-Y", wrong) == []
    assert len(tshark(path, dissector, *checks, "-Y", "ip.checksum.status == 1 && udp.checksum.status == 1")) == len(
        packets
    )
    names = [
        "frame.protocols",
        "rtp.seq",
        "rtp.timestamp",
        "rtp.marker",
        "frame.time_epoch",
        f"{dissector}.nal_unit_type",
    ]
    if payload == "h264":
        names += ["h264.nal_unit_hdr", "h264.don"]
    fields = [argument for name in names for argument in ("-e", name)]
    rows = [line.split("\t") for line in tshark(path, dissector, "-T", "fields", *fields)]
    assert all(f"rtp:{dissector}" in row[0] for row in rows)
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.mark.parametrize("aggregate_s", [0.0, 0.2])
@pytest.mark.parametrize("mtu", [1500, 400])
def test_tshark_decodes_what_was_sent(tmp_path, segments, aggregate_s, mtu):
    payload = segments[0].payload
    packetizer = Packetizer(mtu=mtu, aggregate_s=aggregate_s, rng=np.random.default_rng(1))
    packets = Packets.join([packetizer.packetize(segment) for segment in segments])
    write_capture(tmp_path / "sent.pcap", packets, packets.send_s)
    rows = dissected(tmp_path / "sent.pcap", payload, packets)
    assert [int(row["rtp.seq"]) for row in rows] == (packets.sequence & 0xFFFF).tolist()
    assert [float(row["frame.time_epoch"]) for row in rows] == pytest.approx(packets.send_s.tolist(), abs=1e-6)
    if payload == "h264":
        types = {row["h264.nal_unit_hdr"].split(",")[0] for row in rows}
        assert (
            types == ({"24", "1", "5"} if mtu == 1500 else {"24", "1", "28"}) if not aggregate_s else {"25", "28", "29"}
        )
    marked = sum(row["rtp.marker"] in ("1", "True") for row in rows)
    assert marked == sum(data[1] >> 7 for data in packets.data)
    if not aggregate_s:
        assert marked == 2 * FRAMES


def test_tshark_reads_pictures_that_share_packets(tmp_path):
    segment = encode(0, "h264", quality="51")
    packets = Packetizer(aggregate_s=0.5).packetize(segment)
    write_capture(tmp_path / "sent.pcap", packets, packets.send_s)
    rows = dissected(tmp_path / "sent.pcap", "h264", packets)
    assert any(row["h264.nal_unit_hdr"].startswith("26,") for row in rows)
    assert len(packets) < FRAMES


def test_delivered_packets_in_order_of_arrival(tmp_path, segments):
    payload = segments[0].payload
    packets = Packets.join([Packetizer().packetize(segments[0])])
    packets.arrival_s[:] = packets.send_s + np.random.default_rng(0).exponential(0.1, size=len(packets))
    packets.fate[:] = Fate.DELIVERED
    packets.fate[3] = Fate.LOST
    delivered = packets.take(packets.fate == Fate.DELIVERED)
    write_capture(tmp_path / "received.pcap", delivered, delivered.arrival_s)
    rows = dissected(tmp_path / "received.pcap", payload, delivered)
    assert [float(row["frame.time_epoch"]) for row in rows] == pytest.approx(np.sort(delivered.arrival_s), abs=1e-6)
    assert sorted(int(row["rtp.seq"]) for row in rows) == delivered.sequence.tolist()


def test_parity_has_a_port_of_its_own(tmp_path, segments):
    packets = Protector(parse_fec("xor:k=4")).protect(Packetizer(mtu=1400).packetize(segments[0]))
    write_capture(tmp_path / "sent.pcap", packets, packets.send_s)
    ports = tshark(tmp_path / "sent.pcap", "h264", "-T", "fields", "-e", "udp.dstport")
    assert [port == "5006" for port in ports] == (packets.kind == Kind.PARITY).tolist()


def test_a_capture_that_cannot_be_written(tmp_path, segments):
    packets = Packetizer().packetize(segments[0])
    for path in (tmp_path / "none" / "sent.pcap", tmp_path):
        with pytest.raises(UserError, match="cannot be written"):
            write_capture(path, packets, packets.send_s)


def read_capture(path, cut):
    """RTP packets of a capture, each cut to so many bytes."""
    data, position, packets = Path(path).read_bytes(), 24, []
    while position < len(data):
        size = int.from_bytes(data[position + 8 : position + 12], "little")
        packets.append(data[position + 16 + 28 : position + 16 + min(size, cut)])
        position += 16 + size
    return packets


@pytest.mark.parametrize("cut", [65535, 200, 60, 45, 41])
def test_captured_and_truncated_packets_are_read(tmp_path, segments, cut):
    payload = segments[0].payload
    packets = Packetizer().packetize(segments[0])
    write_capture(tmp_path / "sent.pcap", packets, packets.send_s)
    packets.fate[:] = Fate.DELIVERED
    packets.arrival_s[:] = packets.send_s
    packets.data[:] = read_capture(tmp_path / "sent.pcap", cut)
    depacketizer = Depacketizer(payload=payload)
    units = depacketizer.depacketize(packets)
    sent = {nal for unit in segments[0].units for nal in unit.nals}
    got = {nal for unit in units for nal in unit.nals}
    assert got <= sent
    assert depacketizer.malformed == (packets.bytes > cut).sum()
    assert (got == sent) == (cut == 65535)


def listening(port):
    """Whether somebody has bound a UDP port of this machine."""
    table = Path("/proc/net/udp")
    return not table.exists() or f":{port:04X} " in table.read_text()


@pytest.mark.parametrize("mtu", [1500, 500])
def test_ffmpeg_receives_bit_exact_pictures(tmp_path, segments, mtu):
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    payload = segments[0].payload
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1] & ~1
    (tmp_path / "stream.sdp").write_text(
        describe(payload, parameter_sets=segments[0].parameter_sets, port=port), newline=""
    )
    expected = decode(segments)
    assert len(expected) == 2 * FRAMES
    command = [program, "-loglevel", "error", "-protocol_whitelist", "file,udp,rtp", "-buffer_size", "2000000"]
    command += ["-i", "stream.sdp", "-vsync", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-y", "received.yuv"]
    packetizer = Packetizer(mtu=mtu, rng=np.random.default_rng(7))
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as receiver:
        try:
            patience = time.monotonic() + 20
            while not listening(port) and time.monotonic() < patience:
                time.sleep(0.02)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for segment in segments:
                    for data in packetizer.packetize(segment).data:
                        sender.sendto(data, ("127.0.0.1", port))
                        time.sleep(0.001)
                time.sleep(0.2)
                # An empty report and a goodbye (RFC 3550, sections 6.4.2 and 6.6): the stream is over.
                ssrc = packetizer.ssrc.to_bytes(4)
                sender.sendto(b"\x80\xc9\0\1" + ssrc + b"\x81\xcb\0\1" + ssrc, ("127.0.0.1", port + 1))
            _, errors = receiver.communicate(timeout=20)
        finally:
            receiver.kill()
    received = (tmp_path / "received.yuv").read_bytes()
    size = WIDTH * HEIGHT * 3 // 2
    pictures = [received[start : start + size] for start in range(0, len(received), size)]
    assert len(pictures) == len(expected), errors.decode()
    assert pictures == expected


def test_reads_what_ffmpeg_sends(tmp_path, segments):
    """The other way round: FFmpeg makes the packets, our depacketizer reads them."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    payload = segments[0].payload
    nals = [
        nal
        for segment in segments
        for nal in (*segment.parameter_sets, *(nal for unit in segment.units for nal in unit.nals))
    ]
    (tmp_path / "stream").write_bytes(b"".join(b"\0\0\1" + nal for nal in nals))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.5)
        address = f"rtp://127.0.0.1:{receiver.getsockname()[1]}?pkt_size=500"
        command = [program, "-loglevel", "error", "-re", "-f", payload, "-r", "50", "-i", "stream", "-c", "copy"]
        done = subprocess.run(
            [*command, "-f", "rtp", address], cwd=tmp_path, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        datagrams = []
        try:
            while True:
                datagrams.append(receiver.recv(65536))
        except TimeoutError:
            pass
    count = len(datagrams)
    assert count > len(nals)
    row = Packetizer().packetize(segments[0]).take(np.zeros(count, dtype=np.int64))
    packets = replace(
        row,
        kind=np.full(count, Kind.VIDEO, dtype=np.uint8),
        bytes=np.array([len(data) + 28 for data in datagrams]),
        data=datagrams,
        arrival_s=np.arange(count) / 1000,
        fate=np.full(count, Fate.DELIVERED, dtype=np.uint8),
    )
    header, _ = rtp.parse(datagrams[0])
    depacketizer = Depacketizer(payload=payload, timestamp_offset=header.timestamp, sequence_offset=header.sequence)
    units = depacketizer.depacketize(packets)
    assert [nal for unit in units for nal in unit.nals] == [
        nal for segment in segments for unit in segment.units for nal in unit.nals
    ]
    assert set(segments[0].parameter_sets) <= set(units[0].parameter_sets)
    assert all(unit.complete for unit in units)


@pytest.mark.parametrize(("payload", "name"), [("h264", "H264"), ("hevc", "H265"), ("generic", "X-VIDLINK")])
def test_an_announced_capture_needs_no_rules_by_hand(payload, name, tmp_path):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    coded = encode(0, "h264" if payload == "generic" else payload)
    packets = Packetizer().packetize(replace(coded, payload=payload))
    write_capture(tmp_path / "sent.pcap", packets, packets.send_s, announcement=announce(payload))
    command = [
        "tshark",
        "-r",
        str(tmp_path / "sent.pcap"),
        "-T",
        "fields",
        "-e",
        "_ws.col.Info",
        "-e",
        "frame.protocols",
    ]
    first, *rows = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    assert "sap:sdp" in first
    assert len(rows) == len(packets)
    assert all(f"PT={name}" in row and ":rtp" in row for row in rows)


def test_other_formats_have_no_description():
    with pytest.raises(ValueError, match="generic"):
        describe("generic")
    assert "packetization-mode=2" in describe("h264", interleaved=True)
