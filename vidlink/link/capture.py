"""Packets as a capture file (pcap), and what another program must know to read them (SDP).

To look at a capture of a run: open it in Wireshark, or ``tshark -r FILE``. Its first datagram announces the session
(SAP, RFC 2974, with an SDP), so that programs know which codec the payload type is; it is no packet of the run. Parity
packets go to port 5006, retransmissions to port 5008. Headers are whole in the capture also where the channel
compresses them.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidlink.errors import UserError
from vidlink.files.whole import write_whole
from vidlink.rtp.formats import FORMATS, payload_format
from vidlink.rtp.header import VIDEO_PAYLOAD_TYPE
from vidlink.rtp.parity import PARITY_PAYLOAD_TYPE
from vidlink.rtp.retransmission import RETRANSMISSION_PAYLOAD_TYPE
from vidlink.types import CLOCK_HZ, IPV4_BYTES, UDP_BYTES, Fate, Kind, Packets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from vidlink.types import Carried

MEDIA_PORT = 5004
"""The registered RTP port (RFC 3551, section 8)."""
_PORTS = {Kind.PARITY: MEDIA_PORT + 2, Kind.RETRANSMISSION: MEDIA_PORT + 4}

_NANOSECOND_PCAP = 0xA1B23C4D
_RAW_IP = 101
_UDP = 17
_ANNOUNCE_PORT = 9875  # of SAP
# Addresses reserved for documentation (RFC 5737).
_SENDER, _RECEIVER = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])


def write_capture(
    path: Path, packets: Packets, times_s: NDArray[np.float64], *, announcement: bytes | None = None
) -> None:
    """Write packets as a pcap file of IPv4 datagrams with nanosecond times.

    Parameters
    ----------
    path
        The file to write; one that exists is replaced.
    packets
        What to write: all that was sent, or ``packets.take(packets.fate == Fate.DELIVERED)``.
    times_s
        Capture time of each row in seconds, at least 0, shape (n,): ``send_s``, or ``arrival_s``. Rows are written in
        order of time.
    announcement
        A datagram ahead of them, at the time of the first, as :func:`announce` makes it.

    Raises
    ------
    UserError
        The file cannot be written.
    """
    nanoseconds = np.rint(1e9 * times_s).astype(np.int64)
    pieces = [struct.pack("<IHHiIII", _NANOSECOND_PCAP, 2, 4, 0, 0, 0xFFFF, _RAW_IP)]
    if announcement is not None and len(packets):
        pieces += _record(announcement, int(nanoseconds.min()))
    for row in np.argsort(nanoseconds, kind="stable").tolist():
        port = _PORTS.get(Kind(packets.kind[row]), MEDIA_PORT)
        pieces += _record(_datagram(packets.data[row], port, identification=row & 0xFFFF), int(nanoseconds[row]))
    _write(Path(path).resolve(), b"".join(pieces))


def announce(payload: str) -> bytes:
    """A datagram that says what the streams of a capture are: by it Wireshark reads them without being told.

    Parameters
    ----------
    payload
        Name of the payload format. One that the world has no name for is announced as ``X-VIDLINK``.
    """
    encoding = FORMATS[payload].encoding_name or "X-VIDLINK"
    streams = (
        (MEDIA_PORT, VIDEO_PAYLOAD_TYPE, encoding),
        (_PORTS[Kind.PARITY], PARITY_PAYLOAD_TYPE, "X-VIDLINK-PARITY"),
        (_PORTS[Kind.RETRANSMISSION], RETRANSMISSION_PAYLOAD_TYPE, "rtx"),
    )
    sender, receiver = (".".join(map(str, address)) for address in (_SENDER, _RECEIVER))
    lines = ["v=0", f"o=- 0 0 IN IP4 {sender}", "s=vidlink", f"c=IN IP4 {receiver}", "t=0 0"]
    for port, number, name in streams:
        lines += [f"m=video {port} RTP/AVP {number}", f"a=rtpmap:{number} {name}/{CLOCK_HZ}"]
    description = "".join(f"{line}\r\n" for line in lines).encode("ascii")
    # Version 1, an announcement, no authentication; any hash that is not 0; type of the content.
    header = struct.pack(">BBH", 0x20, 0, 1) + _SENDER + b"application/sdp\0"
    return _datagram(header + description, _ANNOUNCE_PORT, identification=0)


def _record(datagram: bytes, nanoseconds: int) -> tuple[bytes, bytes]:
    """A datagram as a capture has it."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return struct.pack("<IIII", seconds, rest, len(datagram), len(datagram)), datagram


def _write(path: Path, data: bytes) -> None:
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):  # maybe a pipe that somebody listens at
        try:
            path.write_bytes(data)
        except OSError as error:
            raise UserError(f"capture {path}: cannot be written ({error.strerror})") from error
    else:
        write_whole(path, lambda partial: partial.write_bytes(data))


def describe(
    payload: str,
    *,
    parameter_sets: Sequence[bytes] = (),
    interleaved: bool = False,
    port: int = MEDIA_PORT,
    payload_type: int = 96,
) -> str:
    """A session description (SDP, RFC 8866) with which players receive the video stream on this machine.

    Parameters
    ----------
    payload
        Name of the payload format, such as ``h264``.
    parameter_sets
        Sent along, so that decoding can start at once (``sprop-parameter-sets``, RFC 6184, section 8.1).
    interleaved
        Whether pictures share packets (packetization mode 2).
    port, payload_type
        Of the stream.

    Raises
    ------
    ValueError
        Other payload formats have no name that players know.
    """
    found = payload_format(payload, interleaved=interleaved)
    if found.encoding_name is None:
        described = " and ".join(name for name, each in FORMATS.items() if each.encoding_name)
        raise ValueError(f"{payload = }: only {described} have a session description")
    parameters = found.format_parameters(parameter_sets)
    lines = [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=vidlink",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        f"m=video {port} RTP/AVP {payload_type}",
        f"a=rtpmap:{payload_type} {found.encoding_name}/{CLOCK_HZ}",
        *([f"a=fmtp:{payload_type} {';'.join(parameters)}"] if parameters else []),
    ]
    return "".join(f"{line}\r\n" for line in lines)


def _datagram(data: bytes, port: int, identification: int) -> bytes:
    """An IPv4 datagram (RFC 791) with UDP (RFC 768) around an RTP packet."""
    length = UDP_BYTES + len(data)
    pseudo_header = _SENDER + _RECEIVER + struct.pack(">BBH", 0, _UDP, length)
    udp = struct.pack(">HHHH", port, port, length, 0)
    udp = udp[:6] + struct.pack(">H", _checksum(pseudo_header + udp + data) or 0xFFFF)
    ip = (
        struct.pack(">BBHHHBBH", 0x45, 0, IPV4_BYTES + length, identification, 0x4000, 64, _UDP, 0)
        + _SENDER
        + _RECEIVER
    )
    return ip[:10] + struct.pack(">H", _checksum(ip)) + ip[12:] + udp + data


def _checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    total = int(np.frombuffer(data + b"\0" * (len(data) % 2), dtype=">u2").sum(dtype=np.uint64))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Captures:
    """Collects the packets of a run and writes the captures that were asked for.

    Parameters
    ----------
    sent, received
        Files for what was sent and for what was delivered, or None.

    Raises
    ------
    UserError
        A file's folder does not exist, a file is a folder, or both are one.
    """

    def __init__(self, sent: Path | None, received: Path | None) -> None:
        for path in (sent, received):
            if path is not None and not path.parent.is_dir():
                raise UserError(f"capture {path}: cannot be written (no folder {path.parent})")
            if path is not None and path.is_dir():
                raise UserError(f"capture {path}: cannot be written (it is a folder, expected a file)")
        if sent is not None and received is not None and sent.resolve() == received.resolve():
            raise UserError(f"capture {sent}: --pcap and --pcap-received need a file each")
        self._sent, self._received = sent, received
        self._packets: list[Packets] = []
        self._announcement: bytes | None = None
        self._recovered: list[NDArray[np.bool_]] = []
        self._doubled: list[NDArray[np.bool_]] = []

    def watch(self, segments: Iterable[Carried]) -> Iterator[Carried]:
        """Let segments pass and take note of their packets."""
        for carried in segments:
            if self._sent or self._received:
                # The packets alone: with the segment all pictures of the clip would stay in memory.
                self._packets.append(carried.ledger.packets)
                self._announcement = self._announcement or announce(carried.ledger.coded.payload)
                self._recovered.append(carried.ledger.recovered)
                self._doubled.append(carried.ledger.doubled)
            yield carried

    def write(self, count: int | None = None) -> None:
        """Write the files.

        Parameters
        ----------
        count
            How many segments to write, where the run was stopped; None for all.

        Raises
        ------
        UserError
            A file cannot be written.
        """
        if not self._packets:
            return
        packets = Packets.join(self._packets[:count])
        recovered, doubled = np.concatenate(self._recovered[:count]), np.concatenate(self._doubled[:count])
        if self._sent:
            sent = packets.take(~doubled & (packets.fate != Fate.DISCARDED))
            write_capture(self._sent, sent, sent.send_s, announcement=self._announcement)
        if self._received:
            delivered = packets.take((packets.fate == Fate.DELIVERED) & ~recovered)
            write_capture(self._received, delivered, delivered.arrival_s, announcement=self._announcement)
