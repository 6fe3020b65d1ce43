"""Coded segments: closed, complete, without ballast, and decodable by others."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidlink.codec.recipe import Codec
from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.receiver.decode import decode
from vidlink.sender.encode import encode
from vidlink.sender.ladder import coded_size
from vidlink.types import Rung
from vidlink.video.open import open_source

SHELF = ("x264", "x264-realtime", "x265", "vp9", "av1")
START = b"\x00\x00\x00\x01"
X264 = {
    "description": "x",
    "encoder": "libx264",
    "decoder": "h264",
    "payload": "h264",
    "quality": {"option": "crf", "best": 10, "worst": 51, "grid": [30]},
}


@pytest.fixture(scope="module")
def source(tmp_path_factory, make_clip):
    """144x96, 36 frames."""
    return open_source(str(make_clip(tmp_path_factory.mktemp("encode") / "clip.mp4", count=36, size=(144, 96))))


@pytest.fixture(scope="module")
def coded(source):
    """The second segment (18 frames from 18 on) at scale 1 by every codec of the shelf."""
    segment = list(source.segments(0.72))[1]
    assert segment.first_frame == 18

    def code(name, **keywords):
        rung = Rung(**{"scale": 1, "quality": 36, **keywords})
        return encode(segment, rung, clip=source.clip, codec=load_codec(name))

    return code


@pytest.mark.parametrize("name", SHELF)
def test_one_unit_a_picture_one_key_frame_parameter_sets_once(coded, name):
    found = coded(name)
    assert sorted(unit.frame for unit in found.units) == list(range(18, 36))
    assert all(unit.time_s == pytest.approx(unit.frame / 25) for unit in found.units)
    assert found.units[0].key
    assert found.units[0].frame == 18
    assert found.units[0].reference
    assert all(unit.nals and all(unit.nals) for unit in found.units)
    assert bool(found.parameter_sets) == (found.payload != "generic")
    if name != "x264-realtime":
        assert sum(unit.key for unit in found.units) == 1
    bits = 8 * sum(len(nal) for unit in found.units for nal in unit.nals)
    assert found.payload_bits == bits + 8 * sum(map(len, found.parameter_sets))


@pytest.mark.parametrize("name", SHELF)
@pytest.mark.parametrize("scale", [1, 1.5])
def test_the_machines_ffmpeg_decodes_the_same_pictures(coded, ffmpeg, tmp_path, name, scale):
    found = coded(name, scale=scale)
    codec = load_codec(name)
    mine = decode([(unit.frame, unit.nals) for unit in found.units], codec=codec, parameter_sets=found.parameter_sets)
    assert sorted(mine) == list(range(18, 36))
    if found.payload == "generic":
        path = tmp_path / "stream.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream({"vp9": "libvpx-vp9", "libdav1d": "libsvtav1"}[codec.decoder], rate=25)
            stream.width, stream.height, stream.pix_fmt = found.width, found.height, "yuv420p"
            for number, unit in enumerate(found.units):
                packet = av.Packet(unit.nals[0])
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 25), unit.key
                packet.pts = packet.dts = number
                container.mux(packet)
    else:
        path = tmp_path / ("stream.264" if found.payload == "h264" else "stream.hevc")
        nals = [*found.parameter_sets, *(nal for unit in found.units for nal in unit.nals)]
        path.write_bytes(b"".join(START + nal for nal in nals))
    raw = ffmpeg("-i", path, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
    width, height = coded_size(144, 96, scale)
    assert (found.width, found.height) == (width, height)
    theirs = np.frombuffer(raw, np.uint8).reshape(-1, height * 3 // 2, width)
    assert len(theirs) == 18
    for frame, other in zip(sorted(mine), theirs, strict=True):
        assert np.array_equal(mine[frame].to_ndarray(), other)


@pytest.mark.parametrize("name", ["x264", "x264-realtime", "x265"])
def test_no_advertisement_no_delimiters_no_start_codes(coded, name):
    found = coded(name)
    for unit in found.units:
        for nal in unit.nals:
            assert START[1:] not in nal
            kind = nal[0] & 31 if found.payload == "h264" else nal[0] >> 1 & 63
            assert kind not in ((7, 8, 9) if found.payload == "h264" else (32, 33, 34, 35))
            assert b"x264" not in nal
            assert b"x265" not in nal


@pytest.mark.parametrize("name", ["x264", "x264-realtime"])
def test_slices_fit_a_packet(source, name):
    segment = next(source.segments(0.72))
    found = encode(segment, Rung(scale=1, quality=10), clip=source.clip, codec=load_codec(name))
    sizes = [len(nal) for unit in found.units for nal in unit.nals]
    assert max(sizes) <= 1400
    assert len(found.units[0].nals) > 1


def test_reference_flags_are_those_of_the_slices(coded):
    found = coded("x264")
    for unit in found.units:
        slices = [nal for nal in unit.nals if 1 <= nal[0] & 31 <= 5]
        assert slices
        assert unit.reference == any(nal[0] >> 5 & 3 for nal in slices)
    assert not all(unit.reference for unit in found.units), "no B-frames, so this tests little"


def test_leaving_out_what_is_no_reference_changes_no_other_picture(coded):
    found = coded("x264")
    codec = load_codec("x264")
    sets = found.parameter_sets
    whole = decode([(unit.frame, unit.nals) for unit in found.units], codec=codec, parameter_sets=sets)
    less = decode([(u.frame, u.nals) for u in found.units if u.reference], codec=codec, parameter_sets=sets)
    assert set(less) == {unit.frame for unit in found.units if unit.reference}
    for frame, picture in less.items():
        assert np.array_equal(picture.to_ndarray(), whole[frame].to_ndarray())


@pytest.mark.parametrize("divisor", [2, 3, 5])
def test_frame_divisor_codes_every_nth_frame(coded, divisor):
    found = coded("x264", frame_divisor=divisor)
    assert sorted(unit.frame for unit in found.units) == list(range(18, 36, divisor))


def test_adaptive_quantization_at_strength_0_only_opens_the_door_for_regions(source):
    """The stream is that without it, until a frame says where finer quality is wanted."""
    segment, mine = next(source.segments(0.72)), load_codec("x264")
    params = mine.options["x264-params"]
    assert "aq-mode=1:aq-strength=0" in params
    without = mine.model_copy(
        update={"options": {**mine.options, "x264-params": params.replace("aq-mode=1:aq-strength=0", "aq-mode=0")}}
    )
    rung = Rung(scale=1, quality=36)
    found, plain = (encode(segment, rung, clip=source.clip, codec=codec) for codec in (mine, without))
    assert found == plain


def test_coding_again_gives_the_same_bytes(coded):
    for name in SHELF:
        assert coded(name) == coded(name), name


_DIGEST = """
import hashlib, sys
from vidlink.codec.shelf import load_codec
from vidlink.sender.encode import encode
from vidlink.types import Rung
from vidlink.video.open import open_source
source = open_source(sys.argv[1])
for name in ("x264", "x264-realtime", "x265", "vp9", "av1"):
    for scale in (1, 1.5):
        for segment in source.segments(0.72):
            coded = encode(segment, Rung(scale=scale, quality=34), clip=source.clip, codec=load_codec(name))
            print(name, scale, hashlib.sha256(repr(coded.units).encode()).hexdigest())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc's MALLOC_PERTURB_")
def test_what_memory_held_before_does_not_matter(tmp_path, make_clip):
    """Encoders that read what nobody wrote (x264 with AVX-512) give other bytes from run to run."""
    clip = make_clip(tmp_path / "clip.mp4", count=36, size=(160, 128))
    found = {
        subprocess.run(
            [sys.executable, "-c", _DIGEST, str(clip)],
            env={**os.environ, "MALLOC_PERTURB_": filling},
            cwd=Path(__file__).parents[2],
            check=True,
            capture_output=True,
        ).stdout
        for filling in ("0", "170")
    }
    assert len(found) == 1


def test_a_higher_quality_knob_means_fewer_bits(coded):
    for name in SHELF:
        bits = [coded(name, quality=quality).payload_bits for quality in (20, 36, 51)]
        assert bits[0] > bits[1] > bits[2], name


@pytest.mark.parametrize("name", SHELF)
def test_small_pictures_do_not_break_the_encoder(source, name):
    """x265 with cutree spoils the heap at these sizes, so the process would be gone."""
    codec = load_codec(name)
    for segment in source.segments(0.72):
        for scale in (1.5, 2, 3, 4, 6):
            if min(coded_size(144, 96, scale)) >= codec.min_side:
                for quality in (20, 51):
                    encode(segment, Rung(scale=scale, quality=quality), clip=source.clip, codec=codec)


def test_side_data_travels_and_counts(source):
    segment = next(source.segments(0.72))
    rung, codec = Rung(scale=2, quality=40), load_codec("x264")
    plain = encode(segment, rung, clip=source.clip, codec=codec)
    more = encode(segment, rung, clip=source.clip, codec=codec, side_data=b"12345")
    assert more.side_data == b"12345"
    assert more.payload_bits == plain.payload_bits + 40


def test_segments_can_be_coded_beside_each_other(source):
    from concurrent.futures import ThreadPoolExecutor

    segments, codec, rung = list(source.segments(0.36)), load_codec("x264"), Rung(scale=2, quality=30)

    def code(segment):
        return encode(segment, rung, clip=source.clip, codec=codec)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(code, segments)) == [code(segment) for segment in segments]


def test_the_source_is_not_touched(source):
    segment = next(source.segments(0.72))
    before = [(frame.pts, frame.to_ndarray().tobytes()) for frame in segment.frames]
    for scale in (1, 2):
        encode(segment, Rung(scale=scale, quality=30), clip=source.clip, codec=load_codec("x264"))
    assert [(frame.pts, frame.to_ndarray().tobytes()) for frame in segment.frames] == before


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"encoder": "libnothing"}, ("libnothing", "no encoder", "program")),
        ({"encoder": "pcm_s16le"}, ("pcm_s16le",)),
        ({"options": {"preset": "warp"}}, ("libx264 refused", "warp")),
    ],
)
def test_recipes_that_the_encoder_refuses(source, change, parts):
    codec = Codec.model_validate({**X264, "name": "mine", **change})
    segment = next(source.segments(0.72))
    with pytest.raises(UserError) as error:
        encode(segment, Rung(scale=1, quality=30), clip=source.clip, codec=codec)
    for part in ("mine", *parts):
        assert part in str(error.value)
