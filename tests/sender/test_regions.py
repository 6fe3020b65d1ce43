"""Regions of interest: which encoders heed them, how a map becomes regions, and what the map is made of."""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from vidlink.codec.shelf import load_codec
from vidlink.data.builtin import open_builtin
from vidlink.errors import UserError
from vidlink.faces.tracks import pack_tracks
from vidlink.files.cache import Cache
from vidlink.link.lossless import decode_all
from vidlink.link.probe import check_regions
from vidlink.recognizers.recognizer import Wants
from vidlink.scores.interest import face_interest, gradient_interest, make_interest
from vidlink.sender.encode import encode
from vidlink.sender.groups import join
from vidlink.sender.memory import Memory
from vidlink.sender.regions import checked, regions_of
from vidlink.types import Rung
from vidlink.video.open import open_source
from vidlink.video.pictures import luma


class Left:
    """Contrast within the left half."""

    name, task = "left", "contrast"
    wants = Wants(region="frame", height=64, width=96, colour="luma")
    gives = ("contrast",)

    def __call__(self, pictures, context):
        return pictures[..., :48].var(dim=(1, 2, 3))[:, None]


@pytest.fixture
def source(small_clip):
    return open_source(str(small_clip))


@pytest.fixture
def segment(source):
    return next(source.segments(0.5))


def sides_db(source, segment, codec, quality):
    """PSNR of the left and of the right half, and bytes."""
    coded = encode(segment, Rung(scale=1.0, quality=quality), clip=source.clip, codec=codec)
    shown = decode_all(coded, codec=codec)
    wrong = np.mean(
        [
            (luma(shown[segment.first_frame + k]).astype(float) - luma(frame)) ** 2
            for k, frame in enumerate(segment.frames)
        ],
        axis=0,
    )
    half = wrong.shape[1] // 2
    size = sum(len(nal) for unit in coded.units for nal in unit.nals)
    return *(10 * np.log10(255**2 / part.mean()) for part in (wrong[:, :half], wrong[:, half:])), size


@pytest.mark.parametrize("name", ["x264", "x264-realtime", "x265"])
def test_encoders_that_heed_regions_spend_less_where_nothing_matters(name):
    """On the built-in clip of 320x240: x265's units of 64 pixels are too coarse for a smaller one."""
    codec, source = load_codec(name), open_builtin()
    segment = next(source.segments(0.5))
    check_regions(codec)
    plain = sides_db(source, segment, codec, 26)
    right = replace(segment, interest=np.array([[0.0, 1.0]], np.float32))
    left_db, right_db, size = sides_db(source, right, codec, 26)
    assert left_db < plain[0] - 2
    assert abs(right_db - plain[1]) < 1.0
    assert size < 0.9 * plain[2]


@pytest.mark.parametrize("name", ["av1", "vp9"])
def test_encoders_that_ignore_regions_are_refused(source, segment, name, command, small_clip):
    codec = load_codec(name)
    marked = replace(segment, interest=np.array([[0.0, 1.0]], np.float32))
    assert sides_db(source, marked, codec, 50) == sides_db(source, segment, codec, 50)
    ended = command(small_clip, "--bitrate", "64k", "--roi", "qp", "--codec", name)
    assert ended.status == 2
    assert f"--roi qp: codec '{name}' ignores regions of interest" in ended.err
    assert ended.err.count("\n") == 1


def test_regions_cover_what_does_not_matter_once_and_nothing_else():
    rng = np.random.default_rng(1)
    interest = rng.choice([0.0, 0.5, 1.0], (9, 13)).astype(np.float32)
    covered = np.zeros((9 * 16 - 4, 13 * 16 - 6))
    for x, y, width, height, offset in regions_of(interest, width=13 * 16 - 6, height=9 * 16 - 4, strength=0.2):
        assert not covered[y : y + height, x : x + width].any()
        covered[y : y + height, x : x + width] = offset
    assert covered[8::16, 8::16] == pytest.approx(0.2 * (1 - interest))


def test_a_region_at_another_scale_lies_where_it_did():
    interest = np.zeros((8, 8), np.float32)
    interest[:, 4:] = 1
    (region,) = regions_of(interest, width=64, height=64, strength=0.2)
    assert region == (0, 0, 32, 64, 0.2)


@pytest.mark.parametrize(
    ("interest", "part"),
    [
        (np.full((2, 2), np.nan, np.float32), "not from 0 to 1"),
        (np.full((2, 2), 1.5, np.float32), "not from 0 to 1"),
        (np.full((2, 2), -0.1, np.float32), "not from 0 to 1"),
        (np.zeros(4, np.float32), "expected (rows, columns)"),
    ],
)
def test_bad_maps_are_refused(interest, part):
    with pytest.raises(UserError) as caught:
        checked(interest)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_faces_matter_where_they_are(source, segment):
    track = np.array([[40, 16, 16, 16], [56, 16, 16, 16]])
    interest = face_interest(segment, pack_tracks({0: track}), source.clip)
    assert interest.shape == (4, 6)
    assert interest[1, 2:5].tolist() == [1, 1, 1]
    assert not interest[:, 0].any()
    assert face_interest(segment, b"", source.clip) is None


def test_any_other_recognizer_says_by_its_gradient_what_matters(source, segment):
    interest = gradient_interest(segment, source.clip, Left())
    assert interest.max() == 1
    assert interest[:, :3].mean() > 0.2
    assert not interest[:, 3:].any()


def test_a_recognizer_without_a_gradient_or_with_none_that_is_finite_is_named(source, segment):
    class Hard(Left):
        def __call__(self, pictures, context):
            return pictures.detach().mean(dim=(1, 2, 3))[:, None]

    class Wild(Left):
        def __call__(self, pictures, context):
            return (pictures - pictures).sum(dim=(1, 2, 3)).sqrt()[:, None]

    with pytest.raises(UserError, match="recognizer 'left': its answer has no gradient"):
        gradient_interest(segment, source.clip, Hard())
    with pytest.raises(UserError, match="recognizer 'left': the gradient of its answer is not finite"):
        gradient_interest(segment, source.clip, Wild())
    with pytest.raises(UserError, match="--recognizer none looks at nothing"):
        make_interest(source.clip, None)


def test_each_part_of_a_group_has_its_own_map(source):
    codec = load_codec("x264")
    first, second = list(source.segments(0.5))[:2]
    marked = replace(first, interest=np.array([[0.0, 1.0]], np.float32))

    def sizes(*parts):
        whole, _ = join([(part, b"") for part in parts], 0)
        units = encode(whole, Rung(scale=1.0, quality=26), clip=source.clip, codec=codec).units
        bits = {unit.frame: sum(map(len, unit.nals)) for unit in units}
        ends = len(first.frames)
        return sum(bits[k] for k in range(ends)), sum(bits[k] for k in range(ends, len(bits)))

    assert sizes(marked, second)[0] < 0.95 * sizes(first, second)[0]


def test_what_was_coded_with_a_map_is_not_taken_for_what_was_coded_without(source, segment, tmp_path):
    memory = Memory(Cache(tmp_path, max_bytes=10**7))
    marked = replace(segment, interest=np.array([[0.0, 1.0]], np.float32))
    given = {"clip": source.clip, "codec": load_codec("x264")}
    rung = Rung(scale=1.0, quality=26.0)
    first, second = (memory.encode(each, rung, **given) for each in (segment, marked))
    assert first.units != second.units


def test_a_run_with_finer_faces(simulated, small_clip, tmp_path, monkeypatch, command):
    """At one rung, the rate falls with the background, and the budget of a plan is held."""

    def run(name, *options):
        return simulated(
            tmp_path / name, small_clip, "--recognizer", "tests_left:Left", "--no-scores", *options
        ).summary

    module = types.ModuleType("tests_left")
    module.Left = Left
    monkeypatch.setitem(sys.modules, "tests_left", module)
    fixed = ("--scale", "1", "--quality", "26")
    plain, finer = run("plain", *fixed), run("finer", *fixed, "--roi", "qp")
    assert finer["rate"]["wire_bps"] < 0.95 * plain["rate"]["wire_bps"]
    planned = run("planned", "--bitrate", "60k", "--roi", "qp")
    assert planned["recognition"]["n"] == 50
    assert planned["rate"]["utilisation"] <= 1
    live = command(
        small_clip,
        "--bitrate",
        "auto",
        "--channel",
        "satellite",
        "--roi",
        "qp",
        "--recognizer",
        "tests_left:Left",
        "--no-scores",
    )
    assert live.status == 0
