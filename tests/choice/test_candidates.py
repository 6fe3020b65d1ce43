"""What is worth trying."""

import pytest

from vidlink.choice import candidates
from vidlink.choice.candidates import PROTECTIONS, RATES, SIZES, make_candidates, usable_codecs, worth_protecting
from vidlink.errors import UserError
from vidlink.options import settings_named
from vidlink.settings import Settings


def test_every_combination_once_and_each_is_a_setting_of_a_run():
    found = make_candidates(["x264", "x265"], SIZES, RATES, PROTECTIONS)
    names = [each.name for each in found]
    assert len(set(names)) == len(names) == 2 * (1 + 3 * 2) * 3
    assert names[0] == "--codec x264"
    for each in found:
        settings_named({"bitrate": "64k", **each.options})


def test_combinations_that_were_asked_for():
    names = [each.name for each in make_candidates(["x264"], ["auto"], ["1", "2"], ["nack+rs:k=10,n=12"])]
    assert names == [f"--codec x264 --divisors {rate} --fec rs:k=10,n=12 --nack" for rate in (1, 2)]


@pytest.mark.parametrize(
    ("sizes", "rates", "protections", "said"),
    [
        (["half"], ["1"], ["none"], "--sizes half: expected auto or a scale factor"),
        (["0.5"], ["1"], ["none"], "--sizes 0.5"),
        (["1"], ["1,2"], ["none"], "--rates 1,2: expected auto or a frame divisor"),
        (["1"], ["x"], ["none"], "--rates x"),
        (["1"], ["1"], ["parity"], "--protect parity: expected none, nack"),
    ],
)
def test_what_cannot_be(sizes, rates, protections, said):
    with pytest.raises(UserError, match=said):
        make_candidates(["x264"], sizes, rates, protections)


def test_codecs_that_the_machine_lacks_are_left_out(monkeypatch):
    def check(codec):
        if codec.name != "x264":
            raise UserError(f"codec {codec.name!r}: no encoder")
        return codec

    monkeypatch.setattr(candidates, "check_codec", check)
    assert usable_codecs(["x265", "x264"]) == (["x264"], ["codec 'x265': no encoder"])
    with pytest.raises(UserError, match="--codecs x265: this machine has none of them: codec 'x265': no encoder"):
        usable_codecs(["x265"])
    with pytest.raises(UserError, match="unknown codec 'x266'"):
        usable_codecs(["x266"])


def test_protection_is_worth_trying_where_something_is_lost():
    perfect, lossy = Settings(bitrate_bps="64k"), Settings(bitrate_bps="64k", channel="gilbert-elliott")
    assert worth_protecting(perfect, None) == ("none",)
    assert worth_protecting(lossy, None) == PROTECTIONS
    assert worth_protecting(perfect, ["nack"]) == ["nack"]
    with pytest.raises(UserError, match="unknown channel"):
        worth_protecting(Settings(bitrate_bps="64k", channel="lte"), None)
