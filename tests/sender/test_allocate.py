"""The choice of rungs against every combination there is, under a bucket simulated on its own."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidlink.sender.allocate import Bucket, Choices, Trial, allocate, hull, lowest_rate
from vidlink.types import CodedSegment, Rung


def nothing(index=0, wire_bits=0):
    """A coded segment whose payload is as many bits as wanted (a multiple of eight)."""
    return CodedSegment(
        index=index,
        rung=Rung(scale=1, quality=30),
        payload="generic",
        width=16,
        height=16,
        parameter_sets=(),
        side_data=bytes(wire_bits // 8),
        units=(),
        start_s=0.0,
        duration_s=1.0,
    )


def clip(curves, durations=None):
    """Segments from lists of (wire bits, quality)."""
    durations = durations or [1.0] * len(curves)
    starts = np.concatenate(([0.0], np.cumsum(durations)))
    return [
        Choices(
            trials=tuple(
                Trial(rung=Rung(scale=1, quality=k), wire_bits=int(bits), quality=float(quality))
                for k, (bits, quality) in enumerate(curve)
            ),
            cheapest=nothing(k, min((int(bits) for bits, _ in curve), default=0)),
            frames=max(1, round(25 * durations[k])),
            start_s=float(starts[k]),
            duration_s=durations[k],
        )
        for k, curve in enumerate(curves)
    ]


def overflows(segments, bits, rate_bps, depth_s):
    """Whether a plan's bits overflow the bucket: simulated from its description, segment by segment."""
    free = 0.0
    for k, (segment, poured) in enumerate(zip(segments, bits, strict=True)):
        end = segment.start_s + segment.duration_s
        free = max(free, end) + poured / rate_bps
        limit = end + max(depth_s, segment.duration_s)
        if k == len(segments) - 1:
            limit = min(limit, end + segments[0].duration_s)
        if free > limit + 1e-9:
            return True
    return False


def worth(segments, trials):
    return sum(segment.frames * trial.quality for segment, trial in zip(segments, trials, strict=True))


def best_of_all(segments, rate_bps, depth_s):
    plans = itertools.product(*(segment.trials for segment in segments))
    fitting = [p for p in plans if not overflows(segments, [t.wire_bits for t in p], rate_bps, depth_s)]
    return max(fitting, key=lambda plan: worth(segments, plan), default=None)


def rate_distortion_curve(rng, count):
    """PSNR rises with the logarithm of the bits, with the noise that real trials have."""
    bits = np.sort(rng.integers(4_000, 120_000, count))
    return list(zip(bits, 6 * np.log2(bits / 1000) + rng.uniform(0, 6) + rng.normal(0, 0.4, count), strict=True))


@pytest.mark.parametrize("depth_s", [1.0, 2.0, 5.0])
def test_close_to_the_best_of_all_combinations_and_never_over(depth_s):
    gaps = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        durations = [1.0, 1.0, 1.0, float(rng.choice([0.5, 1.0, 1.4]))]
        segments = clip([rate_distortion_curve(rng, 7) for _ in durations], durations)
        rate = float(rng.choice([20_000, 40_000, 80_000]))
        best = best_of_all(segments, rate, depth_s)
        found = allocate(segments, rate_bps=rate, depth_s=depth_s)
        assert (found is None) == (best is None)
        if found is None:
            continue
        assert all(trial in segment.trials for trial, segment in zip(found, segments, strict=True))
        assert not overflows(segments, [trial.wire_bits for trial in found], rate, depth_s)
        gaps.append((worth(segments, best) - worth(segments, found)) / sum(s.frames for s in segments))
    assert len(gaps) > 30
    assert min(gaps) > -1e-9, "better than the best there is: it does not keep to the bucket"
    assert np.mean(gaps) < 0.25, "decibels: seven points a segment are few, and the hull has fewer"
    assert max(gaps) < 1.5


def test_on_a_grid_as_fine_as_the_real_one_next_to_nothing_is_given_away():
    gaps = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        segments = clip([rate_distortion_curve(rng, 60) for _ in range(3)])
        rate, depth_s = 40_000.0, 2.0
        found = allocate(segments, rate_bps=rate, depth_s=depth_s)
        bits, quality = (
            np.meshgrid(*[[getattr(t, name) for t in s.trials] for s in segments], indexing="ij")
            for name in ("wire_bits", "quality")
        )
        free, fits = 0.0, True
        for k, poured in enumerate(bits):
            free = np.maximum(free, k + 1) + poured / rate
            fits = fits & (free <= k + 1 + (depth_s if k < 2 else 1.0) + 1e-9)
        best = np.where(fits, sum(quality), -np.inf).max() / 3
        gaps.append(best - np.mean([trial.quality for trial in found]))
        assert not overflows(segments, [trial.wire_bits for trial in found], rate, depth_s)
    assert min(gaps) > -1e-9
    assert np.mean(gaps) < 0.12, "decibels"
    assert max(gaps) < 0.5


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_trials_at_all_keep_to_the_bucket(data):
    count = data.draw(st.integers(1, 5))
    trial = st.tuples(st.integers(100, 100_000), st.floats(0, 60))
    curves = [data.draw(st.lists(trial, min_size=1, max_size=6)) for _ in range(count)]
    durations = [data.draw(st.sampled_from([0.04, 0.5, 1.0, 1.48, 3.0])) for _ in range(count)]
    rate, depth_s = data.draw(st.sampled_from([5_000.0, 30_000.0, 100_000.0])), data.draw(st.sampled_from([0, 1, 4]))
    segments = clip(curves, durations)
    found = allocate(segments, rate_bps=rate, depth_s=depth_s)
    cheapest = [min(trial.wire_bits for trial in segment.trials) for segment in segments]
    if found is None:
        assert overflows(segments, cheapest, rate, depth_s)
    else:
        assert not overflows(segments, [trial.wire_bits for trial in found], rate, depth_s)
        # Over the whole clip, and over every run of segments, no more leaves than drains.
        bits = np.cumsum([0] + [trial.wire_bits for trial in found])
        longest = max(max(depth_s, duration) for duration in durations)
        for first, last in itertools.combinations(range(count + 1), 2):
            seconds = segments[last - 1].end_s - segments[first].end_s + longest
            assert bits[last] - bits[first] <= rate * seconds + 1


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_bucket_answers_as_one_simulated_anew_each_time(data):
    durations = [data.draw(st.sampled_from([0.5, 1.0, 2.5])) for _ in range(data.draw(st.integers(1, 6)))]
    segments = clip([[(0, 0)]] * len(durations), durations)
    bucket = Bucket(segments, rate_bps=1000, depth_s=1.0)
    bits = [0] * len(durations)
    for _ in range(12):
        segment, more = data.draw(st.integers(0, len(bits) - 1)), data.draw(st.integers(0, 2500))
        trial = [*bits]
        trial[segment] = more
        fits = bucket.fits(segment, more)
        assert fits == (not overflows(segments, trial, 1000, 1.0))
        if fits:
            bucket.put(segment, more)
            bits = trial


def test_a_deeper_bucket_lets_hard_segments_borrow():
    segments = clip([[(1_000, 40)], [(8_000, 20), (30_000, 40)]])
    shallow = allocate(segments, rate_bps=16_000, depth_s=1.0)
    deep = allocate(segments, rate_bps=16_000, depth_s=2.0)
    assert [trial.wire_bits for trial in shallow] == [1_000, 8_000]
    # The last segment must still have drained a segment's time after the clip's end.
    assert [trial.wire_bits for trial in deep] == [1_000, 8_000]
    first = clip([[(8_000, 20), (30_000, 40)], [(1_000, 40)]])
    assert [trial.wire_bits for trial in allocate(first, rate_bps=16_000, depth_s=2.0)] == [30_000, 1_000]
    assert [trial.wire_bits for trial in allocate(first, rate_bps=16_000, depth_s=1.0)] == [8_000, 1_000]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 60)), min_size=1, max_size=15))
def test_the_hull_is_the_upper_hull(points):
    trials = clip([points])[0].trials
    corners = hull(trials)
    bits, quality = [t.wire_bits for t in corners], [t.quality for t in corners]
    assert bits == sorted(set(bits))
    assert quality == sorted(set(quality))
    assert bits[0] == min(t.wire_bits for t in trials)
    assert quality[-1] == max(t.quality for t in trials)
    slopes = np.diff(quality) / np.diff(bits)
    assert (np.diff(slopes) < 1e-12).all()
    for trial in trials:
        assert trial.quality <= np.interp(trial.wire_bits, bits, quality) + 1e-9


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("depth_s", [0.0, 1.0, 4.0])
def test_the_lowest_rate_works_and_a_tenth_less_does_not(seed, depth_s):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 6))
    durations = rng.choice([0.04, 0.6, 1.0, 1.4], count).tolist()
    segments = clip([[(8 * int(rng.integers(50, 5000)), 1.0)] for _ in range(count)], durations)

    def wire_bits(coded, _rate):
        return 8 * len(coded.side_data)

    rate = lowest_rate(segments, depth_s=depth_s, wire_bits=wire_bits)
    bits = [segment.trials[0].wire_bits for segment in segments]
    assert not overflows(segments, bits, rate, depth_s)
    assert overflows(segments, bits, 0.9 * rate, depth_s)
    assert allocate(segments, rate_bps=rate, depth_s=depth_s) is not None


def test_a_segment_without_trials_fits_nothing():
    assert allocate(clip([[(100, 1)], []]), rate_bps=1e6, depth_s=1.0) is None
