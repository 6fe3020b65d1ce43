import math
from fractions import Fraction

import pytest

from vidlink.errors import UserError
from vidlink.rtp import erasure
from vidlink.settings import Settings
from vidlink.units import (
    LARGEST_BLOCK,
    NUMBER,
    SECONDS,
    parse_bytes,
    parse_divisors,
    parse_fec,
    parse_frame_rate,
    parse_rate,
    parse_roi,
    parse_scales,
    parse_size,
    shown,
)

HUGE = "9" * 5000


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


HUGE_NUMBERS = (math.nan, math.inf, -math.inf, 1e18, 1e300, -1e300, 10**400, -(10**400), 2**20_000)


@pytest.mark.parametrize("quantity", [NUMBER, SECONDS])
def test_no_quantity_is_beyond_its_bounds(quantity):
    for found in (*HUGE_NUMBERS, HUGE, "1e400", "nan", "inf", "", "x"):
        with pytest.raises(UserError, match=r"x: found .*expected a number") as caught:
            quantity.read("x", found)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("found", [True, None, [1], "1_0", "\u0663", "0x10", "1,5", "--1"])
def test_a_quantity_is_a_number(found):
    with pytest.raises(UserError, match="expected a number"):
        NUMBER.read("x", found)


def test_quantities_are_read_from_numbers_and_text():
    assert [NUMBER.read("x", found) for found in (1, -2.5, " 3e2 ", "+.5", 1e9)] == [1, -2.5, 300, 0.5, 1e9]


def test_what_is_shown_is_short():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    for found in (HUGE, 10**4500, 2**100_000, ["x"] * 10**4):
        assert len(shown(found)) <= 80
    assert "nested" in shown(nested)


def test_frame_rates_that_are_none():
    for text in ("1e999999999", "1e-999999999", HUGE, f"1/{HUGE}", "1/0", "0", "1e3", "1/1000000", "2000"):
        with pytest.raises(UserError, match="--framerate"):
            parse_frame_rate("--framerate", text)


def test_sizes_that_are_none():
    for text in (f"{HUGE}x2", "70000x2", "2x\u0663", "2x2x2", "0x2", "x"):
        with pytest.raises(UserError, match="--max-size"):
            parse_size("--max-size", text)


def test_bytes_that_are_none():
    for text in (HUGE, "2000T", "\u0663", "-1", "1.5", ""):
        with pytest.raises(UserError, match="--cache"):
            parse_bytes("--cache", text)


NUMBERS = """bitrate_bps start_bps buffer_s deadline_s segment_s aggregate_s feedback_s shortest_segment_s scale scales
quality divisors mtu seed workers recognize_every framerate max_size video_size roi fec"""


@pytest.mark.parametrize("name", NUMBERS.split())
def test_no_option_takes_what_cannot_be_counted(name):
    for value in (*HUGE_NUMBERS, HUGE, "1e18", f"{HUGE}x{HUGE}"):
        if name == "seed" and value == 1e18:
            continue
        with pytest.raises(UserError) as caught:
            Settings(**{name: value})
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400
