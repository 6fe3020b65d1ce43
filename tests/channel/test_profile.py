import pytest
from pydantic import ValidationError

from vidlink.channel import ChannelProfile


def profile(**settings):
    return ChannelProfile.model_validate({"description": "test", **settings})


def test_defaults_are_a_perfect_link():
    perfect = profile()
    assert (perfect.rate, perfect.trace, perfect.loss.model, perfect.header_bytes) == (None, None, "none", 40)


def test_reads_rates_and_paths(tmp_path):
    assert profile(rate="1.5M").rate == 1.5e6
    raw = {"description": "test", "trace": {"path": "a.csv", "format": "csv"}}
    assert ChannelProfile.model_validate(raw, context={"folder": tmp_path}).trace.path == tmp_path / "a.csv"
    raw = {"description": "test", "loss": {"model": "recorded", "path": str(tmp_path / "b.txt")}}
    assert ChannelProfile.model_validate(raw, context={"folder": tmp_path / "x"}).loss.path == tmp_path / "b.txt"


def test_compressed_headers_are_small():
    assert profile(header_compression="rohc-u").header_bytes == 4


def test_chances_from_means():
    loss = profile(loss={"model": "gilbert-elliott", "mean_loss": 0.05, "mean_burst": 4}).loss
    p, r, h, k = loss.chances()
    assert (r, h, k) == (0.25, 0.0, 1.0)
    assert p / (p + r) == pytest.approx(0.05)


TRACE = {"path": "a.csv", "format": "csv"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rat": 1}, "rat"),
        ({"rate": 0}, "positive"),
        ({"rate": -1}, "positive"),
        ({"rate": float("nan")}, "positive"),
        ({"rate": float("inf")}, "positive"),
        ({"rate": "64 kilo"}, "bit rate"),
        ({"rate": True}, "bit rate"),
        ({"rate": "1M", "trace": TRACE}, "one of them"),
        ({"trace": {"path": "a.csv", "format": "xml"}}, "mahimahi"),
        ({"queue_s": 1.0}, "needs rate or trace"),
        ({"codel": {}}, "needs rate or trace"),
        ({"rate": "1M", "queue_s": 1.0, "queue_bytes": 9000}, "one of them"),
        ({"rate": "1M", "queue_bytes": 1499}, "1500"),
        ({"rate": "1M", "queue_bytes": -5}, "1500"),
        ({"rate": "1M", "queue_s": -0.1}, "queue_s"),
        ({"rate": "1M", "codel": {"target_s": 0}}, "target_s"),
        ({"delay_s": -1}, "delay_s"),
        ({"delay_s": float("nan")}, "delay_s"),
        ({"jitter_s": -1}, "jitter_s"),
        ({"duplicate": 1.5}, "duplicate"),
        ({"header_compression": "vj"}, "header_compression"),
        ({"loss": {"model": "bernoulli"}}, "probability"),
        ({"loss": {"model": "bernoulli", "probability": 1.1}}, "less than or equal to 1"),
        ({"loss": {"model": "bernoulli", "probability": -0.1}}, "greater than or equal to 0"),
        ({"loss": {"model": "bernoulli", "probability": float("nan")}}, "probability"),
        ({"loss": {"model": "poisson"}}, "gilbert-elliott"),
        ({"loss": {"model": "bit-errors", "rate": 2}}, "less than or equal to 1"),
        ({"loss": {"model": "gilbert-elliott"}}, "p and r"),
        ({"loss": {"model": "gilbert-elliott", "p": 0.1}}, "p and r"),
        ({"loss": {"model": "gilbert-elliott", "p": 0.1, "r": 0.5, "mean_loss": 0.1}}, "p and r"),
        ({"loss": {"model": "gilbert-elliott", "p": 0.1, "r": 0.5, "k": 1.2}}, "less than or equal to 1"),
        ({"loss": {"model": "gilbert-elliott", "mean_loss": 0.1, "mean_burst": 0.5}}, "greater than or equal to 1"),
        ({"loss": {"model": "gilbert-elliott", "mean_loss": 1.0, "mean_burst": 5}}, "less than 1"),
        ({"loss": {"model": "gilbert-elliott", "mean_loss": 0.9, "mean_burst": 2}}, "at least 9"),
        ({"loss": {"model": "gilbert-elliott", "mean_loss": 0.1, "mean_burst": 2, "h": 0.1}}, "imply"),
    ],
)
def test_what_is_wrong_is_named(settings, message):
    with pytest.raises(ValidationError, match=message):
        profile(**settings)


def test_a_description_is_required():
    with pytest.raises(ValidationError, match="description"):
        ChannelProfile.model_validate({})
