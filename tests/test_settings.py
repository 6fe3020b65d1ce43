"""Settings from Python: the same words refuse them as on the command line, and values may be as people write them."""

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidlink.errors import UserError
from vidlink.options import parse_arguments, settings_from, settings_of
from vidlink.settings import Settings, as_json, declarations
from vidlink.sweeping.options import to_settings

BUDGET = {"bitrate_bps": 64_000}

ALONE = [
    ("video_size", "16", "--video-size '16'"),
    ("framerate", "0", "--framerate '0'"),
    ("framerate", "1/0", "--framerate '1/0'"),
    ("bitrate_bps", "0", "--bitrate: bit rate '0'"),
    ("bitrate_bps", "nan", "--bitrate: bit rate 'nan'"),
    ("start_bps", "fast", "--start-bitrate: bit rate 'fast'"),
    ("feedback_s", "20", "--feedback 20: must be 0.01 to 10"),
    ("feedback_s", "nan", "--feedback nan"),
    ("shortest_segment_s", "x", "--shortest-segment: invalid float value: 'x'"),
    ("buffer_s", "-1", "--buffer -1: must be a number of seconds"),
    ("buffer_s", "inf", "--buffer inf"),
    ("objective", "vmaf", "--objective: invalid choice: 'vmaf' (choose from 'psnr', 'ssim', 'task')"),
    ("search", "blind", "--search: invalid choice: 'blind'"),
    ("scales", "0.5", "--scales: a scale factor"),
    ("scales", "1,1", "twice"),
    ("scales", "1,x", "--scales: 'x' is not a number"),
    ("divisors", "0", "--divisors '0'"),
    ("frames", "odd", "--frames: invalid choice: 'odd'"),
    ("scale", "0.5", "--scale: a scale factor is HR side / LR side and at least 1, found '0.5'"),
    ("scale", "nan", "--scale: a scale factor"),
    ("quality", "x", "--quality: invalid float value: 'x'"),
    ("segment_s", "-1", "--segment -1: must be a number of seconds, at least 0.1"),
    ("segment_s", "0", "--segment 0"),
    ("gop", "soon", "--gop 'soon': expected seconds between key frames, such as 2, or auto"),
    ("gop", "0", "--gop 0: must be a number of seconds, at least 0.1"),
    ("gop", "nan", "--gop nan: must be a number of seconds"),
    ("max_size", "0x4", "--max-size '0x4'"),
    ("mtu", "10", "--mtu 10: the MTU must be at least 68 bytes, of which headers take 40"),
    ("mtu", "70000", "70000: must be 68 to 65535 bytes, of which 40 are headers"),
    ("size", "320", "--size '320': write width x height"),
    ("fps", "0", "--fps '0': write frames a second"),
    ("loss", "5", "--loss 5: expected a share from 0 to below 1, like 0.05 or 5%, or as 5%"),
    ("loss", "some", "--loss: invalid float value: 'some'"),
    ("deadline_s", "400us", "--deadline: invalid float value: '400us'"),
    ("aggregate_s", "-0.1", "--aggregate -0.1"),
    ("fec", "raptor", "fec 'raptor': expected none"),
    ("fec", "rs:k=10,n=9", "n = 9 is less than k = 10"),
    ("deadline_s", "-1", "--deadline -1"),
    ("roi", "1,2,3", "--roi '1,2,3': write none"),
    ("roi", "face:0,0,0,5", "must be positive"),
    ("film", "beside", "--film: invalid choice: 'beside'"),
    ("seed", "-1", "--seed -1: at least 0"),
    ("seed", "x", "--seed: invalid int value: 'x'"),
    ("workers", "0", "--workers 0: at least 1"),
    ("recognize_every", "0", "--recognize-every 0: at least 1"),
    ("overfit", "always", "--overfit: invalid choice: 'always' (choose from 'off', 'auto')"),
    ("restorer_budget", "much", "--restorer-budget 'much': write multiply-adds a pixel, above 0, like 900 or 1.2k"),
    ("restorer_budget", "0", "--restorer-budget '0'"),
    ("restorer_budget", "nan", "--restorer-budget 'nan'"),
    ("restorer_budget", "-900", "--restorer-budget '-900'"),
]


def said_by_the_command_line(capsys, arguments):
    """What it says of them, without the name of the program."""
    with pytest.raises((UserError, SystemExit)) as caught:
        settings_from(parse_arguments(arguments))
    if isinstance(caught.value, UserError):
        return str(caught.value)
    _, _, line = capsys.readouterr().err.partition(": argument ")
    return line.removesuffix(" (see --help)\n")


def said_by(make, **values):
    with pytest.raises(UserError) as caught:
        make(**values)
    return str(caught.value)


@pytest.mark.parametrize(("field", "text", "words"), ALONE)
def test_python_refuses_a_value_in_the_words_of_the_command_line(capsys, field, text, words):
    option = declarations()[field]
    live = {"start_bps", "feedback_s", "shortest_segment_s"}
    budget = [] if field == "bitrate_bps" else ["--bitrate", "auto" if field in live else "64k"]
    said = said_by_the_command_line(capsys, [*budget, f"--{option.name}={text}"])
    assert words in said
    assert said == said_by(Settings, **{field: text})
    assert said == said_by(settings_of, **{option.key: text})
    if option.swept:
        assert said == said_by(lambda **_: to_settings({option.name: text}))


def test_every_setting_that_can_be_wrong_by_itself_is_in_that_table():
    free = {"input", "estimator", "codec", "channel", "recognizer", "weights", "recognizer_args", "labels", "label"}
    free |= {
        "face_detector",
        "restorer",
        "pcap",
        "pcap_received",
        "device",
        "nack",
        "vmaf",
        "score_pictures",
        "save_video",
        "save_plot",
        "save_report",
        "allow_network",
    }
    assert {field for field, _, _ in ALONE} == set(declarations()) - free


@pytest.mark.parametrize("field", [field for field, option in declarations().items() if option.kind is bool])
def test_switches_take_truth_values_only(field):
    assert "expected true or false" in said_by(Settings, **{field: "yes"})
    assert "expected true or false" in said_by(Settings, **{field: 1})


@pytest.mark.parametrize(
    ("values", "arguments", "words"),
    [
        ({"scale": 2, "scales": (1, 2)}, ["--scale=2", "--scales=1,2"], "--scale fixes one factor"),
        ({"label": "Walk", "labels": "a.csv"}, ["--label=Walk", "--labels=a.csv"], "--label names one class"),
        ({"start_bps": 1e5}, ["--start-bitrate=100k"], "--start-bitrate: is for --bitrate auto"),
        ({"estimator": "fixed"}, ["--estimator=fixed"], "--estimator: is for --bitrate auto"),
        ({"feedback_s": 1}, ["--feedback=1"], "--feedback: is for --bitrate auto"),
        ({"shortest_segment_s": 0.5}, ["--shortest-segment=0.5"], "--shortest-segment: is for --bitrate auto"),
        ({"search": "ladder", "quality": 30}, ["--search=ladder", "--quality=30"], "--search ladder: with --quality"),
        ({"live": True, "quality": 30}, ["--bitrate=auto", "--quality=30"], "--quality: cannot be fixed"),
        (
            {"live": True, "quality": 30, "scale": 2},
            ["--bitrate=auto", "--quality=30", "--scale=2"],
            "--quality: cannot be fixed",
        ),
        ({"live": True, "search": "best-fixed"}, ["--bitrate=auto", "--search=best-fixed"], "plans ahead"),
        ({"live": True, "overfit": "auto"}, ["--bitrate=auto", "--overfit=auto"], "planned ahead"),
        ({"overfit": "auto", "restorer": "temporal"}, ["--overfit=auto", "--restorer=temporal"], "names another"),
        ({"overfit": "auto", "quality": 30}, ["--overfit=auto", "--quality=30"], "which --quality cannot"),
        ({"overfit": "auto", "search": "exhaustive"}, ["--overfit=auto", "--search=exhaustive"], "exhaustive cannot"),
        ({"overfit": "auto", "objective": "ssim"}, ["--overfit=auto", "--objective=ssim"], "--objective ssim does not"),
        ({"overfit": "auto", "roi": "qp"}, ["--overfit=auto", "--roi=qp"], "--roi qp does not"),
        (
            {"live": True, "shortest_segment_s": 2},
            ["--bitrate=auto", "--shortest-segment=2"],
            "--shortest-segment 2: must be at least 0.1 and at most --segment (1 s)",
        ),
        (
            {"live": True, "gop": 2},
            ["--bitrate=auto", "--gop=2"],
            "--gop 2: with --bitrate auto each segment is a group; set --segment instead",
        ),
        (
            {"live": True, "shortest_segment_s": 0.05},
            ["--bitrate=auto", "--shortest-segment=0.05"],
            "--shortest-segment 0.05",
        ),
    ],
)
def test_python_refuses_what_cannot_be_together_in_the_words_of_the_command_line(capsys, values, arguments, words):
    if "live" not in values:
        values, arguments = values | BUDGET, [*arguments, "--bitrate=64k"]
    said = said_by_the_command_line(capsys, arguments)
    assert words in said
    assert said == said_by(Settings, **values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bitrate=64k", "--scale=2", "--scales=2"], "--scale fixes one factor"),
        (["--bitrate=64k", "--scale=2", "--scales=1,1.5,2,3,4,6,8"], "--scale fixes one factor"),
        (["--bitrate=64k", "--estimator=gcc"], "--estimator: is for --bitrate auto"),
        (["--bitrate=64k", "--start-bitrate=64k"], "--start-bitrate: is for --bitrate auto"),
        (["--bitrate=64k", "--quality=30", "--search=guided"], "--search guided: with --quality"),
        (["--estimator=gcc"], "give a budget"),
        (["--scale=2"], "give a budget"),
        (["--bitrate=auto", "--estimator=gc"], "unknown estimator 'gc': did you mean 'gcc'"),
    ],
)
def test_where_an_option_is_given_counts_though_it_says_the_default(capsys, arguments, words):
    assert words in said_by_the_command_line(capsys, arguments)


def test_a_budget_and_a_live_rate_exclude_each_other():
    assert "--bitrate auto" in said_by(Settings, live=True, bitrate_bps=64_000)


def test_a_run_without_a_budget_is_refused_and_settings_without_one_are_a_start():
    base = Settings(codec="x265")
    assert "give a budget" in said_by(base.check_budget)
    for complete in ({"bitrate_bps": "64k"}, {"live": True}, {"scale": 2, "quality": 30}):
        replace(base, **complete).check_budget()


def test_simulate_refuses_settings_without_a_budget():
    from vidlink.simulate import simulate

    with pytest.raises(UserError, match="give a budget"):
        simulate(Settings(), quiet=True)


@pytest.mark.parametrize(
    ("field", "ways", "value"),
    [
        ("bitrate_bps", ["64k", 64_000, 64_000.0, "64000", np.float64(64_000), np.int64(64_000)], 64_000.0),
        ("framerate", ["25/2", 12.5, Fraction(25, 2), "12.5"], Fraction(25, 2)),
        ("scales", ["2,1", (1, 2), [2.0, 1.0], ["1", 2]], (1.0, 2.0)),
        ("scales", [1.25, "1.25"], (1.25,)),
        ("scales", [(1.23456789,)], (1.23456789,)),
        ("divisors", ["1,2", (2, 1), [1, 2]], (1, 2)),
        ("max_size", ["320x240", (320, 240), [320, 240]], (320, 240)),
        ("segment_s", [2, 2.0, "2", Fraction(2)], 2.0),
        ("seed", [3, "3", 3.0], 3),
        ("labels", ["a.csv", Path("a.csv")], Path("a.csv")),
        ("input", ["a.mp4", Path("a.mp4")], "a.mp4"),
        ("roi", ["1,2,3,4", (1, 2, 3, 4)], "1,2,3,4"),
        ("recognizer_args", [["a=1"], ("a=1",), "a=1"], ("a=1",)),
    ],
)
def test_a_value_may_be_given_as_text_number_or_list(field, ways, value):
    for way in ways:
        found = getattr(Settings(**{field: way}), field)
        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("value", [True, None, {}, [], b"1"])
def test_what_is_neither_text_nor_number_is_refused(value):
    assert said_by(Settings, segment_s=value) == f"segment = {value!r}: expected text or a number"


def test_whole_numbers_are_not_rounded():
    assert said_by(Settings, seed=1.5) == "--seed: invalid int value: '1.5'"


def test_settings_can_be_changed_one_by_one():
    settings = settings_from(parse_arguments(["--scale=2", "--quality=30"]))
    assert (settings.scales, settings.divisors, settings.search) == ((2.0,), (1,), "guided")
    assert replace(settings, seed=5).seed == 5
    assert replace(Settings(bitrate_bps=16e3, max_size=(16, 12)), scale=4.0).scale == 4.0
    assert "--segment" in said_by(lambda: replace(settings, segment_s=-1))


def test_the_json_section_has_every_field_in_order():
    assert list(as_json(Settings())) == [each.name for each in fields(Settings)]
