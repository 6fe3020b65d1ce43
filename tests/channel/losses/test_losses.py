"""Loss models against their closed forms, within three standard deviations (seeds fixed)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.channel.losses import Bernoulli, BitErrors, GilbertElliott, NoLoss, Recorded
from vidlink.channel.losses.bernoulli import BernoulliLoss
from vidlink.channel.losses.bit_errors import BitErrorLoss
from vidlink.channel.losses.gilbert_elliott import GilbertElliottLoss
from vidlink.channel.losses.recorded import RecordedLoss, read_recorded
from vidlink.errors import UserError

COUNT = 400_000
SIZES = np.full(COUNT, 1000)


def bursts(lost):
    """Lengths of runs of losses."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(np.int8), [0]))))
    return edges[1::2] - edges[::2]


def close(measured, expected, deviation):
    assert abs(measured - expected) <= 3 * deviation, (measured, expected, deviation)


@pytest.mark.parametrize("probability", [0.0, 0.02, 0.3, 1.0])
def test_bernoulli(probability):
    lost = BernoulliLoss(probability, np.random.default_rng(1)).lost(SIZES)
    close(lost.mean(), probability, (probability * (1 - probability) / COUNT) ** 0.5)
    if 0 < probability < 1:
        runs = bursts(lost)
        close(runs.mean(), 1 / (1 - probability), (probability / (1 - probability) ** 2 / len(runs)) ** 0.5)


@pytest.mark.parametrize(
    ("p", "r", "h", "k"), [(0.01, 0.25, 0.0, 1.0), (0.05, 0.5, 0.2, 0.99), (0.7, 0.8, 0.1, 0.9), (0.4, 0.6, 0.0, 1.0)]
)
def test_gilbert_elliott_loses_what_it_should(p, r, h, k):
    lost = GilbertElliottLoss(p, r, h, k, rng=np.random.default_rng(2)).lost(SIZES)
    bad = p / (p + r)
    mean = (1 - bad) * (1 - k) + bad * (1 - h)
    # The states' correlation from packet to packet is 1 - p - r, which widens the variance of the mean.
    memory = 1 - p - r
    spread = bad * (1 - bad) * (k - h) ** 2 * (1 + memory) / (1 - memory)
    noise = (1 - bad) * k * (1 - k) + bad * h * (1 - h)
    close(lost.mean(), mean, ((spread + noise) / COUNT) ** 0.5)


@pytest.mark.parametrize(("mean_loss", "mean_burst"), [(0.05, 4.0), (0.2, 1.5), (0.5, 10.0), (0.01, 1.0101010101)])
def test_gilbert_elliott_from_means(mean_loss, mean_burst):
    settings = GilbertElliott(model="gilbert-elliott", mean_loss=mean_loss, mean_burst=mean_burst)
    p, r, h, k = settings.chances()
    lost = GilbertElliottLoss(p, r, h, k, rng=np.random.default_rng(3)).lost(SIZES)
    memory = 1 - p - r
    close(lost.mean(), mean_loss, (mean_loss * (1 - mean_loss) * (1 + memory) / (1 - memory) / COUNT) ** 0.5)
    runs = bursts(lost)
    close(runs.mean(), mean_burst, ((1 - r) / r**2 / len(runs)) ** 0.5)
    # Lengths of bursts are geometric: P(length = n) = r (1 - r)^(n - 1).
    for length in (1, 2, 3):
        expected = r * (1 - r) ** (length - 1)
        close((runs == length).mean(), expected, (expected * (1 - expected) / len(runs)) ** 0.5)


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_gilbert_elliott_is_the_chain_step_by_step(p, r, seed):
    model = GilbertElliottLoss(p, r, rng=np.random.default_rng(seed))
    bad = model._bad
    steps = np.random.default_rng(seed).spawn(2)[0].random(200)
    expected = []
    for step in steps:
        expected.append(bad)
        bad = step < (1 - r if bad else p)
    assert model._states(200).tolist() == expected


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 50), max_size=8), st.floats(0, 1), st.floats(0, 1))
def test_pieces_fare_as_the_whole(pieces, p, r):
    whole = GilbertElliottLoss(p, r, 0.3, 0.9, rng=np.random.default_rng(4)).lost(np.ones(sum(pieces), dtype=np.int64))
    model = GilbertElliottLoss(p, r, 0.3, 0.9, rng=np.random.default_rng(4))
    parts = [model.lost(np.ones(piece, dtype=np.int64)) for piece in pieces]
    assert np.concatenate([*parts, np.zeros(0, dtype=bool)]).tolist() == whole.tolist()


def test_bit_errors_hit_long_packets_more():
    rate = 1e-5
    for size in (100, 1500):
        lost = BitErrorLoss(rate, np.random.default_rng(5)).lost(np.full(COUNT, size))
        expected = 1 - (1 - rate) ** (8 * size)
        close(lost.mean(), expected, (expected * (1 - expected) / COUNT) ** 0.5)
    assert BitErrorLoss(1.0, np.random.default_rng(5)).lost(np.array([40])).all()
    assert not BitErrorLoss(0.0, np.random.default_rng(5)).lost(SIZES).any()


def test_recorded_losses_repeat():
    model = RecordedLoss(np.array([True, False, False]))
    got = np.concatenate([model.lost(np.ones(2)), model.lost(np.ones(5))])
    assert got.tolist() == [True, False, False, True, False, False, True]


def test_recorded_file(tmp_path):
    path = tmp_path / "loss.txt"
    path.write_text("0 1\n10\n")
    assert read_recorded(path).tolist() == [False, True, True, False]
    for text, message in (("", "empty"), ("01x", "'x'"), ("\n", "empty")):
        path.write_text(text)
        with pytest.raises(UserError, match=message):
            read_recorded(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_recorded(tmp_path / "none.txt")


def test_expected_loss_is_what_is_lost(tmp_path):
    path = tmp_path / "loss.txt"
    path.write_text("0001")
    for model in (
        NoLoss(),
        Bernoulli(model="bernoulli", probability=0.1),
        GilbertElliott(model="gilbert-elliott", p=0.1, r=0.5, h=0.2, k=0.9),
        GilbertElliott(model="gilbert-elliott", p=0.0, r=0.0, k=0.9),
        Recorded(model="recorded", path=path),
        BitErrors(model="bit-errors", rate=1e-5),
    ):
        lost = model.build(np.random.default_rng(9)).lost(SIZES)
        assert lost.mean() == pytest.approx(model.expected(), abs=0.004)


def test_bursts_are_counted_right():
    assert bursts(np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], dtype=bool)).tolist() == [2, 1, 3]
