import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.errors import UserError
from vidlink.sender.pace import Pacer
from vidlink.types import Fate, Packets


def segment(index, sizes, duration_s=1.0):
    count = len(sizes)
    nothing = np.zeros(count, dtype=np.int64)
    return Packets(
        sequence=np.arange(count),
        frame=nothing,
        unit=nothing,
        unit_count=nothing,
        segment=np.full(count, index),
        bytes=np.array(sizes, dtype=np.int64),
        kind=np.zeros(count, dtype=np.uint8),
        send_s=(index + 1 + np.arange(count) / count) * duration_s,
        data=[b""] * count,
        arrival_s=np.full(count, np.nan),
        fate=np.full(count, Fate.PENDING, dtype=np.uint8),
    )


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(41, 1500), min_size=1, max_size=30), min_size=1, max_size=5), st.floats(1e3, 1e7))
def test_no_window_exceeds_the_rate(segments, rate):
    pacer = Pacer(rate_bps=rate)
    paced = [pacer.pace(segment(index, sizes)) for index, sizes in enumerate(segments)]
    sent, bits = np.concatenate([part.send_s for part in paced]), 8 * np.concatenate([part.bytes for part in paced])
    assert (np.diff(sent) >= bits[:-1] / rate - 1e-6).all()
    for index, part in enumerate(paced):
        assert part.send_s[0] >= index + 1 - 1e-9


def test_leaves_at_once_where_the_link_is_free():
    paced = Pacer(rate_bps=8000, delay_s=0.25).pace(segment(0, [100, 100, 100]))
    assert paced.send_s.tolist() == pytest.approx([1.25, 1.35, 1.45])


def test_without_a_rate_spreads_evenly():
    assert Pacer(rate_bps=None).pace(segment(0, [100] * 4)).send_s.tolist() == [1.0, 1.25, 1.5, 1.75]


def test_nothing_to_pace():
    assert len(Pacer(rate_bps=8000).pace(segment(0, [1]).take(np.zeros(1, dtype=bool)))) == 0


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_refuses_rates_that_are_none(rate):
    with pytest.raises(UserError, match="pacing rate"):
        Pacer(rate_bps=rate)


@pytest.mark.parametrize("delay", [-1, float("nan")])
def test_refuses_delays_that_are_none(delay):
    with pytest.raises(UserError, match="sender delay"):
        Pacer(rate_bps=1e3, delay_s=delay)
