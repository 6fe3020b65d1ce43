"""The planner on made-up content, whose best rung is known: it finds it with few trials, also after a cut."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.codec.shelf import load_codec
from vidlink.sender.guided import FULL, Guide

SCALES, DIVISORS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0), (1, 2, 3, 4)
KNOB = load_codec("x264").quality
PIXELS = 320 * 240 * 25.0


@dataclass(frozen=True)
class Made:
    wire_bits: int
    quality: float
    knob: float
    key_share: float = 0.2


class Content:
    """A segment with detail (what downsampling costs) and motion (what leaving out frames costs)."""

    def __init__(self, *, detail, motion, bits, noise=0.0, seed=0):
        self.detail, self.motion, self.bits = detail, motion, bits
        rng = np.random.default_rng(seed)
        self._noise = noise * rng.normal(size=(len(SCALES), len(DIVISORS), 600))
        self.trials = []

    def at(self, scale, divisor, knob):
        bits = self.bits * scale**-1.6 * divisor**-0.6 * 2 ** ((30 - knob) / 6) + 1500 + 320 * 25 / divisor / 4
        # Errors add up: the quantizer's, the resampling's, the held frames'.
        error = 10 ** (-(37 - 0.6 * (knob - 30)) / 10)
        error += self.detail * (scale - 1) ** 1.2 + self.motion * (divisor - 1)
        quality = -10 * math.log10(error)
        quality += self._noise[SCALES.index(scale), DIVISORS.index(divisor), round(10 * knob)]
        return Made(wire_bits=int(bits), quality=quality, knob=knob)

    def __call__(self, rung):
        self.trials.append(rung)
        return self.at(rung.scale, rung.frame_divisor, rung.quality)

    def best(self, budget):
        knobs = np.arange(KNOB.best, KNOB.worst + 0.05, 0.1)
        every = [self.at(s, d, float(k)) for s in SCALES for d in DIVISORS for k in knobs.round(1)]
        return max((made.quality for made in every if made.wire_bits <= budget), default=-math.inf)


class OneAfterTheOther:
    """The part of an executor that the planner uses."""

    def map(self, function, *items):
        return map(function, *items)


def plan(contents, budget, **keywords):
    guide = Guide(scales=SCALES, divisors=DIVISORS, knob=KNOB, quality_slope=0.5, **keywords)
    return [guide.choose(each, budget_bits=budget, pixels=PIXELS, pool=OneAfterTheOther()) for each in contents]


TALKER = {"detail": 2e-4, "motion": 1e-4, "bits": 60_000}
CROWD = {"detail": 1e-5, "motion": 3e-3, "bits": 600_000}
STILL = {"detail": 3e-3, "motion": 1e-6, "bits": 40_000}


@pytest.mark.parametrize("kind", [TALKER, CROWD, STILL])
@pytest.mark.parametrize("budget", [12_000, 24_000, 48_000, 192_000])
def test_the_best_rung_is_found_and_fills_the_budget(kind, budget):
    contents = [Content(**kind, noise=0.03, seed=k) for k in range(5)]
    for content, found in zip(contents, plan(contents, budget), strict=True):
        best = content.best(budget)
        assert found.quality >= best - 0.25
        assert found.wire_bits <= budget
        assert found.wire_bits >= FULL * budget or found.knob == KNOB.best
    # From the second segment on the lines of the one before say where to look.
    assert np.mean([len(content.trials) for content in contents[1:]]) <= 10


@pytest.mark.parametrize("budget", [12_000, 24_000, 48_000])
def test_after_a_cut_nothing_of_the_old_content_is_believed(budget):
    kinds = [TALKER, TALKER, CROWD, CROWD, STILL, STILL, CROWD, TALKER]
    contents = [Content(**kind, noise=0.03, seed=k) for k, kind in enumerate(kinds)]
    losses = [c.best(budget) - f.quality for c, f in zip(contents, plan(contents, budget), strict=True)]
    assert max(losses) < 0.8
    assert np.mean(losses) < 0.2
    assert np.mean([len(content.trials) for content in contents]) < 0.2 * len(SCALES) * len(DIVISORS) * len(KNOB.grid)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1e-6, 1e-1), st.floats(1e-7, 1e-1), st.floats(1e3, 1e7), st.floats(0, 1)),
        min_size=1,
        max_size=4,
    ),
    st.floats(3e3, 1e6),
)
def test_whatever_the_content_the_budget_is_kept(kinds, budget):
    contents = [Content(detail=d, motion=m, bits=b, noise=n, seed=k) for k, (d, m, b, n) in enumerate(kinds)]
    for content, found in zip(contents, plan(contents, budget), strict=True):
        cheapest = content.at(SCALES[-1], DIVISORS[-1], KNOB.worst).wire_bits
        if found is None:
            assert cheapest > budget
        else:
            assert found.wire_bits <= budget
        assert len(content.trials) < 60


def test_a_budget_that_nothing_fits_gives_nothing():
    assert plan([Content(**CROWD)], 1000) == [None]
