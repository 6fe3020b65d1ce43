"""Whole runs over links that lose, wait, narrow, double and die: what the run folder says of them."""

import shutil
import subprocess

import numpy as np
import pytest

FIXED = ("--no-plot", "--scale", "1", "--quality", "28", "--recognizer", "none", "--no-video", "--workers", "1")
FRAMES = 50


@pytest.fixture
def over(tmp_path, simulated, small_clip):
    """Sends the small clip over a channel given as TOML: ``over("delay_s = 0.1", "--nack")``."""
    runs = iter(range(100))

    def run(channel, *arguments, fixed=FIXED):
        profile = tmp_path / f"channel{next(runs)}.toml"
        profile.write_text(f'description = "test"\n{channel}\n')
        run = simulated(profile.with_suffix(""), small_clip, *fixed, "--channel", profile, *arguments)
        frames = run.table("frames")
        assert frames["frame"].tolist() == list(range(FRAMES))
        assert sum(run.summary["frames"].values()) == FRAMES
        assert run.summary["delivery"]["packets"] == (run.table("packets")["fate"] != "doubled").sum()
        return run

    return run


@pytest.fixture
def trace(tmp_path):
    """Writes a CSV trace and gives the line of the profile that names it."""

    def write(*steps):
        (tmp_path / "trace.csv").write_text("time_s,rate_bps\n" + "".join(f"{t},{rate}\n" for t, rate in steps))
        return 'trace = { path = "trace.csv", format = "csv" }'

    return write


def loss(probability):
    return f'loss = {{ model = "bernoulli", probability = {probability} }}'


PROTECTIONS = [(), ("--fec", "rs:k=5,n=7"), ("--nack",)]


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_a_link_that_is_silent_for_a_while_holds_packets_back(over, trace, protection):
    run = over(trace((0, 2e6), (1.5, 0), (3, 2e6), (9, 2e6)), *protection)
    packets = run.table("packets")
    assert set(packets["fate"]) == {"delivered"}
    assert not packets["arrival_s"].between(1.52, 3.0, inclusive="neither").any()
    assert packets["arrival_s"].max() < 4
    delivery, frames = run.summary["delivery"], run.summary["frames"]
    assert delivery["lost"] == 0
    assert delivery["late"] > 0
    # Those that wait longest are late, those that were sent just before the link came back are not.
    assert 0 < frames["frozen"] < FRAMES / 2
    late = run.table("frames").query("late_s > 0")
    assert len(late) == frames["frozen"]
    assert late["late_s"].max() < 1.5


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("dead", ["rate", "loss"])
def test_a_dead_link_ends_with_every_frame_frozen(over, trace, protection, dead):
    channel = trace((0, 0), (5, 0)) if dead == "rate" else loss(1.0)
    run = over(f"delay_s = 0.03\n{channel}", *protection)
    assert run.summary["frames"] == {"ok": 0, "concealed": 0, "drifting": 0, "frozen": FRAMES}
    delivery = run.summary["delivery"]
    assert delivery["recovered"] == delivery["late"] == 0
    packets = run.table("packets")
    media = packets[packets["kind"] != "parameters"]
    assert (media["fate"] == ("dropped" if dead == "rate" else "lost")).all()
    assert media["arrival_s"].isna().all()
    frames = run.table("frames")
    assert frames["late_s"].isna().all()
    assert frames["psnr_db"].between(1, 30).all()


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_without_loss_everything_is_whole(over, protection):
    run = over(f"delay_s = 0.03\n{loss(0.0)}", *protection)
    assert run.summary["frames"]["ok"] == FRAMES
    delivery = run.summary["delivery"]
    assert (delivery["lost"], delivery["late"], delivery["retransmitted"]) == (0, 0, 0)
    assert delivery["delay_s"] == {"p50": 0.03, "p95": 0.03, "max": 0.03}


def test_a_link_narrower_than_the_stream_grows_a_queue(over):
    wide = over("")
    half = wide.summary["rate"]["wire_bps"] / 2
    run = over(f"rate = {half}")
    packets = run.table("packets")
    delay = (packets["arrival_s"] - packets["send_s"]).to_numpy()
    assert (np.diff(packets["arrival_s"]) >= 8 * packets["bytes"][1:] / half - 2e-6).all()
    # Two seconds of video take four: the last packet waits for two, and its frame is late.
    assert delay[-1] == pytest.approx(2, abs=0.2)
    assert delay[: len(delay) // 4].max() < delay[-len(delay) // 4 :].min()
    assert run.summary["delivery"]["lost"] == 0
    assert run.summary["delivery"]["late"] > 0
    assert run.summary["frames"]["frozen"] > 0

    short = over(f"rate = {half}\nqueue_s = 0.2")
    assert short.summary["delivery"]["late"] == 0
    assert short.summary["delivery"]["lost"] == (short.table("packets")["fate"] == "dropped").sum() > 0
    sizes = short.table("packets")["bytes"]
    assert short.summary["delivery"]["delay_s"]["max"] <= 0.2 + 8 * sizes.max() / half + 1e-3


def test_parity_brings_frames_back_at_its_price(over):
    bare, protected = over(loss(0.1)), over(loss(0.1), "--fec", "rs:k=8,n=12")
    damaged = {name: FRAMES - run.summary["frames"]["ok"] for name, run in (("bare", bare), ("protected", protected))}
    assert damaged["bare"] > 10 > 5 * damaged["protected"]
    assert protected.summary["quality"]["psnr_db"] > bare.summary["quality"]["psnr_db"] + 3
    packets = protected.table("packets")
    parity = packets[packets["kind"] == "parity"]
    assert protected.summary["delivery"]["recovered"] == (packets["fate"] == "recovered").sum() > 0
    price = protected.summary["rate"]["wire_bps"] - bare.summary["rate"]["wire_bps"]
    assert price == pytest.approx(8 * parity["bytes"].sum() / 2)
    assert protected.summary["rate"]["payload_bps"] == bare.summary["rate"]["payload_bps"]


def test_requests_bring_frames_back_within_the_deadline_and_not_beyond(over):
    channel = f"delay_s = %s\n{loss(0.1)}"
    bare, asked = over(channel % 0.05), over(channel % 0.05, "--nack")
    assert bare.summary["delivery"]["lost"] > 0
    assert asked.summary["frames"]["ok"] >= FRAMES - 2
    assert asked.summary["delivery"]["recovered"] > 0
    packets = asked.table("packets")
    copies = packets[packets["kind"] == "retransmission"].merge(
        packets[packets["kind"] == "video"], on="sequence", suffixes=("", "_first")
    )
    assert len(copies) == asked.summary["delivery"]["retransmitted"] > 0
    waited = copies["send_s"] - copies["send_s_first"]
    assert waited.between(0.1, 0.4 - 0.05 + 1e-6).all()

    # A second there and back: no copy could be in time, so none is sent and all is as if nobody had asked.
    far, far_asked = over(channel % 0.5), over(channel % 0.5, "--nack")
    assert far_asked.summary["delivery"]["retransmitted"] == 0
    assert far_asked.summary["frames"] == far.summary["frames"]
    patient = over(channel % 0.5, "--nack", "--deadline", "2.5")
    assert patient.summary["frames"]["ok"] > far.summary["frames"]["ok"]
    assert patient.summary["delivery"]["recovered"] > 0


def test_parity_takes_its_budget_from_the_video(over, coarse):
    planned = ("--bitrate", "80k", "--codec", coarse, "--scales", "1,2", *FIXED[5:])
    bare = over("delay_s = 0.05", fixed=planned)
    protected = over("delay_s = 0.05", "--fec", "rs:k=8,n=12", fixed=planned)
    for run in (bare, protected):
        assert run.summary["rate"]["wire_bps"] <= 80_000
        assert run.summary["frames"]["ok"] == FRAMES
    assert protected.summary["rate"]["payload_bps"] < 0.85 * bare.summary["rate"]["payload_bps"]
    packets = protected.table("packets")
    assert 0.2 < packets.loc[packets["kind"] == "parity", "bytes"].sum() / packets["bytes"].sum() < 0.6


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_doubles_do_no_harm_and_are_not_counted_as_sent(over, protection):
    once = over("delay_s = 0.03\njitter_s = 0.01", *protection)
    twice = over("delay_s = 0.03\njitter_s = 0.01\nduplicate = 1.0", *protection)
    assert twice.summary["frames"]["ok"] == FRAMES
    for part in ("rate", "plan", "delivery", "frames", "quality"):
        assert twice.summary[part] == once.summary[part]
    packets = twice.table("packets")
    assert (packets["fate"] == "doubled").sum() == twice.summary["delivery"]["packets"]
    assert twice.table("segments").equals(once.table("segments"))
    # Doubles do not even count as late.
    spread = over("duplicate = 1.0\njitter_s = 1.0\nreordering = true", *protection, "--deadline", "0")
    rows = spread.table("packets")
    assert spread.summary["delivery"]["late"] <= (rows["fate"] != "doubled").sum()


def test_a_satellite_is_in_time_under_the_default_deadline(simulated, tmp_path, small_clip):
    run = simulated(tmp_path / "run", small_clip, *FIXED, "--channel", "satellite")
    delivery = run.summary["delivery"]
    assert delivery["late"] == 0
    assert 0.27 < delivery["delay_s"]["p50"] < 0.35
    assert run.summary["frames"]["ok"] > FRAMES / 2


def test_the_deadline_decides_what_is_late(over):
    # A fixed rung without a budget leaves the sender a second early by design: segments of a second, a bucket of one.
    in_time, hasty = over("delay_s = 1.1"), over("delay_s = 1.1", "--deadline", "0")
    assert in_time.summary["delivery"]["late"] == in_time.summary["frames"]["frozen"] == 0
    assert hasty.summary["delivery"]["late"] > 0
    assert hasty.summary["frames"]["frozen"] > 0


def test_the_same_seed_gives_the_same_losses_and_another_gives_others(over):
    channel = f"delay_s = 0.03\njitter_s = 0.01\n{loss(0.2)}"
    tables = [over(channel, "--seed", seed).table("packets") for seed in (1, 1, 2)]
    assert tables[0].equals(tables[1])
    assert not tables[0]["fate"].equals(tables[2]["fate"])


def test_compressed_headers_save_36_bytes_a_packet(over):
    plain, small = over(""), over('header_compression = "rohc-u"')
    packets = plain.summary["delivery"]["packets"]
    assert small.summary["delivery"]["packets"] == packets
    saved = (plain.summary["rate"]["wire_bps"] - small.summary["rate"]["wire_bps"]) * 2 / 8
    assert saved == pytest.approx(36 * packets)


def test_captures_of_a_run_hold_its_packets(over, tmp_path):
    channel = f"delay_s = 0.05\nduplicate = 0.2\n{loss(0.1)}"
    run = over(channel, "--nack", "--pcap", tmp_path / "sent.pcap", "--pcap-received", tmp_path / "received.pcap")
    packets = run.table("packets")
    if shutil.which("tshark") is None:
        pytest.skip("the program 'tshark' is not on this machine")
    fields = ["-T", "fields", "-e", "udp.dstport", "-e", "frame.time_epoch", "-e", "rtp.p_type", "-e", "_ws.malformed"]
    for name, rows, times in (
        ("sent", packets[packets["fate"] != "doubled"], "send_s"),
        ("received", packets[packets["fate"].isin(["delivered", "doubled"])], "arrival_s"),
    ):
        command = ["tshark", "-r", str(tmp_path / f"{name}.pcap"), *fields]  # no rules by hand
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        announced, *found = [line.split("\t") for line in lines]
        assert announced[0] == "9875"
        assert len(found) == len(rows)
        assert {(port, number) for port, _, number, _ in found} == {("5004", "96"), ("5008", "98")}
        copies = sum(port == "5008" for port, *_ in found)
        assert copies == (rows["kind"] == "retransmission").sum()
        assert not any(malformed for *_, malformed in found)
        assert np.allclose(sorted(float(time) for _, time, *_ in found), sorted(rows[times]), atol=2e-6)


BAD_CHANNELS = [
    (loss(1.5), ("probability", "1.5", "less than or equal to 1")),
    (loss(-0.1), ("probability", "-0.1")),
    (loss("nan"), ("probability",)),
    ('rate = "-5k"', ("rate", "-5k", "positive")),
    ("rate = 0", ("rate", "positive")),
    ("rate = nan", ("rate", "positive")),
    ('rate = "1M"\nqueue_bytes = 100', ("queue_bytes", "100", "1500")),
    ("delay_s = -1", ("delay_s", "-1")),
    ("duplicate = 2", ("duplicate", "2")),
    ("speed = 9", ("speed",)),
    ('loss = { model = "gilbert-elliott", mean_loss = 0.9, mean_burst = 2 }', ("mean_burst", "at least 9")),
    ('loss = { model = "poisson" }', ("poisson", "bernoulli")),
    ('loss = { model = "recorded", path = "nosuch.txt" }', ("nosuch.txt",)),
    ('trace = { path = "nosuch.csv", format = "csv" }', ("nosuch.csv",)),
]


def refused(ended, *parts):
    assert ended.status == 2, ended.err
    assert ended.out == ""
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    for part in parts:
        assert part in lines[0]


@pytest.mark.parametrize(("channel", "parts"), BAD_CHANNELS)
def test_channels_that_cannot_be(command, small_clip, tmp_path, channel, parts):
    (tmp_path / "mine.toml").write_text(f'description = "test"\n{channel}\n')
    place = () if "path" in channel else ("mine.toml",)
    refused(command(small_clip, *FIXED, "--channel", "mine.toml", "--out", "run"), *place, *parts)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("form", "text", "parts"),
    [
        ("csv", "", ("time_s", "rate_bps")),
        ("csv", "time_s,rate_bps\n", ("empty",)),
        ("csv", "time_s,rate_bps\n1,5\n0,5\n", ("forwards",)),
        ("csv", "time_s,rate_bps\n0,-5\n", ("rate_bps", "-5", "0 or more")),
        ("csv", "time_s,rate_bps\n0,nan\n", ("rate_bps", "nan")),
        ("mahimahi", "", ("empty", "milliseconds")),
        ("mahimahi", "5\n3\n", ("3 ms after 5 ms", "backwards")),
        ("mahimahi", "-5\n", ("-5", "milliseconds")),
        ("json", "[]", ("at least one",)),
        ("json", '[{"duration_ms": 10, "bandwidth_kbps": -1}]', ("bandwidth_kbps", "-1")),
    ],
)
def test_traces_that_cannot_be(command, small_clip, tmp_path, form, text, parts):
    (tmp_path / "recorded").write_text(text)
    (tmp_path / "mine.toml").write_text(f'description = "t"\ntrace = {{ path = "recorded", format = "{form}" }}\n')
    refused(command(small_clip, *FIXED, "--channel", "mine.toml", "--out", "run"), "trace", "recorded", *parts)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--fec", "rs:k=10,n=5"), ("n = 5", "k = 10")),
        (("--fec", "raptor:k=10"), ("raptor", "rs:k=10,n=12")),
        (("--fec", "auto:2"), ("auto:2", "between 0 and 1")),
        (("--mtu", "30"), ("30", "68", "40")),
        (("--mtu", "70", "--fec", "rs:k=10,n=12"), ("--mtu 70", "81")),
        (("--aggregate", "-1"), ("--aggregate -1",)),
        (("--pcap", "/nonexistent/x.pcap"), ("/nonexistent/x.pcap", "cannot be written")),
        (("--pcap-received", "/nonexistent/x.pcap"), ("/nonexistent/x.pcap", "cannot be written")),
        (("--pcap", "."), ("capture .", "cannot be written", "folder")),
        (("--pcap", "a.pcap", "--pcap-received", "a.pcap"), ("a.pcap", "--pcap", "--pcap-received")),
    ],
)
def test_settings_of_the_link_that_cannot_be(command, small_clip, tmp_path, arguments, parts):
    refused(command(small_clip, *FIXED, *arguments, "--out", "run"), *parts)
    assert not (tmp_path / "run").exists()


def test_frames_that_were_chosen_are_held_and_lost_like_every_nth(over):
    even, chosen = (over("", "--divisors", "4", "--frames", frames) for frames in ("even", "picture"))
    for run in (even, chosen):
        assert run.summary["frames"]["ok"] == FRAMES
        assert (run.table("frames")["payload_bits"] > 0).sum() == 14  # 7 of each 25
    assert chosen.summary["quality"]["psnr_db"] > even.summary["quality"]["psnr_db"] + 0.1
    lossy = over(loss(0.2), "--divisors", "4", "--frames", "picture")
    frames = lossy.table("frames")
    assert set(frames["status"]) > {"ok"}
    # A frame that was left out shares the fate of the one on show.
    left_out = frames["payload_bits"] == 0
    assert (frames["status"] == frames["status"].where(~left_out).ffill()).all()


def test_live_codes_the_frames_that_matter(over):
    live = ("--bitrate", "auto", "--scales", "1,2", "--divisors", "2,4", "--frames", "picture")
    run = over("rate = 60e3\ndelay_s = 0.05", fixed=(*live, "--recognizer", "none", "--no-plot", "--no-video"))
    frames, segments = run.table("frames"), run.table("segments")
    for row in segments.itertuples():
        coded = (frames["payload_bits"] > 0)[frames["segment"] == row.segment]
        assert coded.sum() == -(-len(coded) // row.frame_divisor)
