"""What a live sender learns of content whose laws are known: budgets are met, and the best rung is found."""

import math

import pytest

from vidlink.codec.recipe import QualityKnob
from vidlink.sender.live_model import ContentModel
from vidlink.sender.trial import Attempt
from vidlink.types import AccessUnit, CodedSegment

KNOB = QualityKnob(option="crf", best=10, worst=51, step=0.1, grid=(30,))
SCALES, DIVISORS = (1.0, 1.5, 2.0, 3.0), (1, 2)
FRAMES, PIXELS = 25, 25 * 176 * 144.0


class Content:
    """A coder whose bits halve every five knob units and whose quality falls with knob and scale."""

    def __init__(self):
        self.segment, self.busy = -1, 1.0

    def code(self, rung, frames=FRAMES):
        pictures = -(-frames // rung.frame_divisor)
        smaller = rung.scale**-1.6
        key = max(8, round(6000 * smaller * 2 ** ((30 - rung.quality) / 5)))
        other = max(2, round(self.busy * 600 * smaller * rung.frame_divisor**0.4 * 2 ** ((30 - rung.quality) / 5)))
        sizes = [key] + [other] * (pictures - 1)
        units = tuple(
            AccessUnit(frame=n, time_s=0.04 * n, nals=(bytes(size),), key=n == 0, reference=True)
            for n, size in enumerate(sizes)
        )
        quality = 45 - 0.5 * (rung.quality - 10) - 6 * math.log2(rung.scale) - 1.0 * (rung.frame_divisor - 1)
        coded = CodedSegment(
            index=self.segment,
            rung=rung,
            payload="h264",
            width=16,
            height=16,
            parameter_sets=(b"x" * 30,),
            side_data=b"",
            units=units,
            start_s=0.0,
            duration_s=frames / 25,
        )
        return Attempt(coded=coded, wire_bits=8 * (sum(sizes) + 70 + 40 * len(sizes)), quality=quality)

    def next(self, model, budget_bits, frames=FRAMES):
        """What a live sender makes of the next segment: a trial, a correction where it is needed, a look beside."""
        self.segment += 1
        for _ in range(2):
            rung = model.choose(budget_bits=budget_bits, frames=frames, pixels=PIXELS * frames / FRAMES)
            made = self.code(rung, frames)
            model.learn(made, sent=True)
            if 0.8 <= made.wire_bits / budget_bits <= 1.1:
                break
        beside = model.curious(budget_bits=budget_bits, frames=frames)
        if beside is not None:
            model.learn(self.code(beside, frames), sent=False)
        return made


def model():
    return ContentModel(scales=SCALES, divisors=DIVISORS, knob=KNOB, knob_worth=0.5)


def best(content, budget_bits):
    """The best quality within a budget, by trying everything."""
    found = []
    for scale in SCALES:
        for divisor in DIVISORS:
            for step in range(411):
                rung = model()._rung((SCALES.index(scale), DIVISORS.index(divisor)), 10 + 0.1 * step)
                made = content.code(rung)
                if made.wire_bits <= budget_bits:
                    found.append((made.quality, rung))
                    break
    return max(found)


@pytest.mark.parametrize("budget_bits", [15_000, 40_000, 150_000])
def test_budgets_are_met_at_nearly_the_best_rung(budget_bits):
    content, learnt = Content(), model()
    made = [content.next(learnt, budget_bits) for _ in range(12)]
    assert all(0.85 < each.wire_bits / budget_bits < 1.12 for each in made[4:])
    assert made[-1].quality > best(content, budget_bits)[0] - 1.0


def test_what_was_learnt_of_long_segments_holds_for_short_ones():
    content, learnt = Content(), model()
    for _ in range(4):
        content.next(learnt, 60_000)
    rung = learnt.choose(budget_bits=25_000, frames=7, pixels=PIXELS * 7 / FRAMES)
    assert content.code(rung, 7).wire_bits == pytest.approx(25_000, rel=0.15)


def test_a_change_of_content_is_met_within_a_segment():
    content, learnt = Content(), model()
    for _ in range(4):
        content.next(learnt, 60_000)
    content.busy = 3.0
    made = [content.next(learnt, 60_000) for _ in range(3)]
    assert all(each.wire_bits < 1.15 * 60_000 for each in made)


def test_a_starved_segment_is_forgotten():
    content, learnt = Content(), model()
    for _ in range(5):
        before = content.next(learnt, 60_000)
    starved = content.next(learnt, 1_500, frames=7)
    assert starved.wire_bits < 6_000
    after = [content.next(learnt, 60_000) for _ in range(6)][-1]
    assert after.quality > before.quality - 1.0
    assert after.coded.rung.scale == before.coded.rung.scale


def test_nothing_fits_gives_the_cheapest_rung():
    content, learnt = Content(), model()
    made = [content.next(learnt, 200) for _ in range(5)][-1]
    assert (made.coded.rung.scale, made.coded.rung.frame_divisor, made.knob) == (3.0, 2, 51.0)
