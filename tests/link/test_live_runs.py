"""Live mode end to end: what a run with ``--bitrate auto`` writes, and what it makes of bad input."""

import math

import numpy as np
import pytest

FAST = ("--recognizer", "none", "--scales", "1,2", "--divisors", "1,2", "--no-video")


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    """A link that falls from 80 to 20 kb/s after two seconds."""
    folder = tmp_path_factory.mktemp("channel")
    rows = [f"{0.5 * half:g},{80e3 if half < 4 else 20e3:g}" for half in range(20)]
    (folder / "falls.csv").write_text("\n".join(["time_s,rate_bps", *rows]) + "\n")
    trace = 'trace = { path = "falls.csv", format = "csv" }'
    (folder / "falls.toml").write_text(f'description = "falls"\nqueue_s = 2.0\ndelay_s = 0.03\n{trace}\n')
    return folder / "falls.toml"


@pytest.fixture(scope="module")
def clip(tmp_path_factory, make_clip):
    """Four seconds of 96x64 at 25 frames a second."""
    return make_clip(tmp_path_factory.mktemp("clip") / "four.mp4", count=100)


@pytest.fixture(scope="module")
def live(clip, channel, coarse, simulated, tmp_path_factory):
    arguments = ("--bitrate", "auto", "--start-bitrate", "60k", "--channel", channel, "--codec", coarse, *FAST)
    return simulated(tmp_path_factory.mktemp("live") / "run", clip, *arguments)


def test_a_run_tells_what_was_decided_when(live):
    section, plan = live.summary["live"], live.summary["plan"]
    decisions = section["decisions"]
    assert section["estimator"] == "gcc"
    assert [row["segment"] for row in decisions] == [row["segment"] for row in plan]
    # What was coded was sent, but for what would have come too late.
    assert all(row["wire_bits"] >= sent["wire_bits"] for row, sent in zip(decisions, plan, strict=True))
    assert decisions[0]["wire_bits"] == plan[0]["wire_bits"]
    assert live.summary["rate"]["target_bps"] is None
    assert live.summary["settings"]["live"] is True
    for row, planned in zip(decisions, plan, strict=True):
        # Decided when the segment had been captured, not before.
        assert row["time_s"] == pytest.approx(planned["start_s"] + row["segment_s"])
        assert 4e3 <= row["estimate_bps"] <= 4e6
        assert row["budget_bps"] > 0
    assert 0 < section["capacity_used"] <= 1
    assert section["queue_s"]["p50"] <= section["queue_s"]["p95"] <= section["queue_s"]["max"]


def test_frames_packets_and_bits_add_up(live):
    frames, packets, segments = (live.table(name) for name in ("frames", "packets", "segments"))
    assert frames["frame"].tolist() == list(range(100))
    assert segments["duration_s"].sum() == pytest.approx(4.0)
    sent = packets[packets["fate"] != "discarded"]
    assert 8 * sent["bytes"].sum() == segments["wire_bits"].sum()
    assert (np.diff(sent["send_s"]) >= 0).all()
    assert live.summary["delivery"]["packets"] == len(sent)
    assert sum(live.summary["frames"].values()) == 100


def test_the_estimate_follows_the_link(live):
    table = live.table("live")
    assert set(table["capacity_bps"]) >= {80e3, 20e3}
    late = table[table["time_s"] > 3.5]
    assert late["estimate_bps"].mean() < 45e3
    assert table.loc[table["time_s"] < 2, "estimate_bps"].max() >= 60e3
    # A rate that falls by so much cuts segments short.
    assert live.table("segments")["duration_s"].min() < 0.8


def test_the_same_run_gives_the_same_bytes(live, clip, channel, coarse, simulated, tmp_path):
    arguments = ("--bitrate", "auto", "--start-bitrate", "60k", "--channel", channel, "--codec", coarse, *FAST)
    again = simulated(tmp_path / "run", clip, *arguments, "--workers", "1")
    for name in ("segments", "frames", "packets", "live"):
        assert (again.path / f"{name}.csv").read_bytes() == (live.path / f"{name}.csv").read_bytes()


def test_losses_come_back_on_request_and_by_parity(clip, coarse, simulated, tmp_path):
    lossy = tmp_path / "lossy.toml"
    loss = 'loss = { model = "bernoulli", probability = 0.1 }'
    lossy.write_text(f'description = "lossy"\nrate = "100k"\nqueue_s = 1.0\ndelay_s = 0.02\n{loss}\n')
    arguments = ("--bitrate", "auto", "--channel", lossy, "--codec", coarse, *FAST, "--no-scores")
    bare = simulated(tmp_path / "bare", clip, *arguments).summary
    assert bare["delivery"]["recovered"] == 0
    for name, options in (("nack", ["--nack"]), ("fec", ["--fec", "rs:k=4,n=6"])):
        run = simulated(tmp_path / name, clip, *arguments, *options)
        assert run.summary["delivery"]["recovered"] > 0
        assert run.summary["frames"]["ok"] > bare["frames"]["ok"]
        assert (run.table("packets")["kind"] == "retransmission").any() == (name == "nack")


class Broken:
    """An estimator that answers anything but a rate."""

    answers = (math.nan, 0.0, -1.0, math.inf)

    def __init__(self):
        self._asked = 0

    def feedback(self, feedback):
        pass

    def estimate_bps(self, now_s):
        self._asked += 1
        return self.answers[self._asked // 8 % 4]


class Fails(Broken):
    def estimate_bps(self, now_s):
        raise ZeroDivisionError("division by zero")


def test_unsound_answers_are_bounded_and_the_run_goes_on(small_clip, channel, coarse, simulated, tmp_path, caplog):
    arguments = ("--bitrate", "auto", "--estimator", f"{__name__}:Broken", "--channel", channel, "--codec", coarse)
    run = simulated(tmp_path / "run", small_clip, *arguments, *FAST, "--no-scores")
    assert run.summary["live"]["unsound_answers"] == len(run.table("live"))
    assert len([record for record in caplog.records if "Broken answered" in record.getMessage()]) == 1
    assert sum(run.summary["frames"].values()) == 50
    assert run.table("live")["estimate_bps"].between(4e3, 4e6).all()


def test_an_estimator_that_fails_is_named(small_clip, channel, coarse, command):
    arguments = ("--bitrate", "auto", "--estimator", f"{__name__}:Fails", "--channel", channel, "--codec", coarse)
    ended = command(small_clip, *arguments, *FAST)
    assert ended.status == 2
    assert f"--estimator {__name__}:Fails: estimate_bps() failed: ZeroDivisionError" in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--bitrate", "64k", "--estimator", "gcc"], "--estimator: is for --bitrate auto"),
        (["--bitrate", "64k", "--shortest-segment", "0.5"], "--shortest-segment: is for --bitrate auto"),
        (["--bitrate", "auto", "--quality", "30"], "--quality: cannot be fixed"),
        (["--bitrate", "auto", "--search", "ladder"], "--search ladder: plans ahead"),
        (["--bitrate", "auto", "--feedback", "0"], "--feedback 0: must be 0.01 to 10"),
        (["--bitrate", "auto", "--feedback", "nan"], "--feedback nan: must be"),
        (["--bitrate", "auto", "--shortest-segment", "2"], "at most --segment (1 s)"),
        (["--bitrate", "auto", "--start-bitrate", "-5"], "--start-bitrate"),
        (["--bitrate", "auto", "--estimator", "gccc"], "did you mean 'gcc'"),
        (["--bitrate", "auto", "--estimator", "clairvoyant"], "needs a --channel with a rate or a trace"),
        (["--bitrate", "autos"], "--bitrate"),
    ],
)
def test_settings_that_cannot_be_are_refused(command, small_clip, arguments, says):
    ended = command(small_clip, *arguments, "--recognizer", "none")
    assert ended.status == 2
    assert says in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_shortest_segment_of_less_than_two_frames_is_refused(command, tmp_path, make_clip):
    slow = make_clip(tmp_path / "slow.mp4", count=10, rate=5)
    ended = command(slow, "--bitrate", "auto", "--recognizer", "none")
    assert ended.status == 2
    assert "--shortest-segment 0.25: is less than two frames at 5 frames/s; at least 0.4" in ended.err


def test_estimators_are_listed(command):
    ended = command("--list", "estimators")
    assert ended.status == 0
    assert {line.split()[0] for line in ended.out.splitlines()} >= {"gcc", "fixed", "throughput", "clairvoyant"}


def test_the_face_window_goes_live_too(clip, coarse, channel, simulated, tmp_path):
    arguments = ("--bitrate", "auto", "--channel", channel, "--codec", coarse, "--recognizer", "none", "--no-video")
    run = simulated(tmp_path / "run", clip, *arguments, "--roi", "face:20,10,40,40", "--scale", "1", "--no-scores")
    assert run.summary["region"]["kind"] == "face"
    assert run.table("frames")["frame"].tolist() == list(range(100))
    assert run.table("segments")["duration_s"].nunique() > 1
