"""What people type: rates, times and shares with units, names of standards, sizes, frame rates, losses, traces."""

import json

import pytest

from vidlink.channel.trace import read_trace
from vidlink.codec.shelf import load_channel, load_codec, shelf
from vidlink.errors import UserError
from vidlink.options import parse_arguments, settings_from, settings_of
from vidlink.report.run_folder import run_name
from vidlink.sweeping.grid import sweep_from
from vidlink.sweeping.identity import identify

FAST = ("--recognizer", "none", "--no-scores", "--no-plot", "--no-video")


def typed(*words):
    return settings_from(parse_arguments(words))


@pytest.mark.parametrize("text", ["64k", "64kbps", "64kb/s", "64 kbit/s", "64kbits/s", "64000", "0.064Mbps", "64Kbps"])
def test_a_rate_is_bits_a_second_however_it_is_written(text):
    assert typed("--bitrate", text).bitrate_bps == 64_000


@pytest.mark.parametrize("text", ["8kB/s", "8 KBps", "8 kbytes/s"])
def test_bytes_are_no_bits(text):
    with pytest.raises(UserError, match="is in bytes; write bits per second"):
        typed("--bitrate", text)


def test_times_may_be_in_milliseconds():
    words = ("--deadline=400ms", "--segment=2s", "--buffer=1500 ms", "--aggregate=0ms")
    settings = typed("--bitrate=64k", *words)
    assert (settings.deadline_s, settings.segment_s) == (0.4, 2)
    assert (settings.buffer_s, settings.aggregate_s) == (1.5, 0)
    assert settings_of(bitrate="64k", deadline="250ms").deadline_s == 0.25
    point = next(sweep_from({"grid": {"deadline": ["100ms", 0.2]}, "settings": {"bitrate": "64k"}}).make_points("."))
    assert point.columns["deadline_s"] == 0.1


def test_a_time_that_cannot_be_read_is_refused_in_the_usual_words(capsys):
    with pytest.raises(SystemExit):
        typed("--bitrate=64k", "--deadline=soon")
    assert "argument --deadline: invalid float value: 'soon'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "recipe"), [("h264", "x264"), ("HEVC", "x265"), ("libx264", "x264"), ("libvpx-vp9", "vp9")]
)
def test_names_of_standards_and_encoders_are_recipes(name, recipe):
    assert typed("--bitrate=64k", "--codec", name).codec == recipe
    assert load_codec(name) == load_codec(recipe)


def test_a_misspelt_codec_is_answered_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'x264'"):
        load_codec("x264s")


def test_crf_is_quality():
    settings = typed("--size=160x120", "--crf=30")
    assert (settings.quality, settings.divisors) == (30, (1,))
    assert settings == settings_of(size="160x120", crf=30) == settings_of(size=(160, 120), quality=30)
    points = sweep_from({"grid": {"crf": [30, 40]}, "settings": {"size": "160x120"}}).make_points(".")
    assert [point.columns["quality"] for point in points] == [30, 40]
    with pytest.raises(UserError, match="--crf and --quality are the same"):
        typed("--bitrate=64k", "--crf=30", "--quality=30")


def test_crf_of_a_codec_that_has_none(tmp_path):
    recipe = tmp_path / "steady.toml"
    text = (shelf("codecs") / "x264.toml").read_text(encoding="utf-8")
    recipe.write_text(text.replace('option = "crf"', 'option = "qp"').replace("step = 0.1\n", ""))
    with pytest.raises(UserError, match=r"--crf 30: the quality of codec .*steady.* is its qp; give --quality 30"):
        typed("--bitrate=64k", "--crf=30", "--codec", str(recipe))
    assert typed("--bitrate=64k", "--quality=30", "--codec", str(recipe)).quality == 30


def test_loss_is_a_channel_perfect_but_for_it():
    settings = typed("--bitrate=64k", "--loss=5%")
    assert settings.loss == settings_of(bitrate="64k", loss=0.05).loss == 0.05
    profile = load_channel(settings.channel, settings.loss)
    assert profile.loss == load_channel("bernoulli-5").loss
    assert (profile.rate, profile.jitter_s, profile.duplicate) == (None, 0, 0)
    assert run_name(settings) == "builtin-64k-loss5"
    assert identify(settings) != identify(typed("--bitrate=64k", "--loss=4%"))
    with pytest.raises(UserError, match="--loss makes a channel"):
        typed("--bitrate=64k", "--loss=5%", "--channel=satellite")
    assert typed("--bitrate=64k", "--fec=auto:1%").fec == "auto:1%"


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """The same kind of link in three formats, each under a name that says nothing."""
    folder = tmp_path_factory.mktemp("traces")
    (folder / "bus.up").write_text("\n".join(str(4 * k) for k in range(1, 500)) + "\n")
    (folder / "bus.csv").write_text("".join(f"{4 * k}\n" for k in range(1, 500)))
    (folder / "log.txt").write_text("time_s,rate_bps\n0,3000000\n1,1000000\n2,3000000\n")
    steps = [{"duration_ms": 1000, "bandwidth_kbps": 3000, "latency_ms": 40}]
    (folder / "log.json").write_text(json.dumps(steps, indent=1))
    return folder


@pytest.mark.parametrize(
    ("name", "found"), [("bus.up", "mahimahi"), ("bus.csv", "mahimahi"), ("log.txt", "csv"), ("log.json", "json")]
)
def test_a_trace_is_known_by_its_content(traces, monkeypatch, name, found):
    profile = load_channel(str(traces / name))
    assert (profile.trace.format, profile.trace.path) == (found, traces / name)
    assert profile.queue_bytes == load_channel("lte-drive").queue_bytes
    monkeypatch.chdir(traces)
    assert load_channel(name).trace.format == found
    named = traces / "named.toml"
    named.write_text(f'description = "a"\ntrace = {{ path = "{name}" }}\n')
    assert type(read_trace(load_channel(str(named)).trace)[0]) is type(read_trace(profile.trace)[0])


def test_a_point_is_told_apart_by_the_content_of_its_trace(traces):
    one = settings_of(bitrate="64k", channel=str(traces / "bus.up"))
    same = settings_of(bitrate="64k", channel=str(traces / "bus.csv"))
    other = settings_of(bitrate="64k", channel=str(traces / "log.txt"))
    assert identify(one) == identify(same) != identify(other)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "neither TOML by its name, nor a trace"),
        ("time,rate\n0,1\n", "CSV a header with time_s and rate_bps"),
        ("hello\n", "whole number of milliseconds"),
        ("4\n8\nx\n", "entry 3"),
        ("[{]", "is not JSON"),
    ],
)
def test_what_is_no_trace(tmp_path, content, words):
    path = tmp_path / "odd.log"
    path.write_text(content)
    with pytest.raises(UserError, match=words):
        read_trace(load_channel(str(path)).trace)


def test_no_such_trace():
    with pytest.raises(UserError, match=r"channel file 'nosuch\.up' does not exist"):
        load_channel("nosuch.up")


def test_a_size_and_a_rate_are_what_is_sent(simulated, small_clip, tmp_path):
    made = simulated(tmp_path / "run", small_clip, "--bitrate=60k", "--size=48x48", "--fps=13", *FAST)
    plan = made.table("segments")
    frames, clip = made.table("frames"), made.summary["input"]
    assert set(zip(plan["width"], plan["height"], strict=True)) == {(48, 32)}
    assert len(frames) == clip["frames"]
    notes = " ".join(made.summary["notes"])
    assert "--size 48x48: pictures of" in notes
    assert f"--fps 13: every 2nd frame of {clip['fps']:g} a second" in notes
    assert made.summary["settings"]["size"] == [48, 48]
    assert set(plan["frame_divisor"]) == {2}


def test_a_loss_is_lost(simulated, small_clip, tmp_path, command):
    options = (small_clip, "--scale=1", "--quality=30", "--mtu=200", "--no-scores", *FAST)
    lost = simulated(tmp_path / "one", *options, "--loss=20%").summary["delivery"]
    same = simulated(tmp_path / "two", *options, "--loss=0.2").summary["delivery"]
    assert 0.02 < lost["loss_rate"] < 0.5
    assert lost == same


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fps", "60"), "--fps 60: more than the clip has"),
        (("--size", "4000x3000"), "--size 4000x3000: larger than the clip"),
        (("--size", "2x2"), "fit no rung"),
        (("--size", "48x48", "--scale", "2"), "--size fixes the size of the pictures sent and --scale"),
        (("--size", "48x48", "--max-size", "48x48"), "and --max-size says it, too"),
        (("--fps", "10", "--divisors", "1,2"), "--fps fixes the frames a second and --divisors"),
    ],
)
def test_what_cannot_be_sent(command, small_clip, options, words):
    done = command(small_clip, "--bitrate", "64k", *options, *FAST)
    assert done.status == 2
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_a_film_is_asked_for_or_not():
    with pytest.raises(UserError, match="--film side-by-side asks for a film and --no-video for none"):
        typed("--bitrate=64k", "--film=side-by-side", "--no-video")


def test_a_quality_between_two_steps_is_not_taken_for_another(command, small_clip, tmp_path):
    words = (small_clip, "--scale", "1", *FAST, "--out", tmp_path / "run")
    for codec, quality, nearest in (("vp9", "30.6", "31"), ("x264", "18.04", "18"), ("x265", "30.5", "30.5")):
        ended = command(*words, "--codec", codec, "--crf", quality)
        if nearest == quality:
            assert ended.status == 0
        else:
            assert (ended.status, len(ended.err.splitlines())) == (2, 1)
            assert ended.err.rstrip().endswith(f"the nearest is {nearest}")
