"""The learned codec: what goes in comes out, whatever is lost or damaged on the way. Its networks learned nothing."""

import sys

import av
import numpy as np
import pytest
import torch

from vidlink.codec import range_coding
from vidlink.codec.dvc import FROM_NEIGHBOURS, HEAD, INTRA, PREDICTED, DVCodec, _closed
from vidlink.codec.intra import decode_intra, encode_intra
from vidlink.codec.range_coding import Damaged, Reader, Writer
from vidlink.codec.recipe import Codec
from vidlink.codec.shelf import load_codec
from vidlink.errors import UserError
from vidlink.nets.dvc.network import DVC
from vidlink.nets.weights import Header
from vidlink.receiver.decode import decode
from vidlink.training.checkpoint import save_weights

SIZE = (70, 54)
"""Divisible by no stride."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Of a network that adds something in every layer, and learned nothing."""
    torch.manual_seed(0)
    network = DVC()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.003 * torch.randn_like(parameter)
    path = tmp_path_factory.mktemp("dvc") / "untrained.safetensors"
    save_weights(path, network.state_dict(), Header(kind="codec", network="dvc", arguments={}).to_metadata())
    return str(path)


@pytest.fixture(scope="module")
def codec(weights):
    return DVCodec(weights)


@pytest.fixture(scope="module")
def pictures():
    """Noise that moves by two pixels a picture."""
    rng = np.random.default_rng(1)
    texture = rng.integers(60, 200, (20, 30), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    made = []
    for index in range(5):
        luma = texture[: SIZE[1], 2 * index : 2 * index + SIZE[0]]
        chroma = np.full((SIZE[1] // 2, SIZE[0]), 100 + 5 * index, np.uint8)
        made.append(av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p"))
        made[-1].pts = 3600 * index + 90
    return made


@pytest.fixture(scope="module")
def units(codec, pictures):
    return codec.encode(pictures, 26)


def psnr_db(one, other):
    missed = one.to_ndarray().astype(float) - other.to_ndarray()
    return 10 * np.log10(255**2 / np.square(missed).mean())


def test_what_goes_in_comes_out_at_its_size(codec, pictures, units):
    found = codec.decode(dict(enumerate(units)))
    assert sorted(found) == list(range(5))
    assert all((picture.width, picture.height) == SIZE for picture in found.values())
    assert all(psnr_db(picture, pictures[frame]) > 30 for frame, picture in found.items())
    assert [picture.pts for picture in pictures] == [90, 3690, 7290, 10890, 14490]  # they are shared


def test_both_ends_have_the_same_pictures(codec, pictures, units, monkeypatch):
    """The decoder's last picture is what the encoder predicted the next one from, to the last bit."""
    seen = []
    inner = codec._encode_predicted

    def watch(current, reference, level):
        seen.append(reference[0])
        return inner(current, reference, level)

    monkeypatch.setattr(codec, "_encode_predicted", watch)
    assert codec.encode(pictures, 26) == units
    found = codec.decode(dict(enumerate(units)))
    for frame, reference in enumerate(seen):
        luma = found[frame].to_ndarray()[: SIZE[1]]
        assert np.array_equal((reference[0, 0, : SIZE[1], : SIZE[0]] * 255).round().byte().numpy(), luma)


def test_another_process_of_another_thread_count_reads_the_same(codec, units, weights):
    threads = torch.get_num_threads()
    before = codec.decode(dict(enumerate(units)))
    try:
        torch.set_num_threads(2)
        after = DVCodec(weights).decode(dict(enumerate(units)))
    finally:
        torch.set_num_threads(threads)
    for frame, picture in before.items():
        assert np.abs(picture.to_ndarray().astype(int) - after[frame].to_ndarray()).max() <= 1


def test_a_lower_quality_value_is_a_better_picture(codec, pictures):
    fine, coarse = (codec.encode(pictures[:2], quality) for quality in (22, 40.5))
    assert sum(map(len, fine)) > 1.5 * sum(map(len, coarse))
    assert psnr_db(codec.decode({1: fine[1], 0: fine[0]})[1], pictures[1]) > psnr_db(
        codec.decode({0: coarse[0], 1: coarse[1]})[1], pictures[1]
    )


def test_what_is_lost_costs_a_picture_and_the_rest_drifts(codec, pictures, units):
    kept = dict(enumerate(units))
    del kept[2]
    found = codec.decode(kept)
    assert sorted(found) == [0, 1, 3, 4]
    assert psnr_db(found[4], pictures[4]) > 15
    assert codec.decode({frame: units[frame] for frame in (1, 2, 3)}) == {}  # predicted from nothing
    assert codec.decode({}) == {}


@pytest.mark.parametrize("which", [0, 1])
def test_a_unit_that_is_cut_or_damaged_gives_no_picture(codec, units, which):
    unit = units[which]
    rng = np.random.default_rng(0)
    damaged = [unit[:length] for length in {0, 1, HEAD - 1, HEAD, *range(HEAD + 1, len(unit), 97), len(unit) - 1}]
    for place in rng.integers(0, len(unit), 12):
        damaged.append(unit[:place] + bytes([unit[place] ^ 1 << int(rng.integers(8))]) + unit[place + 1 :])
    for each in [*damaged, rng.bytes(300), unit + b"x"]:
        assert which not in codec.decode({0: units[0]} | {which: each})


def test_nonsense_with_a_good_checksum_breaks_nothing(codec, units):
    rng = np.random.default_rng(3)
    for size in (0, 1, 5, 400):
        found = codec.decode({0: units[0], 1: _closed(PREDICTED, 12, rng.bytes(size)), 2: units[2]})
        assert {0, 2} <= set(found)
        assert 0 not in codec.decode({0: _closed(INTRA, 12, rng.bytes(size))})


def test_the_receiver_takes_what_it_gives(weights, units):
    recipe = Codec.model_validate(
        {
            "description": "x",
            "implementation": "vidlink.codec.dvc:DVCodec",
            "options": {"weights": weights},
            "quality": {"option": "qp", "best": 20, "worst": 50, "grid": [30]},
        }
    )
    found = decode([(7, [units[0]]), (8, []), (9, [units[1][:-3]]), (10, [units[2]])], codec=recipe, size=SIZE)
    assert sorted(found) == [7, 10]


def test_numbers_come_back_from_the_range_coder():
    rng = np.random.default_rng(0)
    tables = rng.integers(0, 64, (3, 40))
    values = np.clip(np.round(rng.laplace(0, 0.04 * 1.12**tables)), -127, 127).astype(np.int64)
    values[0, :2] = -127, 127
    writer = Writer()
    writer.write(values, tables)
    writer.write(values[:1], tables[:1])
    data = writer.bytes()
    reader = Reader(data)
    assert np.array_equal(reader.read(tables), values)
    assert np.array_equal(reader.read(tables[:1]), values[:1])
    cheap = Writer()
    cheap.write(np.zeros((64, 500), np.int64), np.zeros((64, 500), np.int64))
    assert len(cheap.bytes()) <= 4


def test_nonsense_from_the_range_coder_is_numbers_or_damage():
    tables = np.random.default_rng(0).integers(0, 64, (3, 400))
    for seed in range(20):
        try:
            found = Reader(np.random.default_rng(seed).bytes(8)).read(tables)
        except Damaged:
            continue
        assert np.abs(found).max() <= 127


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(UserError, match=r"constriction is not installed: pip install 'vidlink\[learned\]'"):
        range_coding.library()


@pytest.mark.parametrize("name", ["missing.safetensors", "text.safetensors"])
def test_weights_that_are_none_are_named(tmp_path, name):
    (tmp_path / "text.safetensors").write_text("not weights")
    with pytest.raises(UserError, match=f"weights .*{name}"):
        DVCodec(str(tmp_path / name))


def test_intra_pictures_are_the_same_each_time_and_refuse_nonsense(pictures):
    unit = encode_intra(pictures[0], 30)
    assert encode_intra(pictures[0], 30) == unit
    picture = decode_intra(unit)
    assert (picture.width, picture.height) == SIZE
    assert decode_intra(b"") is None
    assert decode_intra(unit[: len(unit) // 3]) is None or decode_intra(unit[: len(unit) // 3]).width == SIZE[0]
    assert decode_intra(bytes(200)) is None


def test_the_recipe_names_it():
    codec = load_codec("dvc")
    assert codec.payload == "generic"
    assert codec.quality.rounded(31.3) == 31.5
    assert len(codec.quality.grid) >= 5


def test_a_camera_that_moves_is_told_by_neighbours(codec, units):
    assert FROM_NEIGHBOURS in {unit[0] >> 6 for unit in units}
    assert {unit[0] >> 6 for unit in units[1:]} <= {PREDICTED, FROM_NEIGHBOURS}


def test_a_value_is_what_it_costs_least_to_say():
    tables = np.array([0, 0, 40, 40])
    found = range_coding.cheapest(np.array([0.9, -1.2, 0.9, -5.6]), tables, 0.15)
    assert found.tolist() == [0, 0, 1, -6]
    assert range_coding.bits_of(found[:2], tables[:2]) < 0.01
    free = range_coding.cheapest(np.array([0.9, -1.2, 0.4, -300.0]), tables, 0.0)
    assert free.tolist() == [1, -1, 0, -127]
