"""Makes the packets in ``tests/rtp/fixtures``: real ones, of our own encoder and packetizer, and the same cut short.

    python tests/rtp/make_fixtures.py [FOLDER]

A file is one RTP packet. Other versions of the encoders give other bytes; the tests ask only that what is in the files
is read as it was meant.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vidlink.codec.shelf import load_codec
from vidlink.rtp import repeat
from vidlink.sender.encode import encode
from vidlink.sender.fec import parse_fec
from vidlink.sender.packetize import Packetizer
from vidlink.sender.protect import Protector
from vidlink.types import CLOCK, IPV4_UDP_RTP_BYTES, RTP_BYTES, Clip, Kind, Rung, Segment

FOLDER = Path(__file__).parent / "fixtures"
FRAME_RATE = Fraction(25)
WIDTH, HEIGHT = 64, 48


def clip() -> tuple[Clip, Segment]:
    """A fifth of a second of a pattern that moves, small enough for packets of a few hundred bytes."""
    frames = []
    for index in range(5):
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
        luma = 128 + 60 * np.sin((columns + 2 * index) / 5) * np.cos(rows / 4)
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        planes[:HEIGHT] = luma.round()
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = round(index / FRAME_RATE / CLOCK), CLOCK
        frames.append(frame)
    whole = Clip(name="x", width=WIDTH, height=HEIGHT, frame_rate=FRAME_RATE, pixel_format="yuv420p", seconds=0.2)
    times_s = np.arange(5) / 25
    return whole, Segment(index=0, first_frame=0, frames=tuple(frames), times_s=times_s, duration_s=0.2, last=True)


def packets_of(codec: str, quality: float, *, aggregate_s: float = 0.0, fragments: int = 0) -> list[tuple[Kind, bytes]]:
    """Packets of the clip, their kinds beside them; the key picture in so many fragments, or all whole."""
    whole, segment = clip()
    coded = encode(segment, Rung(scale=1, quality=quality), clip=whole, codec=load_codec(codec), side_data=b"faces")
    largest = max(len(nal) for nal in coded.units[0].nals)
    mtu = IPV4_UDP_RTP_BYTES + (largest // fragments + 5 if fragments else 1400)
    packets = Packetizer(mtu=mtu, aggregate_s=aggregate_s, rng=np.random.default_rng(5)).packetize(coded)
    if fragments:
        packets = Protector(parse_fec("rs:k=3,n=4")).protect(packets)
    return [(Kind(kind), bytes(data)) for kind, data in zip(packets.kind, packets.data, strict=True)]


def made() -> dict[str, bytes]:
    """Every packet by the name of its file."""
    found = {}
    for name, codec, quality in (("h264", "x264", 40), ("hevc", "x265", 40), ("generic", "vp9", 50)):
        whole = packets_of(codec, quality)
        pictures = [data for kind, data in whole if kind == Kind.VIDEO]
        found[f"{name}-single"] = min(pictures, key=len)
        split = packets_of(codec, quality, fragments=3)
        video = [data for kind, data in split if kind == Kind.VIDEO]
        found |= dict(zip((f"{name}-first", f"{name}-middle", f"{name}-last"), video[:3], strict=True))
        if name != "generic":
            found[f"{name}-aggregate"] = next(data for kind, data in whole if kind == Kind.PARAMETERS)
        if name == "h264":
            found["parity"] = next(data for kind, data in split if kind == Kind.PARITY)
    # Pictures of several times in one packet: MTAP16 in H.264, our own aggregate elsewhere.
    for name, codec, quality in (("h264-times", "x264", 51), ("generic-aggregate", "vp9", 63)):
        shared = [data for kind, data in packets_of(codec, quality, aggregate_s=0.2) if kind == Kind.VIDEO]
        found[name] = shared[-1]
    numbered = packets_of("x264", 40, aggregate_s=0.2, fragments=3)
    found["h264-numbered"] = next(data for kind, data in numbered if kind == Kind.VIDEO)
    found["retransmission"] = repeat(found["h264-single"], sequence=7)
    found["header"] = extended(found["h264-single"])
    return found


def extended(packet: bytes) -> bytes:
    """The packet with two contributing sources, a header extension of one word, and three bytes of padding."""
    first = packet[0] | 0x20 | 0x10 | 2
    sources, extension = bytes.fromhex("0000000a0000000b"), bytes.fromhex("bede000110aa0000")
    return bytes([first]) + packet[1:RTP_BYTES] + sources + extension + packet[RTP_BYTES:] + b"\0\0\3"


def cut(name: str, packet: bytes) -> bytes:
    """The packet cut where a reader must notice it.

    Where a NAL unit or a fragment ends no payload format says; so these are cut to less than their headers.
    """
    if name == "header":
        return packet[: RTP_BYTES + 8 + 2]
    if name.endswith(("aggregate", "times")):
        return packet[:-1]
    kept = {"parity": 12, "retransmission": 1, "h264-single": 0, "h264-numbered": 4}
    own = {"h264": 2, "hevc": 3, "generic": 1}
    size = kept.get(name, 2 if name == "hevc-single" else own.get(name.partition("-")[0], 0))
    return packet[: RTP_BYTES + size]


def main() -> None:
    """The command."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(exist_ok=True)
    for name, packet in made().items():
        (folder / f"{name}.rtp").write_bytes(packet)
        (folder / f"{name}-cut.rtp").write_bytes(cut(name, packet))


if __name__ == "__main__":
    main()
