"""Rates of a run from its totals."""

from vidlink.scores.measures import MEASURES
from vidlink.scores.rate import Totals, rate_section

TOTALS = {"payload_bits": 90_000, "wire_bits": 120_000, "samples": 1_500_000, "seconds": 3.0}


def test_rates_are_totals_by_time_and_by_sample():
    assert rate_section(Totals(**TOTALS, target_bps=50_000.0)) == {
        "target_bps": 50_000.0,
        "wire_bps": 40_000.0,
        "payload_bps": 30_000.0,
        "bpp": 0.06,
        "wire_bpp": 0.08,
        "utilisation": 0.8,
    }


def test_without_a_budget_nothing_is_utilised():
    section = rate_section(Totals(**TOTALS, target_bps=None))
    assert (section["target_bps"], section["utilisation"]) == (None, None)


def test_people_read_kilobits():
    wire = MEASURES["rate_wire_bps"]
    assert (wire.heading, wire.number(40_000.0), wire.quantity(64_150.0)) == ("wire kb/s", "40.0", "64.2 kb/s")
    assert (MEASURES["rate_bpp"].heading, MEASURES["rate_bpp"].quantity(0.06)) == ("bpp", "0.0600")
