"""Decoding what arrived: every picture at its place, whatever was lost."""

import gc
import math

import numpy as np
import pytest
from av.sidedata.sidedata import SideDataContainer

from vidlink.codec.shelf import load_codec
from vidlink.receiver.decode import decode
from vidlink.sender.encode import encode
from vidlink.types import Rung
from vidlink.video.open import open_source

SHELF = ("x264", "x264-realtime", "x265", "vp9", "av1")


@pytest.fixture(scope="module")
def coded(tmp_path_factory, make_clip):
    """40 frames of 96x64 as one segment, by every codec of the shelf."""
    source = open_source(str(make_clip(tmp_path_factory.mktemp("decode") / "clip.mp4", count=40)))
    segment = next(source.segments(2.0))
    return {
        name: encode(segment, Rung(scale=1, quality=30), clip=source.clip, codec=load_codec(name)) for name in SHELF
    }


def pictures_of(coded, name, units):
    return decode(units, codec=load_codec(name), parameter_sets=coded[name].parameter_sets)


@pytest.mark.parametrize("name", SHELF)
def test_everything_there(coded, name):
    pictures = pictures_of(coded, name, [(unit.frame, unit.nals) for unit in coded[name].units])
    assert sorted(pictures) == list(range(40))
    assert {(p.width, p.height, p.format.name) for p in pictures.values()} == {(96, 64, "yuv420p")}


@pytest.mark.parametrize("name", SHELF)
def test_the_qp_of_each_picture_is_told_where_the_decoder_says_it(coded, name):
    units, qp = [(unit.frame, unit.nals) for unit in coded[name].units], {}
    pictures = decode(units, codec=load_codec(name), parameter_sets=coded[name].parameter_sets, qp=qp)
    assert sorted(qp) == sorted(pictures) == list(range(40))
    if name.startswith("x264"):
        assert all(20 <= each <= 40 for each in qp.values())
        assert len({round(each, 3) for each in qp.values()}) > 3
    else:
        assert all(math.isnan(each) for each in qp.values())
    plain = pictures_of(coded, name, units)
    assert all(np.array_equal(pictures[k].to_ndarray(), plain[k].to_ndarray()) for k in range(40))
    tags = ("pts", "duration", "time_base", "colorspace", "color_range", "color_primaries", "color_trc")
    assert all(getattr(pictures[k], tag) == getattr(plain[k], tag) for k in range(40) for tag in tags)


def test_pictures_whose_qp_was_asked_are_gone_once_nobody_needs_them(coded):
    units, made = [(unit.frame, unit.nals) for unit in coded["x264"].units], coded["x264"]
    pictures = decode(units, codec=load_codec("x264"), parameter_sets=made.parameter_sets, qp={})
    tied = [each for p in pictures.values() for each in gc.get_referents(p) if isinstance(each, SideDataContainer)]
    assert not tied, "they would wait for Python's collection of circles, each with its pixels"


@pytest.mark.parametrize("name", SHELF)
@pytest.mark.parametrize("seed", range(4))
def test_random_loss_never_raises_and_never_moves_a_picture(coded, name, seed):
    rng = np.random.default_rng(seed)
    units = coded[name].units
    whole = pictures_of(coded, name, [(unit.frame, unit.nals) for unit in units])
    kept = [unit for unit in units if unit.key or rng.random() > 0.15]
    found = pictures_of(coded, name, [(unit.frame, unit.nals) for unit in kept])
    assert set(found) <= {unit.frame for unit in kept}
    # Until the first loss, in decoding order, all pictures are as if nothing were lost.
    first = next(k for k, unit in enumerate(units) if unit not in kept)
    for unit in units[:first]:
        if unit.frame in found:
            assert np.array_equal(found[unit.frame].to_ndarray(), whole[unit.frame].to_ndarray())


@pytest.mark.parametrize("name", SHELF)
def test_garbage_costs_units_not_the_segment(coded, name):
    rng = np.random.default_rng(5)
    units = [(unit.frame, unit.nals) for unit in coded[name].units]
    for place in (5, 11, 12, 30):
        frame, nals = units[place]
        units[place] = frame, tuple(nal[:3] + rng.bytes(len(nal)) for nal in nals)
    found = pictures_of(coded, name, units)
    assert set(found) <= set(range(40))
    assert len(found) >= 5


@pytest.mark.parametrize("name", SHELF)
def test_truncated_units(coded, name):
    units = [(unit.frame, tuple(nal[: len(nal) // 2] for nal in unit.nals)) for unit in coded[name].units]
    assert set(pictures_of(coded, name, units)) <= set(range(40))


def test_no_units_no_pictures(coded):
    assert pictures_of(coded, "x264", []) == {}
    assert pictures_of(coded, "x264", [(0, ()), (1, ())]) == {}


def test_without_parameter_sets_nothing_decodes(coded):
    units = [(unit.frame, unit.nals) for unit in coded["x264"].units]
    assert decode(units, codec=load_codec("x264")) == {}


def test_lost_slices_are_concealed(tmp_path, make_clip):
    source = open_source(str(make_clip(tmp_path / "big.mp4", count=12, size=(320, 240), options={"crf": "5"})))
    segment, codec = next(source.segments(1.0)), load_codec("x264")
    coded = encode(segment, Rung(scale=1, quality=14), clip=source.clip, codec=codec)
    units = [(unit.frame, unit.nals) for unit in coded.units]
    several = [k for k, (_, nals) in enumerate(units) if len(nals) > 3]
    assert several, "no picture has several slices, so this tests nothing"
    frame, nals = units[several[0]]
    units[several[0]] = frame, (nals[0], *nals[2:])
    found = decode(units, codec=codec, parameter_sets=coded.parameter_sets)
    whole = decode([(u.frame, u.nals) for u in coded.units], codec=codec, parameter_sets=coded.parameter_sets)
    assert frame in found
    hurt, intact = found[frame].to_ndarray()[:240].astype(float), whole[frame].to_ndarray()[:240]
    assert 0 < np.mean(hurt != intact) < 0.9
    assert np.abs(hurt - intact).mean() < 25
