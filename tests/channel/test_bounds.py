"""Numbers that are finite and still too large: every channel is refused, or works to its end without a warning."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlink.channel import Channel
from vidlink.channel.profile import ChannelProfile
from vidlink.channel.trace import NEVER, read_trace
from vidlink.codec.shelf import load_channel, load_codec, shelf
from vidlink.errors import UserError
from vidlink.types import Fate

KEYS = ("rate", "queue_bytes", "queue_s", "delay_s", "return_delay_s", "jitter_s", "duplicate")
HUGE_TOML = ("1e18", "1e300", "-1e300", "inf", "nan", "9" * 400, "9" * 5000, "0x" + "f" * 5000, "[1]", "[" * 5000)


def written(tmp_path, text, name="mine.toml"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_the_recipe_of_a_jitter_of_ages_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"jitter_s.*less than or equal to 1000000"):
        load_channel(written(tmp_path, 'description = "x"\njitter_s = 1e18\n'))


@pytest.mark.parametrize("key", [*KEYS, "codel.target_s", "codel.interval_s", "loss.probability", "loss.mean_burst"])
def test_no_key_of_a_channel_takes_what_cannot_be_counted(tmp_path, key):
    for value in HUGE_TOML:
        lines = ['description = "x"', *(['rate = "1M"'] if key != "rate" else []), f"{key} = {value}"]
        if key.startswith("loss."):
            model = '"gilbert-elliott"\nmean_loss = 0.1' if key.endswith("burst") else '"bernoulli"'
            lines[-1:] = ["[loss]", f"model = {model}", f"{key[5:]} = {value}"]
        with pytest.raises(UserError, match=r"mine\.toml") as caught:
            load_channel(written(tmp_path, "\n".join(lines)))
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("key", ["best", "worst", "step", "grid", "min_side"])
def test_no_key_of_a_recipe_takes_what_cannot_be_counted(tmp_path, key):
    text = (shelf("codecs") / "x264.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith((f"{key} ", f"{key}="))]
    at = lines.index("[options]") if key == "min_side" else len(lines)
    for value in (*HUGE_TOML, *(["1e-300"] if key == "step" else [])):
        new = f"{key} = [{value}]" if key == "grid" else f"{key} = {value}"
        with pytest.raises(UserError, match=r"mine\.toml"):
            load_codec(written(tmp_path, "\n".join([*lines[:at], new, *lines[at:]])))


def test_a_byte_order_mark_is_no_part_of_a_recipe_or_a_trace(tmp_path):
    assert load_channel(written(tmp_path, '\ufeffdescription = "x"\ndelay_s = 0.1\n')).delay_s == 0.1
    for kind, text in (("mahimahi", "5\n"), ("json", '[{"duration_ms": 5, "bandwidth_kbps": 2400}]')):
        link = read_trace(trace(tmp_path, kind, "\ufeff" + text))[0]
        assert (link.loop_bytes, link.loop_s) == (1500, 0.005)
    link = read_trace(trace(tmp_path, "csv", "\ufefftime_s, rate_bps,\n0, 8000,\n 1 , 0,,\n"))[0]
    assert (link.loop_bytes, link.loop_s) == (1000, 2.0)


def test_a_backslash_in_double_quotes_gets_a_hint(tmp_path):
    for path in (r"C:\Users\me.csv", r"C:\temp\x.csv", r"d:\runs", r"C:\data\x.csv", "D:\\"):
        with pytest.raises(UserError, match="write a path in single quotes"):
            load_channel(written(tmp_path, f'description = "x"\ntrace = {{ path = "{path}", format = "csv" }}\n'))


def trace(tmp_path, kind, text):
    from vidlink.channel.profile import Trace

    path = tmp_path / "trace"
    path.write_text(text)
    return Trace(path=path, format=kind)


WRONG = (
    ("mahimahi", "999999999999\n"),
    ("mahimahi", "9" * 5000),
    ("json", json.dumps([{"duration_ms": 1e18, "bandwidth_kbps": 1}])),
    ("json", json.dumps([{"duration_ms": 1, "bandwidth_kbps": 1e300}])),
    ("json", json.dumps([{"duration_ms": 1, "bandwidth_kbps": 1, "latency_ms": 1e30}])),
    ("json", json.dumps([{"duration_ms": 1e9, "bandwidth_kbps": 1e9}])),
    ("json", json.dumps([{"duration_ms": 9e8, "bandwidth_kbps": 1}] * 3)),
    ("json", f'[{{"duration_ms": {"9" * 400}, "bandwidth_kbps": 1}}]'),
    ("json", f'[{{"duration_ms": {"9" * 5000}, "bandwidth_kbps": 1}}]'),
    ("json", '[{"duration_ms": 1e999, "bandwidth_kbps": 1}]'),
    ("json", "[" * 100_000),
    ("csv", "time_s,rate_bps\n0,1e300\n"),
    ("csv", "time_s,rate_bps\n0,1\n1e9,1\n"),
    ("csv", "time_s,rate_bps\n-1e300,1\n1e300,1\n"),
    ("csv", "time_s,rate_bps,rate_bps\n0,1,2\n"),
    ("csv", "time_s;rate_bps\n0;1\n"),
    ("csv", "time_s,rate_bps\n0,1,5\n"),
    ("csv", "time_s,rate_bps\n0," + "1" * 200_000 + "\n"),
)


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_no_trace_holds_what_cannot_be_counted(tmp_path, number):
    with pytest.raises(UserError, match="trace") as caught:
        read_trace(trace(tmp_path, *WRONG[number]))
    assert len(str(caught.value)) < 400


def test_a_clock_of_the_day_is_no_duration(tmp_path):
    link, _ = read_trace(trace(tmp_path, "csv", "time_s,rate_bps\n1700000000.0,8000\n1700000001.0,16000\n"))
    assert (link.loop_s, link.loop_bytes) == (2.0, 3000)


@pytest.mark.parametrize("count", [1, 20_000])
@given(data=st.data())
def test_what_is_within_bounds_is_carried_in_order(train, count, data):
    """Extreme channels of all kinds: times never run backwards nor below 0, whatever is delivered."""
    extreme = st.sampled_from([0.0, 1e-9, 1.0, 1e6])
    limit = data.draw(st.sampled_from([{}, {"queue_s": 1e6}, {"queue_bytes": 10**12}, {"codel": {}}]))
    profile = ChannelProfile(
        description="x", rate=data.draw(st.sampled_from([1.0, 1e3, 1e12])), delay_s=data.draw(extreme),
        jitter_s=data.draw(extreme), duplicate=data.draw(st.sampled_from([0.0, 0.5])), **limit,
    )  # fmt: skip
    channel = Channel(profile, rng=np.random.default_rng(0))
    for start_s in (0.0, 1e5):
        sent = train(start_s + np.arange(count) * 1e-3, 1200)
        found = channel.transmit(sent)
        delivered = found.fate == Fate.DELIVERED
        assert (found.arrival_s[delivered] >= found.send_s[delivered] + profile.delay_s - 1e-6).all()
        assert np.isfinite(found.arrival_s[delivered]).all()
        assert (found.arrival_s[delivered] < 2 * NEVER / 1e9).all()


@given(
    durations=st.lists(st.sampled_from([1e-6, 1.0, 1e6, 3e8]), min_size=1, max_size=3),
    kbps=st.lists(st.sampled_from([0.0, 1e-3, 1.0, 1e9]), min_size=3, max_size=3),
)
def test_extreme_traces_do_not_overflow(tmp_path_factory, train, durations, kbps):
    folder = tmp_path_factory.mktemp("trace")
    steps = [{"duration_ms": d, "bandwidth_kbps": r} for d, r in zip(durations, kbps, strict=False)]
    settings = trace(folder, "json", json.dumps(steps))
    try:
        read_trace(settings)
    except UserError:
        return
    channel = Channel(ChannelProfile(description="x", trace=settings, queue_s=1e6), rng=np.random.default_rng(0))
    found = channel.transmit(train(np.arange(2000) * 1e-3, 1500))
    delivered = found.fate == Fate.DELIVERED
    arrivals = found.arrival_s[delivered]
    assert (np.diff(arrivals) >= 0).all()
    assert (arrivals >= found.send_s[delivered]).all()


def test_more_work_than_a_link_ever_does_never_arrives(train):
    channel = Channel(ChannelProfile(description="x", rate=1.0), rng=np.random.default_rng(0))
    fates = [channel.transmit(train(np.full(8192, float(k)), 65_535)).fate for k in range(20)]
    assert (fates[0][:1] == Fate.DELIVERED).all()
    assert (fates[-1] == Fate.DROPPED).all()


def test_a_bad_state_that_is_the_better_one_is_refused(tmp_path):
    text = 'description = "x"\nloss = { model = "gilbert-elliott", p = 0.1, r = 0.5, h = 0.9, k = 0.2 }\n'
    with pytest.raises(UserError, match=r"h = 0.9 is more than k = 0.2.*bad state would be the better one"):
        load_channel(written(tmp_path, text))
    for h, k in ((0.5, 0.5), (0, 1), (0.2, 0.9)):
        load_channel(written(tmp_path, text.replace("0.9, k = 0.2", f"{h}, k = {k}")))


def test_recursion_is_answered(tmp_path):
    depth = sys.getrecursionlimit() * 3
    with pytest.raises(UserError, match="nested too deeply"):
        load_channel(written(tmp_path, f"description = {'[' * depth}{']' * depth}\n"))


@pytest.mark.parametrize("long", ["9" * 5000, "x" * 100_000])
def test_messages_about_what_is_very_long_are_short(tmp_path, long):
    for text in (f'description = "x"\n[loss]\nmodel = "{long}"\n', f'description = "x"\n{long} = 1\n', f"[{long}\n"):
        with pytest.raises(UserError) as refused:
            load_channel(written(tmp_path, text))
        assert len(str(refused.value).replace(str(tmp_path), "")) < 1500
