"""Rate control: bounds for what an estimator says, silence, what is under way, segment lengths and budgets."""

import logging
import math

import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.sender.adapt import HIGHEST_BPS, LOWEST_BPS, RateControl, segment_budget
from vidlink.types import Report


class Says:
    """An estimator that answers what it is told."""

    def __init__(self, *answers):
        self.answers, self.heard = list(answers), []

    def feedback(self, feedback):
        self.heard.append(feedback)

    def estimate_bps(self, now_s):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def control(estimator, **changes):
    return RateControl(estimator, **{"name": "says", "start_bps": 64e3, "feedback_s": 0.1} | changes)


def report(now_s, numbers, arrival_s):
    return Report(made_s=now_s, number=np.array(numbers), arrival_s=np.array(arrival_s, dtype=float))


@pytest.mark.parametrize(
    ("answer", "becomes"), [(0.0, LOWEST_BPS), (-5.0, LOWEST_BPS), (math.inf, HIGHEST_BPS), (math.nan, 50e3)]
)
def test_unsound_answers_are_bounded_counted_and_told_of_once(answer, becomes, caplog):
    rate = control(Says(50e3, answer, answer, 70e3))
    with caplog.at_level(logging.WARNING):
        rates = []
        for step in range(4):
            rate.hear(0.1 * step, None)
            rates.append(rate.rate_bps)
    assert rates == [50e3, becomes, becomes, 70e3]
    assert rate.unsound == 2
    assert len(caplog.records) == 1
    assert "--estimator says answered" in caplog.text


def test_sound_answers_beyond_the_bounds_are_cut_without_a_word():
    rate = control(Says(1.0, 1e12))
    rate.hear(0.0, None)
    assert rate.rate_bps == LOWEST_BPS
    rate.hear(0.1, None)
    assert (rate.rate_bps, rate.unsound) == (HIGHEST_BPS, 0)


class Fails(Says):
    def feedback(self, feedback):
        raise KeyError("gone")


@pytest.mark.parametrize(("estimator", "says"), [(Fails(1.0), "feedback.* KeyError"), (Says("much"), "estimate_bps")])
def test_an_estimator_that_fails_is_named(estimator, says):
    rate = control(estimator)
    rate.sent(0, send_s=0.0, size=100)
    with pytest.raises(UserError, match=f"--estimator says.*{says}"):
        rate.hear(0.2, report(0.1, [0], [0.1]))


def test_silence_halves_the_rate_and_feedback_brings_it_back():
    rate = control(Says(320e3))
    rate.hear(0.0, None)
    rate.sent(0, send_s=0.0, size=100)
    rates = []
    for step in range(1, 60):
        rate.hear(0.1 * step, None)
        rates.append(rate.rate_bps)
    assert rates[5] == 320e3
    assert np.all(np.diff(rates) <= 0)
    assert rates[-1] == pytest.approx(320e3 / 2**5)
    back = []
    for step in range(60, 66):
        rate.sent(step, send_s=0.1 * step - 0.05, size=100)
        rate.hear(0.1 * step, report(0.1 * step, [step], [0.1 * step]))
        back.append(rate.rate_bps)
    assert back[0] == 2 * rates[-1]
    assert back[-1] == 320e3


def test_nothing_is_missed_where_nothing_was_sent_and_where_no_feedback_is_needed():
    idle = control(Says(100e3))
    fixed = Says(100e3)
    fixed.needs_feedback = False
    deaf = control(fixed)
    deaf.sent(0, send_s=0.0, size=100)
    for step in range(50):
        idle.hear(0.1 * step, None)
        deaf.hear(0.1 * step, None)
    assert idle.rate_bps == deaf.rate_bps == 100e3


def test_an_estimator_hears_what_was_sent_and_when_in_order():
    estimator = Says(1e5)
    rate = control(estimator)
    for number in range(4):
        rate.sent(number, send_s=0.1 * number, size=100 + number)
    rate.hear(0.5, report(0.4, [0, 1, 3], [0.2, math.nan, 0.4]))
    (heard,) = estimator.heard
    assert heard.received_s == 0.5
    assert heard.bytes.tolist() == [100, 101, 103]
    assert heard.send_s.tolist() == pytest.approx([0.0, 0.1, 0.3])
    assert np.isnan(heard.arrival_s).tolist() == [False, True, False]
    assert rate.under_way_bits(0.5) == 8 * 102


def test_no_more_is_under_way_than_a_round_trip_and_the_queue_allowed():
    estimator = Says(80e3)
    estimator.queue_s = 0.1
    rate = control(estimator)
    rate.sent(0, send_s=0.0, size=100)
    rate.hear(0.2, report(0.1, [0], [0.1]))
    count = 0
    while rate.may_send(0.3):
        count += 1
        rate.sent(count, send_s=0.3, size=500)
    # 0.2 s of round trip, 0.1 s between reports, 0.1 s of queue at 80 kb/s: 4000 bytes.
    assert count == 8
    assert rate.may_send(0.3 + 5.0)


def test_segments_shrink_the_more_the_rate_moves_and_grow_again():
    rate = control(Says(*[100e3] * 20, *[100e3, 50e3, 25e3, 12e3] * 5, *[50e3] * 60))
    lengths = []
    for step in range(100):
        rate.hear(0.1 * step, None)
        lengths.append(rate.segment_s(shortest_s=0.25, longest_s=1.0))
    assert set(lengths[:20]) == {1.0}
    assert lengths[30] == 0.25
    assert lengths[-1] == 1.0
    assert all(0.25 <= length <= 1.0 for length in lengths)


def test_what_a_segment_took_too_much_the_next_pays_back():
    fair = segment_budget(100e3, 1.0, backlog_bits=15_000, longest_s=1.0)
    assert fair == pytest.approx(100e3)
    assert segment_budget(100e3, 1.0, backlog_bits=35_000, longest_s=1.0) == pytest.approx(80e3)
    assert segment_budget(100e3, 1.0, backlog_bits=0, longest_s=1.0) == pytest.approx(115e3)
    # Half at most, unless the link is far behind.
    assert segment_budget(100e3, 0.25, backlog_bits=90_000, longest_s=1.0) == pytest.approx(12.5e3)
    assert segment_budget(100e3, 0.25, backlog_bits=300_000, longest_s=1.0) == pytest.approx(5e3)
