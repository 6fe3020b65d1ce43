import math
from fractions import Fraction

import pytest

from vidlink.errors import UserError
from vidlink.rtp import erasure
from vidlink.units import (
    LARGEST_BLOCK,
    parse_divisors,
    parse_fec,
    parse_frame_rate,
    parse_rate,
    parse_roi,
    parse_scales,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("64k", 64e3),
        ("64 K", 64e3),
        ("1.5M", 1.5e6),
        ("2G", 2e9),
        ("64000", 64e3),
        (".5k", 500),
        ("1e5", 1e5),
        (8, 8.0),
    ],
)
def test_reads_rates(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0k",
        "-1",
        "-64k",
        "nan",
        "inf",
        "1e999",
        "",
        "k",
        "64 kb",
        "64kk",
        "1,5M",
        "٣",
        -1,
        0,
        math.nan,
        math.inf,
        None,
    ],
)
def test_refuses_what_is_no_rate(text):
    with pytest.raises(UserError, match="bit rate"):
        parse_rate(text)


def test_refuses_truth_values():
    with pytest.raises(UserError):
        parse_rate(True)


def test_scales_come_sorted():
    assert parse_scales("--scales", "4, 1,1.5") == (1.0, 1.5, 4.0)


@pytest.mark.parametrize("text", ["", "x", "1,", "0.99", "-2", "nan", "inf", "2,2.0"])
def test_scales_that_are_none(text):
    with pytest.raises(UserError, match="--scales"):
        parse_scales("--scales", text)


def test_divisors_come_sorted():
    assert parse_divisors("--divisors", "4, 1") == (1, 4)


@pytest.mark.parametrize("text", ["", "0", "1,1", "1.5", "-1", "1,"])
def test_divisors_that_are_none(text):
    with pytest.raises(UserError, match="--divisors"):
        parse_divisors("--divisors", text)


@pytest.mark.parametrize(
    ("text", "roi"),
    [
        ("none", (False, None)),
        ("face", (True, None)),
        ("1,2,30,40", (False, (1, 2, 30, 40))),
        (" 1, 2, 30, 40 ", (False, (1, 2, 30, 40))),
        ("face:1,2,30,40", (True, (1, 2, 30, 40))),
    ],
)
def test_regions_as_people_write_them(text, roi):
    assert parse_roi("--roi", text) == roi


@pytest.mark.parametrize("start", ["", "face:", "face:face:"])
@pytest.mark.parametrize("box", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "-1,0,5,5", "0,0,0,5", "0,0,5,-5", "1.5,0,5,5"])
def test_regions_that_are_none(start, box):
    with pytest.raises(UserError, match="--roi"):
        parse_roi("--roi", start + box)


def test_sizes_and_frame_rates():
    assert parse_size("--max-size", "320X240") == (320, 240)
    assert parse_frame_rate("--framerate", "30000/1001") == Fraction(30000, 1001)
    assert parse_frame_rate("--framerate", "29.97") == Fraction(2997, 100)


def test_the_largest_block_is_what_the_code_can_do():
    assert parse_fec("rs:k=250,n=255")["n"] == LARGEST_BLOCK == erasure.LARGEST_BLOCK
    with pytest.raises(ValueError, match="1 to 255"):
        erasure.parity_matrix(250, 6)
