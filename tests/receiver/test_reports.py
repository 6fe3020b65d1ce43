"""Receiver reports: what arrived, in steps of 250 microseconds, and what is missing, each told once."""

import numpy as np
import pytest

from vidlink.receiver.reports import TICK_S, ReportMaker


def test_arrivals_are_reported_once_rounded_up_to_a_tick_and_not_before_they_happen():
    maker = ReportMaker()
    for number, arrival in enumerate([0.0101, 0.05, 0.1499]):
        maker.observe(number, [arrival])
    first = maker.report(0.1)
    assert first.number.tolist() == [0, 1]
    assert first.arrival_s == pytest.approx([0.01025, 0.05])
    assert np.allclose(first.arrival_s / TICK_S, np.round(first.arrival_s / TICK_S))
    assert maker.report(0.2).number.tolist() == [2]
    assert maker.report(0.3) is None


def test_what_is_missing_is_reported_when_jitter_had_its_time_and_once():
    maker = ReportMaker()
    for number in (0, 1, 4, 5):
        maker.observe(number, [0.01 * (number + 1)])
    maker.observe(2, [])
    maker.observe(3, [0.15])
    assert maker.report(0.1).number.tolist() == [0, 1, 4, 5]
    maker.observe(6, [0.16])
    second = maker.report(0.2)
    assert second.number.tolist() == [2, 3, 6]
    assert np.isnan(second.arrival_s).tolist() == [True, False, False]
    maker.observe(7, [0.25])
    assert maker.report(0.3).number.tolist() == [7]


def test_doubles_and_packets_given_up_are_reported_once():
    maker = ReportMaker()
    maker.observe(0, [0.01, 0.02])
    maker.observe(1, [0.5])
    maker.observe(2, [0.03])
    assert maker.report(0.1).number.tolist() == [0, 2]
    maker.observe(3, [0.15])
    assert maker.report(0.2).number.tolist() == [1, 3]
    maker.observe(4, [0.45])
    assert maker.report(0.6).number.tolist() == [4]
