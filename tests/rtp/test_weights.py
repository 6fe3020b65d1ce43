"""Weights of a restorer as bytes: what is read is what was written, and what is damaged is refused."""

import numpy as np
import pytest

from vidlink import rtp
from vidlink.rtp.adaptive import MOST, Reader, Writer
from vidlink.rtp.weights import FINEST, Damaged, Weights, noise_levels, noise_of, parse, serialise

SHAPE = (6, 9)


def drawn(seed):
    rng = np.random.default_rng(seed)
    fineness = rng.integers(0, FINEST + 1, SHAPE[0]) * (rng.random(SHAPE[0]) < 0.7)
    levels = np.rint(rng.laplace(0, rng.uniform(0.2, 20), SHAPE)).astype(np.int64)
    return Weights(levels=levels * (fineness > 0)[:, None], fineness=fineness, noise=int(rng.integers(256)))


def test_numbers_survive_the_range_coder():
    rng = np.random.default_rng(0)
    for count in range(40):
        values = [*np.rint(rng.laplace(0, rng.uniform(0.1, 30), count)).astype(int).tolist(), MOST, -MOST, 0]
        writer = Writer()
        for place, value in enumerate(values):
            writer.write(value, place % 3)
        reader = Reader(writer.bytes())
        assert [reader.read(place % 3) for place in range(len(values))] == values


def test_many_zeros_take_few_bits():
    writer = Writer()
    for place in range(1000):
        writer.write(int(place % 100 == 0))
    assert len(writer.bytes()) < 20


@pytest.mark.parametrize("seed", range(8))
def test_weights_survive(seed):
    sent = drawn(seed)
    found = parse(serialise(sent), SHAPE)
    assert (found.levels == sent.levels).all()
    assert (found.fineness == sent.fineness).all()
    assert found.noise == sent.noise
    assert (found.values == sent.levels * 0.5 ** sent.fineness[:, None]).all()


def test_noise_is_told_within_a_few_percent():
    for levels in (0.3, 1.0, 7.7, 60.0):
        assert noise_levels(noise_of(levels)) == pytest.approx(levels, rel=0.03)


def test_what_is_damaged_or_cut_is_refused():
    message = serialise(drawn(0))
    for place in range(len(message)):
        with pytest.raises(Damaged):
            parse(message[:place] + bytes([message[place] ^ 0x10]) + message[place + 1 :], SHAPE)
        with pytest.raises(Damaged):
            parse(message[:place], SHAPE)


@pytest.mark.parametrize("name", ["h264", "hevc", "generic"])
def test_every_payload_format_tells_weights_from_side_data(name):
    payload = rtp.payload_format(name)
    message = bytes(range(7)) * 60
    assert payload.open(payload.weigh(message)) == (rtp.Content.WEIGHTS, message)
    assert payload.open(payload.signal((), message)[0]) == (rtp.Content.SIDE_DATA, message)
