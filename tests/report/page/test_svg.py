"""Drawings: axes, lines that break and thin out, bars."""

import numpy as np
import pytest

from vidlink.report.page import svg
from vidlink.report.page.svg import Axis


@pytest.mark.parametrize(
    ("values", "zero", "low", "high"),
    [([1, 3], False, 0.84, 3.16), ([1, 3], True, 0, 3.24), ([], False, -0.08, 1.08), ([5, 5, np.nan], False, 4.5, 5.5)],
)
def test_ranges(values, zero, low, high):
    axis = Axis.over(values, zero=zero)
    assert (axis.low, axis.high) == pytest.approx((low, high))


def test_ticks_are_round_and_within():
    assert Axis(low=0, high=10).ticks() == [0, 2.5, 5, 7.5, 10]
    assert Axis(low=-0.31, high=0.72).ticks() == [0, 0.5]
    assert Axis(low=9, high=110, logarithmic=True).ticks() == [10, 20, 50, 100]
    for low, high in ((1e-9, 2e-9), (0, 1e12), (-5, -4.999)):
        ticks = Axis(low=low, high=high).ticks()
        assert ticks
        assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in ticks)


def test_a_line_breaks_where_a_value_is_missing():
    axis = Axis(low=0, high=1)
    line = svg.line("a", np.array([0, 0.25, 0.5, 1]), np.array([0, np.nan, 1, 1]), axis, axis)
    assert 'd="M0.0 100.00 M500.0 0.00 L1000.0 0.00"' in line
    assert svg.line("a", np.array([np.nan]), np.array([1.0]), axis, axis) == ""


def test_steps_hold_until_the_next_value():
    axis = Axis(low=0, high=1)
    line = svg.line("a", np.array([0, 0.5]), np.array([0, 1]), axis, axis, steps=True)
    assert 'd="M0.0 100.00 L500.0 100.00 L500.0 0.00"' in line


def test_a_long_line_keeps_its_extremes():
    values = np.zeros(100_000)
    values[54_321], values[77_777] = 1, np.nan
    x = np.linspace(0, 1, len(values))
    line = str(svg.line("a", x, values, Axis(low=0, high=1), Axis(low=0, high=1)))
    assert " 0.00" in line
    assert line.count("M") == 2
    assert line.count(" ") < 2 * 3 * svg.MOST_POINTS


def test_bands_need_two_points():
    axis, x = Axis(low=0, high=1), np.array([0.0, 1.0])
    assert 'points="0.0,0.00 1000.0,0.00 1000.0,100.00 0.0,100.00"' in svg.band("a", x, 0 * x, 0 * x + 1, axis, axis)
    assert svg.band("a", x, np.array([0, np.nan]), x, axis, axis) == ""


def test_text_and_classes_are_escaped():
    parts = [svg.bar('"><b>', 0, 1, 0, 1, text="<i>", title="<u>"), svg.dot("<b>", 0.5, 0.5, title="&")]
    drawing = svg.drawing("<k>", 10, '<"said">', parts)
    for raw in ("<b>", "<i>", "<u>", "<k>", '<"said'):
        assert raw not in drawing
