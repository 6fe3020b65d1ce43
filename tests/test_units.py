import math

import pytest

from vidlink.errors import UserError
from vidlink.units import parse_rate


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
